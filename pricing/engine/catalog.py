"""What the pricing engine is told: units, metrics, products by version, and rate cards. Values, never rows.

Instants are aware and in UTC; ranges are half-open and lie on the hour. Prices are in wire units of their pricing
unit (USD: cents) for one converted unit of quantity.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from uuid import UUID

from billing_site.foundation.money import Unit
from pricing.engine.tariffs import VOLUME, Tariff
from pricing.engine.timelines import Dated, Timeline, in_force

# The values of a product's group keys in the order of their names: (("model", "xl"), ("region", "eu")).
# None stands for "the event had no such property".
GroupValues = tuple[tuple[str, str | None], ...]

# What a price is looked up by: product, pricing group values, billing frequency ("" for usage).
RateKey = tuple[UUID, GroupValues, str]


@dataclass(frozen=True, slots=True)
class Metric:
    id: UUID
    name: str
    aggregation: str  # COUNT, SUM, MAX, LATEST, UNIQUE or WEIGHTED_SUM


@dataclass(frozen=True, slots=True)
class Conversion:
    """One metric unit becomes `factor` sold units (MULTIPLY), or `factor` metric units become one (DIVIDE).

    `name` is what a sold unit is called ("million tokens"); another name is no other conversion.
    """

    factor: Decimal
    operation: str
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a period's converted quantity becomes a billable one."""

    decimal_places: int
    method: str  # ROUND_UP, ROUND_DOWN, ROUND_HALF_UP


@dataclass(frozen=True, slots=True)
class ProductVersion:
    """A product's whole definition from `starting_at` on (None: since ever)."""

    product_id: UUID
    type: str
    name: str
    starting_at: datetime | None
    publication: int
    metric_id: UUID | None = None
    pricing_group_key: tuple[str, ...] = ()
    presentation_group_key: tuple[str, ...] = ()
    conversion: Conversion | None = None
    rounding: Rounding | None = None
    tags: tuple[str, ...] = ()
    # Of a composite: what its percentage is of.
    composite_product_ids: tuple[UUID, ...] = ()
    composite_tags: tuple[str, ...] = ()  # any of them
    exclude_free_usage: bool = False  # leaves lines of zero out of the base
    include_composite_spend: bool = False  # takes other composites into the base


@dataclass(frozen=True, slots=True)
class Rate:
    """A published, not withdrawn price of one key over a range."""

    id: UUID
    product_id: UUID
    values: GroupValues  # pricing group values; () where the product has none
    starting_at: datetime
    ending_before: datetime | None
    entitled: bool
    tariff: Tariff
    unit: Unit
    publication: int
    published_at: datetime
    published_by: str
    billing_frequency: str = ""
    commit_tariff: Tariff | None = None  # while a balance of rate type COMMIT_RATE pays


@dataclass(frozen=True)  # without slots: the index needs somewhere to stay
class RateCard:
    id: UUID
    name: str
    fiat: Unit
    rates: tuple[Rate, ...]
    product_order: tuple[UUID, ...]  # products in the order of invoice lines
    fiat_per_custom_unit: Mapping[UUID, Decimal] = field(default_factory=dict)  # by pricing unit, in wire units

    @cached_property
    def rates_by_key(self) -> Mapping[RateKey, tuple[Rate, ...]]:
        """All rates of each key. Built once, so that a look-up costs the same on a long card as on a short one."""
        found: dict[RateKey, list[Rate]] = {}
        for rate in self.rates:
            found.setdefault((rate.product_id, rate.values, rate.billing_frequency), []).append(rate)
        return {key: tuple(rates) for key, rates in found.items()}

    def over_time(self, key: RateKey) -> Timeline[Rate]:
        """The rates of one key as a function of time, built when first asked for."""
        if key not in self._timelines:
            rates = self.rates_by_key.get(key, ())
            self._timelines[key] = in_force(
                Dated(rate, rate.starting_at, rate.ending_before, rate.publication) for rate in rates
            )
        return self._timelines[key]

    @cached_property
    def prices_by_volume(self) -> bool:
        """Whether some rate depends on what the whole period comes to."""
        tariffs = (tariff for rate in self.rates for tariff in (rate.tariff, rate.commit_tariff))
        return any(tariff is not None and tariff.type == VOLUME for tariff in tariffs)

    def exchange(self, unit: Unit) -> Fraction | None:
        """What of the card's money a wire unit of `unit` is; None for a custom unit that the card does not convert."""
        if unit == self.fiat:
            return Fraction(1)
        factor = self.fiat_per_custom_unit.get(unit.id)
        return None if factor is None else Fraction(factor)

    @cached_property
    def _timelines(self) -> dict[RateKey, Timeline[Rate]]:
        return {}

    @cached_property
    def entitled_products(self) -> frozenset[UUID]:
        """The products that some rate of the card entitles to."""
        return frozenset(rate.product_id for rate in self.rates if rate.entitled)


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything known about prices at `publication`."""

    publication: int
    metrics: Mapping[UUID, Metric]
    products: Mapping[UUID, tuple[ProductVersion, ...]]
    rate_cards: Mapping[UUID, RateCard]
