"""Fees of subscriptions: on which document each is collected, and what it comes to (`docs/subscriptions.md`).

A fee is one line. Its price is that of its hour: in advance the first of its time, in arrears the last. The balances
that hold at that hour may pay it, in their order. On a usage document it comes after the period's usage and before
composites; they stand on usage alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import ratio
from billing_site.foundation.periods import full_period
from contracts.subscriptions import Fee, fees, own_slot, usage_period_of
from contracts.terms import Contract
from invoicing.engine.balances import Balance
from invoicing.engine.calendar import CHARGES, BillingPeriod
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.hours import serve
from invoicing.engine.inputs import Inputs
from invoicing.engine.items import Item
from invoicing.engine.sellers import sellers
from invoicing.engine.stretches import stretch_under
from pricing.engine.catalog import ProductVersion
from pricing.engine.prices import Price, Unpriced
from pricing.engine.products import Reign, Run, version_in_force
from pricing.engine.targets import Offer


@dataclass(frozen=True, slots=True, eq=False)
class Collection(BillingPeriod):
    """Fees that have a document of their own, and the time that they are for."""

    fees: tuple[Fee, ...]

    @property
    def kind(self) -> str:
        return CHARGES

    @property
    def slot(self) -> str:
        return own_slot(self.fees[0])

    @property
    def posted_at(self) -> datetime:
        return self.fees[0].collected_at

    @property
    def finalizes_at(self) -> datetime:
        return self.posted_at


def collections(inputs: Inputs) -> list[Collection]:
    """The documents of fees alone that are not final, in the order in which they are collected: what has begun when the
    running billing period of their contract ends, and each first one."""
    found = [
        collection
        for contract in inputs.terms.contracts
        if contract.rate_card_id is not None
        for collection in _of_contract(contract, inputs.at)
        if (contract.id, CHARGES, collection.slot) not in inputs.posted.documents
    ]
    return sorted(found, key=lambda each: (each.posted_at, each.contract.id, each.slot))


def fees_until(contract: Contract, until: datetime) -> Iterator[Fee]:
    for subscription in contract.subscriptions:
        yield from fees(contract, subscription, until=until)


def alone(contract: Contract, until: datetime) -> dict[str, list[Fee]]:
    """By slot, the fees that have documents of their own, of periods that begin by then."""
    found: dict[str, list[Fee]] = {}
    for fee in fees_until(contract, until):
        if usage_period_of(contract, fee) is None:
            found.setdefault(own_slot(fee), []).append(fee)
    return found


def _of_contract(contract: Contract, at: datetime) -> Iterator[Collection]:
    for together in alone(contract, _horizon(contract, at)).values():
        starts = min(fee.period.starting_at for fee in together)
        ends = max(fee.period.ending_before for fee in together if fee.period.ending_before is not None)
        yield Collection(contract, starts, ends, tuple(together))


def _horizon(contract: Contract, at: datetime) -> datetime:
    end = full_period(contract.billing_anchor_at, contract.frequency, at=at).ending_before
    assert end is not None, "billing periods have an end"
    return end


def collecting_drafts(inputs: Inputs, shared: tuple[Balance, ...]) -> list[UsageDraft]:
    """A draft for each document of fees alone, without usage."""
    selling = sellers(inputs.terms, inputs.catalog)
    return [
        UsageDraft(each, selling[each.contract.id], (), shared, {}, (), fees=list(each.fees))
        for each in collections(inputs)
    ]


def take_fees(drafts: Sequence[UsageDraft]) -> None:
    """Give usage drafts the fees that they collect."""
    for draft in drafts:
        contract = draft.open.contract
        found = fees_until(contract, draft.open.ending_before) if contract.subscriptions else ()
        draft.fees = [fee for fee in found if usage_period_of(contract, fee) == draft.open.period]


def settle_fees(over: Sequence[UsageDraft], products: Mapping[UUID, Sequence[ProductVersion]]) -> None:
    """Charge the fees of drafts, those of an earlier hour first, at one hour together."""
    waiting: dict[datetime, dict[Item, Fraction]] = {}
    for draft in over:
        for fee in sorted(draft.fees, key=lambda fee: fee.sort_key):
            item = _fee_item(draft, fee, products)
            if item is None:
                continue
            draft.fee_items.append(item)
            asked = item.fee or fee
            if item.stretch.price is None:
                item.unbilled[item.stretch] = asked.quantity
            else:
                waiting.setdefault(fee.priced_at, {})[item] = ratio(asked.quantity)
    for _, more in sorted(waiting.items()):
        serve(more)


def _fee_item(draft: UsageDraft, fee: Fee, products: Mapping[UUID, Sequence[ProductVersion]]) -> Item | None:
    """The fee as something to be priced and paid; None where there is none."""
    at, contract = fee.priced_at, draft.open.contract
    versions = products[fee.subscription.product_id]
    version = version_in_force(versions, at) or min(versions, key=lambda each: each.publication)
    offer = Offer(version.product_id, version.tags, (), (), fee.subscription.frequency)
    (found,) = draft.seller.prices(offer, [at])
    if found is Unpriced.NOT_ENTITLED:
        return None  # nobody has asked for more than the deal has
    asked = fee.own_of(found) if isinstance(found, Price) else fee
    if asked is None:
        return None
    (quote,) = draft.seller.quotes(offer, [at], asked.priced)
    price, refusal = (quote.price, "") if isinstance(quote.price, Price) else (None, quote.price.value)
    holding = [each for each in draft.balances if at in each.period and each.applies_to(contract.id, offer)]
    assert fee.period.ending_before is not None, "a fee is for a closed period"
    start, end = fee.period.starting_at, fee.period.ending_before
    stretch = stretch_under(start, end, version, quote, price, refusal, holding)
    item = Item(contract.id, Run((Reign(start, end, version),)), (), (), (stretch,), fee=asked)
    item.quantity, item.total, item.metered = ratio(asked.above), ratio(asked.upto), asked.quantity
    return item
