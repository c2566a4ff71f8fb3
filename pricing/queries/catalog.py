"""The price list compiled into the engine's values, as it was known at a publication."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from billing_site.foundation.money import Unit
from billing_site.foundation.problems import refuse_future
from billing_site.foundation.transactions import sees_committed_alone
from pricing.engine import catalog as engine
from pricing.engine.tariffs import Tariff
from pricing.models import (
    BillableMetric,
    PricingUnit,
    ProductVersion,
    Publication,
    Rate,
    RateCard,
    RateCardConversion,
    RateCardPlace,
)
from pricing.queries.memo import Memo
from pricing.tiers import read_tariff, read_tiers

RATE_COLUMNS = (
    "id",
    "rate_card_id",
    "product_id",
    "pricing_group_values",
    "starting_at",
    "ending_before",
    "entitled",
    "rate_type",
    "price",
    "unit_id",
    "publication_id",
    "billing_frequency",
    "tiers",
    "package_size",
    "quantity",
    "is_prorated",
    "commit_rate",
)

COUNTED = ("rates_known", "withdrawals_known", "conversions_known", "places_known")

_cards: Memo[engine.RateCard] = Memo(16)
_versions: Memo[Mapping[UUID, tuple[engine.ProductVersion, ...]]] = Memo(4)


def latest_publication() -> int:
    """The number of the last publication; 0 before the first."""
    return Publication.objects.aggregate(latest=Max("number"))["latest"] or 0


def publication_as_of(as_of: datetime, *, at: datetime) -> int:
    """The number of the last publication at `as_of` or before; 0 before the first. `at` is now, and what comes after
    it is not known. Raises Refusal."""
    refuse_future(as_of, at=at)
    published = Publication.objects.filter(published_at__lte=as_of)
    return published.aggregate(latest=Max("number"))["latest"] or 0


def catalog(*, rate_card_ids: Iterable[UUID], at_publication: int | None = None, anew: bool = False) -> engine.Catalog:
    """Metrics, all products, and these rate cards, as known at a publication (default: the latest). `anew` is for who
    doubts the facts: nothing that this process remembers of them is used.

    Three queries (four where a transaction that writes may see what is half published), and six more where something
    was published since this process looked last, whatever the size. Call it inside a snapshot where other reads have
    to agree with it.
    """
    published = Publication.objects.order_by("-number")
    if at_publication is not None:
        published = published.filter(number__lte=at_publication)
    # The id of its price change tells a publication from another one of this number that was rolled back.
    number, change_id = published.values_list("number", "price_change_id").first() or (0, None)
    return engine.Catalog(
        publication=number if at_publication is None else at_publication,
        metrics={
            id_: engine.Metric(id_, name, aggregation)
            for id_, name, aggregation in BillableMetric.objects.values_list("id", "name", "aggregation_type")
        },
        products=_products(number, change_id, anew=anew),
        rate_cards=_rate_cards(set(rate_card_ids), number, change_id, anew=anew),
    )


def _rate_cards(ids: set[UUID], number: int, change_id: UUID | None, *, anew: bool) -> dict[UUID, engine.RateCard]:
    """The cards by id. What was known of a card's facts never changes, so it is compiled once."""
    rows = RateCard.objects.filter(pk__in=ids).select_related("fiat_unit")
    if not sees_committed_alone():
        rows = rows.annotate(**_facts_known(number))
    keys = {
        card: (card.id, card.name, card.fiat_unit_id, change_id, *(getattr(card, name, None) for name in COUNTED))
        for card in rows
    }
    found = {card.id: None if anew else _cards.get(key) for card, key in keys.items()}
    missing = [card for card in keys if found[card.id] is None]
    rates: dict[UUID, list[engine.Rate]] = defaultdict(list)
    worth: dict[UUID, dict[UUID, Decimal]] = defaultdict(dict)
    orders: dict[UUID, list[UUID]] = defaultdict(list)
    if missing:
        for card_id, rate in compiled(rates_known(number).filter(rate_card__in=missing)):
            rates[card_id].append(rate)
        conversions = RateCardConversion.objects.filter(rate_card__in=missing, publication_id__lte=number)
        for card_id, unit_id, fiat in conversions.values_list("rate_card_id", "unit_id", "fiat_per_unit"):
            worth[card_id][unit_id] = fiat
        for card_id, product_id in places_known(number).filter(rate_card__in=missing):
            orders[card_id].append(product_id)
    fresh = {
        card.id: _cards.keep(keys[card], compiled_card(card, rates[card.id], worth[card.id], orders[card.id]))
        for card in missing
    }
    return {card_id: card or fresh[card_id] for card_id, card in found.items()}


