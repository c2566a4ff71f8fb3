"""Commits and credits that recur: an instance for each period, a balance of its own with an id that never changes.

Instances are functions of what was agreed, so nobody has to make them: at the first instant of a period its instance is
there. It can be drawn on for so many periods as the duration says, and no longer than the contract runs.

A first or last period that is cut short is granted by time, as its share of the whole anchored period, where the
proration says so. What comes by time is rounded as agreed; where nothing is, to 12 decimals.

What is billed for a whole period is the price times the quantity that were agreed; what comes by time is one amount.

What is granted for each one of a subscription is in `contracts/seats.py`.

What has begun stays as it was granted and billed: an edit changes the grants that begin after it. An earlier end of the
contract ends the access to what has begun, and takes nothing of its amount; a later end leaves both as they were.

**Worked table.** 310 a period, from 22 October to 11 December; usage is billed by the calendar month.

    periods              first                 second                 third
    of usage documents   22 October, 100       1 November, 310        1 December, 100
    the same, NONE       22 October, 310       1 November, 310        1 December, 310
    the same, FIRST      22 October, 100       1 November, 310        1 December, 310
    a duration of two    until 1 December      until 11 December      until 1 January
    monthly, its own     22 October, 310       22 November, 196.333333333333 (19 of 30 days)
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import chain, islice
from uuid import UUID

from billing_site.foundation.ids import derived_id
from billing_site.foundation.money import QUANTUM, round_to
from billing_site.foundation.periods import (
    Period,
    billing_periods,
    boundaries,
    earliest,
    format_instant,
    full_period,
)
from contracts.fee_terms import AmountRounding
from contracts.seats import Grant, seat_grants
from contracts.terms import (
    FIRST,
    FIRST_AND_LAST,
    LAST,
    AccessSegment,
    Commit,
    Contract,
    RecurringCommit,
    ScheduledAmount,
)

DAYS_OF_A_YEAR = 366  # at the most


def instances(contract: Contract, recurring: RecurringCommit, *, until: datetime) -> Iterator[Commit]:
    """The instances whose period begins before `until`, in order of time."""
    frequency = recurring.frequency or contract.frequency
    anchor = contract.billing_anchor_at if recurring.frequency is None else recurring.period.starting_at
    granted = recurring.period.overlap(contract.term) if recurring.holds_until is None else recurring.period
    if granted is None:
        return
    periods = billing_periods(granted, anchor, frequency)
    ends = islice(_ends(granted, anchor, frequency), recurring.duration - 1, None)
    for number, (period, end) in enumerate(zip(periods, ends, strict=False)):
        if period.starting_at >= until or period.starting_at not in contract.term:
            return
        if not recurring.holds_for(period.starting_at):
            continue
        whole = full_period(anchor, frequency, at=period.starting_at)
        is_last = period.ending_before == granted.ending_before
        counted = _counted(recurring.proration, period, whole, is_first=number == 0, is_last=is_last)
        access = Period(period.starting_at, earliest(end, contract.term.ending_before))
        grants = [Grant(Decimal(1), counted.share_of(whole), access)]
        if recurring.seats is not None:
            grants = seat_grants(contract, recurring.seats, period, counted, whole, access)
        if grants:
            yield _instance(recurring, counted.share_of(whole), grants)


def still_to_come(contract: Contract, recurring_id: UUID, *, at: datetime, most: int) -> list[Commit]:
    """The next instances of one recurring commit or credit that begin after `at`, in order of time; of each year one,
    at least."""
    until = at + most * timedelta(days=DAYS_OF_A_YEAR)
    found = [
        instance
        for row in contract.recurring
        if row.id == recurring_id
        for instance in islice((each for each in instances(contract, row, until=until) if each.created_at > at), most)
    ]
    return sorted(found, key=lambda each: each.created_at)[:most]


def _counted(proration: str, period: Period, whole: Period, *, is_first: bool, is_last: bool) -> Period:
    """The period, made whole at an end that is not granted by time."""
    cut_at_start = not is_first or proration in (FIRST, FIRST_AND_LAST)
    cut_at_end = not is_last or proration in (LAST, FIRST_AND_LAST)
    return Period(
        period.starting_at if cut_at_start else whole.starting_at,
        period.ending_before if cut_at_end else whole.ending_before,
    )


def _ends(granted: Period, anchor: datetime, frequency: str) -> Iterator[datetime | None]:
    """Where the periods end that are granted, then where those would that follow; without end."""
    of_granted = (period.ending_before for period in billing_periods(granted, anchor, frequency))
    last = granted.ending_before or granted.starting_at  # an open grant never comes to what follows it
    return chain(of_granted, boundaries(anchor, frequency, after=last))


def _instance(recurring: RecurringCommit, share: Fraction, grants: Sequence[Grant]) -> Commit:
    start = grants[0].access.starting_at
    key = (recurring.id, format_instant(start))
    items: tuple[ScheduledAmount, ...] = ()
    if recurring.invoice_amount is not None:
        items = (ScheduledAmount(derived_id("recurring item", *key), start, *_billed(recurring, share)),)
    return Commit(
        id=derived_id("recurring", *key),
        type=recurring.type,
        contract_id=recurring.contract_id,
        product_id=recurring.product_id,
        name=recurring.name,
        priority=recurring.priority,
        unit=recurring.unit,
        segments=tuple(_segment(recurring, grant, key) for grant in grants),
        invoice_items=items,
        targets=recurring.targets,
        created_at=start,
        rate_type=recurring.rate_type,
        access_type=recurring.access_type,
        rollover_fraction=recurring.rollover_fraction,
        recurring_id=recurring.id,
        invoice_unit=recurring.invoice_unit,
        netsuite_sales_order_id=recurring.netsuite_sales_order_id,
    )


def _segment(recurring: RecurringCommit, grant: Grant, key: tuple[UUID, str]) -> AccessSegment:
    if grant.seat is not None:
        _, seat = grant.seat
        parts: tuple[object, ...] = (*key, "seat", seat.encode().hex())  # once for each instance, however it came to it
    else:
        parts = key if grant.increase_id is None else (*key, grant.increase_id)
    return AccessSegment(
        derived_id("recurring segment", *parts),
        _granted(recurring, grant),
        grant.access,
        is_for_seats=grant.increase_id is not None,
        seat=grant.seat,
    )


def _granted(recurring: RecurringCommit, grant: Grant) -> Decimal:
    if grant.quantity == 1:
        return _by_time(recurring.access_amount, grant.share, recurring.access_rounding)
    exact = Fraction(recurring.access_amount) * Fraction(grant.quantity) * grant.share
    if grant.share == 1 or recurring.access_rounding is None:
        return round_to(exact, QUANTUM)
    return recurring.access_rounding.of(exact)


def _billed(recurring: RecurringCommit, share: Fraction) -> tuple[Decimal, Decimal, Decimal]:
    """Amount, unit price and quantity of what is billed for a period."""
    assert recurring.invoice_amount is not None
    price, quantity = recurring.invoice_unit_price, recurring.invoice_quantity
    if share == 1 and price is not None and quantity is not None:
        return recurring.invoice_amount, price, quantity
    billed = _by_time(recurring.invoice_amount, share, recurring.invoice_rounding)
    return billed, billed, Decimal(1)


def _by_time(amount: Decimal, share: Fraction, rounding: AmountRounding | None) -> Decimal:
    if share == 1:
        return amount
    exact = Fraction(amount) * share
    return round_to(exact, QUANTUM) if rounding is None else rounding.of(exact)
