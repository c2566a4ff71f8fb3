"""Balances that usage draws on, and their order (`api_map` 4.6).

What is held in a custom unit goes before money, as it pays for usage in that unit before anything is converted. Then
class before everything: prepaid commits, then postpaid ones. Within a class, the first difference decides:

    1. the lower priority number            5. fewer targets with group values
    2. the contract's before the customer's 6. the earlier end
    3. nothing paid for it before paid      7. the earlier start
    4. fewer products it applies to         8. created earlier, then by id
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import Any
from uuid import UUID

from billing_site.foundation.periods import Period
from contracts.terms import QUANTITY, AccessSegment, Commit, CustomerTerms
from invoicing.engine.inputs import Posted
from pricing.engine.catalog import Catalog
from pricing.engine.overrides import Payer
from pricing.engine.products import version_in_force
from pricing.engine.targets import Offer, Target, applies

CLASSES = ("PREPAID", "POSTPAID")


@dataclass(slots=True, eq=False)
class Balance:
    """One access segment of a commit as the walk draws on it: what is `left` of it, in money or in sold units."""

    commit: Commit
    segment: AccessSegment
    left: Fraction
    rank: int = 0  # its place in the order of drawdown
    is_spent: bool = field(init=False)  # kept beside `left`, as it is asked for each item of each slice
    counts_units: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_spent = self.left <= 0
        self.counts_units = self.commit.access_type == QUANTITY

    @property
    def period(self) -> Period:
        return self.segment.period

    @property
    def payer(self) -> Payer:
        """Itself, as far as prices depend on it."""
        return Payer(self.commit.id, self.commit.rate_type)

    def pay(self, amount: Fraction) -> None:
        """Draw `amount`; a negative one gives back."""
        self.left -= amount
        self.is_spent = self.left <= 0

    def applies_to(self, contract_id: UUID, offer: Offer) -> bool:
        return self.commit.contract_id in (None, contract_id) and applies(self.commit.targets, offer)


def balances(terms: CustomerTerms, catalog: Catalog, posted: Posted) -> tuple[Balance, ...]:
    """All balances of a customer in the order in which usage draws on them, less what is posted already."""
    found = [
        Balance(commit, segment, Fraction(segment.amount - posted.drawn.get(segment.id, Decimal(0))))
        for commit in _commits(terms)
        for segment in commit.segments
    ]
    money = {card.fiat.id for card in catalog.rate_cards.values()}
    found.sort(key=lambda balance: (balance.commit.unit.id in money, *_order(balance, catalog)))
    for rank, balance in enumerate(found):
        balance.rank = rank
    return tuple(found)


def _commits(terms: CustomerTerms) -> Iterator[Commit]:
    yield from terms.commits
    for contract in terms.contracts:
        yield from contract.commits


def _order(balance: Balance, catalog: Catalog) -> tuple[Any, ...]:
    commit, period = balance.commit, balance.segment.period
    return (
        CLASSES.index(commit.type),
        commit.priority,
        commit.contract_id is None,
        any(item.amount > 0 for item in commit.invoice_items),
        _products_covered(commit.targets, catalog, period.starting_at),
        sum(1 for target in commit.targets if target.pricing_group_values or target.presentation_group_values),
        period.ending_before is None,
        period.ending_before or period.starting_at,
        period.starting_at,
        commit.created_at,
        commit.id,
        balance.segment.id,
    )


def _products_covered(targets: Sequence[Target], catalog: Catalog, at: datetime) -> float:
    """How many products the targets name, by id or by tag; without end where they restrict no product."""
    covered: set[UUID] = set()
    for target in targets:
        if target.product_id is not None:
            covered.add(target.product_id)
        elif target.product_tags:
            covered.update(
                product_id
                for product_id, versions in catalog.products.items()
                if (version := version_in_force(versions, at)) is not None
                and all(tag in version.tags for tag in target.product_tags)
            )
        else:
            return inf
    return len(covered) if targets else inf