def _facts_known(number: int) -> dict[str, Any]:
    """How many facts of a card there are: they tell when the transaction that publishes looks before it is done."""
    counts = (
        Count("rates", filter=Q(rates__publication_id__lte=number)),
        Count("rates__withdrawal", filter=Q(rates__withdrawal__publication_id__lte=number)),
        _count_known(RateCardConversion, number),
        _count_known(RateCardPlace, number),
    )
    return dict(zip(COUNTED, counts, strict=True))


def _count_known(facts: type[Model], number: int) -> Coalesce:
    """How many of a card's facts were published by then, counted apart from what is counted by joining."""
    known = facts._default_manager.filter(rate_card=OuterRef("pk"), publication_id__lte=number).order_by()
    return Coalesce(Subquery(known.values("rate_card").annotate(count=Count("pk")).values("count")), 0)


def compiled_card(
    card: RateCard,
    rates: Sequence[engine.Rate],
    fiat_per_custom_unit: Mapping[UUID, Decimal] | None = None,
    order: Sequence[UUID] = (),
) -> engine.RateCard:
    """Products in `order`, and after those the others in the order in which `rates` first name them."""
    return engine.RateCard(
        id=card.id,
        name=card.name,
        fiat=card.fiat_unit.to_unit(),
        rates=tuple(rates),
        product_order=tuple(in_order(dict.fromkeys(rate.product_id for rate in rates), order)),
        fiat_per_custom_unit=fiat_per_custom_unit or {},
    )


def in_order(on_card: Collection[UUID], order: Iterable[UUID]) -> list[UUID]:
    """The products on a card: those in `order` first, the others after them as they came."""
    return list(dict.fromkeys([*(product_id for product_id in order if product_id in on_card), *on_card]))


def places_known(number: int) -> QuerySet[RateCardPlace, Any]:
    """(card, product) in the order that holds on each card: that of the last publication by then to bring one."""
    brought = RateCardPlace.objects.filter(rate_card=OuterRef("rate_card"), publication_id__lte=number)
    last = Subquery(brought.order_by("-publication_id").values("publication_id")[:1])
    holding = RateCardPlace.objects.annotate(last=last).filter(publication_id=F("last"))
    return holding.order_by("rate_card", "position").values_list("rate_card_id", "product_id")


def rates_known(number: int) -> QuerySet[Rate]:
    """The rates published by then and not withdrawn by then, in the order of publication."""
    published = Rate.objects.filter(publication_id__lte=number)
    return published.exclude(withdrawal__publication_id__lte=number).order_by("publication_id", "id")


def compiled(rates: QuerySet[Rate]) -> Iterable[tuple[UUID, engine.Rate]]:
    """Each rate as the engine's value, beside the id of its card. Three queries."""
    units = {unit.id: unit.to_unit() for unit in PricingUnit.objects.all()}
    # Read apart: many rates share a publication, and instants are what costs most to read.
    named = Publication.objects.filter(pk__in=rates.order_by().values("publication"))
    publications = {number: (at, by) for number, at, by in named.values_list("number", "published_at", "published_by")}
    for row in rates.values_list(*RATE_COLUMNS):
        yield row[1], _rate(row, units, *publications[row[10]])


def _rate(row: tuple[Any, ...], units: dict[UUID, Unit], published_at: datetime, published_by: str) -> engine.Rate:
    (id_, _, product_id, values, start, end, entitled, kind, price, unit_id, number, frequency, *rest) = row
    tiers, package_size, quantity, is_prorated, commit_rate = rest
    return engine.Rate(
        id=id_,
        product_id=product_id,
        values=tuple(sorted(values.items())),
        starting_at=start,
        ending_before=end,
        entitled=entitled,
        tariff=Tariff(kind, price, read_tiers(tiers), package_size, quantity, is_prorated),
        unit=units[unit_id],
        publication=number,
        published_at=published_at,
        published_by=published_by,
        billing_frequency=frequency,
        commit_tariff=None if commit_rate is None else read_tariff(commit_rate),
    )


def _products(number: int, change_id: UUID | None, *, anew: bool) -> Mapping[UUID, tuple[engine.ProductVersion, ...]]:
    published = ProductVersion.objects.filter(publication_id__lte=number)
    key = (change_id, None if sees_committed_alone() else published.count())
    found = None if anew else _versions.get(key)
    if found is not None:
        return found
    versions: dict[UUID, list[engine.ProductVersion]] = defaultdict(list)
    for version in published.select_related("product").order_by("publication_id", "starting_at"):
        versions[version.product_id].append(version.to_version())
    return _versions.keep(key, {product_id: tuple(found) for product_id, found in versions.items()})
