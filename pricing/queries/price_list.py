"""A rate card as people read it: what each key costs now, what it will and what it did, and who decided so."""

import enum
import json
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, Q, QuerySet, TextField, When
from django.db.models.functions import Cast, Concat

from billing_site.foundation.periods import HOUR
from pricing.engine.timelines import Dated, in_force, stretches
from pricing.models import Product, ProductVersion, Publication, Rate, RateCard
from pricing.queries.cards import product_order
from pricing.queries.rows import products_by_id, version_in_force


@dataclass(frozen=True)
class Key:
    """What a price is for: a product and values of its pricing group keys; `frequency` is empty for usage."""

    product_id: UUID
    values: Mapping[str, str] = field(default_factory=dict)
    frequency: str = ""

    def rates(self, rate_card_id: UUID) -> QuerySet[Rate]:
        """Every rate of the key that was ever published on a card."""
        return Rate.objects.filter(
            rate_card_id=rate_card_id,
            product_id=self.product_id,
            pricing_group_values=dict(self.values),
            billing_frequency=self.frequency,
        )


class Standing(enum.Enum):
    """What has become of a rate over a range."""

    PAST = "was"
    NOW = "now"
    TO_COME = "to come"
    REPLACED = "replaced"  # a later publication holds in its stead, over all of its time
    WITHDRAWN = "withdrawn"


IN_FORCE = (Standing.PAST, Standing.NOW, Standing.TO_COME)


@dataclass(frozen=True, slots=True)
class Stay:
    """A rate over a range in which it is the one in force; or over its own, where it never is.

    `version` is the product as it is sold then.
    """

    rate: Rate
    standing: Standing
    starting_at: datetime
    ending_before: datetime | None
    version: ProductVersion


@dataclass(frozen=True, slots=True)
class PricedKey:
    """A key and every rate it ever had, in order of time."""

    key: Key
    product: Product
    version: ProductVersion  # in force at the instant asked for
    stays: tuple[Stay, ...]

    @property
    def now(self) -> Stay | None:
        return next(iter(self.those(Standing.NOW)), None)

    def at(self, instant: datetime) -> Stay | None:
        """What is in force at an instant."""
        for stay in self.those(*IN_FORCE):
            if stay.starting_at <= instant and (stay.ending_before is None or instant < stay.ending_before):
                return stay
        return None

    def rates(self) -> list[Rate]:
        """Every rate it ever had, once."""
        return list({stay.rate.pk: stay.rate for stay in self.stays}.values())

    def standing(self) -> list[Rate]:
        """Those that are not withdrawn."""
        return [rate for rate in self.rates() if not hasattr(rate, "withdrawal")]

    def holds(self, rate: Rate) -> bool:
        """Whether it is in force, some time."""
        return any(stay.rate == rate for stay in self.those(*IN_FORCE))

    def those(self, *standings: Standing) -> tuple[Stay, ...]:
        return tuple(stay for stay in self.stays if stay.standing in standings)


def keys_of_card(card: RateCard, *, search: str = "") -> list[Key]:
    """Every key that was ever priced on the card: products in their order on it, the values of each by name. Four
    queries.

    `search` is looked for in the names of products and in the values.
    """
    named = Rate.objects.filter(rate_card=card).annotate(values_text=Cast("pricing_group_values", TextField()))
    if search:
        named = named.filter(Q(product__name__icontains=search) | Q(values_text__icontains=search))
    columns = ("product_id", "billing_frequency", "values_text")
    first = named.order_by(*columns, "publication_id", "id").distinct(*columns)
    rows = list(first.values_list(*columns, "publication_id", "id"))
    places = {product_id: place for place, product_id in enumerate(product_order(card))}
    order: dict[UUID, tuple[int, int, UUID]] = {}
    for product_id, _, _, publication, rate_id in rows:
        place = (places.get(product_id, len(places)), publication, rate_id)  # withdrawn altogether: at the end
        order[product_id] = min(order.get(product_id, place), place)
    rows.sort(key=lambda row: (order[row[0]], row[1], row[2]))
    return [Key(product_id, json.loads(values), frequency) for product_id, frequency, values, *_ in rows]


