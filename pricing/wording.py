"""Prices and what they are for, in words."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from billing_site.foundation.display import exact_text, plain_text, quantity_text
from billing_site.foundation.money import Unit
from pricing.engine.formulas import Node, NodeKey
from pricing.engine.tariffs import FLAT, PACKAGE, PERCENTAGE, SUBSCRIPTION, TIERED_PERCENTAGE, VOLUME, Tariff, Tier
from pricing.models import ProductVersion, Rate

FREQUENCY_TEXTS = {"WEEKLY": "a week", "MONTHLY": "a month", "QUARTERLY": "a quarter", "ANNUAL": "a year"}
EVERY_TEXTS = {code: f"every {text.removeprefix('a ')}" for code, text in FREQUENCY_TEXTS.items()}


def sold_unit(version: ProductVersion) -> str:
    """What a price is for: "per million tokens", "per 1,000 units", "each"."""
    if version.conversion_factor is None:
        return "each"
    if version.conversion_name:
        return f"per {version.conversion_name}"
    if version.conversion_operation == ProductVersion.Operation.DIVIDE:
        return f"per {quantity_text(version.conversion_factor)} units"
    return "per unit"


def price_text(rate: Rate, version: ProductVersion) -> str:
    """With every digit: "$40.00 per million tokens"."""
    return f"{rate_text(rate)} {rate_unit_text(rate, version)}".rstrip()


def tariff_text(tariff: Tariff, unit: Unit) -> str:
    """What a tariff charges, with every digit: "$2.00 a unit for the first 100 units, then $1.00"."""
    if tariff.price is None:
        return _tiers_text(tariff, unit)
    if tariff.type == PERCENTAGE:
        return percent_text(tariff.price)
    price = exact_text(tariff.price, unit)
    if tariff.type == PACKAGE and tariff.package_size is not None:
        return f"{price} for each package of {quantity_text(tariff.package_size)} units"
    if tariff.type == SUBSCRIPTION and tariff.quantity is not None:
        return f"{price} a period for each of {quantity_text(tariff.quantity)}, prorated"
    return f"{price} a unit"


def commit_rate_text(rate: Rate, version: ProductVersion) -> str:
    """What a rate charges instead where a balance pays that asks for it; empty where it says nothing of that."""
    tariff = rate.to_commit_tariff()
    if tariff is None:
        return ""
    text = charge_text(tariff, rate.unit.to_unit())
    return f"{text} {sold_unit(version)}" if tariff.type == FLAT else text


def rate_text(rate: Rate) -> str:
    """What a rate charges, without what a flat price is for."""
    return charge_text(rate.to_tariff(), rate.unit.to_unit())


def charge_text(tariff: Tariff, unit: Unit) -> str:
    """What a tariff charges, without what a flat price is for: "$40.00", "$2.00 a unit for the first 100 units"."""
    if tariff.type == FLAT and tariff.price is not None:
        return exact_text(tariff.price, unit)
    return tariff_text(tariff, unit)


def rate_unit_text(rate: Rate, version: ProductVersion) -> str:
    """What a flat price is for; the others say it themselves, and count in what is sold: "(in million tokens)"."""
    if rate.rate_type != FLAT:
        return f"(in {version.conversion_name})" if version.conversion_name else ""
    return FREQUENCY_TEXTS.get(rate.billing_frequency) or sold_unit(version)


def percent_text(fraction: Decimal) -> str:
    """ "12.5 %"."""
    return f"{quantity_text(fraction.scaleb(2))} %"


def _tiers_text(tariff: Tariff, unit: Unit) -> str:
    def price(tier: Tier) -> str:
        return percent_text(tier.price) if tariff.type == TIERED_PERCENTAGE else exact_text(tier.price, unit)

    def fee(tier: Tier) -> str:
        return f" (and {exact_text(tier.flat_fee, unit)} once)" if tier.flat_fee else ""

    def width(size: Decimal) -> str:
        return exact_text(size, unit) if tariff.type == TIERED_PERCENTAGE else f"{quantity_text(size)} units"

    *sized, last = tariff.tiers
    each = "" if tariff.type == TIERED_PERCENTAGE else " a unit"
    if not sized:
        return f"{price(last)}{each}{fee(last)}"
    parts, reached = [], Decimal(0)
    for index, tier in enumerate(sized):
        size = tier.size or Decimal(0)
        reached += size
        if tariff.type == VOLUME:
            head = "all units at" if index == 0 else "at"
            parts.append(f"{head} {price(tier)} up to {quantity_text(reached)}{fee(tier)}")
        elif index == 0:
            parts.append(f"{price(tier)}{each} for the first {width(size)}{fee(tier)}")
        else:
            parts.append(f"{price(tier)} for the next {width(size)}{fee(tier)}")
    end = f"at {price(last)} above" if tariff.type == VOLUME else f"then {price(last)}"
    return ", ".join([*parts, f"{end}{fee(last)}"])


def key_text(values: Mapping[str, str | None], frequency: str) -> str:
    """What tells a price of a product from its others: "model: xl", "billed every month"."""
    return values_text(values) or (f"billed {EVERY_TEXTS[frequency]}" if frequency else "")


def values_text(values: Mapping[str, str | None]) -> str:
    """Pricing group values: "model: xl, region: eu"."""
    return ", ".join(f"{name}: {value}" for name, value in sorted(values.items()))


def node_key_text(key: NodeKey) -> str:
    """A node of a formula: "markup", "cost (model: xl)", "region eu" where it is named after its only key."""
    name, values = key
    if not values:
        return name
    if [held for held, _ in values] == [name]:
        return f"{name} {values[0][1]}"
    return f"{name} ({', '.join(f'{held}: {value}' for held, value in values)})"


def formula_text(nodes: Iterable[Node]) -> str:
    """What a price is made of: "base 100 × model xl 4 × markup 1.5"."""
    return " × ".join(f"{node_key_text(node.key)} {plain_text(node.number)}" for node in nodes)


def made_of_text(rate: Rate) -> str:
    """Of a rate that a formula made, with the price in wire units: "base 100 × model xl 4 = 400 USD (cents)"."""
    assert rate.formula is not None
    assert rate.price is not None
    made_of = formula_text(rate.formula.nodes_of(rate.pricing_group_values))
    return f"{made_of} = {plain_text(rate.price)} {rate.unit.name}"
