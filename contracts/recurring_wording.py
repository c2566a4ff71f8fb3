"""Commits and credits that recur in the words of the trade, for people.

Recurring credit “Monthly”: $3.10 each usage period from 22 October 2025; $2.40 is billed for each.
Recurring commit “Weekly”: 100 units each week (October 2025), of which each lasts for 2 periods.
Recurring credit “Included”: $5.00 for each of Seats, in one pool, each month from 1 October 2025; an increase tops it
up by time.
Recurring credit “Each”: $5.00 for each assigned seat of Seats, in a balance of its own, each month from 1 October 2025;
a seat that is added has it in full.
Recurring credit “Short”: $5.00 each month from 15 October 2025; a last period that is cut short is granted in full;
what is granted by time is rounded to $0.01, down.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from billing_site.foundation.display import amount_text, day_text, exact_text, instant_text, quantity_text
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period, parse_instant
from contracts.commit_wording import RATES, attributes_text, named, order_text, span
from contracts.models import RecurringCommit
from contracts.terms import Commit
from pricing.engine.overrides import LIST_RATE

PERIODS = {
    "": "usage period",
    "DAILY": "day",
    "WEEKLY": "week",
    "MONTHLY": "month",
    "QUARTERLY": "quarter",
    "ANNUAL": "year",
}
ROUNDING_TEXTS = {
    "HALF_UP": "half up",
    "FLOOR": "down",
    "CEILING": "up",
}
# Which of the periods that are cut short are not granted by time; most are.
IN_FULL = {
    RecurringCommit.Proration.NONE: "a period that is cut short is granted in full",
    RecurringCommit.Proration.FIRST: "a last period that is cut short is granted in full",
    RecurringCommit.Proration.LAST: "a first period that is cut short is granted in full",
}
INDIVIDUAL = RecurringCommit.Allocation.INDIVIDUAL
UPDATES = ("update_recurring_commits", "update_recurring_credits")


def recurring_text(row: RecurringCommit, names: Mapping[str, str] | None = None) -> str:
    """What is granted how often, for how long, and what is paid for it; needs its units and what it is
    subscribed to. `names` are as for `commit_text`."""
    text = (
        f"{_noun(row.is_credit)}{named(row.name)}: {_each(row)} each"
        f" {PERIODS[row.frequency]} {span(row.starting_at, row.ending_before)}"
    )
    if row.duration > 1:
        text += f", of which each lasts for {row.duration} periods"
    billed_in = (row.invoice_unit or row.unit).to_unit()
    if row.invoice_amount is not None:
        text += f"; {exact_text(row.invoice_amount, billed_in)} is billed for each"
    if row.subscription_id is not None:
        what = "a seat that is added has it" if row.allocation == INDIVIDUAL else "an increase tops it up"
        text += f"; {what} {'by time' if row.is_increase_prorated else 'in full'}"
    parts = (attributes_text(row, names), _by_time_text(row, billed_in), order_text(row))
    return f"{text}{''.join(parts)}"


def _by_time_text(row: RecurringCommit, billed_in: Unit) -> str:
    """How periods that are cut short are granted and billed, where it is not as with most."""
    text = f"; {told}" if (told := IN_FULL.get(RecurringCommit.Proration(row.proration))) else ""
    for places, method, unit, verb in (
        (row.access_decimal_places, row.access_rounding_method, row.held_in, "granted"),
        (row.invoice_decimal_places, row.invoice_rounding_method, billed_in, "billed"),
    ):
        if places is not None:
            text += f"; what is {verb} by time is {_rounded(places, method, unit)}"
    return text


def _each(row: RecurringCommit) -> str:
    amount = exact_text(row.access_amount, row.held_in)
    if row.subscription is None:
        return amount
    if row.allocation == INDIVIDUAL:
        return f"{amount} for each assigned seat of {row.subscription.product}, in a balance of its own,"
    return f"{amount} for each of {row.subscription.product}, in one pool,"


def noun_and_name(row: RecurringCommit) -> str:
    """ "the recurring credit “Monthly”"."""
    return f"the recurring {'credit' if row.is_credit else 'commit'}{named(row.name)}"


def recurring_updates_in_words(changes: Mapping[str, Any], rows: Mapping[str, RecurringCommit]) -> Iterator[str]:
    """One sentence for each update that an edit keeps. `rows` are those of recurring commits, by id as text; they need
    their units."""
    for field in UPDATES:
        for update in changes.get(field, ()):
            row = rows[update["id"]]
            parts = ", ".join(_parts(update, row)) or "nothing changes"
            yield f"{_noun(row.is_credit)}{named(row.name)}: for whatever has not begun, {parts}."


def difference_in_words(before: Sequence[Commit], after: Sequence[Commit], row: RecurringCommit) -> Iterator[str]:
    """One sentence for each instance to come that is not as it was: "1 November 2025: $1.50 granted, not $3.10.". The
    unit of both is that of `row`."""
    billed_in = (row.invoice_unit or row.unit).to_unit()
    old, new = ({each.created_at: each for each in instances} for instances in (before, after))
    for starting_at in sorted({*old, *new}):
        was, now = (_told_of(found.get(starting_at), row.held_in, billed_in) for found in (old, new))
        if was != now:
            yield f"{day_text(starting_at)}: {now}, in place of {was}."


def _told_of(instance: Commit | None, held_in: Unit, billed_in: Unit) -> str:
    if instance is None:
        return "nothing"
    alike = Counter((segment.amount, segment.period, segment.seat is not None) for segment in instance.segments)
    text = " and ".join(
        f"{amount_text(amount, held_in)}{_for_each(count) if is_own else ''} {_until(period)}"
        for (amount, period, is_own), count in alike.items()
    )
    billed = "".join(f", for which {amount_text(item.amount, billed_in)} is billed" for item in instance.invoice_items)
    rates = "" if instance.rate_type == LIST_RATE else f", paying at {RATES[instance.rate_type]}"
    return f"{text}{billed}{rates}"


def _for_each(count: int) -> str:
    return f" for each of {count} seats" if count > 1 else " for one seat"


def _until(period: Period) -> str:
    return span(period.starting_at, period.ending_before)


def _parts(update: Mapping[str, Any], row: RecurringCommit) -> Iterator[str]:
    billed_in = (row.invoice_unit or row.unit).to_unit()
    for name, unit, verb in (("access_amount", row.held_in, "granted"), ("invoice_amount", billed_in, "billed")):
        if given := update.get(name):
            if name == "access_amount" and row.subscription_id is not None:
                yield f"{exact_text(Decimal(given['unit_price']), unit)} is granted for each that is subscribed to"
                continue
            yield f"{_amount(given, unit)} is {verb} for each"
    if "ending_before" in update:
        end = update["ending_before"]
        yield f"it ends on {instant_text(parse_instant(end))}" if end else "it ends with the contract"
    if "rate_type" in update:
        yield f"it pays at {RATES[update['rate_type']]}"
    for name, rounding in update.get("proration_rounding", {}).items():
        unit, verb = (row.held_in, "granted") if name == "access" else (billed_in, "billed")
        how = _rounded(**rounding, unit=unit) if rounding else "no longer rounded"
        yield f"what is {verb} by time is {how}"


def _amount(given: Mapping[str, str], unit: Unit) -> str:
    """ "$3.00", "$3.00 times 4", "$3.00 times the quantity as before", "the price as before times 4"."""
    price = exact_text(Decimal(given["unit_price"]), unit) if "unit_price" in given else "the price as before"
    quantity = quantity_text(Decimal(given["quantity"])) if "quantity" in given else "the quantity as before"
    return price if quantity == "1" else f"{price} times {quantity}"


def _rounded(decimal_places: int, rounding_method: str, unit: Unit) -> str:
    step = exact_text(Decimal(1).scaleb(-decimal_places), unit)
    return f"rounded to {step}, {ROUNDING_TEXTS[rounding_method]}"


def _noun(is_credit: bool) -> str:
    return "Recurring credit" if is_credit else "Recurring commit"
