"""Subscriptions in the words of the trade, for people.

Subscription “Team”: 10 of Seats each month from 1 October 2025, collected in advance; 12 from 1 December 2025.
Subscription: 1 of Seats each month from 10 October 2025, collected in advance on invoices of its own; its periods are
counted from 10 October 2025; a period that is cut short is billed in full.
Subscription “Team” to Seats: 15 from 1 November 2025.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from billing_site.foundation.display import count_text, day_text, instant_text, quantity_text
from billing_site.foundation.periods import parse_instant
from contracts.commit_wording import named, span
from contracts.models import Subscription, SubscriptionTerms
from contracts.queries import AgreedSubscription, held_quantities
from contracts.recurring_wording import PERIODS, ROUNDING_TEXTS

FIELD = "update_subscriptions"
MOST_NAMED = 5  # seats, in one sentence


def subscription_text(agreed: AgreedSubscription) -> str:
    """What is subscribed to, how often and when it is collected, and how many there are from when on."""
    row, terms = agreed.subscription, agreed.terms
    held = held_quantities(agreed, terms.ending_before)
    quantity = quantity_text(held[0].row.quantity) if held else "none"
    text = (
        f"Subscription{named(terms.name)}: {quantity} of {row.product} each {PERIODS[row.frequency]}"
        f" {span(row.starting_at, terms.ending_before)}, collected {_when(row)}"
    )
    if terms.is_by_seat:
        text += f", by the seat of each {terms.seat_group_key}"
    text += "".join(
        f"; {quantity_text(each.row.quantity)} from {_day(each.period.starting_at)}"
        for before, each in pairwise(held)
        if each.row.quantity != before.row.quantity  # a seat may only have changed hands
    )
    return text + "".join(f"; {part}" for part in _unusual(row, terms))


def _unusual(row: Subscription, terms: SubscriptionTerms) -> Iterator[str]:
    if row.anchor_at is not None:
        yield f"its periods are counted from {_day(row.anchor_at)}"
    if not row.is_prorated:
        yield "a period that is cut short is billed in full"
    if terms.rounding_method:
        yield f"parts of periods are rounded {ROUNDING_TEXTS[terms.rounding_method]}"


def subscription_name(row: Subscription, terms: SubscriptionTerms | None) -> str:
    """ "“Team” to Seats"."""
    return f"{named(terms.name) if terms is not None else ''} to {row.product}".strip()


def subscription_updates_in_words(changes: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each update that an edit keeps. `names` are those of subscriptions, by id as text."""
    for update in changes.get(FIELD, ()):
        yield f"Subscription {names[update['id']]}: {', '.join(_parts(update)) or 'its terms change'}."


def _when(row: Subscription) -> str:
    is_alone = row.invoice_placement == Subscription.Placement.ON_SCHEDULED_INVOICE
    where = " on invoices of its own" if is_alone else ""
    if not row.is_in_advance:
        return f"when each is over{where}"
    at_once = row.invoice_behavior == Subscription.Increases.BILL_IMMEDIATELY
    return f"in advance{where}" if at_once else f"in advance{where}, increases when each is over"


def _parts(update: Mapping[str, Any]) -> Iterator[str]:
    if "name" in update:
        yield f"its name is “{update['name']}”" if update["name"] else "it has the name of its product"
    for each in update.get("quantity_updates", ()):
        yield f"{_quantity(each)} from {_day(parse_instant(each['starting_at']))}"
    seats = update.get("seat_updates", {})
    for name, verb in (("add_seat_ids", "added"), ("remove_seat_ids", "removed")):
        for each in seats.get(name, ()):
            yield f"{_seats(each['seat_ids'])} {verb} on {_day(parse_instant(each['starting_at']))}"
    for name, verb in (("add_unassigned_seats", "added"), ("remove_unassigned_seats", "removed")):
        for each in seats.get(name, ()):
            count = count_text(int(Decimal(each["quantity"])), "seat", "seats")
            yield f"{count} that nobody has {verb} on {_day(parse_instant(each['starting_at']))}"
    if "quantity_management_mode_update" in update:
        key = update["quantity_management_mode_update"]["seat_config"]["seat_group_key"]
        yield f"its seats are told apart by {key}"
    if "proration_rounding" in update:
        yield _rounded(update["proration_rounding"])
    if "ending_before" in update and update["ending_before"] is not None:
        yield f"it ends on {instant_text(parse_instant(update['ending_before']))}"


def _quantity(update: Mapping[str, str]) -> str:
    if "quantity" in update:
        return quantity_text(Decimal(update["quantity"]))
    delta = Decimal(update["quantity_delta"])
    return f"{quantity_text(abs(delta))} {'fewer' if delta < 0 else 'more'}"


def _seats(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:MOST_NAMED])
    more = f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
    return f"{'seat' if len(ids) == 1 else 'seats'} {shown}{more}"


def _rounded(rounding: Mapping[str, Any] | None) -> str:
    how = "no longer rounded" if rounding is None else f"rounded {ROUNDING_TEXTS[rounding['rounding_method']]}"
    return f"parts of periods are {how}"


def _day(instant: datetime) -> str:
    """The hour only where it is not the first of its day."""
    return day_text(instant) if instant.hour == 0 else instant_text(instant)
