"""Balances that usage draws on, and their order (`api_map` 4.6).

What is held in a custom unit goes before money, as it pays for usage in that unit before anything is converted. Then
the class decides, whatever the priorities:

    1. what was rolled over of postpaid commits     3. prepaid commits and credits together
    2. what was rolled over of the others           4. postpaid commits

Within a class, the first difference decides:

    1. the lower priority number                    6. the earlier end
    2. the contract's before the customer's         7. the earlier start
    3. nothing paid for it before paid              8. fewer contracts it applies to
    4. fewer products it applies to                 9. created earlier, then by id
    5. fewer targets with group values

One that restricts no product applies to the most products, one that restricts no contract to the most contracts.

**Worked table.** Each is drawn on before the one below it; what decides is beside it. They are paid for, of priority 2,
the customer's, for everything, of all contracts, and from 1 October to December, where nothing else is said.

    in credits, postpaid, priority 9                        its unit
    rolled over of a postpaid commit, priority 9            class
    rolled over of a credit, priority 8                     class
    prepaid, priority 1                                     priority
    prepaid, the contract's                                 the contract's
    a credit                                                nothing paid for it
    prepaid, for H and L                                    fewer group values
    prepaid, for H and L in one region                      fewer products
    prepaid, until November                                 earlier end
    prepaid                                                 earlier start
    prepaid, from 2 October, for one contract               fewer contracts
    prepaid, from 2 October                                 created earlier
    prepaid, from 2 October, created a day later            id
    prepaid, from 2 October, created a day later            class
    postpaid, priority 0
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import Any
from uuid import UUID

from billing_site.foundation.periods import Period
from contracts.terms import QUANTITY, AccessSegment, Commit
from invoicing.engine.inputs import Posted
from pricing.engine.catalog import Catalog
from pricing.engine.overrides import Payer
from pricing.engine.products import version_in_force
from pricing.engine.targets import Offer, Target, applies

# What each place in the order of balances is about.
RULES = (
    *("unit", "class", "priority", "contract", "cost", "products", "values"),
    *("end", "end", "start", "contracts", "created", "id", "id"),
)


@dataclass(slots=True, eq=False)
class Balance:
    """One access segment of a commit as the walk draws on it: what is `left` of it, in money or in sold units.

    `granted` is what it was for; of one that a renewal takes over, what came over so far.
    """

    commit: Commit
    segment: AccessSegment
    granted: Decimal
    left: Fraction
    drawn: Fraction  # by documents, final ones and those of this walk
    rolled_over: Decimal  # gone on to a renewal
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
        return Payer(self.commit.id, self.commit.rate_type, self.commit.recurring_id)

    def pay(self, amount: Fraction) -> None:
        """Draw `amount`; a negative one gives back."""
        self.drawn += amount
        self._move(amount)

    def grant(self, amount: Decimal) -> None:
        """So much more than it was for."""
        self.granted += amount
        self._move(-Fraction(amount))

    def roll_over(self, amount: Decimal) -> None:
        """So much goes on to a renewal."""
        self.rolled_over += amount
        self._move(Fraction(amount))

    def _move(self, out: Fraction) -> None:
        self.left -= out
        self.is_spent = self.left <= 0

    def applies_to(self, contract_id: UUID, offer: Offer) -> bool:
        seat = self.segment.seat
        if seat is not None and seat not in offer.presentation_group_values and seat not in offer.pricing_group_values:
            return False
        return self.commit.is_open_to(contract_id) and applies(self.commit.targets, offer)


def balances(commits: Sequence[Commit], catalog: Catalog, posted: Posted) -> tuple[Balance, ...]:
    """A balance for each segment of the commits, in the order in which usage draws on them: what was posted counts."""
    found = [_balance(commit, segment, posted) for commit in commits for segment in commit.segments]
    found.sort(key=lambda balance: _order(balance, catalog))
    for rank, balance in enumerate(found):
        balance.rank = rank
    return tuple(found)


def rule_between(one: Balance, other: Balance, catalog: Catalog) -> str:
    """Which of RULES puts one balance before the other: the first by which they differ."""
    keys = zip(RULES, _order(one, catalog), _order(other, catalog), strict=True)
    return next(rule for rule, mine, others in keys if mine != others)


def _balance(commit: Commit, segment: AccessSegment, posted: Posted) -> Balance:
    zero, key = Decimal(0), segment.id
    granted = segment.amount if commit.rolled_over_from is None else zero
    drawn, rolled_over = posted.drawn.get(key, zero), posted.rolled_over.get(key, zero)
    left = Fraction(granted + posted.manual.get(key, zero) - drawn - rolled_over)
    return Balance(commit, segment, granted, left, Fraction(drawn), rolled_over)


def _order(balance: Balance, catalog: Catalog) -> tuple[Any, ...]:
    commit, period = balance.commit, balance.segment.period
    return (
        any(card.fiat.id == commit.unit.id for card in catalog.rate_cards.values()),
        _class(commit),
        commit.priority,
        commit.contract_id is None,
        any(item.amount > 0 for item in commit.invoice_items),
        _products_covered(commit.targets, catalog, period.starting_at),
        sum(1 for target in commit.targets if target.pricing_group_values or target.presentation_group_values),
        period.ending_before is None,
        period.ending_before or period.starting_at,
        period.starting_at,
        len(commit.applicable_contract_ids) or inf,
        commit.created_at,
        commit.id,
        balance.segment.id,
    )


def _class(commit: Commit) -> int:
    if commit.rolled_over_from is not None:
        return 1 if commit.pays else 0
    return 2 if commit.pays else 3


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
