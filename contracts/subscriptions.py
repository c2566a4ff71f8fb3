"""Subscriptions: which fees they come to, for which time, and when each is collected.

The rule and its worked tables are in `docs/subscriptions.md`. Everything here is a function of what was agreed, so
nobody has to make a fee: it is there when its time comes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import takewhile
from uuid import UUID

from billing_site.foundation.money import ratio
from billing_site.foundation.periods import HOUR, Period, billing_periods, earliest, format_instant, full_period
from contracts.fee_terms import Subscription, SubscriptionQuantity
from contracts.terms import Contract
from pricing.engine.charges import charge
from pricing.engine.fees import by_the_unit, own_quantity
from pricing.engine.prices import Price

WHOLE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Fee:
    """What is charged for a period, or for an increase within one: of the quantity, what is beyond `above`, up to
    `upto`."""

    subscription: Subscription
    period: Period  # what of the anchored period `whole` it is for
    whole: Period
    above: Decimal
    upto: Decimal
    collected_at: datetime
    increase_id: UUID | None = None  # the quantity that raised it within the period; None: it is the period's fee
    is_first: bool = False
    is_alone: bool = False  # an increase with a document of its own

    @property
    def quantity(self) -> Decimal:
        return self.upto - self.above

    @property
    def priced_at(self) -> datetime:
        """The hour whose price holds, and whose balances pay: in advance the first of its time, else the last."""
        assert self.period.ending_before is not None, "a fee is for a closed period"
        return self.period.starting_at if self.is_in_advance else self.period.ending_before - HOUR

    @property
    def is_in_advance(self) -> bool:
        return self.collected_at == self.period.starting_at

    @property
    def share(self) -> Fraction:
        """Of the fee for a whole period."""
        return self.period.share_of(self.whole) if self.subscription.is_prorated else WHOLE

    @property
    def is_prorated(self) -> bool:
        return self.share != WHOLE

    @property
    def sort_key(self) -> tuple[datetime, bool, datetime, UUID]:
        """Increases are read after what they came on top of."""
        return self.collected_at, self.increase_id is not None, self.period.starting_at, self.subscription.id

    def own_of(self, price: Price) -> "Fee | None":
        """The fee under a rate that says of what quantity; such a rate knows no increases."""
        own = own_quantity(price)
        if own is None:
            return self
        if self.increase_id is not None or not own:
            return None
        return replace(self, upto=Decimal(own.numerator) / own.denominator)

    def priced(self, price: Price) -> Price:
        """What one costs for the time of the fee, where `price` is what it costs for a whole period."""
        of_one, share = by_the_unit(price), self.share
        if share == WHOLE:
            return of_one
        rounding = self.subscription.rounding
        whole = charge(of_one.steps(ratio(self.upto)), ratio(self.above), ratio(self.quantity))
        if rounding is not None and whole:
            share = Fraction(rounding.of(whole * share)) / whole
        return replace(of_one, share=share)


def running(contract: Contract, subscription: Subscription) -> Period | None:
    """When it runs: within the contract, whatever it says."""
    return subscription.period.overlap(contract.term)


def quantity_at(subscription: Subscription, instant: datetime) -> Decimal:
    """How many there are, by what was agreed last for then."""
    held = [each for each in subscription.quantities if each.starting_at <= instant]
    return held[-1].quantity if held else Decimal(0)


def periods(contract: Contract, subscription: Subscription) -> Iterator[Period]:
    """Its periods in order of time, the first and the last perhaps short; without end where nothing ends it."""
    runs = running(contract, subscription)
    if runs is not None:
        yield from billing_periods(runs, subscription.anchor_at, subscription.frequency)


def fees(contract: Contract, subscription: Subscription, *, until: datetime) -> Iterator[Fee]:
    """The fees of the periods that begin by then, in the order of their time; the first one whenever it begins."""
    for number, period in enumerate(periods(contract, subscription)):
        if number and period.starting_at > until:
            return
        for fee in _of_period(contract, subscription, period, is_first=number == 0):
            if _is_invoiced(contract, fee):
                yield fee


def _is_invoiced(contract: Contract, fee: Fee) -> bool:
    """Whether it is collected once invoicing has started. In arrears, the fee whose time ends just then is on the
    document that ends just then, which is none of ours."""
    since = contract.invoicing_starts_at
    return since is None or fee.collected_at > since or fee.period.starting_at >= since


def _of_period(contract: Contract, subscription: Subscription, period: Period, *, is_first: bool) -> Iterator[Fee]:
    """What there is at its start, then each increase beyond what the period had before. Less is less from the next
    period on. What was agreed after the period's fee was final is an increase, too."""
    start, end = period.starting_at, period.ending_before
    assert end is not None, "the periods of a subscription have an end"
    whole = full_period(subscription.anchor_at, subscription.frequency, at=start)
    collected = start if subscription.is_in_advance else end
    base = Fee(subscription, period, whole, Decimal(0), Decimal(0), collected, is_first=is_first)
    is_on_usage = usage_period_of(contract, base) is not None
    held = [each for each in subscription.quantities if each.starting_at <= start]
    known = [each for each in held if not each.came_too_late(collected, on_usage=is_on_usage)]
    most = known[-1].quantity if known else Decimal(0)
    if most:
        yield replace(base, upto=most)
    since = held.index(known[-1]) + 1 if known else 0
    within = takewhile(lambda each: each.starting_at < end, subscription.quantities[since:])
    for change in within:
        if change.quantity > most:
            yield _increase(contract, base, change, most, is_known=change not in held)
            most = change.quantity


