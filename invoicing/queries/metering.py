"""A customer's usage as the engine takes it: by slice and by hour, of metrics of every aggregation."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.periods import HOUR, Period
from contracts.terms import ClaimWindow
from invoicing.engine.walk import Finer
from ledger.queries.levels import claimed_levels, claimed_levels_by_hour
from ledger.queries.scoped import Part, claimed_parts
from ledger.queries.usage import claimed_usage, claimed_usage_by_hour
from ledger.scopes import Scope
from ledger.used import Used
from pricing.engine.catalog import Catalog, GroupValues


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for. The parts of scopes are read once and then cut in whatever way."""

    sums: frozenset[UUID]
    levels: frozenset[UUID]
    scopes: tuple[Scope, ...]
    _parts: dict[Scope, list[Part]] = field(default_factory=dict)

    @classmethod
    def of(cls, catalog: Catalog, metric_ids: Collection[UUID], scopes: Sequence[Scope]) -> "Asked":
        levels = {one for one in metric_ids if one in catalog.metrics and _is_level(catalog, one)}
        scoped = {scope.metric_id for scope in scopes}
        return cls(frozenset(set(metric_ids) - levels - scoped), frozenset(levels), tuple(scopes))

    def parts(self, claims: Iterable[ClaimWindow]) -> dict[Scope, list[Part]]:
        if self.scopes and not self._parts:
            self._parts.update(claimed_parts(claims, self.scopes))
        return self._parts


def usage_of(
    claims: Iterable[ClaimWindow], periods: Collection[Period], asked: Asked, *, until: datetime
) -> dict[Period, tuple[Used, ...]]:
    """What was used in each closed period; levels up to `until`. One statement, and one for each other aggregation."""
    claims, ordered = list(claims), list(periods)
    found: dict[Period, list[Used]] = {period: [] for period in ordered}
    for period, series in zip(ordered, claimed_usage(claims, ordered, metric_ids=asked.sums), strict=True):
        found[period] += series
    if asked.levels:
        levels = claimed_levels(claims, ordered, metric_ids=asked.levels, until=until)
        for period, series in zip(ordered, levels, strict=True):
            found[period] += series
    for scope, parts in asked.parts(claims).items():
        for period in ordered:
            found[period] += _summed(scope, (part for part in parts if part.hour in period))
    return {period: tuple(used) for period, used in found.items()}


def finer_usage(
    claims: Iterable[ClaimWindow], finer: Finer, asked: Asked, *, until: datetime
) -> dict[Period, tuple[Used, ...]]:
    """What was used in each day or hour that the walk asks for; those without usage are absent."""
    if finer.by_hour:
        hours = _usage_by_hour(list(claims), finer.period, asked, until=until)
        return {Period(hour, hour + HOUR): used for hour, used in hours.items()}
    return {day: used for day, used in usage_of(claims, finer.parts, asked, until=until).items() if used}


def _usage_by_hour(
    claims: Sequence[ClaimWindow], period: Period, asked: Asked, *, until: datetime
) -> dict[datetime, tuple[Used, ...]]:
    found: dict[datetime, list[Used]] = defaultdict(list)
    for hour, series in claimed_usage_by_hour(claims, period, metric_ids=asked.sums).items():
        found[hour] += series
    if asked.levels:
        levels = claimed_levels_by_hour(claims, period, metric_ids=asked.levels, until=until)
        for hour, series in levels.items():
            found[hour] += series
    for scope, parts in asked.parts(claims).items():
        for part in parts:
            if part.hour in period:
                found[part.hour] += _summed(scope, [part])
    return {hour: tuple(used) for hour, used in found.items()}


def _summed(scope: Scope, parts: Iterable[Part]) -> Iterator[Used]:
    totals: dict[GroupValues, Decimal] = {}
    negative: set[GroupValues] = set()
    for part in parts:
        totals[part.values] = totals.get(part.values, Decimal(0)) + part.quantity
        if part.quantity < 0:
            negative.add(part.values)
    for values, quantity in totals.items():
        yield Used(scope.metric_id, values, quantity, values in negative, scope)


def _is_level(catalog: Catalog, metric_id: UUID) -> bool:
    return catalog.metrics[metric_id].aggregation == "WEIGHTED_SUM"
