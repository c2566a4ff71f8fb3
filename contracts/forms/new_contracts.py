"""Who gets a contract that is made from a package or like another one, and from when on."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

from billing_site.foundation.admin import Dressed
from billing_site.foundation.problems import NAME_LENGTH, REASON_LENGTH
from billing_site.foundation.refusals import Refusal
from contracts.forms.instants import HourField
from contracts.models import Contract, Customer
from contracts.services.checks import KEY_LENGTH

FIELDS = {
    "customer_id": "customer",
    "starting_at": "starting_at",
    "name": "name",
    "uniqueness_key": "uniqueness_key",
}


class StartForm(Dressed, forms.Form):
    customer = forms.ModelChoiceField(
        Customer.objects.filter(archived_at=None),
        widget=AutocompleteSelect(Contract._meta.get_field("customer"), admin.site),
    )
    starting_at = HourField(required=True, label="Starts")
    uniqueness_key = forms.CharField(
        required=False, max_length=KEY_LENGTH, help_text="For machines: a contract with a used key is refused."
    )
    reason = forms.CharField(required=False, max_length=REASON_LENGTH, help_text="Why; kept in the history.")

    rows: tuple[tuple[str, ...], ...] = (("customer",), ("starting_at", "uniqueness_key"))

    def shown(self) -> list[list[forms.BoundField]]:
        """The fields as they stand, reason apart."""
        return [[self[name] for name in row] for row in self.rows]

    def show(self, refusal: Refusal) -> None:
        """Beside the field that it is about, or above all of them."""
        for error in refusal.errors:
            field = FIELDS.get(error.field)
            if field in self.fields:
                self.add_error(field, error.rule)
            else:
                self.add_error(None, f"{error.field}: {error.rule}")
        if not refusal.errors:
            self.add_error(None, refusal.message)


class CopyForm(StartForm):
    """Of a contract like another one, which may have a name of its own."""

    name = forms.CharField(required=False, max_length=NAME_LENGTH, label="Name of the contract")

    rows = (("customer", "name"), ("starting_at", "uniqueness_key"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.order_fields(["customer", "name", "starting_at", "uniqueness_key", "reason"])
