"""What a rate card says beside its rates: what custom units are worth on it, and the order of its products."""

from collections.abc import Collection
from uuid import UUID

from pricing.models import PricingUnit, Product, Rate, RateCard, RateCardConversion
from pricing.queries.catalog import in_order, latest_publication, places_known, rates_known


def conversions_of_cards(
    rate_card_ids: Collection[UUID], *, at_publication: int | None = None
) -> dict[UUID, list[RateCardConversion]]:
    """The custom units that each card converts, with the unit and the publication at hand, in the order in which they
    were added. One query."""
    found = RateCardConversion.objects.filter(rate_card__in=rate_card_ids)
    if at_publication is not None:
        found = found.filter(publication_id__lte=at_publication)
    conversions: dict[UUID, list[RateCardConversion]] = {card_id: [] for card_id in rate_card_ids}
    for conversion in found.select_related("unit", "publication").order_by("publication_id", "id"):
        conversions[conversion.rate_card_id].append(conversion)
    return conversions


def product_order(card: RateCard) -> list[UUID]:
    """The products on the card in the order of invoice lines: as they were ordered, then as they came. Three
    queries."""
    number = latest_publication()
    on_card = dict.fromkeys(rates_known(number).filter(rate_card=card).values_list("product_id", flat=True))
    return in_order(on_card, [product_id for _, product_id in places_known(number).filter(rate_card=card)])


def units_for(card: RateCard, product: Product) -> list[PricingUnit]:
    """In what a product may be priced on a card, the likeliest first: what it is priced in already, which never
    changes; else the card's currency and, but for shares, the custom units that the card converts. Two queries."""
    if product.type == Product.Type.COMPOSITE:
        return [card.fiat_unit]
    priced = Rate.objects.filter(rate_card=card, product=product).select_related("unit").first()
    if priced is not None:
        return [priced.unit]
    converted = RateCardConversion.objects.filter(rate_card=card, unit__archived_at=None).select_related("unit")
    return [card.fiat_unit, *(each.unit for each in converted.order_by("unit__name"))]
