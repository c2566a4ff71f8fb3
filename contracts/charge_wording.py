"""Scheduled charges and discounts, and what edits change of them, in the words of the trade, for people.

an edit                                              in words
an amount raised                                     Scheduled charge “Support”: $100.00 on 1 December 2025 is now
                                                     $120.00 on 1 December 2025.
a discount                                           Discount “Launch”: $10.00 off on 1 December 2025.
"""

from collections.abc import Iterable, Iterator

from billing_site.foundation.display import day_text, exact_text
from contracts.commit_wording import dated, named, order_text
from contracts.models import ScheduledCharge, ScheduledChargeItem
from contracts.queries import AgreedCharge, UpdatedCharge


def charge_text(charged: AgreedCharge) -> str:
    items = ", ".join(_item_text(item, charged.charge) for item in charged.items)
    return f"{_noun_and_name(charged.charge)}: {items}{order_text(charged.charge)}"


def charge_gone_text(charge: ScheduledCharge) -> str:
    """ "Taken out: the discount “Launch”." """
    noun = _noun_and_name(charge)
    return f"Taken out: the {noun[0].lower()}{noun[1:]}."


def _noun_and_name(charge: ScheduledCharge) -> str:
    return f"{'Discount' if charge.is_discount else 'Scheduled charge'}{named(charge.name)}"


def _item_text(item: ScheduledChargeItem, charge: ScheduledCharge) -> str:
    unit = charge.unit.to_unit()
    if not charge.is_discount:
        return dated(item.amount, unit, item.issued_at)
    return f"{exact_text(item.amount, unit)} off on {day_text(item.issued_at)}"


def charge_changes_in_words(updates: Iterable[UpdatedCharge]) -> Iterator[str]:
    """One sentence for each charge of which an edit changed dates, amounts or the order."""
    for updated in updates:
        yield f"{_noun_and_name(updated.after.charge)}: {'; '.join(_changes(updated))}."


def _changes(updated: UpdatedCharge) -> Iterator[str]:
    def text(item: ScheduledChargeItem) -> str:
        return _item_text(item, updated.after.charge)

    gone = {item.item_id: item for item in updated.before.items}
    for item in updated.after.items:
        old = gone.pop(item.item_id, None)
        yield f"added {text(item)}" if old is None else f"{text(old)} is now {text(item)}"
    for old in gone.values():
        yield f"taken out {text(old)}"
    if updated.order is not None:
        yield f"NetSuite sales order {updated.order}" if updated.order else "its NetSuite sales order taken away"
