"""Prices that are to change."""

from dataclasses import dataclass

from billing_site.foundation.display import day_text, exact_text
from contracts.override_wording import tiers_text
from invoicing.queries.prices_to_come import PriceToCome
from pricing.engine.overrides import MultiplierTier
from pricing.engine.prices import Price
from pricing.engine.tariffs import PERCENTAGE
from pricing.wording import tariff_text

ARROW = "→"


@dataclass(frozen=True, slots=True)
class PriceRow:
    name: str
    change: str
    unit_name: str
    when: str


def price_row(change: PriceToCome, several: bool) -> PriceRow:
    after = price_in_words(change.after)
    return PriceRow(
        name=f"{change.name} ({change.contract.name})" if several and change.contract.name else change.name,
        change=f"new, {after}" if change.before is None else f"{price_in_words(change.before)} {ARROW} {after}",
        unit_name=change.unit_name,
        when=f"from {day_text(change.at)}",
    )


def price_in_words(price: Price) -> str:
    """ "$40.00"; with tiers or packages, in a few words; with multiples that no one tariff says, both."""
    if price.unit_price is not None and price.tariff.type != PERCENTAGE:
        return exact_text(price.unit_price, price.unit)
    if price.as_tariff is not None:
        return tariff_text(price.as_tariff, price.unit)
    return f"{tariff_text(price.tariff, price.unit)}: {tiers_text(list(map(_stored, price.multiples)))}"


def _stored(multiple: MultiplierTier) -> dict[str, str]:
    size = {} if multiple.size is None else {"size": str(multiple.size)}
    return {"multiplier": str(multiple.multiplier), **size}
