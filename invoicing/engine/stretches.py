"""Cutting an item's time where its price, or who may pay it, changes; and deciding both for each piece."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from itertools import chain
from typing import NamedTuple

from billing_site.foundation.periods import Period
from contracts.terms import are_apart
from invoicing.engine.balances import Balance
from invoicing.engine.sellers import Quote, Seller
from pricing.engine.catalog import GroupValues, ProductVersion, Rounding
from pricing.engine.charges import ONE, Charge, Cut, cut_by_amount, cut_by_units
from pricing.engine.prices import Price
from pricing.engine.products import Reign, Run
from pricing.engine.targets import Offer
from pricing.engine.timelines import all_in_force

# Why an item is not billed over a stretch, beside the reasons of `Unpriced`.
TWO_CONTRACTS = "TWO_CONTRACTS"
NO_CONVERSION = "NO_CONVERSION"  # priced in a custom unit that the rate card does not convert to money
ELSEWHERE = ""  # another contract bills it: nothing to say


class Paying(NamedTuple):  # a tuple, as there is one for each balance of each stretch
    """A balance that may pay, the price that holds while it does, and what a wire unit of that price is to it."""

    balance: Balance
    price: Price
    exchange: Fraction  # 1, or what of its money a custom unit is converted to
    converts: bool  # whether it pays in money for what is priced in a custom unit

    def drawn_by(self, charge: Charge) -> Fraction:
        """What the charge takes off the balance: money, or sold units."""
        if self.converts:
            return charge.amount * self.exchange
        return charge.units if self.balance.counts_units else charge.amount

    def cut(self, charge: Charge, left: Fraction) -> Cut:
        """What of a charge that draws more than `left` is paid with that."""
        return cut_by_units(charge, left) if self.balance.counts_units else cut_by_amount(charge, left / self.exchange)


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A time over which neither the price of an item changes nor the balances that may pay for it."""

    starting_at: datetime
    ending_before: datetime
    price: Price | None  # while no balance pays
    refusal: str  # why there is no price
    paying: Mapping[Balance, Paying]  # in the order in which they pay
    rounding: Rounding | None
    tags: tuple[str, ...]  # of the product then
    exchange: Fraction = Fraction(1)  # what of the contract's money a wire unit of the price is converted to
    period: Period = field(init=False)  # said of each charge, so known beforehand

    def __post_init__(self) -> None:
        object.__setattr__(self, "period", Period(self.starting_at, self.ending_before))

    def asked(self) -> Price:
        """The price, of a stretch that has one."""
        if self.price is None:
            raise ValueError("Nothing is taken over a stretch that has no price.")
        return self.price

    def listed_in_fiat(self, position: Fraction, total: Fraction) -> Fraction:
        """The list price of the unit after `position`, in the contract's money."""
        step = next(each for each in self.asked().list_steps(total) if each.ends is None or position < each.ends)
        of_a_unit = step.exact_price if step.exact_package is None else step.exact_price / step.exact_package
        return of_a_unit * self.exchange

    def until(self, ending_before: datetime) -> "Stretch":
        return replace(self, ending_before=ending_before)

    def continues(self, other: "Stretch") -> bool:
        """Whether this one, right after `other`, is more of the same."""
        return (self.price, self.refusal, self.paying, self.rounding, self.tags, self.exchange) == (
            other.price,
            other.refusal,
            other.paying,
            other.rounding,
            other.tags,
            other.exchange,
        )


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
    own_quotes = seller.quotes(offer, instants)
    other_quotes = [list(rival.quotes(offer, instants)) for rival in rivals]
    ends = [*instants[1:], reign.ending_before]
    for index, (start, end, own, holding) in enumerate(
        zip(instants, ends, own_quotes, all_in_force(payers, instants), strict=True)
    ):
        own_filter = seller.contract.filter_at(start)
        others = (quotes[index] for quotes in other_quotes)
        rivals_then = [each for each in others if not are_apart(own_filter, each.seller.contract.filter_at(start))]
        price, refusal = _settled(own, rivals_then)
        yield stretch_under(start, end, version, own, price, refusal, holding)


def stretch_under(
    start: datetime,
    end: datetime,
    version: ProductVersion,
    quote: Quote,
    price: Price | None,
    refusal: str,
    holding: Sequence[Balance],
) -> Stretch:
    """A stretch in which these balances hold. Which of them may pay depends on the unit that each would be asked in."""
    card = quote.seller.card
    exchange = Fraction(1) if price is None else card.exchange(price.unit)
    if price is None or exchange is None:
        why = refusal if price is None else NO_CONVERSION
        return Stretch(start, end, None, why, {}, version.rounding, version.tags)
    paying = dict(_paying(quote, price, exchange, holding))
    return Stretch(start, end, price, refusal, paying, version.rounding, version.tags, exchange)


def _paying(
    quote: Quote, price: Price, exchange: Fraction, holding: Sequence[Balance]
) -> Iterator[tuple[Balance, Paying]]:
    """How each balance would pay that may. `price` and `exchange` are those while none does."""
    card, depends_on_payer = quote.seller.card, quote.depends_on_payer
    for balance in holding:
        own = quote.paid_by(balance.payer) if depends_on_payer else price
        assert isinstance(own, Price), "whether there is a price does not depend on who pays"
        worth = card.exchange(own.unit) if depends_on_payer else exchange
        if balance.counts_units or balance.commit.unit is own.unit or balance.commit.unit == own.unit:
            yield balance, Paying(balance, own, ONE, converts=False)
        elif balance.commit.unit == card.fiat and worth is not None:
            yield balance, Paying(balance, own, worth, converts=True)


def _instants(reign: Reign, offer: Offer, sellers: Sequence[Seller], payers: Sequence[Balance]) -> list[datetime]:
    """The start of the reign and every cut within it that the offer could notice."""
    cuts = chain.from_iterable(seller.cuts(offer) for seller in sellers)
    windows = chain.from_iterable((payer.period.starting_at, payer.period.ending_before) for payer in payers)
    inside = {cut for cut in chain(cuts, windows) if cut is not None and reign.starting_at < cut < reign.ending_before}
    return [reign.starting_at, *sorted(inside)]


def _settled(own: Quote, others: Sequence[Quote]) -> tuple[Price | None, str]:
    """Who bills: the contract itself (its price), nobody (why), or another contract.

    What two contracts would price is billed in neither.
    """
    elsewhere = any(isinstance(other.price, Price) for other in others)
    if isinstance(own.price, Price):
        return (None, TWO_CONTRACTS) if elsewhere else (own.price, "")
    return None, ELSEWHERE if elsewhere else own.price.value
