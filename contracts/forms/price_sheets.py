"""Sending a sheet of prices: as a file or pasted, and then again as it was read when it is published."""

from base64 import b64decode, b64encode
from typing import Any

from django import forms
from django.core.exceptions import BadRequest

from billing_site.foundation.admin import ChosenFile
from billing_site.foundation.refusals import Refusal
from contracts.forms.instants import HourField
from contracts.forms.prices import ShownRefusal
from pricing.sheets import refuse_too_large, text_of


class SheetForm(ShownRefusal):
    """`sheet` is what was read before, and `seen` names the plan that the page said it would publish."""

    file = forms.FileField(required=False, label="CSV file", widget=ChosenFile)
    pasted = forms.CharField(
        required=False,
        strip=False,
        label="Or its text",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
    starting_at = HourField(
        label="Prices from", required=True, help_text="For rows without a start of their own. On the hour, UTC."
    )
    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        required=False,
        help_text="Why; kept with the price change, for whoever asks later.",
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    sheet = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """`text` is the sheet's, from wherever it came."""
        values: dict[str, Any] = super().clean() or {}
        try:
            name, sent = self._sent(values)
            values["text"] = text_of(sent, name=name)
        except Refusal as refusal:
            self.show(refusal)
        return values

    def carried(self) -> str:
        """The text as the hidden field brings it back: letter by letter, whatever its line ends are."""
        return b64encode(self.cleaned_data["text"].encode()).decode()

    def _sent(self, values: dict[str, Any]) -> tuple[str, bytes]:
        if values.get("file"):
            refuse_too_large(values["file"].size, name="file")
            return "file", values["file"].read()
        if values.get("pasted"):
            return "pasted", values["pasted"].encode()
        try:
            return "file", b64decode(values.get("sheet", ""), validate=True)
        except ValueError as error:
            raise BadRequest("The sheet was not sent back as it was read.") from error
