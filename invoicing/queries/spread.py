"""How documents came about over time: what share of each of their parts had been used by an instant.

The price of a part of a line does not change within its time, and where several payers or tiers share that time they
were used up one after the other, in the order of the units in them. So how far a part had come by an instant follows
from how much had been metered by then, and what falls between two instants is a difference:

    metered by then    1 Oct 0   3 Oct 20   5 Oct 50   1 Nov 60        (of the same series, over the same time)
    covered, 30 units        0         20         30         30
    the rest, 30 units       0          0         20         30
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import accumulate, pairwise
from uuid import UUID

from billing_site.foundation.periods import Period
from contracts.terms import UsageFilter, filter_in_force
from invoicing.engine.inputs import Inputs
from invoicing.engine.plan import SCOPED
from invoicing.queries import metering
from invoicing.queries.shown import ShownDocument, ShownLine
from invoicing.queries.traces import ShownPart
from ledger.scopes import Scope
from ledger.used import Used
from pricing.engine.catalog import GroupValues

Share = Mapping[datetime, Fraction]  # of a whole, by each instant; from 0 to 1 where usage only grows
Shares = Mapping[ShownPart, Share]


@dataclass(frozen=True, slots=True)
class Asked:
    """The shares of a document's `lines` are wanted by each of `instants`; `period` is the document's, and its
    contract takes what `filters` let in."""

    lines: tuple[ShownLine, ...]
    instants: tuple[datetime, ...]
    period: Period | None
    filters: tuple[UsageFilter, ...] = ()

    @classmethod
    def of(cls, document: ShownDocument, instants: tuple[datetime, ...], inputs: Inputs) -> "Asked":
        """Of a document of one of the contracts that are known."""
        contracts = {contract.id: contract for contract in inputs.terms.contracts}
        contract = contracts.get(document.contract_id)
        return cls(document.lines, instants, document.period, contract.usage_filters if contract else ())

    @property
    def cuts(self) -> tuple[datetime, ...]:
        """Where usage is looked at apart."""
        return tuple(sorted({*self.instants, *(each.starting_at for each in self.filters)}))


Group = tuple[Period, UUID | None, GroupValues]  # parts of one series over one time
Sums = Mapping[GroupValues, Fraction]


def shares(asked: Sequence[Asked], inputs: Inputs) -> list[Shares]:
    """Of each document: the share of each of its parts, by instant. One query for all of them, and one for each
    aggregation that is not additive."""
    together = [_together(each.lines) for each in asked]
    cells = {
        (index, period): _cells(period, each.cuts)
        for index, each in enumerate(asked)
        for period, _, _ in together[index]
    }
    metric_ids = {metric_id for groups in together for _, metric_id, _ in groups if metric_id is not None}
    scopes = {
        scope
        for each, groups in zip(asked, together, strict=True)
        for group in groups
        if (scope := _scope(inputs, each.period, group)) is not None
    }
    every_cell = sorted({cell for some in cells.values() for cell in some})
    metered_by = metering.Asked.of(inputs.catalog, metric_ids, list(scopes))
    used = _Metered(metering.usage_of(inputs.terms.claims, every_cell, metered_by, until=inputs.at))
    found: list[Shares] = []
    for index, each in enumerate(asked):
        of_parts: dict[ShownPart, Share] = {}
        for (period, metric_id, values), sharing in together[index].items():
            own = cells[index, period]
            scope = _scope(inputs, each.period, (period, metric_id, values))
            metered = [
                used.in_cell(cell, metric_id, values, scope, filter_in_force(each.filters, cell.starting_at))
                for cell in own
            ]
            in_order = sorted(sharing, key=lambda part: part.above)  # stable, for those without a place
            of_parts |= _of_group(period, own, metered, each.instants, in_order)
        found.append(of_parts)
    return found


def _scope(inputs: Inputs, period: Period | None, group: Group) -> Scope | None:
    _, metric_id, values = group
    metric = inputs.catalog.metrics.get(metric_id) if metric_id is not None else None
    if metric is None or metric.aggregation not in SCOPED or period is None:
        return None
    return Scope(metric.id, metric.aggregation, tuple(sorted(key for key, _ in values)), period)


def _together(lines: Iterable[ShownLine]) -> dict[Group, dict[ShownPart, None]]:
    found: dict[Group, dict[ShownPart, None]] = defaultdict(dict)
    for line in lines:
        for part in line.parts:
            found[part.period, part.metric_id, part.group_values][part] = None
    return found


def _of_group(
    period: Period,
    cells: Sequence[Period],
    metered: Sequence[Fraction],
    instants: Sequence[datetime],
    sharing: Sequence[ShownPart],
) -> dict[ShownPart, Share]:
    billed = sum((Fraction(part.metric_quantity) for part in sharing), Fraction(0))
    by = _metered_by(period, cells, metered, instants, billed)
    before = Fraction(0)
    found: dict[ShownPart, Share] = {}
    for part in sharing:
        size = Fraction(part.metric_quantity)
        found[part] = {
            instant: min(max((by[instant] - before) / size, Fraction(0)), Fraction(1))
            if size
            else Fraction(instant > period.starting_at)
            for instant in instants
        }
        before += size
    return found


class _Metered:
    """Usage by cell, looked up by the values of some of the series' group keys."""

    def __init__(self, used: Mapping[Period, Used]) -> None:
        self._used = used
        self._sums: dict[tuple[Period, UUID, tuple[str, ...], Scope | None, UsageFilter | None], Sums] = {}

    def in_cell(
        self,
        cell: Period,
        metric_id: UUID | None,
        values: GroupValues,
        scope: Scope | None,
        filter_: UsageFilter | None,
    ) -> Fraction:
        if metric_id is None:
            return Fraction(0)
        ordered = tuple(sorted(values, key=lambda value: value[0]))
        keys = tuple(key for key, _ in ordered)
        where = (cell, metric_id, keys, scope, filter_)
        if where not in self._sums:
            self._sums[where] = self._sum(*where)
        return self._sums[where].get(ordered, Fraction(0))

    def _sum(
        self,
        cell: Period,
        metric_id: UUID,
        keys: tuple[str, ...],
        scope: Scope | None,
        filter_: UsageFilter | None,
    ) -> Sums:
        sums: dict[GroupValues, Fraction] = defaultdict(Fraction)
        for series, quantity in self._used[cell].quantities.items():
            if filter_ is not None and not filter_.takes(series.values):
                continue
            by_key = dict(series.values)
            if (series.metric_id, series.scope) == (metric_id, scope) and by_key.keys() >= set(keys):
                sums[tuple((key, by_key[key]) for key in keys)] += Fraction(quantity)
        return sums


def _cells(period: Period, instants: Sequence[datetime]) -> list[Period]:
    """The period cut at the instants that lie in it."""
    end = _end(period)
    edges = [period.starting_at, *(each for each in instants if period.starting_at < each < end), end]
    return [Period(start, end) for start, end in pairwise(edges)]


def _metered_by(
    period: Period, cells: Sequence[Period], metered: Sequence[Fraction], instants: Sequence[datetime], billed: Fraction
) -> dict[datetime, Fraction]:
    """How much of what was `billed` had been metered by each instant.

    Usage that came later, or was taken back, changes no document: it only moves what was billed in time. Where nothing
    is left to go by, all of it is placed at the beginning.
    """
    ends = [_end(cell) for cell in cells]
    so_far = [Fraction(0), *accumulate(metered)]
    whole = so_far[-1]
    return {
        instant: billed * so_far[bisect_right(ends, instant)] / whole
        if whole
        else billed * (instant > period.starting_at)
        for instant in instants
    }


def _end(period: Period) -> datetime:
    assert period.ending_before is not None
    return period.ending_before
