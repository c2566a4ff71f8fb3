"""The part of an edit that takes a promise to spend: a postpaid commit."""

from django import forms

from contracts.forms.amounts import MajorField
from contracts.forms.choices import ProductChoice
from contracts.forms.instants import InstantField
from contracts.inputs import AccessScheduleInput, CommitInput, InvoiceItemInput, InvoiceScheduleInput, SegmentInput

# What the service calls a field, and which one it is here.
SHOWN_AS = (
    ("add_commits[0].access_schedule.schedule_items[0].amount", "commit_amount"),
    ("add_commits[0].access_schedule.schedule_items[0].starting_at", "commit_starting_at"),
    ("add_commits[0].access_schedule.schedule_items[0].ending_before", "commit_ending_before"),
    ("add_commits[0].invoice_schedule", "commit_true_up_at"),
    ("add_commits[0].name", "commit_name"),
    ("add_commits[0]", "commit_product"),
)


class CommitmentFields(forms.Form):
    commit_amount = MajorField(label="Amount to be spent", help_text="The customer commits to spend this much.")
    commit_starting_at = InstantField(label="Counts from")
    commit_ending_before = InstantField(label="Up to (not including)")
    commit_true_up_at = InstantField(
        label="The rest is billed on", help_text="Empty: at the end. Not before it; any time of the day, UTC."
    )
    commit_name = forms.CharField(required=False, max_length=160, label="Name", help_text="Empty: the product's name.")
    commit_product = ProductChoice("FIXED", label="Billed as", help_text="The product that names the line on the bill.")

    COMMITMENT = (
        "A commitment",
        (
            "commit_amount",
            "commit_starting_at",
            "commit_ending_before",
            "commit_true_up_at",
            "commit_name",
            "commit_product",
        ),
    )

    def promises(self) -> tuple[CommitInput, ...]:
        """What a valid form promises: one commit or none."""
        values = self.cleaned_data
        amount = values["commit_amount"]
        if amount is None:
            return ()
        segment = SegmentInput(amount, values["commit_starting_at"], values["commit_ending_before"])
        true_up = InvoiceItemInput(values["commit_true_up_at"] or values["commit_ending_before"], amount=amount)
        return (
            CommitInput(
                product_id=values["commit_product"].pk,
                type="POSTPAID",
                access_schedule=AccessScheduleInput((segment,)),
                invoice_schedule=InvoiceScheduleInput((true_up,)),
                name=values["commit_name"],
            ),
        )
