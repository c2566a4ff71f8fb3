"""What a rate may say, given its product and its card (`api_map` 2.5 and 4.2). What its tariff may say: `tariffs`.

    product       rate types                     billing frequency    pricing group values    commit rate
    USAGE         FLAT TIERED VOLUME PACKAGE     none                 one for each key        any of those, if any
    COMPOSITE     PERCENTAGE TIERED_PERCENTAGE   none                 none                    none
    SUBSCRIPTION  FLAT                           needed               none                    none
                  SUBSCRIPTION                   if any               none                    none
    FIXED, PRO_SERVICE: no rates

A product has one pricing unit on a card, whatever its values, from its first rate on and for ever: the card's currency,
or a custom unit that the card converts. A percentage is in the unit of what it is a share of, so it names none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import Refusal
from pricing.engine.tariffs import FLAT, Tariff
from pricing.models import PricingUnit, Product, Rate, RateCard, RateCardConversion
from pricing.models.rates import FREQUENCIES
from pricing.queries import products_by_id, version_in_force
from pricing.services.tariffs import RATE_TYPES_OF, TierInput, check_suits_product, checked_tariff


@dataclass(frozen=True, slots=True)
class CommitRate:
    """What a rate charges instead while a balance of rate type COMMIT_RATE pays, in the same pricing unit."""

    rate_type: str
    price: Decimal | None = None
    tiers: Sequence[TierInput] = ()
    package_size: Decimal | None = None
    # Only a fee has these, and a fee has no commit rate.
    quantity: ClassVar[None] = None
    is_prorated: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class NewRate:
    """A price to be added. Which of the fields of its tariff are there depends on `rate_type`."""

    product_id: UUID
    starting_at: datetime
    entitled: bool
    rate_type: str
    price: Decimal | None = None  # wire units for one converted unit, or package; of percentages a fraction
    ending_before: datetime | None = None
    pricing_group_values: Mapping[str, str] = field(default_factory=dict)
    credit_type_id: UUID | None = None  # None: the card's currency
    tiers: Sequence[TierInput] = ()
    package_size: Decimal | None = None
    quantity: Decimal | None = None
    is_prorated: bool | None = None
    billing_frequency: str | None = None
    commit_rate: CommitRate | None = None
    custom_rate: object = None  # for CUSTOM, which nothing here can rate


@dataclass(frozen=True, slots=True)
class CheckedRate:
    """A rate whose own fields keep every rule."""

    given: NewRate
    tariff: Tariff
    commit_tariff: Tariff | None


class OnCard:
    """What rates are checked against: the products they are of, and the pricing units of a card. Five queries."""

    def __init__(self, card: RateCard, rates: Sequence[NewRate]) -> None:
        product_ids = {rate.product_id for rate in rates}
        self.card = card
        self.products = products_by_id(product_ids)
        self.units = {unit.id: unit for unit in PricingUnit.objects.all()}
        self.converted = set(RateCardConversion.objects.filter(rate_card=card).values_list("unit", flat=True))
        priced = Rate.objects.filter(rate_card=card, product__in=product_ids).order_by()
        self.unit_of = dict(priced.values_list("product", "unit").distinct())

    def unit(self, rate: NewRate) -> PricingUnit:
        return self.units[rate.credit_type_id or self.card.fiat_unit_id]

    def check(self, problems: Problems, rate: NewRate) -> None:
        """Adds every rule that `rate` breaks on the card."""
        product = self.products.get(rate.product_id)
        if product is None:
            problems.add("product_id", rate.product_id, "there is no such product")
        elif product.archived_at is not None:
            problems.add("product_id", rate.product_id, f"the product {product.name} is archived")
        elif product.type not in RATE_TYPES_OF:
            rule = f"{product.name} is a {product.type} product, which has no rates"
            problems.add("product_id", rate.product_id, rule)
        else:
            check_suits_product(problems, rate.rate_type, product)
            _check_values(problems, rate, product)
            _check_frequency(problems, rate, product)
            _check_commit_rate(problems, rate, product)
            self._check_unit(problems, rate, product)

    def _check_unit(self, problems: Problems, rate: NewRate, product: Product) -> None:
        unit_id = rate.credit_type_id or self.card.fiat_unit_id
        unit = self.units.get(unit_id)
        fiat = self.card.fiat_unit
        if unit is None:
            problems.add("credit_type_id", unit_id, "there is no such pricing unit")
        elif unit_id != fiat.id and product.type == Product.Type.COMPOSITE:
            problems.add("credit_type_id", unit_id, "must not be given: a share is in the unit of what it is of")
        elif unit.is_currency and unit_id != fiat.id:
            problems.add("credit_type_id", unit_id, f"the currency of this rate card is {fiat.name}, not {unit.name}")
        elif unit.archived_at is not None:
            problems.add("credit_type_id", unit_id, f"the pricing unit {unit.name} is archived")
        elif unit_id != fiat.id and unit_id not in self.converted:
            rule = f"the rate card has no conversion of {unit.name} to {fiat.name}: add one to the card first"
            problems.add("credit_type_id", unit_id, rule)
        else:
            known = self.units[self.unit_of.setdefault(product.pk, unit_id)]
            if known != unit:
                rule = f"{product.name} is priced in {known.name} on this rate card, which cannot change"
                problems.add("credit_type_id", unit_id, rule)


def check_alone(problems: Problems, rate: NewRate) -> CheckedRate | None:
    """Checks what needs no look at the price list. None where something was added to `problems`.

    Raises NotSupported for CUSTOM rates.
    """
    found = len(problems.errors)
    tariff = checked_tariff(problems, rate)
    commit_tariff = None
    if rate.commit_rate is not None:
        commit_tariff = checked_tariff(problems.within("commit_rate"), rate.commit_rate)
    if rate.custom_rate is not None:
        problems.add("custom_rate", rate.custom_rate, "belongs to the rate type CUSTOM")
    problems.range(rate.starting_at, rate.ending_before)
    for name, value in rate.pricing_group_values.items():
        problems.key(f"pricing_group_values.{name}", value, may_be_empty=True)
    if tariff is None or len(problems.errors) > found:
        return None
    return CheckedRate(rate, tariff, commit_tariff)


def refuse_archived(card: RateCard) -> None:
    if card.archived_at is not None:
        raise Refusal.of("rate_card_id", card.pk, f"the rate card {card.name} is archived")


def check_against_each_other(problems: Problems, rates: Sequence[NewRate], path: str) -> None:
    """Of two rates of one key from one instant in one publication, neither would be the later one."""
    keys = [
        (
            rate.product_id,
            tuple(sorted(rate.pricing_group_values.items())),
            rate.billing_frequency or "",
            rate.starting_at,
        )
        for rate in rates
    ]
    count = Counter(keys)
    for index, key in enumerate(keys):
        if count[key] > 1:
            problems.add(
                f"{path.format(index)}starting_at",
                key[-1].isoformat(),
                "another rate of this request prices the same product and values from the same instant",
            )


def _check_values(problems: Problems, rate: NewRate, product: Product) -> None:
    keys = version_in_force(product, rate.starting_at).pricing_group_key
    if set(rate.pricing_group_values) != set(keys):
        needed = f"a value for each of {', '.join(keys)}" if keys else "nothing"
        rule = f"must have {needed}: the product's pricing group key"
        problems.add("pricing_group_values", dict(rate.pricing_group_values), rule)


def _check_commit_rate(problems: Problems, rate: NewRate, product: Product) -> None:
    if rate.commit_rate is None:
        return
    if product.type == Product.Type.USAGE:
        check_suits_product(problems.within("commit_rate"), rate.commit_rate.rate_type, product)
    else:
        rule = f"is for USAGE products only; {product.name} is a {product.type} product"
        problems.add("commit_rate", rate.commit_rate.rate_type, rule)


def _check_frequency(problems: Problems, rate: NewRate, product: Product) -> None:
    frequency = rate.billing_frequency
    if frequency is None:
        if product.type == Product.Type.SUBSCRIPTION and rate.rate_type == FLAT:
            rule = f"is required for FLAT rates of the SUBSCRIPTION product {product.name}"
            problems.add("billing_frequency", None, rule)
    elif frequency not in FREQUENCIES:
        problems.add("billing_frequency", frequency, f"must be one of {', '.join(FREQUENCIES)}")
    elif product.type != Product.Type.SUBSCRIPTION:
        rule = f"is for SUBSCRIPTION products only; {product.name} is a {product.type} product"
        problems.add("billing_frequency", frequency, rule)
