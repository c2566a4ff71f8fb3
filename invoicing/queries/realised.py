"""Realised prices: what a unit of a product has brought in, and which customers with like volumes pay differently.

    realised price = (what was sold - what credits paid of it) / quantity

Pure arithmetic over what `sold` reads.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import QUANTUM, exact_sum, round_to
from invoicing.queries.sold import Sold

ROUNDING = Fraction(1, 1000)  # documents are rounded, so that nobody pays quite the same: a spread below this is none


@dataclass(frozen=True, slots=True)
class RealisedPrice:
    """Of a product in a segment of customers; of all of them where it is None. `price` in wire units, to 12 places, and
    None where the quantity is zero."""

    unit_id: UUID
    product_id: UUID
    segment: str | None
    customers: int
    quantity: Decimal
    amount: Decimal
    by_credits: Decimal
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Paid:
    """What one customer has paid a unit."""

    customer_id: UUID
    quantity: Decimal
    amount: Decimal  # without what credits paid
    price: Decimal


@dataclass(frozen=True, slots=True)
class Comparable:
    """Customers that bought like quantities of a product: from 10 to the power of `band` up to ten times as much. They
    stand in the order of their prices, the lowest first."""

    unit_id: UUID
    product_id: UUID
    band: int
    paid: tuple[Paid, ...]

    @property
    def lowest(self) -> Paid:
        return self.paid[0]

    @property
    def highest(self) -> Paid:
        return self.paid[-1]

    @property
    def spread(self) -> Fraction:
        """How far the lowest price is below the highest, as a share of that."""
        return 1 - Fraction(self.lowest.price) / Fraction(self.highest.price)

    @property
    def below_highest(self) -> Decimal:
        """What all would have paid at the highest of their prices, less what they have paid."""
        at_highest = Fraction(self.highest.price) * sum((Fraction(each.quantity) for each in self.paid), Fraction(0))
        return round_to(at_highest - sum((Fraction(each.amount) for each in self.paid), Fraction(0)), QUANTUM)


def realised_prices(sold: Iterable[Sold], segment_of: Mapping[UUID, str]) -> list[RealisedPrice]:
    """Of each product with a quantity: first of all customers, then by segment where there are several. `sold` is by
    customer; what is of no product is left out."""
    of_products: dict[tuple[UUID, UUID], list[Sold]] = {}
    for each in sold:
        if each.product_id is not None and each.customer_id is not None and each.quantity is not None:
            of_products.setdefault((each.unit_id, each.product_id), []).append(each)
    found = []
    for of_product in of_products.values():
        segments: dict[str, list[Sold]] = {}
        for each in of_product:
            assert each.customer_id is not None
            segments.setdefault(segment_of.get(each.customer_id, ""), []).append(each)
        found.append(_realised(of_product, None))
        if len(segments) > 1:
            found += [_realised(segments[segment], segment) for segment in sorted(segments)]
    return found


def comparables(sold: Iterable[Sold]) -> list[Comparable]:
    """Where customers with like quantities pay different prices: those first in which most money lies, by unit."""
    bands: dict[tuple[UUID, UUID, int], list[Paid]] = {}
    for each in sold:
        if each.product_id is None or each.customer_id is None or not each.quantity or each.quantity < 0:
            continue
        price = unit_price(each.net, each.quantity)
        if price is not None and price >= 0:
            paid = Paid(each.customer_id, each.quantity, each.net, price)
            bands.setdefault((each.unit_id, each.product_id, each.quantity.adjusted()), []).append(paid)
    found = [
        Comparable(*key, tuple(sorted(paid, key=lambda each: (each.price, each.customer_id))))
        for key, paid in bands.items()
    ]
    differing = [each for each in found if each.highest.price > 0 and each.spread >= ROUNDING]
    return sorted(differing, key=lambda each: (each.unit_id, -each.below_highest, each.product_id, each.band))


def _realised(sold: Sequence[Sold], segment: str | None) -> RealisedPrice:
    first = sold[0]
    assert first.product_id is not None
    quantity = exact_sum([each.quantity for each in sold if each.quantity is not None])
    amount = exact_sum([each.amount for each in sold])
    by_credits = exact_sum([each.by_credits for each in sold])
    return RealisedPrice(
        unit_id=first.unit_id,
        product_id=first.product_id,
        segment=segment,
        customers=len({each.customer_id for each in sold}),
        quantity=quantity,
        amount=amount,
        by_credits=by_credits,
        price=unit_price(exact_sum([amount, -by_credits]), quantity),
    )


def unit_price(net: Decimal, quantity: Decimal) -> Decimal | None:
    """To 12 places; None where the quantity is zero."""
    return round_to(Fraction(net) / Fraction(quantity), QUANTUM) if quantity else None
