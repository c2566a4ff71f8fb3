"""The way from usage by series to quantities by item."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from invoicing.engine.drafts import UsageDraft
from invoicing.engine.items import FOR_GOOD, Item
from ledger.used import Series, Used
from pricing.engine.catalog import GroupValues

NOTHING = Decimal(0)


class Counted(NamedTuple):  # a tuple, as there is one for each hour that is looked at
    """What was metered of each item with a price, of each without, and of each where a usage filter leaves it out and
    no other contract takes it."""

    priced: dict[Item, Decimal]
    unpriced: dict[Item, Decimal]
    left_out: dict[Item, Decimal]


class Routes:
    """Which items a series counts for, while these drafts are the ones that cover the time."""

    def __init__(self, drafts: tuple[UsageDraft, ...]) -> None:
        self.drafts = drafts
        self.unchanged_until = FOR_GOOD  # no item that is known comes to another stretch before
        self._items: dict[Series, list[Item]] = {}
        self._by_contract = {draft.open.contract.id: draft for draft in drafts}
        self._is_filtered = any(draft.open.contract.usage_filters for draft in drafts)

    def move_to(self, at: datetime) -> None:
        """Bring every known item to its stretch at `at`; time never goes back."""
        known = (item for items in self._items.values() for item in items)
        self.unchanged_until = min((item.move_to(at) for item in known), default=FOR_GOOD)

    def count(self, used: Used, at: datetime) -> Counted:
        """What was metered over a time that begins at `at`."""
        priced: dict[Item, Decimal] = {}
        unpriced: dict[Item, Decimal] = {}
        left_out: dict[Item, Decimal] = {}
        for series, quantity in used.quantities.items():
            items = self._items.get(series)
            if items is None:
                items = self._items[series] = [item for draft in self.drafts for item in draft.items_of(series)]
                self.unchanged_until = min([self.unchanged_until, *(item.move_to(at) for item in items)])
            for item in items:
                if item.is_running:
                    parts = unpriced if item.stretch.price is None else priced
                    if self._is_filtered and not self._by_contract[item.contract_id].open.contract.takes(
                        series.values, at
                    ):
                        if parts is unpriced or self._is_taken(item, series.values, at):
                            continue
                        parts = left_out
                    parts[item] = parts.get(item, NOTHING) + quantity
        return Counted(priced, unpriced, left_out)

    def _is_taken(self, item: Item, values: GroupValues, at: datetime) -> bool:
        """Whether another contract takes what the item's own leaves out."""
        return any(
            item.product_id in rival.product_ids and at in rival.contract.term and rival.contract.takes(values, at)
            for rival in self._by_contract[item.contract_id].rivals
        )
