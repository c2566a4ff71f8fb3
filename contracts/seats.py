"""Allowances by the seat: what a recurring commit or credit grants for each one that there is of a subscription.

POOLED, all share one balance; INDIVIDUAL, each seat that somebody has, has a part of the balance of its own.
The rule and its worked table are in `docs/subscriptions.md`. A grant knows what had been agreed when it began; what is
agreed later can add to it, and takes nothing away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.periods import Period
from contracts.fee_terms import Subscription, SubscriptionQuantity
from contracts.subscriptions import running
from contracts.terms import Contract, SeatLink

ONE = Decimal(1)
NOBODY = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """So many times the amount of a whole period, or that `share` of it, and when it can be drawn on."""

    quantity: Decimal
    share: Fraction
    access: Period
    increase_id: UUID | None = None  # the quantity that added it within the period; None: it is the period's grant
    seat: tuple[str, str] | None = None  # whose it is alone: the property that tells seats apart, and its value


def seat_grants(
    contract: Contract, link: SeatLink, period: Period, counted: Period, whole: Period, access: Period
) -> list[Grant]:
    """What the instance of a period comes to: for what there is at its start, then for each increase beyond what it has
    had so far; of individual ones, for each seat once. Empty where the subscription does not run in the period.

    `access` is when its period's grant can be drawn on, `counted` the part of the anchored period `whole`
    that the grant is for.
    """
    subscription = next((each for each in contract.subscriptions if each.id == link.subscription_id), None)
    runs = running(contract, subscription) if subscription is not None else None
    within = period.overlap(runs) if runs is not None else None
    if subscription is None or within is None:
        return []
    base, changes = _over_time(subscription, within, link)
    if base is not None and within.starting_at != period.starting_at:
        changes = [base, *changes]
        base = None
    spans = _Spans(link, period, within, counted, whole, access)
    if link.is_individual:
        return _of_each(subscription.seat_group_key, base, changes, spans)
    return _of_all(base, changes, spans)


@dataclass(frozen=True, slots=True)
class _Spans:
    """The times of one instance, as `seat_grants` is told of them; the subscription runs `within`."""

    link: SeatLink
    period: Period
    within: Period
    counted: Period
    whole: Period
    access: Period

    def granted(self, quantity: Decimal, seat: tuple[str, str] | None = None) -> Grant:
        """What there is when the period begins."""
        return Grant(quantity, self.counted.share_of(self.whole), self.access, seat=seat)

    def added(self, quantity: Decimal, change: SubscriptionQuantity, seat: tuple[str, str] | None = None) -> Grant:
        """What came within the period, by time where that was agreed."""
        starting_at = self.start_of(change)
        by_time = self.link.is_prorated and starting_at > self.period.starting_at
        rest = Period(starting_at, self.counted.ending_before) if by_time else self.counted
        reach = Period(starting_at, self.access.ending_before)
        return Grant(quantity, rest.share_of(self.whole), reach, change.id, seat)

    def start_of(self, change: SubscriptionQuantity) -> datetime:
        return max(change.starting_at, self.within.starting_at)


def _of_all(base: SubscriptionQuantity | None, changes: Iterable[SubscriptionQuantity], spans: _Spans) -> list[Grant]:
    most = base.quantity if base is not None else Decimal(0)
    grants = [spans.granted(most)]
    for change in changes:
        if change.quantity > most and spans.start_of(change) in spans.access:
            grants.append(spans.added(change.quantity - most, change))
            most = change.quantity
    return grants


def _of_each(
    key: str, base: SubscriptionQuantity | None, changes: Iterable[SubscriptionQuantity], spans: _Spans
) -> list[Grant]:
    """One for each seat that somebody has, or has had in the period. Where nobody has one when the period begins, its
    own grant is nobody's and of nothing, so that the instance is there from its start on."""
    had = dict.fromkeys(base.seats) if base is not None else {}
    grants = [spans.granted(ONE, (key, seat)) for seat in had] or [spans.granted(Decimal(0), (key, NOBODY))]
    for change in changes:
        if spans.start_of(change) in spans.access:
            new = [seat for seat in change.seats if seat not in had]
            grants.extend(spans.added(ONE, change, (key, seat)) for seat in new)
            had.update(dict.fromkeys(new))
    return grants


def _over_time(
    subscription: Subscription, within: Period, link: SeatLink
) -> tuple[SubscriptionQuantity | None, list[SubscriptionQuantity]]:
    """What was known to hold at the start of `within`, and what else was said of its time, in the order in which it
    came to hold or, where it was agreed later, was agreed."""
    start, known_at = within.starting_at, max(within.starting_at, link.agreed_at)
    rows = _not_corrected(subscription.quantities, by=link.agreed_at)
    held = [each for each in rows if each.starting_at <= start]
    known = [each for each in held if each.was_known(known_at)]
    base = known[-1] if known else None
    late = [each for each in held if not each.was_known(known_at) and _held_at_the_end(each, held)]
    later = [each for each in rows if each.starting_at > start and each.starting_at in within]
    return base, sorted([*late, *later], key=_came_to_hold)


def _held_at_the_end(late: SubscriptionQuantity, rows: Sequence[SubscriptionQuantity]) -> bool:
    """Whether, when it was agreed, none of the rows that were known held after it."""
    assert late.agreed_at is not None, "what comes late has been agreed some time"
    return all(each.starting_at <= late.starting_at for each in rows if each.was_known(late.agreed_at))


def _came_to_hold(each: SubscriptionQuantity) -> tuple[datetime, UUID]:
    """Of what was agreed at one instant, ids ascend as it was agreed."""
    return max(each.starting_at, each.agreed_at or each.starting_at), each.id


def _not_corrected(quantities: Iterable[SubscriptionQuantity], *, by: datetime) -> list[SubscriptionQuantity]:
    """Of those that were known by then the last of each instant, and all that were agreed since."""
    last = {each.starting_at: each for each in quantities if each.was_known(by)}
    return [each for each in quantities if not each.was_known(by) or last[each.starting_at] is each]
