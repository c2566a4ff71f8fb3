"""All prices of a card, or those of one product, raised or lowered by a share: what that would publish.

new price = price × (1 + percent / 100), rounded half away from zero to so many decimal places of the major unit

the price in force                            becomes
flat, for good                                the new price, from the start on
flat, up to a date                            stays up to then; the one that comes back is raised from then on
flat, and begins after the start              stays, or is raised from where it begins, as is asked
tiers, packages, fees, a share of a spend     stays: it is changed on its page
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.display import exact_text
from billing_site.foundation.money import Unit, round_to
from billing_site.foundation.refusals import Refusal
from pricing.engine.tariffs import FLAT
from pricing.models import RateCard
from pricing.queries import PriceSegment, Selector, rate_schedule
from pricing.services.planned_prices import PlannedPrice, WantedPrice, plan_prices

MOST_PRICES = 10_000  # of one raise


@dataclass(frozen=True, slots=True)
class RaisedPrice:
    product_name: str
    planned: PlannedPrice


@dataclass(frozen=True, slots=True)
class RaisePlan:
    """`left_alone` prices are not flat or end by themselves; `later` ones begin after the start, and stay."""

    rows: tuple[RaisedPrice, ...]
    left_alone: int
    later: int


def raised(price: Decimal, percent: Decimal, *, places: int, unit: Unit) -> Decimal:
    """A price in wire units, raised by so many percent of it, to decimal places of the major unit."""
    return round_to(Fraction(price) * (1 + Fraction(percent) / 100), Decimal(1).scaleb(unit.wire_exponent - places))


def plan_raise(
    card: RateCard,
    percent: Decimal,
    *,
    places: int,
    starting_at: datetime,
    product_id: UUID | None = None,
    is_of_later: bool = False,
) -> RaisePlan:
    """What publishing it would do; nothing is written. The price in force at `starting_at` is raised from then on;
    those that begin later are too, from where they begin, if it `is_of_later`.

    Raises Refusal where the card is archived, and where rounding would leave nothing of a price.
    """
    selectors = [] if product_id is None else [Selector(product_id=product_id)]
    segments, _ = rate_schedule(
        card, selectors, starting_at=starting_at, ending_before=None, after=None, limit=MOST_PRICES
    )
    chosen, later = [], 0
    lasting = [each for each in segments if each.rate.tariff.type == FLAT and each.rate.ending_before is None]
    for segment in {each.rate.id: each for each in reversed(lasting)}.values():  # one that comes back is one price
        if is_of_later or segment.rate.starting_at <= starting_at:
            chosen.append(segment)
        else:
            later += 1
    chosen.reverse()
    for segment in chosen:
        _refuse_nothing(segment, percent, places)
    planned = plan_prices(card, [_wanted(each, percent, places, starting_at) for each in chosen])
    rows = [RaisedPrice(each.version.name, plan) for each, plan in zip(chosen, planned, strict=True)]
    return RaisePlan(tuple(rows), len({each.rate.id for each in segments if each not in lasting}), later)


def _refuse_nothing(segment: PriceSegment, percent: Decimal, places: int) -> None:
    price, unit = segment.rate.tariff.price, segment.rate.unit
    if price and percent > -100 and not raised(price, percent, places=places, unit=unit):
        text = f"{exact_text(price, unit)} for {segment.version.name}"
        raise Refusal.of("places", places, f"must leave something of every price: {text} would become 0")


def _wanted(segment: PriceSegment, percent: Decimal, places: int, starting_at: datetime) -> WantedPrice:
    rate = segment.rate
    assert rate.tariff.price is not None
    return WantedPrice(
        product_id=segment.product.pk,
        price=raised(rate.tariff.price, percent, places=places, unit=rate.unit),
        starting_at=max(segment.starting_at, starting_at),
        values={key: value or "" for key, value in rate.values},
        frequency=rate.billing_frequency or "",
        unit_id=rate.unit.id,
    )
