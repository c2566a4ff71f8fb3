"""The part of an edit that bills an amount on a date, or regularly."""

from django import forms

from contracts.forms.amounts import MajorField, NumberField
from contracts.forms.choices import ProductChoice
from contracts.forms.instalments import OftenField, ShareField, payments
from contracts.forms.instants import InstantField
from contracts.inputs import ScheduledChargeInput

# What the service calls a field, and which one it is here.
SHOWN_AS = (
    ("add_scheduled_charges[0].schedule.schedule_items[0].amount", "charge_amount"),
    ("add_scheduled_charges[0].schedule.schedule_items[0].unit_price", "charge_amount"),
    ("add_scheduled_charges[0].schedule.schedule_items[0].quantity", "charge_quantity"),
    ("add_scheduled_charges[0].schedule.recurring_schedule.amount_distribution", "charge_share"),
    ("add_scheduled_charges[0].schedule.recurring_schedule.amount", "charge_amount"),
    ("add_scheduled_charges[0].schedule.recurring_schedule.unit_price", "charge_amount"),
    ("add_scheduled_charges[0].schedule.recurring_schedule.quantity", "charge_quantity"),
    ("add_scheduled_charges[0].schedule.recurring_schedule.ending_before", "charge_until"),
    ("add_scheduled_charges[0].schedule", "charge_at"),
    ("add_scheduled_charges[0]", "charge_product"),
)


class ChargeFields(forms.Form):
    charge_amount = MajorField(label="Amount")
    charge_quantity = NumberField(label="times a quantity", help_text="Empty: the amount is the whole.")
    charge_each = OftenField("Once", label="Billed")
    charge_at = InstantField(label="Billed on", help_text="For the first time. UTC; any time of the day.")
    charge_until = InstantField(label="Up to (not including)", help_text="Of what is billed more than once.")
    charge_share = ShareField()
    charge_name = forms.CharField(required=False, max_length=160, label="Name")
    charge_product = ProductChoice("FIXED", label="Billed as", help_text="The product that names the line on the bill.")

    CHARGE = (
        "A scheduled charge",
        (
            "charge_amount",
            "charge_quantity",
            "charge_each",
            "charge_at",
            "charge_until",
            "charge_share",
            "charge_name",
            "charge_product",
        ),
    )

    def charges(self) -> tuple[ScheduledChargeInput, ...]:
        """What a valid form charges: one or none."""
        values = self.cleaned_data
        if values["charge_amount"] is None:
            return ()
        schedule = payments(
            values["charge_amount"],
            values["charge_at"],
            values["charge_each"],
            values["charge_until"],
            values["charge_share"],
            values["charge_quantity"],
        )
        return (ScheduledChargeInput(values["charge_product"].pk, schedule, name=values["charge_name"]),)
