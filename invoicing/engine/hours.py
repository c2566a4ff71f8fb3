"""One hour in full: what is below zero undoes, then balance by balance, then the rest."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

from invoicing.engine.balances import Balance
from invoicing.engine.items import Item
from invoicing.engine.takes import Span, Take, drawn_by, left_over

Parts = Mapping[Item, Decimal]  # what was metered of each item over some time


class Waiting:
    """What of an item's hour nobody has taken yet, and who took the rest."""

    def __init__(self, item: Item, quantity: Fraction) -> None:
        self.item = item
        self.spans = [Span(item.quantity, item.quantity + quantity)]
        self.takes: list[Take] = []

    def offer_to(self, balance: Balance) -> None:
        """Price what is left as that balance would, let it take what it can pay, and pass on the rest."""
        stretch = self.item.stretch
        paying = stretch.paying.get(balance)
        if paying is None:
            return
        spans, self.spans = self.spans, []
        for span in spans:
            for found in drawn_by(paying, stretch, span, self.item.total):
                if isinstance(found, Take):
                    self.takes.append(found)
                else:
                    self.spans.append(found)

    def close(self) -> None:
        for span in self.spans:
            self.takes += left_over(self.item.stretch, span, self.item.total)
        self.item.append(self.takes)


def settle(parts: Parts) -> None:
    """An hour's usage."""
    more: dict[Item, Fraction] = {}
    for item, metered in parts.items():
        quantity = item.billable(metered)
        item.metered += metered
        if quantity < 0:
            item.undo(-quantity)
        elif quantity > 0:
            more[item] = quantity
    serve(more)


def serve(more: Mapping[Item, Fraction]) -> None:
    """So much more of each item: to the balances in their order, of each in the order of items."""
    waiting = [Waiting(item, more[item]) for item in sorted(more, key=lambda item: item.order)]
    for balance in sorted(_payers(more), key=lambda payer: payer.rank):
        for each in waiting:
            if balance.is_spent:
                break
            if each.spans:
                each.offer_to(balance)
    for each in waiting:
        each.close()


def _payers(items: Iterable[Item]) -> set[Balance]:
    return {balance for item in items for balance in item.stretch.paying}
