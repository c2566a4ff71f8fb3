"""Usage documents in the making: one for each open billing period, with its items and what it draws."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import QUANTUM, exact_total, floor_to, round_to
from billing_site.foundation.periods import HOUR
from contracts.subscriptions import Fee
from invoicing.engine.balances import Balance
from invoicing.engine.calendar import BillingPeriod, open_periods
from invoicing.engine.inputs import Inputs, Posted
from invoicing.engine.items import Item
from invoicing.engine.rollovers import Rollover, rollovers
from invoicing.engine.sellers import Seller, sellers
from invoicing.engine.stretches import Stretch, stretches
from ledger.scopes import Scope
from ledger.used import Series
from pricing.engine.catalog import Catalog, GroupValues, ProductVersion
from pricing.engine.products import Run, runs, version_in_force

ItemKey = tuple[UUID, int, GroupValues, GroupValues]  # product, number of its run, pricing and presentation values


@dataclass(slots=True, eq=False)
class UsageDraft:
    open: BillingPeriod
    seller: Seller
    rivals: tuple[Seller, ...]  # other contracts that run at some of the same time
    balances: tuple[Balance, ...]  # of the customer: drafts share them
    runs: dict[UUID, list[Run]]  # by product
    composites: tuple[ProductVersion, ...]  # as they are defined in the period's last hour
    items: dict[ItemKey, Item] = field(default_factory=dict)
    composite_items: list[Item] = field(default_factory=list)  # there when the usage has been walked to the end
    fees: list[Fee] = field(default_factory=list)  # of subscriptions, that it collects
    fee_items: list[Item] = field(default_factory=list)  # there when they are collected
    deductions: dict[Balance, Decimal] = field(default_factory=dict)  # known when it is closed
    _known_stretches: dict[ItemKey, tuple[Stretch, ...]] = field(default_factory=dict)
    _presentation_matters: bool = field(init=False)
    _by_seat: dict[tuple[str, str | None] | None, list[Balance]] = field(default_factory=dict)
    rollovers: list[Rollover] = field(default_factory=list)  # of a contract's last period: what goes on to its renewal
    taken_over: list[Rollover] = field(default_factory=list)  # of a renewal's first document: what no other has posted

    def __post_init__(self) -> None:
        """Whether any price, or any balance, looks at the presentation values of an item."""
        named = [override.targets for seller in (self.seller, *self.rivals) for override in seller.contract.overrides]
        named += [balance.commit.targets for balance in self.balances]
        self._presentation_matters = any(
            target.presentation_group_values for targets in named for target in targets
        ) or any(balance.segment.seat is not None for balance in self.balances)
        for balance in self.balances:
            self._by_seat.setdefault(balance.segment.seat, []).append(balance)

    @property
    def product_order(self) -> tuple[UUID, ...]:
        """That of the lines: of the card, then subscriptions, composites last."""
        of_fees = dict.fromkeys(item.product_id for item in self.fee_items)
        return (*self.seller.product_ids, *of_fees, *self.seller.composite_ids)

    def plain_items(self, product_id: UUID) -> list[Item]:
        """The items of a product that has no group keys, used or not."""
        plain = [
            self.item(product_id, number, ())
            for number, run in enumerate(self.runs.get(product_id, ()))
            if not run.definition.pricing_group_key and not run.definition.presentation_group_key
        ]
        return [*plain, *(item for item in self.composite_items if item.product_id == product_id)]

    @property
    def all_items(self) -> list[Item]:
        return [*self.items.values(), *self.fee_items, *self.composite_items]

    def items_of(self, series: Series) -> list[Item]:
        """The items that usage of one series counts for: one for each product and run that it feeds."""
        return [
            self.item(product_id, number, series.values)
            for product_id, runs_ in self.runs.items()
            for number, run in enumerate(runs_)
            if run.definition.metric_id == series.metric_id and self._is_asked_for(run, series.scope)
        ]

    def _is_asked_for(self, run: Run, scope: Scope | None) -> bool:
        if scope is None:
            return True
        keys = {*run.definition.pricing_group_key, *run.definition.presentation_group_key}
        return scope.period == self.open.period and set(scope.keys) == keys

    def item(self, product_id: UUID, number: int, values: GroupValues) -> Item:
        """The item of a product's run that has these values, out of those of a whole series."""
        run = self.runs[product_id][number]
        pricing = _only(run.definition.pricing_group_key, values)
        presentation = _only(run.definition.presentation_group_key, values)
        key = (product_id, number, pricing, presentation)
        if key not in self.items:
            found = self._stretches(product_id, number, pricing, presentation)
            self.items[key] = Item(self.open.contract.id, run, pricing, presentation, found)
        return self.items[key]

    def _stretches(
        self, product_id: UUID, number: int, pricing: GroupValues, presentation: GroupValues
    ) -> tuple[Stretch, ...]:
        """Items that differ in what nobody looks at have the same."""
        if not self._presentation_matters:
            presentation = ()
        key = (product_id, number, pricing, presentation)
        if key not in self._known_stretches:
            rivals = [rival for rival in self.rivals if product_id in rival.product_ids]
            run = self.runs[product_id][number]
            payers = self._payers((*pricing, *presentation))
            self._known_stretches[key] = stretches(self.seller, rivals, payers, run, pricing, presentation)
        return self._known_stretches[key]

    def _payers(self, values: GroupValues) -> Sequence[Balance]:
        """The balances without those of other seats, of which there may be many."""
        own = [balance for value in values for balance in self._by_seat.get(value, ())]
        of_all = self._by_seat.get(None, [])
        return sorted((*of_all, *own), key=lambda balance: balance.rank) if own else of_all

    def close(self) -> None:
        """Settle what this document draws on each balance, to the quantum in which it will be posted.

        Whoever draws later finds the balance as if the document were final, so that finalizing it does not change
        the next draft by a trillionth.
        """
        drawn: dict[Balance, list[Fraction]] = {}
        for take in (take for item in self.all_items for take in item.takes):
            if take.paying is not None:
                drawn.setdefault(take.paying.balance, []).append(take.drawn)
        for balance, amounts in drawn.items():
            exact = exact_total(amounts)
            amount = min(round_to(exact, QUANTUM), floor_to(balance.left + exact, QUANTUM))
            self.deductions[balance] = amount
            balance.pay(Fraction(amount) - exact)
        for rollover in self.rollovers:
            rollover.settle()