def _increase(contract: Contract, base: Fee, change: SubscriptionQuantity, most: Decimal, *, is_known: bool) -> Fee:
    """What a quantity adds to its period. Where the document that would collect it was final before, or where the
    period's fee is collected in advance without knowing it, it has one of its own."""
    subscription = base.subscription
    assert base.period.ending_before is not None, "a fee is for a closed period"
    period = Period(max(change.starting_at, base.period.starting_at), base.period.ending_before)
    at_once = subscription.is_in_advance and (subscription.bills_immediately or not is_known)
    collected = period.starting_at if at_once else base.period.ending_before
    fee = replace(base, period=period, above=most, upto=change.quantity, collected_at=collected, increase_id=change.id)
    is_on_usage = usage_period_of(contract, fee) is not None
    return replace(fee, is_alone=at_once or change.came_too_late(collected, on_usage=is_on_usage))


@dataclass(frozen=True, slots=True)
class Around:
    """The periods of a subscription around an instant."""

    previous: Period | None
    current: Period | None
    next: Period | None


def periods_around(subscription: Subscription, runs: Period, instant: datetime) -> Around:
    """`runs` is the time in which it has periods."""
    previous: Period | None = None
    current: Period | None = None
    for period in billing_periods(runs, subscription.anchor_at, subscription.frequency):
        if period.starting_at > instant:
            return Around(previous, current, period)
        if current is not None:
            previous = current
        current = period
    if current is not None and instant not in current:
        return Around(current, None, None)
    return Around(previous, current, None)


def usage_period_of(contract: Contract, fee: Fee) -> Period | None:
    """The period of the usage document on which a fee is; None: it is on one of its own.

    In advance that is one that ends when the fee begins, and none for the first fee; else the one in which its time
    ends, unless that end was agreed too late for it.
    """
    subscription = fee.subscription
    if not subscription.is_on_usage_invoice or fee.is_alone or (fee.is_in_advance and fee.is_first):
        return None
    if subscription.is_ended_late and fee.collected_at == subscription.period.ending_before and not fee.is_in_advance:
        return None
    before, invoiced = fee.collected_at - HOUR, contract.invoiced
    if invoiced is None or before not in invoiced:
        return None
    whole = full_period(contract.billing_anchor_at, contract.frequency, at=before)
    end = earliest(whole.ending_before, invoiced.ending_before)
    if fee.is_in_advance and end != fee.collected_at:
        return None
    return Period(max(whole.starting_at, invoiced.starting_at), end)


def own_slot(fee: Fee) -> str:
    """Which document of its own a fee is on: all of a subscription and an instant, and each increase by itself."""
    owner = fee.increase_id if fee.is_alone else fee.subscription.id
    return f"{format_instant(fee.collected_at)} {owner}"
