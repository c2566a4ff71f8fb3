"""Cutting an item's time where its price, or who may pay it, changes; and deciding both for each piece."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

from invoicing.engine.balances import Balance
from invoicing.engine.items import Stretch
from invoicing.engine.sellers import Seller
from pricing.engine.catalog import GroupValues
from pricing.engine.prices import Price, Unpriced
from pricing.engine.products import Reign, Run
from pricing.engine.targets import Offer
from pricing.engine.timelines import all_in_force

# Why an item is not billed over a stretch, beside the reasons of `Unpriced`.
TWO_CONTRACTS = "TWO_CONTRACTS"
ELSEWHERE = ""  # another contract bills it: nothing to say


def stretches(
    seller: Seller,
    rivals: Sequence[Seller],
    balances: Sequence[Balance],
    run: Run,
    pricing_group_values: GroupValues,
    presentation_group_values: GroupValues,
) -> tuple[Stretch, ...]:
    """The stretches of one item over its run. `rivals` are the other contracts that may sell the product then."""
    found: list[Stretch] = []
    for reign in run.reigns:
        for stretch in _under(reign, pricing_group_values, presentation_group_values, seller, rivals, balances):
            if found and stretch.continues(found[-1]):
                found[-1] = found[-1].until(stretch.ending_before)
            else:
                found.append(stretch)
    return tuple(found)


def _under(
    reign: Reign,
    pricing_group_values: GroupValues,
    presentation_group_values: GroupValues,
    seller: Seller,
    rivals: Sequence[Seller],
    balances: Sequence[Balance],
) -> Iterator[Stretch]:
    version = reign.version
    offer = Offer(version.product_id, version.tags, pricing_group_values, presentation_group_values)
    payers = [balance for balance in balances if balance.applies_to(seller.contract.id, offer)]
    instants = _instants(reign, offer, [seller, *rivals], payers)
    own_prices = seller.prices(offer, instants)
    other_prices = [list(rival.prices(offer, instants)) for rival in rivals]
    ends = [*instants[1:], reign.ending_before]
    for index, (start, end, own, holding) in enumerate(
        zip(instants, ends, own_prices, all_in_force(payers, instants), strict=True)
    ):
        price, refusal = _settled(own, [prices[index] for prices in other_prices])
        paying = () if price is None else tuple(payer for payer in holding if payer.commit.unit == price.unit)
        yield Stretch(start, end, price, refusal, paying, version.rounding)


def _instants(reign: Reign, offer: Offer, sellers: Sequence[Seller], payers: Sequence[Balance]) -> list[datetime]:
    """The start of the reign and every cut within it that the offer could notice."""
    cuts = chain.from_iterable(seller.cuts(offer) for seller in sellers)
    windows = chain.from_iterable((payer.period.starting_at, payer.period.ending_before) for payer in payers)
    inside = {cut for cut in chain(cuts, windows) if cut is not None and reign.starting_at < cut < reign.ending_before}
    return [reign.starting_at, *sorted(inside)]


def _settled(own: Price | Unpriced, others: Sequence[Price | Unpriced]) -> tuple[Price | None, str]:
    """Who bills: the contract itself (its price), nobody (why), or another contract.

    What two contracts would price is billed in neither.
    """
    elsewhere = any(isinstance(other, Price) for other in others)
    if isinstance(own, Price):
        return (None, TWO_CONTRACTS) if elsewhere else (own, "")
    return None, ELSEWHERE if elsewhere else own.value
