"""Scheduled charges, and what edits change of them, in the words of the trade, for people.

an edit                                              in words
an amount raised                                     Scheduled charge “Support”: $100.00 on 1 December 2025 is now
                                                     $120.00 on 1 December 2025.
"""

from collections.abc import Iterable, Iterator

from contracts.commit_wording import dated, named, order_text
from contracts.models import ScheduledChargeItem
from contracts.queries import AgreedCharge, UpdatedCharge


def charge_text(charged: AgreedCharge) -> str:
    unit = charged.charge.unit.to_unit()
    items = ", ".join(dated(item.amount, unit, item.issued_at) for item in charged.items)
    return f"Scheduled charge{named(charged.charge.name)}: {items}{order_text(charged.charge)}"


def charge_changes_in_words(updates: Iterable[UpdatedCharge]) -> Iterator[str]:
    """One sentence for each charge of which an edit changed dates or amounts."""
    for updated in updates:
        yield f"Scheduled charge{named(updated.after.charge.name)}: {'; '.join(_changes(updated))}."


def _changes(updated: UpdatedCharge) -> Iterator[str]:
    unit = updated.after.charge.unit.to_unit()

    def text(item: ScheduledChargeItem) -> str:
        return dated(item.amount, unit, item.issued_at)

    gone = {item.item_id: item for item in updated.before.items}
    for item in updated.after.items:
        old = gone.pop(item.item_id, None)
        yield f"added {text(item)}" if old is None else f"{text(old)} is now {text(item)}"
    for old in gone.values():
        yield f"taken out {text(old)}"
