"""Tax rates, beside what they do not change: final documents keep the tax that they printed."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import QueryDict

from billing_site.foundation.admin import HouseAdmin, number_cell
from billing_site.foundation.display import count_text, quantity_text
from billing_site.foundation.periods import Period
from contracts import services
from contracts.models import TaxRate
from invoicing.queries.taxation import taxed_within
from pricing.admin import ThroughServices
from pricing.forms import ServiceForm

SAYS = ("percent", "tax_code", "country", "starting_at", "ending_before")


class TaxRateForm(ServiceForm):
    """A rate that reaches back over final documents is saved once its author has seen how many there are."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = TaxRate
        fields = services.RATE_FIELDS

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        del values["seen"]
        return services.change_tax_rate(self.instance.pk, values, **told)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        start, end = values.get("starting_at"), values.get("ending_before")
        if start is None or (end is not None and end <= start) or not set(SAYS).intersection(self.changed_data):
            return values
        count = taxed_within(Period(start, end), country=values.get("country", ""))
        if count and values.get("seen") != count:
            shown = cast(QueryDict, self.data).copy()
            shown[self.add_prefix("seen")] = str(count)
            self.data = shown
            keep = count_text(
                count, "final document in that time keeps its tax", "final documents in that time keep their tax"
            )
            self.add_error(
                None,
                f"{keep[0].upper()}{keep[1:]}. What was taxed wrongly is corrected by notes. Save once more if the rate"
                " is to hold for what is not final yet.",
            )
        return values


class NewTaxRateForm(TaxRateForm):
    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        del values["seen"]
        return services.add_tax_rate(values, **told)


@admin.register(TaxRate)
class TaxRateAdmin(ThroughServices, HouseAdmin):
    """What is saved here is on drafts at once, and on nothing final."""

    add_form = NewTaxRateForm
    change_form = TaxRateForm
    nothing_yet = "What is charged by tax code, from a date on. Taxes are charged once the legal entity says so."
    list_display = ["name", "charged", "tax_code", "country", "starting_at", "ending_before"]
    list_filter = ["country", "tax_code"]
    search_fields = ["name", "tax_code", "country"]
    ordering = ["country", "tax_code", "-starting_at"]
    fields = [*services.RATE_FIELDS, "reason", "seen"]

    @admin.display(description="Percent", ordering="percent")
    def charged(self, rate: TaxRate) -> str:
        return number_cell(quantity_text(rate.percent))
