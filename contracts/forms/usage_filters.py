"""The part of an edit that says which usage is the contract's from a date on."""

from django import forms

from contracts.forms.instants import InstantField
from contracts.inputs import UsageFilterInput
from pricing.forms import LinesField

# What the service calls a field, and which one it is here.
SHOWN_AS = (
    ("add_usage_filters[0].starting_at", "filter_starting_at"),
    ("add_usage_filters[0].group_key", "filter_key"),
    ("add_usage_filters[0]", "filter_values"),
)


class FilterFields(forms.Form):
    filter_key = forms.CharField(
        required=False,
        empty_value=None,
        max_length=256,
        label="Only usage whose",
        help_text="A group key of what is measured, such as region. Other contracts may have the rest.",
    )
    filter_values = LinesField(label="is one of", help_text="One a line.")
    filter_starting_at = InstantField(label="From")

    FILTER = ("Which usage is the contract's", ("filter_key", "filter_values", "filter_starting_at"))

    def usage_filters(self) -> tuple[UsageFilterInput, ...]:
        """What a valid form sets: one or none."""
        values = self.cleaned_data
        if values["filter_key"] is None:
            return ()
        given = UsageFilterInput(values["filter_key"], tuple(values["filter_values"]), values["filter_starting_at"])
        return (given,)
