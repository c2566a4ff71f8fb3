"""What a unit costs under a contract at an instant: the rate in force and the one override that wins."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, localcontext
from enum import StrEnum
from fractions import Fraction

from billing_site.foundation.money import PRECISION, Unit
from pricing.engine.catalog import Rate, RateCard
from pricing.engine.overrides import LOWEST_MULTIPLIER, LosingOverride, Override, choose_override
from pricing.engine.rates import rate_in_force
from pricing.engine.targets import Offer


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one sold unit, with everything that decided it."""

    rate: Rate
    override: Override | None
    losing_overrides: tuple[LosingOverride, ...]
    unit_price: Decimal  # exact: a list price times a multiplier may have 24 decimal places
    per_unit: Fraction  # the same number, for arithmetic
    unit: Unit

    @property
    def list_price(self) -> Decimal:
        assert self.rate.tariff.price is not None
        return self.rate.tariff.price

    def reads_like(self, other: "Price") -> bool:
        """Whether a customer sees the same price, wherever it comes from."""
        return (self.unit_price, self.list_price, self.unit) == (other.unit_price, other.list_price, other.unit)


class Unpriced(StrEnum):
    """Why there is no price."""

    NO_RATE = "NO_RATE"  # entitled, but the card has no rate for this combination
    NOT_ENTITLED = "NOT_ENTITLED"  # not part of the deal


def price_at(
    card: RateCard,
    offer: Offer,
    at: datetime,
    *,
    overrides: Iterable[Override] = (),
    prioritization: str = LOWEST_MULTIPLIER,
) -> Price | Unpriced:
    """The price of one sold unit of `offer` at an instant, or why it has none.

    A product counts as entitled where no rate is in force for its combination when any rate of the card entitles to
    it: a price that was forgotten is not a gift.
    """
    rate = rate_in_force(card, offer.product_id, offer.pricing_group_values, at)
    choice = choose_override(overrides, offer, at, prioritization)
    entitled = choice.entitled
    if entitled is None:
        entitled = offer.product_id in card.entitled_products if rate is None else rate.entitled
    if not entitled:
        return Unpriced.NOT_ENTITLED
    if rate is None:
        return Unpriced.NO_RATE
    tariff, unit = rate.tariff, rate.unit
    override = choice.winner
    if override is not None and override.tariff is not None:
        tariff, unit = override.tariff, override.unit or rate.unit
    assert tariff.price is not None
    unit_price = tariff.price
    if override is not None and override.multiplier is not None:
        with localcontext(Context(prec=PRECISION)):
            unit_price = tariff.price * override.multiplier
    return Price(rate, override, choice.losers, unit_price, Fraction(unit_price), unit)
