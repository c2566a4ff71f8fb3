"""Payments that recur at a regular distance, as they are typed.

    billed             amount      dates                       what is billed
    once               120         1 January                   120 on 1 January
    each month         10, each    1 January up to 1 April     10 on the first of January, February and March
    each month         100, all    1 January up to 1 April     33.33, 33.33 and 33.34 on these days
    each month         2.50 × 4    1 January up to 1 April     10 on each of these days

A price may stand with a quantity in place of an amount.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms

from contracts.inputs import InvoiceItemInput, InvoiceScheduleInput, RecurringScheduleInput

OFTEN = (
    ("WEEKLY", "Each week"),
    ("MONTHLY", "Each month"),
    ("QUARTERLY", "Each quarter"),
    ("SEMI_ANNUAL", "Each half-year"),
    ("ANNUAL", "Each year"),
)
EACH = "EACH"
ROUNDED = "Of rounded parts the last takes the rest."
SHARES = (
    ("", "that of each time"),
    ("DIVIDED_ROUNDED", "the sum, in rounded parts"),
    ("DIVIDED", "the sum, in equal parts"),
)


class OftenField(forms.ChoiceField):
    """How often it is billed; empty: once, or otherwise than regularly."""

    def __init__(self, otherwise: str, **options: Any) -> None:
        super().__init__(required=False, choices=(("", otherwise), *OFTEN), **options)


class ShareField(forms.ChoiceField):
    """Whether an amount is billed each time, or is what all times come to."""

    def __init__(self) -> None:
        super().__init__(required=False, choices=SHARES, label="The amount is", help_text=ROUNDED)


def refused_instalments(values: Mapping[str, Any], start: str, *, needs_end: bool) -> Iterator[tuple[str, str]]:
    """What is wrong with the fields `{start}each`, `{start}until` and `{start}share`: each with its rule."""
    if f"{start}each" not in values:
        return  # refused already
    if values[f"{start}each"]:
        if needs_end and values.get(f"{start}until") is None:
            yield f"{start}until", "Needed: up to when it is billed."
        return
    for name in ("until", "share"):
        if values.get(f"{start}{name}"):
            yield f"{start}{name}", "Leave this as it was, or say that it is billed more than once."


def payments(
    amount: Decimal,
    first: datetime,
    often: str,
    until: datetime | None,
    share: str,
    quantity: Decimal | None = None,
) -> InvoiceScheduleInput:
    """What is billed once, or regularly where it is said how often and `until` when; `amount` times `quantity`."""
    asked = {"amount": amount} if quantity is None else {"unit_price": amount, "quantity": quantity}
    if not often:
        return InvoiceScheduleInput((InvoiceItemInput(first, **asked),))
    return schedule_of(
        {"starting_at": first, "ending_before": until, "frequency": often, "amount_distribution": share, **asked}
    )


def schedule_of(plan: Mapping[str, Any], *, do_not_invoice: bool = False) -> InvoiceScheduleInput:
    """What is billed regularly; `plan` has clean values by the names of RecurringScheduleInput."""
    recurring = RecurringScheduleInput(**{**plan, "amount_distribution": plan["amount_distribution"] or EACH})
    return InvoiceScheduleInput(recurring_schedule=recurring, do_not_invoice=do_not_invoice)
