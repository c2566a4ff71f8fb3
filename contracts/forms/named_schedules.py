"""What a named schedule of a customer, or of one of its contracts, says over a range."""

import json
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Model

from contracts import services
from contracts.forms.instants import HourField
from contracts.forms.overrides import GroupValuesField
from contracts.models import CustomerScheduleSegment
from pricing.forms import ServiceForm


class ScheduleSegmentForm(ServiceForm):
    value = forms.CharField(
        label="What it says", help_text='Any JSON: 0.125, "gold", true, {"limit": 5}. Every digit is kept.'
    )
    properties = GroupValuesField(label="Told apart by")
    starting_at = HourField(required=True, label="From")
    ending_before = HourField(label="Up to (not including)", help_text="On the hour, UTC; empty: for good.")

    class Meta:
        model = CustomerScheduleSegment
        fields = ["customer", "contract", "schedule_name"]
        labels = {"schedule_name": "Name of the schedule"}
        help_texts = {"contract": "Empty: it is the customer's own."}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["contract"].required = False
        self.fields["properties"].help_text = '{"region": "eu"}: of several of a name, which one. Of contracts alone.'

    def clean_value(self) -> Any:
        try:
            return json.loads(self.cleaned_data["value"], parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError('Write JSON: 0.125, "gold", true, {"limit": 5}.') from error

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        customer, contract = values.pop("customer"), values.pop("contract")
        return services.update_named_schedule(
            customer,
            values.pop("schedule_name"),
            values.pop("value"),
            contract_id=contract.pk if contract else None,
            **values,
            **told,
        )


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")
