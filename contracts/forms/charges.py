"""The part of an edit that bills an amount on a date."""

from django import forms

from contracts.forms.amounts import MajorField
from contracts.forms.choices import ProductChoice
from contracts.forms.instants import InstantField
from contracts.inputs import InvoiceItemInput, InvoiceScheduleInput, ScheduledChargeInput

# What the service calls a field, and which one it is here.
SHOWN_AS = (
    ("add_scheduled_charges[0].schedule.schedule_items[0].amount", "charge_amount"),
    ("add_scheduled_charges[0].schedule", "charge_at"),
    ("add_scheduled_charges[0]", "charge_product"),
)


class ChargeFields(forms.Form):
    charge_amount = MajorField(label="Amount")
    charge_at = InstantField(label="Billed on", help_text="UTC; any time of the day.")
    charge_name = forms.CharField(required=False, max_length=160, label="Name")
    charge_product = ProductChoice("FIXED", label="Billed as", help_text="The product that names the line on the bill.")

    CHARGE = ("A scheduled charge", ("charge_amount", "charge_at", "charge_name", "charge_product"))

    def charges(self) -> tuple[ScheduledChargeInput, ...]:
        """What a valid form charges: one or none."""
        values = self.cleaned_data
        if values["charge_amount"] is None:
            return ()
        item = InvoiceItemInput(values["charge_at"], amount=values["charge_amount"])
        return (
            ScheduledChargeInput(
                values["charge_product"].pk, InvoiceScheduleInput((item,)), name=values["charge_name"]
            ),
        )
