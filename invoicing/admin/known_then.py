"""The question what drafts would have said with the prices and terms that were known at an instant."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from billing_site.foundation.display import exact_text, instant_text
from billing_site.foundation.money import Unit
from contracts.forms.instants import InstantField
from invoicing.queries.shown import ShownDocument


class KnownThen(forms.Form):
    """Empty, it asks for what is known now, which is `at`."""

    as_of = InstantField(label="As known at", help_text="Prices and terms of then; usage of now.")

    def __init__(self, data: Mapping[str, Any], *, at: datetime) -> None:
        asked = data.get("as_of_0") or data.get("as_of_1")
        super().__init__(data if asked else None)
        self.at = at

    def clean_as_of(self) -> datetime | None:
        as_of: datetime | None = self.cleaned_data["as_of"]
        if as_of is not None and as_of > self.at:
            raise forms.ValidationError(f"Nothing is known yet of what comes after {instant_text(self.at)}.")
        return as_of

    def instant(self) -> datetime | None:
        """What was asked for, where it can be answered."""
        return self.cleaned_data["as_of"] if self.is_valid() else None


def present_text(now: ShownDocument | None, units: Mapping[UUID, Unit]) -> str:
    """What has become of a draft of then."""
    if now is None:
        return "It is no longer there."
    total = exact_text(now.total, units[now.unit_id])
    return f"It is final now, as {now.number}: {total}." if now.number else f"Now it is {total}."
