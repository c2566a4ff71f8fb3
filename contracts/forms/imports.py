"""Sending a sheet of customers and contracts: as a file or pasted, and again as it was read when it is made."""

from typing import Any

from django import forms

from contracts.forms.price_sheets import SheetForm


class CustomerSheetForm(SheetForm):
    reason = forms.CharField(
        label="Reason", max_length=1000, required=False, help_text="Why; kept in the history of all that is made."
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        del self.fields["starting_at"]
