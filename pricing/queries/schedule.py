"""The prices of a rate card as people read them: by key, as a function of time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from pricing.engine import catalog as engine
from pricing.engine.timelines import stretches
from pricing.models import Product, ProductVersion, Rate, RateCard
from pricing.queries.catalog import compiled, compiled_card, latest_publication, rates_known
from pricing.queries.rows import products_by_id, products_with_versions, version_in_force

# What tells keys apart, in the order of lists: product (the oldest first), frequency, values.
KEY = ("product_id", "billing_frequency", "values_text")


@dataclass(frozen=True, slots=True)
class Selector:
    """Which rates are wanted; all that is given must hold."""

    product_id: UUID | None = None
    product_tags: Sequence[str] = ()  # any of them
    pricing_group_values: Mapping[str, str] | None = None  # exactly these
    partial_pricing_group_values: Mapping[str, str] = field(default_factory=dict)  # these among others
    billing_frequency: str | None = None


@dataclass(frozen=True, slots=True)
class PriceSegment:
    """A rate over the range in which it is the one in force, with its product as it is then."""

    rate: engine.Rate
    starting_at: datetime
    ending_before: datetime | None
    product: Product
    version: ProductVersion


def keys_priced_at(
    card: RateCard, selectors: Sequence[Selector], *, at: datetime, at_publication: int | None = None
) -> QuerySet[Rate, Any]:
    """The keys (see KEY) that have a price at `at`, where any of `selectors` lets them pass; as known at a publication
    (default: the latest)."""
    return _keys(card, selectors, Q(starting_at__lte=at), at, _known(at_publication))


def rates_in_force(
    card: RateCard, keys: Sequence[Any], *, at: datetime, at_publication: int | None = None
) -> list[PriceSegment]:
    """The price of each of `keys` at an instant, as known at a publication (default: the latest)."""
    return [
        segment
        for _, segment in _by_key(card, keys, looked_at=at, known=_known(at_publication))
        if segment.starting_at <= at and (segment.ending_before is None or at < segment.ending_before)
    ]


def rate_schedule(
    card: RateCard,
    selectors: Sequence[Selector],
    *,
    starting_at: datetime,
    ending_before: datetime | None,
    after: Sequence[Any] | None,
    limit: int,
    at_publication: int | None = None,
) -> tuple[list[PriceSegment], Sequence[Any] | None]:
    """Up to `limit` prices that hold somewhere in the range, each from its own start to its own end, and the
    position of the last one where there are more (give it back as `after`). `at_publication` is what was known
    (default: the latest)."""
    known = _known(at_publication)
    begun = Q() if ending_before is None else Q(starting_at__lt=ending_before)
    keys = _keys(card, selectors, begun, starting_at, known)
    if after is not None:
        product_id, frequency, values_text, _ = after
        keys = keys.filter(
            Q(product_id__gt=product_id)
            | Q(product_id=product_id, billing_frequency__gt=frequency)
            | Q(product_id=product_id, billing_frequency=frequency, values_text__gte=values_text)
        )
    page = list(keys[: limit + 1])
    rows = [
        (key, segment)
        for key, segment in _by_key(card, page, looked_at=starting_at, known=known)
        if (segment.ending_before is None or segment.ending_before > starting_at)
        and (ending_before is None or segment.starting_at < ending_before)
    ]
    if after is not None:
        rows = [
            (key, segment)
            for key, segment in rows
            if _position(key, segment)[:3] != tuple(after[:3]) or segment.starting_at.isoformat() > after[3]
        ]
    taken = rows[:limit]
    return [segment for _, segment in taken], _position(*taken[-1]) if len(rows) > limit else None


def _known(at_publication: int | None) -> int:
    return latest_publication() if at_publication is None else at_publication


def _keys(card: RateCard, selectors: Sequence[Selector], begun: Q, at: datetime, known: int) -> QuerySet[Rate, Any]:
    open_yet = Q(ending_before=None) | Q(ending_before__gt=at)
    found = rates_known(known).filter(begun, open_yet, rate_card=card)
    if selectors:
        wanted = Q(pk__in=[])
        for selector in selectors:
            wanted |= _wanted(selector, at, known)
        found = found.filter(wanted)
    named = found.annotate(values_text=Cast("pricing_group_values", TextField()))
    return named.order_by(*KEY).values_list(*KEY, named=True).distinct()


def _position(key: Any, segment: PriceSegment) -> tuple[str, ...]:
    return str(key.product_id), key.billing_frequency, key.values_text, segment.starting_at.isoformat()


def _wanted(selector: Selector, at: datetime, known: int) -> Q:
    wanted = Q(pricing_group_values__contains=dict(selector.partial_pricing_group_values))
    if selector.product_id is not None:
        wanted &= Q(product_id=selector.product_id)
    if selector.product_tags:
        wanted &= Q(product_id__in=_tagged(selector.product_tags, at, known))
    if selector.pricing_group_values is not None:
        wanted &= Q(pricing_group_values=dict(selector.pricing_group_values))
    if selector.billing_frequency is not None:
        wanted &= Q(billing_frequency=selector.billing_frequency)
    return wanted


def _tagged(tags: Sequence[str], at: datetime, known: int) -> list[UUID]:
    return [
        product.id
        for product in products_with_versions(at_publication=known)
        if not set(tags).isdisjoint(version_in_force(product, at).tags)
    ]


def _by_key(
    card: RateCard, keys: Sequence[Any], *, looked_at: datetime, known: int
) -> Iterable[tuple[Any, PriceSegment]]:
    """Each key with the prices it has over all time, in order. `looked_at` is when products are looked at, where a
    price began before."""
    rates = rates_known(known).filter(rate_card=card, product__in={key.product_id for key in keys})
    texts = rates.annotate(values_text=Cast("pricing_group_values", TextField()))
    chosen = texts.filter(values_text__in={key.values_text for key in keys})
    page = compiled_card(card, [rate for _, rate in compiled(chosen)])
    products = products_by_id((key.product_id for key in keys), at_publication=known)
    for key in keys:
        product = products[key.product_id]
        values = tuple(sorted(json.loads(key.values_text).items()))
        timeline = page.over_time((key.product_id, values, key.billing_frequency))
        for rate, start, end in stretches(timeline):
            yield key, PriceSegment(rate, start, end, product, version_in_force(product, max(start, looked_at)))