def usage_drafts(inputs: Inputs, shared: tuple[Balance, ...]) -> list[UsageDraft]:
    """A draft for each open period, in the order in which they become final, on balances that they share."""
    selling = sellers(inputs.terms, inputs.catalog)
    found = [usage_draft(open_, selling, inputs.catalog, shared) for open_ in open_periods(inputs)]
    for rollover in rollovers(inputs.terms.contracts, shared):
        _place(rollover, found, inputs.posted)
    return found


def usage_draft(
    open_: BillingPeriod, selling: Mapping[UUID, Seller], catalog: Catalog, shared: tuple[Balance, ...]
) -> UsageDraft:
    """The draft of one period, without any usage."""
    seller = selling[open_.contract.id]
    others = (other for other in selling.values() if other is not seller)
    rivals = tuple(other for other in others if other.contract.term.overlap(open_.period) is not None)
    runs_ = {
        product_id: runs(catalog.products[product_id], open_.starting_at, open_.ending_before)
        for product_id in seller.product_ids
    }
    composites = tuple(_composites(seller, catalog, open_.ending_before - HOUR))
    return UsageDraft(open_, seller, rivals, shared, runs_, composites)


def _place(rollover: Rollover, drafts: Sequence[UsageDraft], posted: Posted) -> None:
    """A rollover is settled by the last document of the contract that is renewed; where that leaves it to the renewal,
    at once, and the renewal's first document posts it."""
    last = [draft for draft in drafts if draft.open.contract is rollover.renewed and draft.open.is_last]
    is_left_to_the_renewal = not last and rollover.is_left_to_the_renewal(posted)
    rollover.take_posted(posted)
    if last or is_left_to_the_renewal:
        rollover.hold_back()
    if last:
        last[0].rollovers.append(rollover)
    if is_left_to_the_renewal:
        rollover.settle()
        first = next((draft for draft in drafts if draft.open.contract is rollover.renewal), None)
        if first is not None:
            first.taken_over.append(rollover)


def _composites(seller: Seller, catalog: Catalog, last_hour: datetime) -> Iterator[ProductVersion]:
    for product_id in seller.composite_ids:
        version = version_in_force(catalog.products[product_id], last_hour)
        if version is not None:
            yield version


def _only(keys: tuple[str, ...], values: GroupValues) -> GroupValues:
    known = dict(values)
    return tuple((key, known.get(key)) for key in sorted(keys))
