"""The plan of a walk: into which slices time is cut, and which metrics are asked for.

The rules are piecewise constant in time. The cuts are all instants at which a rate, an override, a product's
definition, an access window, a claim, a usage filter, a billing period or a contract begins or ends, or fees alone are
collected, within the periods that are not final yet. Between two cuts only sums matter, as long as no balance runs out.
A cut too many changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from billing_site.foundation.periods import Period
from invoicing.engine.calendar import BillingPeriod, open_periods
from invoicing.engine.commits import all_commits
from invoicing.engine.fees import collections
from invoicing.engine.inputs import Inputs
from invoicing.engine.sellers import Seller, sellers
from ledger.scopes import Scope
from pricing.engine.catalog import Metric, ProductVersion
from pricing.engine.products import runs
from pricing.engine.rates import price_changes

SCOPED = frozenset({"MAX", "LATEST", "UNIQUE"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What the walk needs to be told of usage: these metrics, summed over each of these slices; those that are not
    additive over series, by scope."""

    slices: tuple[Period, ...]
    metric_ids: tuple[UUID, ...]
    scopes: tuple[Scope, ...] = ()


def plan(inputs: Inputs, periods: Sequence[BillingPeriod] | None = None) -> Plan:
    """The slices over all of the customer's open periods (or over these), in order of time, and the metrics of what is
    sold in them."""
    periods = open_periods(inputs) if periods is None else periods
    selling = sellers(inputs.terms, inputs.catalog)
    cuts = {cut for cut in _cuts(inputs, selling.values()) if cut is not None}
    cuts.update(instant for open_ in periods for instant in (open_.starting_at, open_.ending_before))
    sold = {product_id for open_ in periods for product_id in selling[open_.contract.id].product_ids}
    scopes = {scope for open_ in periods for scope in _scopes(inputs, open_, selling[open_.contract.id].product_ids)}
    return Plan(tuple(_slices(periods, sorted(cuts))), _metrics(inputs, sold), tuple(sorted(scopes, key=_by_name)))


def scope_of(metrics: Mapping[UUID, Metric], version: ProductVersion, period: Period) -> Scope | None:
    """How a product's metric is asked for within a billing period; None where every series counts by itself."""
    metric = metrics.get(version.metric_id) if version.metric_id is not None else None
    if metric is None or metric.aggregation not in SCOPED:
        return None
    keys = {*version.pricing_group_key, *version.presentation_group_key}
    return Scope(metric.id, metric.aggregation, tuple(sorted(keys)), period)


def _scopes(inputs: Inputs, open_: BillingPeriod, product_ids: Iterable[UUID]) -> Iterator[Scope]:
    for product_id in product_ids:
        for run in runs(inputs.catalog.products[product_id], open_.starting_at, open_.ending_before):
            scope = scope_of(inputs.catalog.metrics, run.definition, open_.period)
            if scope is not None:
                yield scope


def _by_name(scope: Scope) -> tuple[datetime, UUID, tuple[str, ...]]:
    return scope.period.starting_at, scope.metric_id, scope.keys


def _slices(periods: Sequence[BillingPeriod], cuts: Sequence[datetime]) -> Iterator[Period]:
    ahead = sorted(((open_.starting_at, open_.ending_before) for open_ in periods), reverse=True)
    covered_to: datetime | None = None
    for start, end in pairwise(cuts):
        while ahead and ahead[-1][0] <= start:
            _, ends = ahead.pop()
            covered_to = ends if covered_to is None else max(covered_to, ends)
        if covered_to is not None and start < covered_to:
            yield Period(start, end)


def _cuts(inputs: Inputs, sellers_: Iterable[Seller]) -> Iterator[datetime | None]:
    """Every instant at which a rule begins or ends; None is never."""
    for seller in sellers_:
        yield from price_changes(seller.card)
        for product_id in seller.product_ids:
            yield from (version.starting_at for version in inputs.catalog.products[product_id])
        yield from _bounds(seller.contract.term)
        yield from (each.starting_at for each in seller.contract.usage_filters)
        for override in seller.contract.overrides:
            yield from _bounds(override.period)
    for commit in all_commits(inputs):
        for segment in commit.segments:
            yield from _bounds(segment.period)
    for collection in collections(inputs):
        yield collection.posted_at
    for claim in inputs.terms.claims:
        yield from (claim.starting_at, claim.ending_before)


def _bounds(period: Period) -> tuple[datetime, datetime | None]:
    return period.starting_at, period.ending_before


def _metrics(inputs: Inputs, sold: Iterable[UUID]) -> tuple[UUID, ...]:
    versions = (version for product_id in sold for version in inputs.catalog.products[product_id])
    return tuple(sorted({version.metric_id for version in versions if version.metric_id is not None}))
