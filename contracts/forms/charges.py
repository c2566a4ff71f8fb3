"""The parts of an edit that bill an amount on a date, or regularly, or take one off."""

from django import forms

from contracts.forms.amounts import MajorField, NumberField
from contracts.forms.choices import ProductChoice
from contracts.forms.instalments import OftenField, ShareField, payments
from contracts.forms.instants import InstantField
from contracts.inputs import ScheduledChargeInput

# What the service calls a field, and which one it is here.
CHARGED_AS = (
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
TAKEN_OFF_AS = tuple(
    (path.replace("add_scheduled_charges", "add_discounts"), name.replace("charge_", "off_"))
    for path, name in CHARGED_AS
)
SHOWN_AS = (*CHARGED_AS, *TAKEN_OFF_AS)
FIELDS = ("amount", "quantity", "each", "at", "until", "share", "name", "product")


class ChargeFields(forms.Form):
    charge_amount = MajorField(label="Amount")
    charge_quantity = NumberField(label="times a quantity", help_text="Empty: the amount is the whole.")
    charge_each = OftenField("Once", label="Billed")
    charge_at = InstantField(label="Billed on", help_text="For the first time. UTC; any time of the day.")
    charge_until = InstantField(label="Up to (not including)", help_text="Of what is billed more than once.")
    charge_share = ShareField()
    charge_name = forms.CharField(required=False, max_length=160, label="Name")
    charge_product = ProductChoice("FIXED", label="Billed as", help_text="The product that names the line on the bill.")

    off_amount = MajorField(label="Amount to take off", help_text="Not below zero: it is taken off.")
    off_quantity = NumberField(label="times a quantity", help_text="Empty: the amount is the whole.")
    off_each = OftenField("Once", label="Taken off")
    off_at = InstantField(label="Taken off on", help_text="For the first time. UTC; any time of the day.")
    off_until = InstantField(label="Up to (not including)", help_text="Of what is taken off more than once.")
    off_share = ShareField()
    off_name = forms.CharField(required=False, max_length=160, label="Name")
    off_product = ProductChoice("FIXED", label="Shown as", help_text="The product that names the line on the bill.")
    off_netsuite_sales_order_id = forms.CharField(required=False, max_length=160, label="NetSuite sales order")

    CHARGE = ("A scheduled charge", tuple(f"charge_{name}" for name in FIELDS))
    TAKEN_OFF = ("A fixed amount off", (*(f"off_{name}" for name in FIELDS), "off_netsuite_sales_order_id"))

    def charges(self) -> tuple[ScheduledChargeInput, ...]:
        """What a valid form charges: one or none."""
        return self._scheduled("charge")

    def discounts(self) -> tuple[ScheduledChargeInput, ...]:
        """What it takes off: likewise."""
        return self._scheduled("off")

    def _scheduled(self, start: str) -> tuple[ScheduledChargeInput, ...]:
        values = self.cleaned_data
        if values[f"{start}_amount"] is None:
            return ()
        asked = ("amount", "at", "each", "until", "share", "quantity")
        schedule = payments(*(values[f"{start}_{name}"] for name in asked))
        return (
            ScheduledChargeInput(
                values[f"{start}_product"].pk,
                schedule,
                name=values[f"{start}_name"],
                netsuite_sales_order_id=values.get(f"{start}_netsuite_sales_order_id", ""),
            ),
        )
