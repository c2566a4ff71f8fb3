"""What becomes of a subscription where the end of its contract is moved, so that all fees are collected, and once.

The part period that a new end leaves is collected at that end, and a period of which a part was collected is not
collected again. So, of subscriptions that run as long as their contract:

    in advance, the contract is made longer               it keeps the end that it had: its last period may be paid
    else, made longer after a short last period was       it keeps that end
    collected
    made to end where usage documents are final to,       it ends there, and the part period has a document of its own:
    within a period of it                                 the usage document does not know of it
    made to end before what is collected at the ends of   refused
    periods on documents of its own, and is final
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.periods import Period, format_instant, full_period
from contracts.fee_terms import Subscription
from contracts.subscriptions import Fee, fees, own_slot, running, usage_period_of
from contracts.terms import Contract


@dataclass(frozen=True, slots=True)
class OwnEnd:
    """The end that a subscription gets. Late: the usage document up to it was final before."""

    ending_before: datetime
    is_late: bool


def own_end(
    contract: Contract,
    subscription: Subscription,
    new_end: datetime | None,
    *,
    billed_through: datetime | None,
    at: datetime,
) -> OwnEnd | None:
    """What a subscription has to be given when its contract ends at `new_end` and no longer where it says; None:
    nothing."""
    runs, old_end = running(contract, subscription), contract.term.ending_before
    if runs is None or new_end == old_end:
        return None
    if old_end is not None and (new_end is None or new_end > old_end):
        return _kept(contract, subscription, old_end, runs, billed_through=billed_through, at=at)
    assert new_end is not None, "an end that is taken away makes a contract longer"
    is_cut = new_end in runs and new_end > runs.starting_at and _cuts(subscription, new_end)
    if is_cut and new_end == billed_through and subscription.is_on_usage_invoice:
        return OwnEnd(new_end, is_late=True)
    return None


def collected_until(contract: Contract, subscription: Subscription, *, at: datetime) -> datetime | None:
    """The last end of a period that was collected at `at` on a document of the subscription's own. No end may be
    before it: the part period would be collected again."""
    return max(
        (
            fee.collected_at
            for fee in fees(contract, subscription, until=at)
            if not fee.is_in_advance and fee.collected_at <= at and usage_period_of(contract, fee) is None
        ),
        default=None,
    )


BilledFee = tuple[datetime, str, Period, Decimal, Decimal]  # when, on what, for when, of what quantity


def billed_fees(
    contract: Contract, subscription_id: UUID, billed_through: datetime | None, *, at: datetime
) -> frozenset[BilledFee]:
    """The fees of documents that are final at `at`, apart from whatever raised them."""
    found = []
    for subscription in contract.subscriptions:
        if subscription.id == subscription_id:
            for fee in fees(contract, subscription, until=at):
                document = _final(contract, fee, billed_through, at=at)
                if document is not None:
                    found.append((fee.collected_at, document, fee.period, fee.above, fee.upto))
    return frozenset(found)


def _final(contract: Contract, fee: Fee, billed_through: datetime | None, *, at: datetime) -> str | None:
    """What final document a fee is on; None: none."""
    on_usage = usage_period_of(contract, fee)
    if on_usage is None:
        return own_slot(fee) if fee.collected_at <= at else None
    is_final = billed_through is not None and fee.collected_at <= billed_through
    return format_instant(on_usage.starting_at) if is_final else None


def _kept(
    contract: Contract,
    subscription: Subscription,
    old_end: datetime,
    runs: Period,
    *,
    billed_through: datetime | None,
    at: datetime,
) -> OwnEnd | None:
    if subscription.period.ending_before is not None and subscription.period.ending_before <= old_end:
        return None
    final_until = billed_through if subscription.is_on_usage_invoice else at
    is_collected = final_until is not None and old_end <= final_until and _cuts(subscription, old_end)
    return OwnEnd(old_end, is_late=False) if subscription.is_in_advance or is_collected else None


def _cuts(subscription: Subscription, end: datetime) -> bool:
    """Whether it lies within a period."""
    return full_period(subscription.anchor_at, subscription.frequency, at=end).starting_at != end
