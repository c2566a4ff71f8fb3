"""What is granted anew each period, as it is typed: an amount each, what is billed for each, up to when, and how what
comes by time is rounded. The same fields where it is agreed and where it is changed.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from billing_site.foundation.display import plain_text
from billing_site.foundation.money import Unit
from contracts.forms.amounts import NumberField
from contracts.forms.instants import InstantField
from contracts.forms.roundings import USUAL, RoundingMethodField, decimals_shown, rounding_of
from contracts.forms.rows import RowsForm
from contracts.inputs import RecurringAmountInput, RoundingInput
from contracts.models import RecurringCommit

AMOUNTS = ("anew_amount", "anew_quantity", "anew_billed", "anew_billed_quantity")
ROUNDED = ("anew_decimals", "anew_rounding", "anew_billed_decimals", "anew_billed_rounding")
# What the service calls a field of what is granted anew, and which one it is here.
SHOWN_AS = {
    "access_amount.unit_price": "anew_amount",
    "access_amount.quantity": "anew_quantity",
    "access_amount": "anew_amount",
    "invoice_amount": "anew_billed",
    "invoice_amount.unit_price": "anew_billed",
    "invoice_amount.quantity": "anew_billed_quantity",
    "ending_before": "anew_ending_before",
    "proration_rounding.access.decimal_places": "anew_decimals",
    "proration_rounding.access.rounding_method": "anew_rounding",
    "proration_rounding.invoice.decimal_places": "anew_billed_decimals",
    "proration_rounding.invoice.rounding_method": "anew_billed_rounding",
}


class AnewFields(RowsForm):
    """`add_anew` adds what depends on the money of the contract and on what the balance is held in."""

    anew_quantity = NumberField(label="times a quantity", help_text="Empty: 1.")
    anew_billed_quantity = NumberField(label="times a quantity", help_text="Empty: 1.")
    anew_ending_before = InstantField(label="Up to (not including)", help_text="Empty: as long as the contract.")
    anew_decimals = NumberField(
        label="Granted by time, in decimals", help_text="2: whole cents of a dollar; empty: not."
    )
    anew_rounding = RoundingMethodField()
    anew_billed_decimals = NumberField(label="Billed by time, in decimals", help_text="Empty: not.")
    anew_billed_rounding = RoundingMethodField()

    def add_anew(self, held: Unit, money: Unit) -> None:
        self.anew_units = {"anew": held, "anew_billed": money}
        self.add_amount("anew_amount", "Amount of each", held)
        self.add_amount("anew_billed", "Billed for each", money, help_text="Empty: nothing.")

    def granted_each(self, *held_as: Any) -> RecurringAmountInput:
        values = self.cleaned_data
        quantity = _or_one(values["anew_quantity"]) if "anew_quantity" in self.fields else None
        return RecurringAmountInput(values["anew_amount"], quantity, *held_as)

    def billed_each(self) -> RecurringAmountInput | None:
        values = self.cleaned_data
        if values["anew_billed"] is None:
            return None
        return RecurringAmountInput(values["anew_billed"], _or_one(values["anew_billed_quantity"]))

    def rounded(self, start: str) -> RoundingInput | None:
        """`start` is anew or anew_billed."""
        values = self.cleaned_data
        return rounding_of(values[f"{start}_decimals"], values[f"{start}_rounding"], self.anew_units[start])


def anew_shown(row: RecurringCommit) -> Mapping[str, Any]:
    """What stands, by the fields that show it; needs its units."""
    billed_in = (row.invoice_unit or row.unit).to_unit()
    return {
        "anew_amount": row.access_unit_price,
        "anew_quantity": _plain(row.access_quantity),
        "anew_billed": row.invoice_unit_price,
        "anew_billed_quantity": _plain(row.invoice_quantity),
        "anew_ending_before": row.ending_before,
        "anew_decimals": decimals_shown(row.access_decimal_places, row.held_in),
        "anew_rounding": row.access_rounding_method or USUAL,
        "anew_billed_decimals": decimals_shown(row.invoice_decimal_places, billed_in),
        "anew_billed_rounding": row.invoice_rounding_method or USUAL,
    }


def _or_one(number: Decimal | None) -> Decimal:
    """What is left empty is 1; a zero that is typed is refused by the service."""
    return Decimal(1) if number is None else number


def _plain(number: Decimal | None) -> Decimal | None:
    return None if number is None else Decimal(plain_text(number))
