"""What a unit costs under a contract at an instant: the rate in force, the one override that wins, and who pays."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from billing_site.foundation.money import Unit
from pricing.engine.catalog import Rate, RateCard
from pricing.engine.charges import ONE
from pricing.engine.overridden import overridden
from pricing.engine.overrides import (
    COMMIT_RATE,
    LIST_RATE,
    LOWEST_MULTIPLIER,
    LosingOverride,
    MultiplierTier,
    Override,
    Payer,
    choose_override,
)
from pricing.engine.rates import rate_in_force
from pricing.engine.steps import Step, Steps, steps_of, tier_reached
from pricing.engine.targets import Offer
from pricing.engine.tariffs import VOLUME, Tariff


@dataclass(frozen=True)  # without slots: its steps need somewhere to stay
class Price:
    """What sold units cost, with everything that decided it."""

    rate: Rate
    override: Override | None
    losing_overrides: tuple[LosingOverride, ...]
    charged: str  # LIST_RATE or COMMIT_RATE: which of the rate's two tariffs, or the override's instead of it
    tariff: Tariff  # as it is written down
    multiples: tuple[MultiplierTier, ...]  # what the override makes of it; () is nothing
    unit: Unit
    share: Fraction = ONE  # so much of it is charged: of a fee for a part of its period

    def steps(self, total: Fraction) -> Steps:
        """What it charges, step by step, where the period comes to `total` units."""
        reached, known = _reached(self.tariff, total), self._known_steps
        if reached not in known:
            known[reached] = self._shared(steps_of(self.tariff, self.multiples, reached))
        return known[reached]

    @property
    def is_listed(self) -> bool:
        """Whether it is the list's."""
        return self.override is None and self.charged == LIST_RATE

    def list_steps(self, total: Fraction) -> Steps:
        """What the list would charge, in the unit of the rate."""
        if self.is_listed:
            return self.steps(total)
        reached, known = _reached(self.rate.tariff, total), self._known_list_steps
        if reached not in known:
            known[reached] = self._shared(steps_of(self.rate.tariff, (), reached))
        return known[reached]

    def list_price(self, step: Step, total: Fraction) -> Decimal | None:
        """The list's price for a unit of `step`, or for a package; None where no one price holds for all of it."""
        if self.is_listed:
            return step.price
        steps = self.list_steps(total)
        listed = next(each for each in steps if each.ends is None or step.begins < each.ends)
        is_whole = listed.ends is None or (step.ends is not None and step.ends <= listed.ends)
        return listed.price if is_whole and listed.package_size == step.package_size else None

    @property
    def as_tariff(self) -> Tariff | None:
        """Tariff and override as one tariff; None where no one tariff says it."""
        return self.tariff if self.override is None else overridden(self.tariff, self.override)

    @property
    def unit_price(self) -> Decimal | None:
        """The price of every sold unit, where there is one."""
        if self.tariff.price is None or self.tariff.package_size is not None:
            return None
        steps = self.steps(Fraction(0))
        return steps[0].price if len(steps) == 1 else None

    def reads_like(self, other: "Price", total: Fraction) -> bool:
        """Whether a customer sees the same price, wherever it comes from."""
        return (self.unit, self.steps(total), self.list_steps(total)) == (
            other.unit,
            other.steps(total),
            other.list_steps(total),
        )

    def _shared(self, steps: Steps) -> Steps:
        return steps if self.share is ONE else tuple(step.for_share(self.share) for step in steps)

    @cached_property
    def _known_steps(self) -> dict[int, Steps]:
        return {}

    @cached_property
    def _known_list_steps(self) -> dict[int, Steps]:
        return {}


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
    payer: Payer | None = None,
) -> Price | Unpriced:
    """The price of `offer` at an instant while `payer` pays (None: while no balance does), or why it has none.

    A product counts as entitled where no rate is in force for its combination when any rate of the card entitles to
    it: a price that was forgotten is not a gift.
    """
    rate = rate_in_force(card, offer.product_id, offer.pricing_group_values, at, offer.billing_frequency)
    charged = LIST_RATE
    if rate is not None and rate.commit_tariff is not None and payer is not None:
        charged = payer.rate_type
    choice = choose_override(overrides, offer, at, prioritization, payer=payer, charged=charged)
    entitled = choice.entitled
    if entitled is None:
        entitled = offer.product_id in card.entitled_products if rate is None else rate.entitled
    if not entitled:
        return Unpriced.NOT_ENTITLED
    if rate is None:
        return Unpriced.NO_RATE
    listed = (rate.commit_tariff if charged == COMMIT_RATE else None) or rate.tariff
    override = choice.winner
    if override is not None and override.tariff is not None:
        own_unit = override.unit or rate.unit
        return Price(rate, override, choice.losers, charged, override.tariff, (), own_unit)
    multiples: tuple[MultiplierTier, ...] = ()
    if override is not None:
        multiples = override.tiers if override.multiplier is None else (MultiplierTier(override.multiplier),)
    return Price(rate, override, choice.losers, charged, listed, multiples, rate.unit)


def _reached(tariff: Tariff, total: Fraction) -> int:
    return tier_reached(tariff.tiers, total) if tariff.type == VOLUME else 0