def key_counts(card_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many keys of each card have a rate that is not withdrawn. One query."""
    key = Concat(
        Cast("product_id", TextField()),
        "billing_frequency",
        Cast("pricing_group_values", TextField()),
        output_field=TextField(),
    )
    rates = Rate.objects.filter(rate_card__in=card_ids, withdrawal=None).order_by()
    return dict(rates.values_list("rate_card").annotate(count=Count(key, distinct=True)))


def prices_of_keys(card: RateCard, keys: Sequence[Key], *, at: datetime) -> list[PricedKey]:
    """Each key with all of its prices. Three queries."""
    products = products_by_id(key.product_id for key in keys)
    related = ("unit", "publication__price_change", "withdrawal__publication__price_change")
    found = Rate.objects.filter(rate_card=card, product__in=products).select_related(*related)
    found = found.filter(pricing_group_values__in=[dict(key.values) for key in keys])
    rates: dict[Any, list[Rate]] = defaultdict(list)
    for rate in found.order_by("publication_id", "id"):
        rates[_identity(rate.product_id, rate.pricing_group_values, rate.billing_frequency)].append(rate)
    return [
        priced(key, products[key.product_id], rates[_identity(key.product_id, key.values, key.frequency)], at=at)
        for key in keys
        if key.product_id in products
    ]


def priced(
    key: Key,
    product: Product,
    rates: Collection[Rate],
    *,
    at: datetime,
    adding: Rate | None = None,
    without: Collection[Rate] = (),
) -> PricedKey:
    """What `rates`, all of one key, come to at `at`; or would, if one were added by the next publication and some were
    withdrawn. `product` has its versions at hand. Nothing is read."""
    withdrawn = [rate for rate in rates if hasattr(rate, "withdrawal") or rate in without]
    standing = [rate for rate in rates if rate not in withdrawn] + ([] if adding is None else [adding])
    stays = sorted(_stays(product, standing, withdrawn, at), key=lambda stay: (stay.starting_at, _number(stay.rate)))
    return PricedKey(key, product, version_in_force(product, at), tuple(stays))


def last_change(rate_card_id: UUID, keys: Collection[Key], *, after: int) -> Publication | None:
    """The last publication later than `after` that added or withdrew a rate of any of the keys. At most two queries."""
    later = Q(publication__gt=after) | Q(withdrawal__publication__gt=after)
    of_products = Rate.objects.filter(later, rate_card_id=rate_card_id, product__in={key.product_id for key in keys})
    columns = ("product_id", "pricing_group_values", "billing_frequency")
    rows = of_products.values_list(*columns, "publication_id", "withdrawal__publication_id")
    wanted = {_identity(key.product_id, key.values, key.frequency) for key in keys}
    numbers = [max(added, taken or added) for *key, added, taken in rows if _identity(*key) in wanted]
    return Publication.objects.get(pk=max(numbers)) if numbers else None


@dataclass(frozen=True, slots=True)
class CardChange:
    """A publication that changed a card: the rates it added and withdrew, and the order of products it brought."""

    publication: Publication
    added: tuple[Rate, ...]
    withdrawn: tuple[Rate, ...]
    order: tuple[Product, ...]


def changes_of_card(card: RateCard, *, limit: int) -> list[CardChange]:
    """The last publications that changed the card's prices or the order of its products, newest first. Four
    queries."""
    touching = (
        Q(pk__in=Rate.objects.filter(rate_card=card).values("publication"))
        | Q(pk__in=Rate.objects.filter(rate_card=card, withdrawal__isnull=False).values("withdrawal__publication"))
        | Q(pk__in=card.places.values("publication"))
    )
    last = list(Publication.objects.filter(touching).select_related("price_change").order_by("-number")[:limit])
    related = ("product", "unit", "withdrawal")
    rates = Rate.objects.filter(rate_card=card).select_related(*related).order_by("id")
    added, withdrawn, order = defaultdict(list), defaultdict(list), defaultdict(list)
    for rate in rates.filter(publication__in=last):
        added[rate.publication_id].append(rate)
    for rate in rates.filter(withdrawal__publication__in=last):
        withdrawn[rate.withdrawal.publication_id].append(rate)
    for place in card.places.filter(publication__in=last).select_related("product").order_by("position"):
        order[place.publication_id].append(place.product)
    return [CardChange(each, tuple(added[each.pk]), tuple(withdrawn[each.pk]), tuple(order[each.pk])) for each in last]


@dataclass(frozen=True, slots=True)
class PriceChange:
    """From `after.starting_at` on a key of the card costs something else; `before` is None where it had no price."""

    card: RateCard
    priced: PricedKey
    before: Stay | None
    after: Stay


def price_changes_to_come(*, at: datetime, limit: int) -> list[PriceChange]:
    """The next changes of price on all cards, in order of time. Four queries."""
    coming = Rate.objects.filter(Q(starting_at__gt=at) | Q(ending_before__gt=at), withdrawal=None)
    soonest = coming.annotate(
        next_at=Case(When(starting_at__gt=at, then=F("starting_at")), default=F("ending_before"))
    ).order_by("next_at", "id")
    named = soonest.values_list("rate_card_id", "product_id", "pricing_group_values", "billing_frequency")
    keys: dict[Any, Key] = {}
    for card_id, product_id, values, frequency in named[: 4 * limit]:
        keys.setdefault((card_id, _identity(product_id, values, frequency)), Key(product_id, values, frequency))
    found = Rate.objects.filter(
        rate_card__in={card_id for card_id, _ in keys},
        product__in={key.product_id for key in keys.values()},
        rate_card__archived_at=None,
    )
    rates: dict[Any, list[Rate]] = defaultdict(list)
    for rate in found.select_related("unit", "publication", "withdrawal", "rate_card").order_by("publication_id", "id"):
        identity = _identity(rate.product_id, rate.pricing_group_values, rate.billing_frequency)
        rates[rate.rate_card_id, identity].append(rate)
    products = products_by_id(key.product_id for key in keys.values())
    changes = [
        PriceChange(of_key[0].rate_card, row, row.at(stay.starting_at - HOUR), stay)
        for place, key in keys.items()
        if (of_key := rates[place])
        for row in [priced(key, products[key.product_id], of_key, at=at)]
        for stay in row.those(Standing.TO_COME)
    ]
    return sorted(changes, key=lambda change: (change.after.starting_at, change.card.name, change.priced.version.name))[
        :limit
    ]


def _stays(product: Product, standing: Iterable[Rate], withdrawn: Iterable[Rate], at: datetime) -> Iterator[Stay]:
    standing = list(standing)
    timeline = in_force(Dated(rate, rate.starting_at, rate.ending_before, _number(rate)) for rate in standing)
    held = set()
    for rate, start, end in stretches(timeline):
        held.add(rate.pk)
        if start > at:
            yield Stay(rate, Standing.TO_COME, start, end, version_in_force(product, start))
        elif end is None or at < end:
            yield Stay(rate, Standing.NOW, start, end, version_in_force(product, at))
        else:
            yield Stay(rate, Standing.PAST, start, end, version_in_force(product, end - HOUR))
    for rate in standing:
        if rate.pk not in held:
            version = version_in_force(product, rate.starting_at)
            yield Stay(rate, Standing.REPLACED, rate.starting_at, rate.ending_before, version)
    for rate in withdrawn:
        version = version_in_force(product, rate.starting_at)
        yield Stay(rate, Standing.WITHDRAWN, rate.starting_at, rate.ending_before, version)


def _number(rate: Rate) -> int:
    """Of its publication; one that is not published yet comes after all others."""
    return rate.publication_id or sys.maxsize


def _identity(product_id: UUID, values: Mapping[str, str], frequency: str) -> tuple[UUID, Any, str]:
    return product_id, tuple(sorted(values.items())), frequency
