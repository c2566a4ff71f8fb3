"""Following alerts: how a customer stands with each, kept beside its summaries, and each turn written down once."""

from collections.abc import Sequence
from datetime import datetime

from contracts.models import Customer
from invoicing.models import AlertState, AlertTurn
from invoicing.queries.alert_readings import readings
from invoicing.queries.alerts import alerts_to_follow, state_of
from invoicing.queries.compute import Computation


def follow_alerts(computed: Computation, *, at: datetime) -> Sequence[AlertState]:
    """What the customer's states should be after this computation; turns are written. Call it in the transaction in
    which they are kept, alone with the customer. One query where nothing is watched."""
    customer_id = computed.inputs.terms.customer_id
    watched = alerts_to_follow(customer_id)
    if not watched:
        return []
    customer = Customer.objects.get(pk=customer_id)
    known = {state.alert_id: state for state in AlertState.objects.filter(customer=customer)}
    found = readings(watched, computed, at=at)
    states: list[AlertState] = []
    turns: list[AlertTurn] = []
    for each in watched:
        figures, state = found[each.pk], known.get(each.pk)
        if figures is None:  # not known yet: it stays as it was
            states.extend([] if state is None else [state])
            continue
        after, turned = state_of(each, customer, figures, state, at=at)
        states.append(after)
        turns += [
            AlertTurn(
                alert=each,
                customer=customer,
                is_alarm=turn.is_alarm,
                about=turn.about,
                label=turn.label,
                figure=turn.figure,
                created_at=at,
            )
            for turn in turned
        ]
    AlertTurn.objects.bulk_create(turns)
    return states
