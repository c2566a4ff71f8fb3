"""The way from usage by series to quantities by item."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from invoicing.engine.drafts import UsageDraft
from invoicing.engine.inputs import Used
from invoicing.engine.items import FOR_GOOD, Item
from ledger.scopes import Scope
from pricing.engine.catalog import GroupValues

NOTHING = Decimal(0)


class Routes:
    """Which items a series counts for, while these drafts are the ones that cover the time."""

    def __init__(self, drafts: tuple[UsageDraft, ...]) -> None:
        self.drafts = drafts
        self.unchanged_until = FOR_GOOD  # no item that is known comes to another stretch before
        self._items: dict[tuple[UUID, GroupValues, Scope | None], list[Item]] = {}

    def move_to(self, at: datetime) -> None:
        """Bring every known item to its stretch at `at`; time never goes back."""
        known = (item for items in self._items.values() for item in items)
        self.unchanged_until = min((item.move_to(at) for item in known), default=FOR_GOOD)

    def count(self, usage: Iterable[Used], at: datetime) -> tuple[dict[Item, Decimal], dict[Item, Decimal]]:
        """What was metered, over a time that begins at `at`, of each item with a price then and of each without."""
        priced: dict[Item, Decimal] = {}
        unpriced: dict[Item, Decimal] = {}
        for used in usage:
            series = used.metric_id, used.values, used.scope
            items = self._items.get(series)
            if items is None:
                items = self._items[series] = [item for draft in self.drafts for item in draft.items_of(*series)]
                self.unchanged_until = min([self.unchanged_until, *(item.move_to(at) for item in items)])
            for item in items:
                if item.is_running:
                    parts = unpriced if item.stretch.price is None else priced
                    parts[item] = parts.get(item, NOTHING) + used.quantity
        return priced, unpriced
