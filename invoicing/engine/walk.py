"""The walk over a customer's usage: rating and drawdown are one, because the price may depend on who pays.

**The rule.** All contracts of a customer and all periods that are not final are walked together, in order of time,
starting from what final documents have drawn. The hour is the grain of drawdown. Within an hour (`hours.py`):

1. Usage below zero undoes the same item's latest takes of its period, last first: each payer gets back what it paid.
2. For each balance in its order (`balances.py`), for each item in its order (higher list price of the next unit first,
   then product, contract, values): price what remains of the item as that balance would, from where its counter is; let
   it take what it can pay, pass on the rest (`takes.py`). What is free draws nothing.
3. What no balance took is priced ordinarily.

A postpaid commit is a balance like any other here, the last in order: what it takes counts toward it and is still to
be paid. Prepaid ones pay. What is priced in a custom unit draws on balances in that unit; on balances in money, too,
at what the rate card converts it to. Composites come with the last hour of their period, after its usage
(`composites.py`).

**Worked table.** H costs 10, L costs 1. Balances: B, 50 for H only; then A, 100 for everything.

    hour  used         B takes     A takes                  nobody      B left  A left
    1     3 H   20 L   3 H = 30    20 L = 20                                20      80
    2     8 H   40 L   2 H = 20    6 H = 60   20 L = 20     20 L = 20        0       0
    3          -30 L              -10 L = -10              -20 L = -20       0      10
    4     2 H                      1 H = 10                 1 H = 10         0       0
    all   13 H  30 L   5 H = 50    7 H = 70   30 L = 30     1 H = 10

**The fast path** (`sums.py`). Between two cuts (`plan.py`) no rule changes, so a slice in which no balance runs out
gives from its sums what its hours would give one by one. Where a balance would be overdrawn, the slice is split at the
hour in which that happens: the hours before it are taken as one sum, that hour is walked alone, and so on with the
rest. Slices with usage below zero are walked by the hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from billing_site.foundation.periods import Period
from invoicing.engine.assemble import usage_document
from invoicing.engine.balances import balances
from invoicing.engine.commits import all_commits
from invoicing.engine.composites import settle_composites
from invoicing.engine.documents import Result
from invoicing.engine.drafts import UsageDraft, usage_drafts
from invoicing.engine.exact import EXACT
from invoicing.engine.findings import findings
from invoicing.engine.hours import Parts, settle
from invoicing.engine.inputs import Inputs, Usage
from invoicing.engine.plan import Plan, plan
from invoicing.engine.routes import Routes
from invoicing.engine.scheduled import charge_documents
from invoicing.engine.standings import standings
from invoicing.engine.sums import Sums, take_what_fits
from invoicing.engine.totals import know_totals
from invoicing.engine.trueup import true_ups

__all__ = ["NeedsHours", "Plan", "compute", "plan"]


@dataclass(frozen=True, slots=True)
class NeedsHours:
    """The walk cannot go on without the hourly usage of these slices. Load it and compute again."""

    slices: tuple[Period, ...]


def compute(inputs: Inputs, plan: Plan, usage: Usage) -> Result | NeedsHours:
    """All drafts of a customer: from the plan's sums, and from hours where it asks for them.

    It may ask several times; call it until it answers with a Result.
    """
    with localcontext(EXACT):
        commits = all_commits(inputs)
        shared = balances(commits, inputs.catalog, inputs.posted)
        drafts = usage_drafts(inputs, shared)
        try:
            walk(drafts, plan.slices, usage)
        except HoursMissing as missing:
            return NeedsHours(missing.slices)
        found = [(draft, findings(draft)) for draft in drafts]
        made = [usage_document(draft, inputs.catalog, of_draft) for draft, of_draft in found]
        of_usage = [document for document in made if document is not None]
        standing = tuple(standings(shared, drafts, inputs.posted))
        documents = [*of_usage, *charge_documents(inputs, commits), *true_ups(inputs, standing, of_usage)]
    documents.sort(key=lambda document: (document.issued_at, document.contract_id, document.kind != "USAGE"))
    return Result(tuple(documents), tuple(finding for _, of_draft in found for finding in of_draft), standing)


class HoursMissing(Exception):
    def __init__(self, *slices: Period) -> None:
        self.slices = slices


def walk(drafts: Sequence[UsageDraft], slices: Sequence[Period], usage: Usage, *, hour_by_hour: bool = False) -> None:
    """Fill the items of the drafts. `hour_by_hour` takes no short cut, and comes to the same.

    Slices over which the rules stand still for every item (they were cut for the sake of others) are walked as one.
    """
    by_the_hour = {s for s in slices if hour_by_hour or any(used.has_negative for used in usage.by_slice[s])}
    unknown = tuple(slice_ for slice_ in slices if slice_ in by_the_hour and slice_ not in usage.by_hour)
    if unknown:
        raise HoursMissing(*unknown)
    for draft in drafts:
        if draft.seller.prices_by_volume:
            know_totals(draft, slices, usage)
    routes = Routes(())
    waiting: list[tuple[Period, Parts]] = []
    for slice_ in slices:
        start = slice_.starting_at
        covering = tuple(draft for draft in drafts if draft.open.starting_at <= start < draft.open.ending_before)
        if covering != routes.drafts or start >= routes.unchanged_until or slice_ in by_the_hour:
            walk_slices(waiting, routes, usage)
            waiting.clear()
        if covering != routes.drafts:
            close([draft for draft in routes.drafts if draft not in covering])
            routes = Routes(covering)
        elif start >= routes.unchanged_until:
            routes.move_to(start)
        parts, unpriced = routes.count(usage.by_slice[slice_], start)
        for item, metered in unpriced.items():
            item.unbilled[item.stretch] = item.unbilled.get(item.stretch, Decimal(0)) + metered
        if slice_ not in by_the_hour:
            waiting.append((slice_, parts))
            continue
        for hour in hours_of(slice_, routes, usage):
            settle(hour)
    walk_slices(waiting, routes, usage)
    close(routes.drafts)


def close(over: Sequence[UsageDraft]) -> None:
    """End the walk of drafts whose periods are over: their last charges, and what they draw in all."""
    settle_composites(over)
    for draft in over:
        draft.close()


def walk_slices(slices: Sequence[tuple[Period, Parts]], routes: Routes, usage: Usage) -> None:
    """Slices under the same rules: in the longest sums that overdraw no balance, and by the hour where one does."""
    sums, first = Sums([parts for _, parts in slices]), 0
    while (first := take_what_fits(sums, first)) < sums.count:
        walk_hours(hours_of(slices[first][0], routes, usage))
        first += 1


def walk_hours(hours: Sequence[Parts]) -> None:
    """The hours of a slice: in the longest sums that overdraw no balance, and alone where one does."""
    sums, first = Sums(hours), 0
    while (first := take_what_fits(sums, first)) < sums.count:
        settle(hours[first])
        first += 1


def hours_of(slice_: Period, routes: Routes, usage: Usage) -> list[Parts]:
    if slice_ not in usage.by_hour:
        raise HoursMissing(slice_)
    return [routes.count(used, slice_.starting_at)[0] for _, used in sorted(usage.by_hour[slice_].items())]
