"""All prices of a card, or those that are chosen, raised or lowered by a share or set to one: what that would publish.

new price = price × (1 + percent / 100), rounded half away from zero to so many decimal places of the major unit
            or the one that is given, as it is given

the price in force                            becomes
flat, for good                                the new price, from the start on
flat, up to a date                            stays up to then; the one that comes back is raised from then on
flat, and begins after the start              stays, or is raised from where it begins, as is asked
tiers, packages, fees, a share of a spend     stays: it is changed on its page
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.display import exact_text
from billing_site.foundation.money import Unit, round_to, wire_amount
from billing_site.foundation.refusals import Refusal
from pricing.engine.tariffs import FLAT
from pricing.models import RateCard
from pricing.queries import Key, PriceSegment, Selector, rate_schedule
from pricing.services.planned_prices import PlannedPrice, WantedPrice, nothing_withdrawn, plan_prices

MOST_PRICES = 10_000  # that a raise looks at


@dataclass(frozen=True, slots=True)
class Raise:
    """By `percent`, rounded to decimal `places` of the major unit; or to `price`, in the major unit."""

    percent: Decimal = Decimal(0)
    places: int = 0
    price: Decimal | None = None

    def of(self, price: Decimal, unit: Unit) -> Decimal:
        """The new price; both in wire units."""
        if self.price is not None:
            return wire_amount(self.price, unit)
        return raised(price, self.percent, places=self.places, unit=unit)


@dataclass(frozen=True, slots=True)
class RaisedPrice:
    product_name: str
    planned: PlannedPrice


@dataclass(frozen=True, slots=True)
class RaisePlan:
    """`left_alone` prices are not flat or end by themselves; `later` ones begin after the start, and stay;
    those that a new price goes before are not among them."""

    rows: tuple[RaisedPrice, ...]
    left_alone: int
    later: int


def raised(price: Decimal, percent: Decimal, *, places: int, unit: Unit) -> Decimal:
    """A price in wire units, raised by so many percent of it, to decimal places of the major unit."""
    return round_to(Fraction(price) * (1 + Fraction(percent) / 100), Decimal(1).scaleb(unit.wire_exponent - places))


def plan_raise(
    card: RateCard,
    change: Raise,
    *,
    starting_at: datetime,
    keys: Collection[Key] | None = None,
    is_of_later: bool = False,
    withdraws: Callable[[UUID], bool] = nothing_withdrawn,
) -> RaisePlan:
    """What publishing it would do; nothing is written. The price in force at `starting_at` is raised from then on;
    those that begin later are too, from where they begin, if it `is_of_later`. `keys` are those that are chosen
    (default: all of the card); `withdraws` is as for `plan_prices`.

    Raises Refusal where the card is archived, where rounding would leave nothing of a price, where several units are
    to have one price, and where there are more prices than it looks at.
    """
    of_products = [] if keys is None else [Selector(product_id=each) for each in {key.product_id for key in keys}]
    segments, further = rate_schedule(
        card, of_products, starting_at=starting_at, ending_before=None, after=None, limit=MOST_PRICES
    )
    if further is not None:
        raise Refusal(f"There are more than {MOST_PRICES:,} prices: choose those of one product.")
    if keys is not None:
        wanted = {_identity(key.product_id, key.values.items(), key.frequency) for key in keys}
        segments = [each for each in segments if _of(each) in wanted] if keys else []
    chosen, later = [], set()
    lasting = [each for each in segments if each.rate.tariff.type == FLAT and each.rate.ending_before is None]
    for segment in {each.rate.id: each for each in reversed(lasting)}.values():  # one that comes back is one price
        if is_of_later or segment.rate.starting_at <= starting_at:
            chosen.append(segment)
        else:
            later.add(segment.rate.id)
    chosen.reverse()
    if change.price is not None and len({each.rate.unit for each in chosen}) > 1:
        raise Refusal.of("price", change.price, "must be in one unit: those that are chosen are priced in several")
    for segment in chosen:
        _refuse_nothing(segment, change)
    planned = plan_prices(card, [_wanted(each, change, starting_at) for each in chosen], withdraws=withdraws)
    later -= {each.rate_id for plan in planned for each in plan.later}
    rows = [RaisedPrice(each.version.name, plan) for each, plan in zip(chosen, planned, strict=True)]
    return RaisePlan(tuple(rows), len({each.rate.id for each in segments if each not in lasting}), len(later))


def _of(segment: PriceSegment) -> tuple[object, ...]:
    rate = segment.rate
    return _identity(rate.product_id, rate.values, rate.billing_frequency)


def _identity(product_id: UUID, values: Iterable[tuple[str, str | None]], frequency: str) -> tuple[object, ...]:
    return product_id, tuple(sorted(values)), frequency


def _refuse_nothing(segment: PriceSegment, change: Raise) -> None:
    price, unit = segment.rate.tariff.price, segment.rate.unit
    if change.price is None and price and change.percent > -100 and not change.of(price, unit):
        text = f"{exact_text(price, unit)} for {segment.version.name}"
        raise Refusal.of("places", change.places, f"must leave something of every price: {text} would become 0")


def _wanted(segment: PriceSegment, change: Raise, starting_at: datetime) -> WantedPrice:
    rate = segment.rate
    assert rate.tariff.price is not None
    return WantedPrice(
        product_id=segment.product.pk,
        price=change.of(rate.tariff.price, rate.unit),
        starting_at=max(segment.starting_at, starting_at),
        values={key: value or "" for key, value in rate.values},
        frequency=rate.billing_frequency or "",
        unit_id=rate.unit.id,
    )
