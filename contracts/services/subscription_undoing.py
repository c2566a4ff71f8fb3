"""Putting subscriptions back to what they were before an edit, where nothing that is billed would be another."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billing_site.foundation.periods import Period, format_instant
from billing_site.foundation.refusals import Refusal
from contracts.inputs import UndoneInput
from contracts.models import SubscriptionQuantity
from contracts.queries import AgreedSubscription, Agreement, agreement
from contracts.queries.compiled import to_terms
from contracts.services.as_given import subscription_as_given
from contracts.services.subscription_changes import SubscriptionChange, after_changes
from contracts.services.subscription_ends import carried_on
from contracts.subscription_ends import billed_fees
from contracts.subscription_inputs import SeatConfigInput, SubscriptionInput


def changed_by(before: Agreement, after: Agreement) -> tuple[UUID, ...]:
    """The subscriptions that stand after an edit and are not as they were before it."""
    was = {each.subscription.pk: each for each in before.subscriptions}
    return tuple(each.subscription.pk for each in after.subscriptions if was.get(each.subscription.pk) != each)


def agreed_again(before: Agreement, after: Agreement) -> Iterator[SubscriptionInput]:
    """Those that an edit took out, to be agreed again as they were; only one as it was added is ever taken out."""
    standing = {each.subscription.pk for each in after.subscriptions}
    for each in before.subscriptions:
        if each.subscription.pk not in standing:
            given, [first] = subscription_as_given(each), each.quantities
            seats = SeatConfigInput(
                each.terms.seat_group_key, tuple(first.assigned_seat_ids), first.quantity - len(first.assigned_seat_ids)
            )
            yield replace(given, seat_config=seats) if each.terms.is_by_seat else given


def put_back(
    undoes: UndoneInput,
    agreed: Agreement,
    planned: Iterable[SubscriptionChange],
    new_end: datetime | None,
    *,
    at: datetime,
) -> list[SubscriptionChange]:
    """What makes the subscriptions that `undoes` names what they were; of the others what is `planned`.

    Raises Refusal where fees would be others that are billed.
    """
    before = agreement(agreed.contract.customer_id, agreed.contract.pk, at_edit=undoes.number - 1)
    was = {each.subscription.pk: each for each in before.subscriptions}
    standing = {each.subscription.pk: each for each in agreed.subscriptions}
    back = [_as_it_was(standing[each], was.get(each), at=at) for each in undoes.subscriptions]
    changes = [each for each in planned if each.agreed.subscription.pk not in undoes.subscriptions] + back
    _refuse_billed(undoes, agreed, after_changes(agreed.subscriptions, changes), new_end, at=at)
    return changes


def _as_it_was(now: AgreedSubscription, was: AgreedSubscription | None, *, at: datetime) -> SubscriptionChange:
    if was is None:
        return SubscriptionChange(now, is_gone=True)
    kept = {each.pk for each in was.quantities} & {each.pk for each in now.quantities}
    again = [each for each in was.quantities if each.pk not in kept]
    return SubscriptionChange(
        now,
        carried_on(was.terms) if was.terms != now.terms else None,
        tuple(
            SubscriptionQuantity(
                position=place,
                subscription=now.subscription,
                starting_at=each.starting_at,
                quantity=each.quantity,
                assigned_seat_ids=each.assigned_seat_ids,
                is_initial=each.is_initial,
                billed_through=each.billed_through,
                created_at=at,
            )
            for place, each in enumerate(again)
        ),
        tuple(each for each in now.quantities if each.pk not in kept),
    )


def _refuse_billed(
    undoes: UndoneInput,
    agreed: Agreement,
    after: Sequence[AgreedSubscription],
    new_end: datetime | None,
    *,
    at: datetime,
) -> None:
    now = to_terms(agreed)
    then = to_terms(replace(agreed, subscriptions=tuple(after)))
    then = replace(then, term=Period(then.term.starting_at, new_end))
    through = agreed.contract.billed_through
    for each in agreed.subscriptions:
        key = each.subscription.pk
        if key not in undoes.subscriptions:
            continue
        billed = billed_fees(now, key, through, at=at) ^ billed_fees(then, key, through, at=at)
        if billed:
            rule = (
                f"cannot be undone: it changed what is billed already of {each.subscription.product} for the time from"
                f" {format_instant(min(period.starting_at for _, _, period, _, _ in billed))} on; make the opposite"
                " edit by hand"
            )
            raise Refusal.of("edit_id", undoes.id, rule)
