"""The walk over a customer's usage: rating and drawdown are one, because the price may depend on who pays.

The rule is told in the docstring of the package; this is the loop over time, and its short cut.

**Worked table.** H costs 10, L costs 1. Balances: B, 50 for H only; then A, 100 for everything.

    hour  used         B takes     A takes                  nobody      B left  A left
    1     3 H   20 L   3 H = 30    20 L = 20                                20      80
    2     8 H   40 L   2 H = 20    6 H = 60   20 L = 20     20 L = 20        0       0
    3          -30 L              -10 L = -10              -20 L = -20       0      10
    4     2 H                      1 H = 10                 1 H = 10         0       0
    all   13 H  30 L   5 H = 50    7 H = 70   30 L = 30     1 H = 10

**The short cut** (`sums.py`). Between two cuts (`plan.py`) no rule changes, so a slice in which no balance runs out
gives from its sums what its hours would give one by one. Where a balance would be overdrawn, the slice is looked at by
day and the day by hour: what comes before the hour is taken as one sum, that hour is settled alone, and so on with the
rest. Usage below zero is looked at by day and hour likewise, as it gives back.

The walk is told the usage of slices. Days and hours it asks for where it needs them, and goes on where it was.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from billing_site.foundation.periods import DAY, HOUR, Period, floor_day
from invoicing.engine.assemble import usage_document
from invoicing.engine.balances import balances
from invoicing.engine.commits import all_commits
from invoicing.engine.composites import settle_composites
from invoicing.engine.documents import Result
from invoicing.engine.drafts import UsageDraft, usage_drafts
from invoicing.engine.exact import exactly
from invoicing.engine.fees import collecting_drafts, settle_fees, take_fees
from invoicing.engine.findings import findings
from invoicing.engine.hours import Parts, settle
from invoicing.engine.inputs import Inputs
from invoicing.engine.late.carry import Adjustment, adjustments, give_back, in_turn
from invoicing.engine.late.closed import Closed
from invoicing.engine.plan import Plan, plan
from invoicing.engine.routes import Routes
from invoicing.engine.scheduled import charge_documents, on_usage_documents, service_documents
from invoicing.engine.standings import standings
from invoicing.engine.sums import Sums, Taken, take_what_fits
from invoicing.engine.totals import know_totals
from invoicing.engine.trueup import true_ups
from ledger.used import Used
from pricing.engine.catalog import ProductVersion

__all__ = ["Finer", "Plan", "compute", "plan"]

T = TypeVar("T")

HOURS_OF_A_DAY = DAY // HOUR


@dataclass(frozen=True, slots=True)
class Finer:
    """What the walk asks for: the usage of a period by UTC day, or by hour."""

    period: Period
    by_hour: bool

    @property
    def parts(self) -> list[Period]:
        """The days or hours, in order; the first and the last day may be short."""
        assert self.period.ending_before is not None, "the walk is over closed periods"
        found, start = [], self.period.starting_at
        while start < self.period.ending_before:
            end = start + HOUR if self.by_hour else min(floor_day(start) + DAY, self.period.ending_before)
            found.append(Period(start, end))
            start = end
        return found


Usage = Mapping[Period, Used]  # a period without usage may be absent

Asking = Generator[Finer, Usage, T]


def answered(asking: Asking[T], tell: Callable[[Finer], Usage]) -> T:
    """What it comes to, told whatever it asks for."""
    try:
        finer = next(asking)
        while True:
            finer = asking.send(tell(finer))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def compute(
    inputs: Inputs, plan: Plan, usage: Usage, closed: Sequence[Closed] = (), netted: Adjustment | None = None
) -> Asking[Result]:
    """All drafts of a customer, from the usage of every slice of the plan, and what `closed` periods have missed;
    `netted` is what a draft in the place of a void document takes off.

    Where a balance runs out, or usage is below zero, it asks for finer usage: send it what it asks for, until it
    returns.
    """
    return (yield from exactly(_compute(inputs, plan, usage, closed, netted)))


def _compute(
    inputs: Inputs, plan: Plan, usage: Usage, closed: Sequence[Closed], netted: Adjustment | None
) -> Asking[Result]:
    commits = all_commits(inputs)
    shared = balances(commits, inputs.catalog, inputs.posted)
    drafts = usage_drafts(inputs, shared)
    take_fees(drafts)
    alone = collecting_drafts(inputs, shared)
    late = [netted] if netted is not None else []
    give_back(late, shared)
    late += adjustments(inputs, closed, shared, drafts)
    yield from walk(drafts, plan.slices, usage, Collecting(list(alone), inputs.catalog.products))
    found = [(draft, findings(draft)) for draft in (*drafts, *alone)]
    charged = on_usage_documents(inputs, commits)
    made = [
        usage_document(draft, inputs.catalog, of_draft, late, charged.get(draft.open.place, ()))
        for draft, of_draft in found
    ]
    drafted = [document for document in (*made, *(each.document for each in late)) if document is not None]
    standing = tuple(standings(shared, (*drafts, *alone), inputs.posted, late))
    of_usage = in_turn(drafted, late, standing) if late else drafted
    dated = (*charge_documents(inputs, commits), *service_documents(inputs))
    documents = [*of_usage, *dated, *true_ups(inputs, standing, of_usage)]
    documents.sort(key=lambda document: (document.issued_at, document.contract_id, document.kind != "USAGE"))
    of_periods = (finding for _, of_draft in found for finding in of_draft)
    of_closed = (finding for each in late for finding in each.findings)
    return Result(tuple(documents), (*of_periods, *of_closed), standing, commits)


@dataclass(frozen=True, slots=True)
class Leg:
    """What was metered over a time in which no rule changes."""

    period: Period
    parts: Parts
    has_negative: bool

    @property
    def hours(self) -> int:
        assert self.period.ending_before is not None, "the walk is over closed periods"
        return (self.period.ending_before - self.period.starting_at) // HOUR

    @property
    def is_short(self) -> bool:
        """Whether there is no use in looking at its days before its hours."""
        return self.hours <= HOURS_OF_A_DAY


@dataclass(slots=True)
class Collecting:
    """Drafts of fees alone, in the order in which they are collected, and the products of all fees."""

    waiting: list[UsageDraft] = field(default_factory=list)
    products: Mapping[UUID, Sequence[ProductVersion]] = field(default_factory=dict)

    def is_due(self, at: datetime) -> bool:
        return bool(self.waiting) and self.waiting[0].open.posted_at <= at

    def collect(self, at: datetime | None = None) -> None:
        """What is collected by then, or all that is left; what is collected at one instant together."""
        while self.waiting and (at is None or self.is_due(at)):
            instant = self.waiting[0].open.posted_at
            together = [draft for draft in self.waiting if draft.open.posted_at == instant]
            del self.waiting[: len(together)]
            close(together, self.products)


def walk(
    drafts: Sequence[UsageDraft], slices: Sequence[Period], usage: Usage, collecting: Collecting | None = None
) -> Asking[None]:
    """Fill the items of the drafts, and of those that collect fees alone.

    Slices over which the rules stand still for every item (they were cut for the sake of others) are walked as one.
    """
    for draft in drafts:
        if draft.seller.prices_by_volume:
            know_totals(draft, slices, usage)
    collecting = collecting or Collecting()
    routes = Routes(())
    waiting: list[Leg] = []
    for slice_ in slices:
        start = slice_.starting_at
        covering = tuple(draft for draft in drafts if draft.open.starting_at <= start < draft.open.ending_before)
        if covering != routes.drafts or start >= routes.unchanged_until:
            yield from walk_legs(waiting, routes)
            waiting.clear()
        if covering != routes.drafts:
            close([draft for draft in routes.drafts if draft not in covering], collecting.products)
            routes = Routes(covering)
        elif start >= routes.unchanged_until:
            routes.move_to(start)
        if collecting.is_due(start):
            yield from walk_legs(waiting, routes)
            waiting.clear()
            collecting.collect(start)
        counted = routes.count(usage[slice_], start)
        for item, metered in counted.unpriced.items():
            item.unbilled[item.stretch] = item.unbilled.get(item.stretch, Decimal(0)) + metered
        for item, metered in counted.left_out.items():
            item.left_out += metered
        waiting.append(Leg(slice_, counted.priced, usage[slice_].has_negative))
    yield from walk_legs(waiting, routes)
    close(routes.drafts, collecting.products)
    collecting.collect()


def close(over: Sequence[UsageDraft], products: Mapping[UUID, Sequence[ProductVersion]]) -> None:
    """End the walk of drafts whose periods are over: their last charges, and what they draw in all."""
    settle_fees(over, products)
    settle_composites(over)
    for draft in over:
        draft.close()


def walk_legs(legs: Sequence[Leg], routes: Routes, reach: Fraction | None = None) -> Asking[None]:
    """Legs under the same rules: in the longest sums that overdraw no balance, in finer legs where one does.

    Usage below zero gives back to balances, so there is no sum of what it is among. A `reach` says that the legs
    together overdraw a balance, and about where.
    """
    for has_negative, run in groupby(legs, key=lambda leg: leg.has_negative):
        alike = list(run)
        sums, first = Sums([leg.parts for leg in alike]), 0
        by_hour = all(leg.hours == 1 for leg in alike)
        while first < sums.count:
            taken = Taken(first, None) if has_negative else take_what_fits(sums, first, reach, by_hour=by_hour)
            first, reach = taken.upto, None
            if first < sums.count:
                yield from walk_finer(alike[first], routes, taken.reach)
                first += 1


def walk_finer(leg: Leg, routes: Routes, reach: Fraction | None) -> Asking[None]:
    """A leg in its days, a day in its hours; an hour is settled. `reach` as in `walk_legs`."""
    if leg.hours == 1:
        settle(leg.parts)
        return
    usage = yield Finer(leg.period, by_hour=leg.is_short)
    legs = [leg_of(period, used, routes) for period, used in sorted(usage.items())]
    yield from walk_legs(legs, routes, reach)


def leg_of(period: Period, used: Used, routes: Routes) -> Leg:
    return Leg(period, routes.count(used, period.starting_at).priced, used.has_negative)
