"""What an edit or a renewal that moves a contract's end does to its subscriptions: `contracts/subscription_ends.py`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from contracts import fee_terms, terms
from contracts.models import SubscriptionTerms
from contracts.queries import AgreedSubscription, Agreement
from contracts.queries.compiled import to_terms
from contracts.subscription_ends import collected_until, own_end

CARRIED_ON = (
    "subscription",
    "name",
    "ending_before",
    "is_ended_late",
    "decimal_places",
    "rounding_method",
    "mode",
    "seat_group_key",
)


@dataclass(frozen=True, slots=True)
class EndedSubscription:
    """One that gets an end of its own."""

    agreed: AgreedSubscription
    terms: SubscriptionTerms  # which replace the standing ones


def carried_on(held: SubscriptionTerms, **changed: Any) -> SubscriptionTerms:
    return SubscriptionTerms(**{**{name: getattr(held, name) for name in CARRIED_ON}, **changed})


def own_ends(
    agreed: Agreement, subscriptions: Sequence[AgreedSubscription], new_end: datetime | None, *, at: datetime
) -> Iterator[EndedSubscription]:
    """What a new end of the contract makes of `subscriptions`, which are as they are after all else."""
    by_id = {each.subscription.pk: each for each in subscriptions}
    contract = to_terms(replace(agreed, subscriptions=tuple(subscriptions)))
    through = agreed.contract.billed_through
    for each in contract.subscriptions:
        own = own_end(contract, each, new_end, billed_through=through, at=at)
        if own is not None:
            found = by_id[each.id]
            ended = carried_on(found.terms, ending_before=own.ending_before, is_ended_late=own.is_late)
            yield EndedSubscription(found, ended)


def refuse_collected_again(
    problems: Problems,
    field: str,
    value: object,
    subscriptions: Sequence[fee_terms.Subscription],
    contract: terms.Contract,
    end: datetime,
    *,
    at: datetime,
) -> None:
    """No end may be before what is collected and final of one of `subscriptions`, which stand in `contract`."""
    until = max(filter(None, (collected_until(contract, each, at=at) for each in subscriptions)), default=None)
    if until is not None and end < until:
        rule = f"must not be before {format_instant(until)}: up to then fees of a subscription are billed"
        problems.add(field, value, rule)
