"""Alerts: made, archived, and looked at anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from billing_site.foundation import touched
from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.problems import Problems, save
from billing_site.foundation.refusals import Conflict, Refusal
from billing_site.foundation.transactions import repeatable_read
from contracts.models import Customer
from contracts.queries import no_such_customer
from contracts.services.checks import uniqueness_key
from contracts.terms import QUANTITY, SPEND
from contracts.transactions import touch_everybody
from invoicing.engine import alerts as engine
from invoicing.engine.alerts import KINDS, Kind
from invoicing.models import Alert, AlertState
from invoicing.queries.alerts import LIVE, alert
from pricing.models import BillableMetric, PricingUnit
from pricing.queries import default_unit, metric, unit

SEATS = "LOW_REMAINING_SEAT_BALANCE_REACHED"
GROUP_KEYS_AT_MOST = 10
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AlertInput:
    """In the words of the API; types, entities and codes in capitals. The threshold is in wire units where it is
    money."""

    name: str
    alert_type: str
    threshold: Decimal
    customer_id: UUID | None = None
    credit_type_id: UUID | None = None
    access_type: str | None = None
    billable_metric_id: UUID | None = None
    group_values: Sequence[Json] = ()
    custom_field_filters: Sequence[Json] = ()
    alert_specifiers: Sequence[Json] = ()
    invoice_types_filter: Sequence[str] = ()
    credit_grant_type_filters: Sequence[str] = ()
    plan_id: UUID | None = None
    seat_filter: Json | None = None
    evaluate_on_create: bool = True
    uniqueness_key: str | None = None


def create_alert(given: AlertInput, *, reason: str = "", at: datetime, by: Actor) -> Alert:
    """Watch a customer, or all of them, from now on.

    Raises Conflict where the uniqueness key was used, NotFound, and Refusal naming the fields that break a rule.
    """
    key = given.uniqueness_key
    if key and Alert.objects.filter(uniqueness_key=key).exists():
        raise _key_was_used(key)
    problems = Problems()
    _check(given, problems)
    problems.refuse()
    made = Alert(
        name=given.name.strip(),
        type=given.alert_type,
        threshold=given.threshold,
        customer=_customer(given.customer_id),
        unit=_unit(given),
        access_type=(given.access_type or SPEND) if KINDS[given.alert_type].is_of_balances else "",
        metric=_metric(given.billable_metric_id),
        group_values=_groups(given),
        custom_field_filters=list(given.custom_field_filters),
        specifiers=list(given.alert_specifiers),
        invoice_types=sorted(set(given.invoice_types_filter)),
        credit_grant_types=list(given.credit_grant_type_filters),
        plan_id=given.plan_id,
        evaluate_on_create=given.evaluate_on_create,
        uniqueness_key=key,
        created_at=at,
        created_by=by.label,
    )
    try:
        with transaction.atomic(), acting(by):
            save(made, reason=reason)
            if made.type in LIVE:
                _look_at(made)
    except IntegrityError as error:  # a twin was first
        if key and Alert.objects.filter(uniqueness_key=key).exists():
            raise _key_was_used(key) from error
        raise
    return made


def archive_alert(alert_id: UUID, *, is_key_released: bool = False, reason: str = "", at: datetime, by: Actor) -> Alert:
    """Watch no more; nobody is in alarm for it from then on. Twice is as good as once. Raises NotFound."""
    with transaction.atomic(), acting(by):
        found = alert(alert_id, locked=True, field="id")
        released = is_key_released and found.uniqueness_key is not None
        if found.archived_at is None or released:
            found.archived_at = found.archived_at or at
            found.uniqueness_key = None if released else found.uniqueness_key
            save(found, reason=reason)
            AlertState.objects.filter(alert=found).delete()
        return found


@repeatable_read
def reset_alert(alert_id: UUID, customer_id: UUID) -> None:
    """Forget that the customer was in alarm, and look again: if it still is past the threshold, it goes into alarm once
    more. Raises NotFound, and Refusal where the alert is archived."""
    if not Customer.objects.filter(pk=customer_id).exists():
        raise no_such_customer(customer_id)
    found = alert(alert_id, customer_id=customer_id)
    if found.archived_at is not None:
        raise Refusal.of("alert_id", alert_id, "must be the id of an alert that is not archived")
    AlertState.objects.update_or_create(
        id=AlertState.id_of(found.pk, customer_id),
        defaults={"status": AlertState.Status.OK, "figure": None, "label": "", "alarms": {}, "since": None},
        create_defaults={"alert": found, "customer_id": customer_id},
    )
    touched.touch(touched.CUSTOMER, [customer_id])


def _look_at(made: Alert) -> None:
    if made.customer_id is not None:
        touched.touch(touched.CUSTOMER, [made.customer_id])
    else:
        touch_everybody()


def _check(given: AlertInput, problems: Problems) -> None:
    kind = KINDS[given.alert_type]
    problems.name("name", given.name)
    uniqueness_key(problems, given.uniqueness_key)
    if problems.number("threshold", given.threshold):
        _check_threshold(given.threshold, kind, problems)
    is_spend, is_nothing = kind.measure == engine.SPEND, kind.measure == engine.NOTHING
    is_both = len(kind.of) > 1
    only = [
        ("access_type", given.access_type, kind.is_of_balances, "alerts of balances"),
        ("alert_specifiers", given.alert_specifiers, is_both, "alerts of credits and commits together"),
        ("billable_metric_id", given.billable_metric_id, kind.measure == engine.METERED, "usage_threshold_reached"),
        ("group_values", given.group_values, is_spend, "spend_threshold_reached"),
        ("invoice_types_filter", given.invoice_types_filter, kind.measure == engine.TOTAL, "invoice_total_reached"),
        ("credit_grant_type_filters", given.credit_grant_type_filters, is_nothing, "alerts of credit grants"),
        ("plan_id", given.plan_id, is_nothing, "alerts of plans"),
        ("seat_filter", given.seat_filter, kind.measure == engine.OF_SEATS, SEATS.lower()),
    ]
    for field, value, is_taken, of in only:
        if value and not is_taken:
            problems.add(field, value, f"is only for {of}")
    if kind.measure == engine.METERED and given.billable_metric_id is None:
        problems.add("billable_metric_id", None, "is required for usage_threshold_reached")
    if kind.measure == engine.OF_SEATS:
        _check_seats(given.seat_filter, problems)
    if given.access_type == QUANTITY and given.credit_type_id is not None:
        problems.add("credit_type_id", given.credit_type_id, "cannot be combined with QUANTITY")
    _check_groups(given.group_values, problems)
    _check_filters(given, kind, problems)


def _check_threshold(threshold: Decimal, kind: Kind, problems: Problems) -> None:
    if threshold < 0:
        problems.add("threshold", threshold, "must not be below zero")
    elif kind.measure == engine.PERCENT and threshold > 100:
        problems.add("threshold", threshold, "must be a percentage from 0 to 100")
    elif kind.measure == engine.DAYS and (threshold != int(threshold) or threshold < 1):
        problems.add("threshold", threshold, "must be a whole number of days, at least 1")


def _check_groups(groups: Sequence[Json], problems: Problems) -> None:
    problems.keys("group_values", [each["key"] for each in groups])
    if len(groups) > GROUP_KEYS_AT_MOST:
        problems.add("group_values", len(groups), f"must not name more than {GROUP_KEYS_AT_MOST} keys")
    for index, each in enumerate(groups):
        if each.get("value") is not None:
            problems.key(f"group_values[{index}].value", each["value"], may_be_empty=True)


def _check_seats(seats: Json | None, problems: Problems) -> None:
    if seats is None:
        problems.add("seat_filter", None, f"is required for {SEATS.lower()}")
        return
    problems.key("seat_filter.seat_group_key", seats["seat_group_key"])
    if seats.get("seat_group_value") is not None:
        problems.key("seat_filter.seat_group_value", seats["seat_group_value"])


def _groups(given: AlertInput) -> list[Json]:
    """What tells the figures of one alert apart: groups of usage, or seats."""
    if given.seat_filter is None:
        return list(given.group_values)
    key, value = given.seat_filter["seat_group_key"], given.seat_filter.get("seat_group_value")
    return [{"key": key} if value is None else {"key": key, "value": value}]


def _check_filters(given: AlertInput, kind: Kind, problems: Problems) -> None:
    """What a filter asks about has to be there to be asked."""
    listed = [("custom_field_filters", given.custom_field_filters)]
    for index, each in enumerate(given.alert_specifiers):
        path = f"alert_specifiers[{index}]"
        listed.append((f"{path}.custom_field_filters", each.get("custom_field_filters") or ()))
        for place, one in enumerate(each.get("exclude") or ()):
            listed.append((f"{path}.exclude[{place}].custom_field_filters", one.get("custom_field_filters") or ()))
    for path, filters in listed:
        for place, each in enumerate(filters):
            problems.key(f"{path}[{place}].key", each["key"])
            if kind.measure in (engine.METERED, engine.NOTHING):
                problems.add(f"{path}[{place}]", each["key"], "is not for this type of alert")
            elif not kind.is_of_balances and each["entity"] != engine.CONTRACT:
                problems.add(f"{path}[{place}].entity", each["entity"], "must be Contract for this type of alert")


def _customer(customer_id: UUID | None) -> Customer | None:
    if customer_id is None:
        return None
    found = Customer.objects.filter(pk=customer_id).first()
    if found is None:
        raise no_such_customer(customer_id)
    if found.archived_at is not None:
        raise Refusal.of("customer_id", customer_id, "must be the id of a customer that is not archived")
    return found


def _unit(given: AlertInput) -> PricingUnit | None:
    """What the figure is in; None where it is in no money and no unit of its own."""
    kind = KINDS[given.alert_type]
    if kind.measure in (engine.METERED, engine.DAYS) or given.access_type == QUANTITY:
        return None
    return default_unit() if given.credit_type_id is None else unit(given.credit_type_id)


def _metric(metric_id: UUID | None) -> BillableMetric | None:
    if metric_id is None:
        return None
    found = metric(metric_id, field="billable_metric_id")
    if found.archived_at is not None:
        raise Refusal.of("billable_metric_id", metric_id, "must be the id of a metric that is not archived")
    return found


def _key_was_used(key: str) -> Refusal:
    return Conflict.of("uniqueness_key", key, "was already used for an alert; nothing was done again")
