"""Custom fields as they are typed: keys that a kind of entity may have, and the values of one of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.db.models import Model

from billing_site.foundation.admin import Dressed
from billing_site.foundation.models import CustomFieldKey
from billing_site.foundation.problems import CUSTOM_VALUE_LENGTH, REASON_LENGTH
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.forms.rows import NEEDED, RowsForm, Section
from pricing.forms import ServiceForm

VALUE = ("key", "text")
OF_VALUE = "custom_fields."


class NewKeyForm(ServiceForm):
    class Meta:
        model = CustomFieldKey
        fields = ["entity", "key", "enforce_uniqueness"]
        help_texts = {
            "entity": "From the first declared key on, these have no custom fields but the declared ones.",
            "key": "What the custom field is called, such as crm_id.",
            "enforce_uniqueness": "No two may have the same value.",
        }

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        entity, key = values.pop("entity"), values.pop("key")
        return services.declare_key(entity, key, **values, **told)


class ValuesForm(Dressed, RowsForm):
    """A row for each value that stands, and some to add. Where keys are `declared`, one of these is chosen."""

    use_required_attribute = False  # rows may be left empty

    based_on = forms.JSONField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(required=False, max_length=REASON_LENGTH, help_text="Why; kept in the history.")

    KINDS = ("value",)

    def __init__(self, standing: Mapping[str, str], declared: Mapping[str, bool], data: Any = None) -> None:
        self.standing = standing
        initial: dict[str, Any] = {"based_on": dict(standing)}
        for place, (key, text) in enumerate(standing.items()):
            initial |= {f"value_{place}_key": key, f"value_{place}_text": text}
        super().__init__(data, initial=initial)
        keys = [("", "---"), *((key, key) for key in dict.fromkeys((*declared, *standing)))]
        for place in self.places("value"):
            self.fields[f"value_{place}_key"] = (
                forms.ChoiceField(required=False, label="Key", choices=keys)
                if declared
                else forms.CharField(required=False, label="Key", strip=False)
            )
            self.fields[f"value_{place}_text"] = forms.CharField(
                required=False,
                label="Value",
                strip=False,
                max_length=CUSTOM_VALUE_LENGTH,
                widget=forms.Textarea(attrs={"rows": 1}),
            )
        self.dress()

    def sections(self) -> Iterator[Section]:
        yield Section(
            "What other systems call it", self.in_rows("value", VALUE), "A row that is emptied takes the value away."
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        found: set[str] = set()
        for place in self.rows_of("value", VALUE):
            self.need_text(f"value_{place}_")
            key = values.get(f"value_{place}_key")
            if key and key in found:
                self.add_error(f"value_{place}_key", "This key is there already.")
            found.add(key or "")
        return values

    def need_text(self, start: str) -> None:
        for name in VALUE:
            if not self.cleaned_data.get(f"{start}{name}") and f"{start}{name}" not in self.errors:
                self.add_error(f"{start}{name}", NEEDED)

    def values(self) -> dict[str, str]:
        """What a valid form asks for, whole. Browsers send other ends of lines than they were given."""
        typed = dict(self.values_of(f"value_{place}_", VALUE) for place in self.rows_of("value", VALUE))
        plain = {key: text.replace("\r\n", "\n") for key, text in typed.items()}
        return {key: self._as_it_stood(key, text) for key, text in plain.items()}

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the value it is about."""
        for error in refusal.errors:
            key = error.field.removeprefix(OF_VALUE) if error.field.startswith(OF_VALUE) else error.value
            rows = (row for row in self.rows_of("value", VALUE) if self.cleaned_data.get(f"value_{row}_key") == key)
            row = next(rows, None)
            self.add_error(None if row is None else f"value_{row}_text", error.rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _as_it_stood(self, key: str, text: str) -> str:
        stood = self.standing.get(key)
        return stood if stood is not None and stood.replace("\r\n", "\n") == text else text
