"""Drafts in words, and the arithmetic behind a line."""

from collections.abc import Iterator
from datetime import datetime

from billing_site.foundation.display import day_text, exact_text, month_text, period_text, quantity_text
from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.periods import Period, add_months
from invoicing.models import DraftSummary, Invoice
from invoicing.queries.traces import ShownPart
from pricing.engine.overrides import COMMIT_RATE
from pricing.engine.steps import Level
from pricing.engine.tariffs import PERCENTAGE, TIERED_PERCENTAGE, VOLUME
from pricing.wording import percent_text

KINDS = {
    Invoice.Kind.USAGE: "Usage",
    Invoice.Kind.TRUE_UP: "True-up",
    Invoice.Kind.CHARGES: "Scheduled charges",
    Invoice.Kind.ADJUSTMENT: "Late usage",
    Invoice.Kind.HISTORICAL: "Invoiced elsewhere",
}


def draft_text(draft: DraftSummary, at: datetime) -> str:
    """What it is for: "October 2025 so far", "27 October – 2 November 2025", "True-up of 1 January 2026"."""
    text = _billed_for(draft)
    if draft.starting_at is None or draft.ending_before is None or draft.kind == Invoice.Kind.ADJUSTMENT:
        return text
    return f"{text} so far" if draft.starting_at <= at < draft.ending_before else text


def invoice_text(invoice: Invoice) -> str:
    """What a final document is for; a note is for the one that it corrects: "Credit note on INV-000003"."""
    if invoice.kind == Invoice.Kind.NOTE:
        return f"{invoice.details['title']} on {invoice.details['correction_of']['invoice_number']}"
    return _billed_for(invoice)


def _billed_for(bill: DraftSummary | Invoice) -> str:
    if bill.starting_at is None or bill.ending_before is None:
        return f"{KINDS[Invoice.Kind(bill.kind)]} of {day_text(bill.issued_at)}"
    start, end = bill.starting_at, bill.ending_before
    is_month = start.day == 1 and start.hour == 0 and end == add_months(start, 1)
    period = month_text(start) if is_month else period_text(Period(start, end))
    kind = Invoice.Kind(bill.kind)
    if kind == Invoice.Kind.HISTORICAL:
        return f"{period}, invoiced elsewhere"
    return f"{KINDS[kind]} of {period}" if kind == Invoice.Kind.ADJUSTMENT else period


def arithmetic_text(part: ShownPart, unit: Unit) -> str:
    """ "40 × $8.00 + $3.00 for entering the tier", "2 packages of 10 × $12.00", "20 % of $130.00"."""
    if part.is_difference and not part.unit_price:
        return f"{quantity_text(part.quantity)} units" if part.quantity else "another price for units that stay"
    if part.rate_type in (PERCENTAGE, TIERED_PERCENTAGE):
        text = f"{percent_text(part.unit_price)} of {exact_text(part.quantity, unit)}"
    elif part.package_size is not None:
        packages = "package" if part.quantity == 1 else "packages"
        size = quantity_text(part.package_size)
        text = f"{quantity_text(part.quantity)} {packages} of {size} × {exact_text(part.unit_price, unit)}"
    else:
        text = f"{quantity_text(part.quantity)} × {exact_text(part.unit_price, unit)}"
    return f"{text} + {exact_text(part.fee, unit)} for entering the tier" if part.fee else text


def place_sentences(part: ShownPart) -> Iterator[str]:
    """What its quantity is, where that is in the period, and what it means for the price."""
    if part.rate_type in (PERCENTAGE, TIERED_PERCENTAGE):
        yield "A share of what the products that it is on came to in the period, whoever pays for them."
    if part.rate_type == VOLUME and part.level is not None and part.period_quantity is not None:
        total = quantity_text(part.period_quantity)
        yield f"The period comes to {total}, which is in {_tier_text(part.level)}: all units have its price."
    elif part.is_difference and part.quantity > 0:
        yield f"{_range_text(part)}, as that is by now."
    elif part.is_difference and part.quantity < 0:
        first, last = quantity_text(part.upto), quantity_text(part.above)
        yield f"From {first} to {last} of what the period was before: taken back."
    elif part.level is not None:
        yield f"{_range_text(part)}: in {_tier_text(part.level)}."
    elif part.package_size is not None:
        yield f"{_range_text(part)}: a package is charged with its first unit."


def rate_text(part: ShownPart, unit: Unit) -> str:
    """What the rate says of it: "List price $10.00", "Commit rate", "List price"."""
    if part.charged == COMMIT_RATE:
        return "Commit rate"
    if part.list_price is None:
        return "List price"
    shown = percent_text(part.list_price) if part.rate_type in (PERCENTAGE, TIERED_PERCENTAGE) else None
    return f"List price {shown or exact_text(part.list_price, unit)}"


def _range_text(part: ShownPart) -> str:
    return f"From {quantity_text(part.above)} to {quantity_text(part.upto)} of the period"


def _tier_text(level: Level) -> str:
    above = quantity_text(level.above)
    if level.size is None:
        return f"tier {level.number} (above {above})"
    return f"tier {level.number} (above {above}, up to {quantity_text(exact_sum([level.above, level.size]))})"
