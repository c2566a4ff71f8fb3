"""Usage that was invoiced elsewhere before it is here: so much of a product, at what the contract has it cost then.

    given                                    on the document
    100 calls in October                     100 calls, at the price of 1 October
    60 until the 15th, 40 from then on       60 at the price of the 1st, 40 at that of the 15th
    the same, at a price for all of it       100 calls: one line

Tiers are climbed by what a line comes to in all. No balance pays for any of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from billing_site.foundation.money import QUANTUM, Unit, exact_sum, ratio, round_to
from billing_site.foundation.periods import Period
from contracts.terms import Contract
from invoicing.engine.documents import Line, Part
from invoicing.engine.lines import part_of
from pricing.engine.catalog import Catalog, GroupValues, ProductVersion, RateCard
from pricing.engine.charges import Charge, charges
from pricing.engine.prices import Price, Unpriced, price_at
from pricing.engine.products import version_in_force
from pricing.engine.targets import Offer


@dataclass(frozen=True, slots=True)
class PastUsage:
    """So much of a product in each of these times, in order; the first begins with the line and the last ends it."""

    product_id: UUID
    pricing_group_values: GroupValues
    presentation_group_values: GroupValues
    quantities: tuple[tuple[Period, Decimal], ...]


class CannotBePriced(ValueError):
    """Why a quantity has no price that the contract's money says."""


class _Charged(NamedTuple):
    period: Period
    price: Price
    charge: Charge


def past_lines(past: PastUsage, contract: Contract, card: RateCard, catalog: Catalog) -> Iterator[Line]:
    """The lines of one product: one for each price that it had. Raises CannotBePriced."""
    versions = catalog.products[past.product_id]
    total = sum((ratio(quantity) for _, quantity in past.quantities), Fraction(0))
    found: list[_Charged] = []
    above = Fraction(0)
    for period, quantity in past.quantities:
        version = version_in_force(versions, period.starting_at)
        if version is None:
            raise CannotBePriced("must begin once the product is defined")
        price = _price(past, version, contract, card, period)
        upto = above + ratio(quantity)
        found += [_Charged(period, price, each) for each in charges(price.steps(total), above, upto)]
        above = upto
    for _, alike in groupby(found, lambda each: (each.price.rate.id, each.price.override, each.charge.step)):
        yield _line(past, versions, list(alike), card.fiat, total)


def _price(past: PastUsage, version: ProductVersion, contract: Contract, card: RateCard, period: Period) -> Price:
    offer = Offer(past.product_id, version.tags, past.pricing_group_values, past.presentation_group_values)
    price = price_at(
        card,
        offer,
        period.starting_at,
        overrides=contract.overrides,
        prioritization=contract.prioritization,
    )
    if price is Unpriced.NOT_ENTITLED:
        raise CannotBePriced("must be of a product that was part of the deal then")
    if not isinstance(price, Price):
        raise CannotBePriced("must have a price on the rate card then, for these group values")
    if price.unit != card.fiat:
        raise CannotBePriced(f"must be priced in {card.fiat.name}; its price is in {price.unit.name}")
    return price


def _line(
    past: PastUsage, versions: Sequence[ProductVersion], alike: Sequence[_Charged], unit: Unit, total: Fraction
) -> Line:
    first, last = alike[0], alike[-1]
    parts = tuple(_part(each, total) for each in alike)
    version = version_in_force(versions, first.period.starting_at)
    assert version is not None, "it was priced by it"
    step, fees = first.charge.step, [part.fee for part in parts]
    return Line(
        type="usage",
        name=version.name,
        total=exact_sum([part.amount for part in parts]),
        unit=unit,
        product_id=past.product_id,
        product_type=version.type,
        quantity=exact_sum([part.quantity for part in parts]),
        unit_price=step.printed_price,
        list_price=parts[0].list_price,
        flat_fee=exact_sum(fees) if any(fees) else None,
        level=step.level,
        package_size=step.package_size,
        period=Period(first.period.starting_at, last.period.ending_before),
        pricing_group_values=past.pricing_group_values,
        presentation_group_values=past.presentation_group_values,
        parts=parts,
    )


def _part(charged: _Charged, total: Fraction) -> Part:
    charge = charged.charge
    return part_of(
        charge,
        charged.price,
        charged.period,
        total,
        amount=round_to(charge.amount, QUANTUM),
        quantity=round_to(charge.quantity, QUANTUM),
        metric_quantity=round_to(charge.units, QUANTUM),
        segment_id=None,
    )
