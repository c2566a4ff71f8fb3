"""Commits and credits that recur in the words of the trade, for people.

Recurring credit “Monthly”: $3.10 each usage period from 22 October 2025; $2.40 is billed for each.
Recurring commit “Weekly”: 100 units each week (October 2025), of which each lasts for 2 periods.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from billing_site.foundation.display import exact_text, instant_text, quantity_text
from billing_site.foundation.periods import parse_instant
from contracts.commit_wording import named, span
from contracts.models import RecurringCommit

PERIODS = {
    "": "usage period",
    "DAILY": "day",
    "WEEKLY": "week",
    "MONTHLY": "month",
    "QUARTERLY": "quarter",
    "ANNUAL": "year",
}
UPDATES = ("update_recurring_commits", "update_recurring_credits")


def recurring_text(row: RecurringCommit) -> str:
    """What is granted how often, for how long, and what is paid for it; needs its units."""
    text = (
        f"{_noun(row.is_credit)}{named(row.name)}: {exact_text(row.access_amount, row.held_in)} each"
        f" {PERIODS[row.frequency]} {span(row.starting_at, row.ending_before)}"
    )
    if row.duration > 1:
        text += f", of which each lasts for {row.duration} periods"
    if row.invoice_amount is not None:
        billed_in = (row.invoice_unit or row.unit).to_unit()
        text += f"; {exact_text(row.invoice_amount, billed_in)} is billed for each"
    return text


def recurring_updates_in_words(changes: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each update that an edit keeps. `names` are those of recurring commits, by id as text."""
    for field in UPDATES:
        for update in changes.get(field, ()):
            parts = ", ".join(_parts(update)) or "nothing changes"
            noun = _noun(field == "update_recurring_credits")
            yield f"{noun}{named(names.get(update['id'], ''))}: for whatever has not begun, {parts}."


def _parts(update: Mapping[str, Any]) -> Iterator[str]:
    for name, verb in (("access_amount", "granted"), ("invoice_amount", "billed")):
        for part, number in update.get(name, {}).items():
            what = "unit price" if part == "unit_price" else part
            yield f"the {what} that is {verb} is {quantity_text(Decimal(number))}"
    if "ending_before" in update:
        end = update["ending_before"]
        yield f"it ends on {instant_text(parse_instant(end))}" if end else "it ends with the contract"
    if "rate_type" in update:
        yield f"it pays at {'commit' if update['rate_type'] == 'COMMIT_RATE' else 'list'} rates"
    for name, rounding in update.get("proration_rounding", {}).items():
        what = "granted" if name == "access" else "billed"
        how = f"to {rounding['decimal_places']} decimals, {rounding['rounding_method']}" if rounding else "no more"
        yield f"what is {what} by time is rounded {how}"


def _noun(is_credit: bool) -> str:
    return "Recurring credit" if is_credit else "Recurring commit"
