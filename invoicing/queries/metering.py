"""A customer's usage as the engine takes it: by slice and by hour, of metrics of every aggregation."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
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
from ledger.used import Series, Used, series_of
from pricing.engine.catalog import Catalog


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
) -> dict[Period, Used]:
    """What was used in each closed period; levels up to `until`. One statement, and one for each other aggregation."""
    claims, ordered = list(claims), list(periods)
    of_kinds = [claimed_usage(claims, ordered, metric_ids=asked.sums)]
    if asked.levels:
        of_kinds.append(claimed_levels(claims, ordered, metric_ids=asked.levels, until=until))
    for scope, parts in asked.parts(claims).items():
        of_kinds.append([_summed(scope, [part for part in parts if part.hour in period]) for period in ordered])
    return dict(zip(ordered, map(Used.together, zip(*of_kinds, strict=True)), strict=True))


def finer_usage(claims: Iterable[ClaimWindow], finer: Finer, asked: Asked, *, until: datetime) -> dict[Period, Used]:
    """What was used in each day or hour that the walk asks for; those without usage are absent."""
    if finer.by_hour:
        hours = _usage_by_hour(list(claims), finer.period, asked, until=until)
        return {Period(hour, hour + HOUR): used for hour, used in hours.items()}
    days = usage_of(claims, finer.parts, asked, until=until)
    return {day: used for day, used in days.items() if used.quantities}


@dataclass(frozen=True, slots=True)
class Metered:
    """Usage as it is known, levels up to `until`."""

    claims: Sequence[ClaimWindow]
    asked: Asked
    until: datetime

    def of(self, periods: Collection[Period]) -> dict[Period, Used]:
        return usage_of(self.claims, periods, self.asked, until=self.until)

    def finer(self, finer: Finer) -> dict[Period, Used]:
        return finer_usage(self.claims, finer, self.asked, until=self.until)


def _usage_by_hour(
    claims: Sequence[ClaimWindow], period: Period, asked: Asked, *, until: datetime
) -> dict[datetime, Used]:
    found: dict[datetime, list[Used]] = defaultdict(list)
    for hour, used in claimed_usage_by_hour(claims, period, metric_ids=asked.sums).items():
        found[hour].append(used)
    if asked.levels:
        levels = claimed_levels_by_hour(claims, period, metric_ids=asked.levels, until=until)
        for hour, used in levels.items():
            found[hour].append(used)
    for scope, parts in asked.parts(claims).items():
        by_hour: dict[datetime, list[Part]] = defaultdict(list)
        for part in parts:
            if part.hour in period:
                by_hour[part.hour].append(part)
        for hour, of_hour in by_hour.items():
            found[hour].append(_summed(scope, of_hour))
    return {hour: Used.together(several) for hour, several in found.items()}


def _summed(scope: Scope, parts: Sequence[Part]) -> Used:
    totals: dict[Series, Decimal] = defaultdict(Decimal)
    for part in parts:
        totals[series_of(scope.metric_id, part.values, scope)] += part.quantity
    return Used(totals, any(part.quantity < 0 for part in parts))


def _is_level(catalog: Catalog, metric_id: UUID) -> bool:
    return catalog.metrics[metric_id].aggregation == "WEIGHTED_SUM"
