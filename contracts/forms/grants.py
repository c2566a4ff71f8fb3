"""The part of an edit that grants a balance: a prepaid commit where something is paid for it, else a credit."""

from django import forms

from contracts.forms.amounts import MajorField
from contracts.forms.choices import ProductChoice, ProductsChoice
from contracts.forms.instants import InstantField
from contracts.inputs import AccessScheduleInput, CommitInput, InvoiceItemInput, InvoiceScheduleInput, SegmentInput

# What the service calls a field of the commit or credit, and which one it is here.
SHOWN_AS = (
    ("access_schedule.schedule_items[0].starting_at", "grant_starting_at"),
    ("access_schedule.schedule_items[0].ending_before", "grant_ending_before"),
    ("access_schedule", "grant_amount"),
    ("invoice_schedule.schedule_items[0].amount", "grant_price"),
    ("invoice_schedule", "grant_paid_at"),
    ("priority", "grant_priority"),
    ("applicable_product_ids", "grant_products"),
    ("name", "grant_name"),
)


class GrantFields(forms.Form):
    grant_amount = MajorField(label="Amount to draw on", help_text="Pays for usage until it is used up or has expired.")
    grant_starting_at = InstantField(label="From")
    grant_ending_before = InstantField(label="Up to (not including)", help_text="What is left then expires.")
    grant_price = MajorField(label="Paid for it", help_text="Empty: nothing; it is a credit.")
    grant_paid_at = InstantField(label="Billed on", help_text="Empty: when it begins. Any time of the day, UTC.")
    grant_priority = forms.DecimalField(
        required=False, label="Priority", help_text="The lowest is drawn on first; empty: 100."
    )
    grant_products = ProductsChoice()
    grant_name = forms.CharField(required=False, max_length=160, label="Name", help_text="Empty: the product's name.")
    grant_product = ProductChoice("FIXED", label="Billed as", help_text="The product that names the line on the bill.")

    GRANT = (
        "A balance to draw on: a prepaid commit, or a credit",
        (
            "grant_amount",
            "grant_starting_at",
            "grant_ending_before",
            "grant_price",
            "grant_paid_at",
            "grant_priority",
            "grant_products",
            "grant_name",
            "grant_product",
        ),
    )

    def grants(self, type_: str) -> tuple[CommitInput, ...]:
        """What a valid form grants of this type, PREPAID or CREDIT: one or none."""
        values = self.cleaned_data
        price, start = values["grant_price"], values["grant_starting_at"]
        if values["grant_amount"] is None or type_ != ("CREDIT" if price is None else "PREPAID"):
            return ()
        payment = None if price is None else InvoiceItemInput(values["grant_paid_at"] or start, amount=price)
        segment = SegmentInput(values["grant_amount"], start, values["grant_ending_before"])
        return (
            CommitInput(
                product_id=values["grant_product"].pk,
                type=type_,
                access_schedule=AccessScheduleInput((segment,)),
                invoice_schedule=None if payment is None else InvoiceScheduleInput((payment,)),
                priority=values["grant_priority"],
                applicable_product_ids=tuple(product.pk for product in values["grant_products"]),
                name=values["grant_name"],
            ),
        )


def field_of_grant(name: str) -> str:
    """The field here that stands for what a service calls `name`."""
    return next((field for start, field in SHOWN_AS if name.startswith(start)), "grant_product")
