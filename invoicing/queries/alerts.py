"""Alerts, and how customers stand with them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_site.foundation.refusals import FieldError, NotFound
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from invoicing.engine.alerts import KINDS, NOTHING, Reading, Turn, followed
from invoicing.models import Alert, AlertState
from invoicing.queries.alert_readings import readings
from invoicing.queries.compute import computation

LIVE = [code for code, kind in KINDS.items() if kind.measure != NOTHING]


def alert(alert_id: UUID, *, customer_id: UUID | None = None, locked: bool = False, field: str = "alert_id") -> Alert:
    """Raises NotFound; where a customer is given, for an alert of another one too."""
    rows = Alert.objects.select_for_update(of=("self",)) if locked else Alert.objects.all()
    if customer_id is not None:
        rows = rows.watching(customer_id)
    found = rows.select_related("unit", "metric").filter(pk=alert_id).first()
    if found is None:
        whose = "" if customer_id is None else " of this customer, or of all"
        raise NotFound("There is no such alert.", FieldError(field, alert_id, f"must be the id of an alert{whose}"))
    return found


def alerts_to_follow(customer_id: UUID) -> list[Alert]:
    """What is watched of a customer. One query."""
    watched = Alert.objects.enabled().watching(customer_id).filter(type__in=LIVE)
    return list(watched.select_related("unit", "metric").order_by("created_at", "id"))


def customers_in_alarm() -> int:
    """How many customers are in alarm for anything. One query."""
    alarms = AlertState.objects.filter(status=AlertState.Status.IN_ALARM, alert__archived_at=None)
    return alarms.values("customer").distinct().count()


@dataclass(frozen=True, slots=True)
class AlertStanding:
    """How a customer stands with an alert; `status` is None while that is not known."""

    status: str | None
    worst: Reading | None = None
    since: datetime | None = None  # as the refresher saw it


def alert_standings(
    alerts: Collection[Alert], customer: Customer, *, at: datetime, about: str | None = None
) -> dict[UUID, AlertStanding]:
    """By alert, from what there is at this instant; archived ones are left out. `about` is the only one of its figures
    that is asked for. A fixed number of queries."""
    watched = [each for each in alerts if each.archived_at is None]
    live = [each for each in watched if each.type in LIVE]
    with read_snapshot():
        states = {each.alert_id: each for each in AlertState.objects.filter(customer=customer, alert__in=live)}
        found = readings(live, computation(customer.pk, at=at), at=at) if live else {}
    if about is not None:
        found = {key: each and [one for one in each if one.about == about] for key, each in found.items()}
    return {each.pk: _standing(each, customer, found.get(each.pk, ()), states.get(each.pk), at) for each in watched}


def _standing(
    watched: Alert, customer: Customer, found: Sequence[Reading] | None, state: AlertState | None, at: datetime
) -> AlertStanding:
    if found is None or (state is None and watched.type in LIVE and watched.mutes(customer)):
        return AlertStanding(None)
    known = None if state is None else state.to_alarms()
    now = followed(known, found, watched.kind, watched.threshold, at=at)
    status = AlertState.Status.IN_ALARM if now.is_alarm else AlertState.Status.OK
    return AlertStanding(status, now.worst, state.since if state is not None and state.status == status else None)


def state_of(
    watched: Alert, customer: Customer, found: Sequence[Reading], state: AlertState | None, *, at: datetime
) -> tuple[AlertState, tuple[Turn, ...]]:
    """The state after these readings, and what has turned since `state`."""
    known = None if state is None else state.to_alarms()
    now = followed(known, found, watched.kind, watched.threshold, at=at, is_muted_at_first=watched.mutes(customer))
    status = AlertState.Status.IN_ALARM if now.is_alarm else AlertState.Status.OK
    made = AlertState(
        id=AlertState.id_of(watched.pk, customer.pk),
        alert=watched,
        customer=customer,
        status=status,
        figure=now.worst.figure if now.worst else None,
        label=now.worst.label if now.worst else "",
        alarms=AlertState.stored(now.alarms),
        since=state.since if state is not None and state.status == status and state.since else at,
    )
    return made, now.turns
