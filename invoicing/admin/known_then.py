"""The questions what drafts would have said with the prices and terms that were known at an instant, and what was
agreed then."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from billing_site.foundation.display import exact_text, instant_text
from billing_site.foundation.money import Unit
from billing_site.foundation.refusals import NotFound
from contracts.forms.instants import InstantField
from contracts.models import Contract
from contracts.queries import agreement, edit_number_at
from contracts.term_lines import term_lines, whole_lines
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


class AgreedThen(KnownThen):
    as_of = InstantField(label="As agreed at", help_text="What was agreed by then, whatever was edited since.")

    def lines(self, contract: Contract) -> list[str] | None:
        """The contract's terms of then in words; None where nothing is asked, or it was not there yet."""
        as_of = self.instant()
        if as_of is None:
            return None
        try:
            agreed = agreement(contract.customer_id, contract.pk, at_edit=edit_number_at(contract.customer_id, as_of))
        except NotFound:
            self.add_error("as_of", "There was no such contract yet.")
            return None
        return [*whole_lines(agreed), *(line.text for line in term_lines(agreed))]


def present_text(now: ShownDocument | None, units: Mapping[UUID, Unit]) -> str:
    """What has become of a draft of then."""
    if now is None:
        return "It is no longer there."
    total = exact_text(now.total, units[now.unit_id])
    return f"It is final now, as {now.number}: {total}." if now.number else f"Now it is {total}."
