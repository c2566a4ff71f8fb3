"""Movements on balances."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import (
    amount_field,
    is_a_number,
    one_of,
)
from billing_site.foundation.ids import uuid7
from contracts.models import Customer

MANUAL = ["PREPAID_COMMIT_MANUAL", "POSTPAID_COMMIT_MANUAL", "CREDIT_MANUAL"]
ROLLOVER = ["PREPAID_COMMIT_ROLLOVER", "POSTPAID_COMMIT_ROLLOVER", "CREDIT_ROLLOVER"]

CREDITED = ["PREPAID_COMMIT_CREDITED", "CREDIT_CREDITED"]  # given back by voiding a document, or by a note
GIVEN_BACK_BY = {  # what was drawn on a postpaid commit has no type of its own
    "PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION": "PREPAID_COMMIT_CREDITED",
    "CREDIT_AUTOMATED_INVOICE_DEDUCTION": "CREDIT_CREDITED",
}


class LedgerEntry(models.Model):
    """A fact: a movement on a balance. Amounts are signed and exact."""

    class Type(models.TextChoices):
        PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION = "PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION"
        POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION = "POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION"
        CREDIT_AUTOMATED_INVOICE_DEDUCTION = "CREDIT_AUTOMATED_INVOICE_DEDUCTION"
        POSTPAID_COMMIT_TRUEUP = "POSTPAID_COMMIT_TRUEUP"
        PREPAID_COMMIT_MANUAL = "PREPAID_COMMIT_MANUAL"
        POSTPAID_COMMIT_MANUAL = "POSTPAID_COMMIT_MANUAL"
        CREDIT_MANUAL = "CREDIT_MANUAL"
        PREPAID_COMMIT_ROLLOVER = "PREPAID_COMMIT_ROLLOVER"
        POSTPAID_COMMIT_ROLLOVER = "POSTPAID_COMMIT_ROLLOVER"
        CREDIT_ROLLOVER = "CREDIT_ROLLOVER"
        PREPAID_COMMIT_CREDITED = "PREPAID_COMMIT_CREDITED"
        CREDIT_CREDITED = "CREDIT_CREDITED"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="ledger_entries")
    commit_id = models.UUIDField()
    segment_id = models.UUIDField(null=True)
    contract_id = models.UUIDField(null=True)
    new_contract_id = models.UUIDField(null=True)  # of a rollover: the renewal that has taken it over
    invoice_id = models.UUIDField(null=True)
    type = models.CharField(max_length=64, choices=Type)
    amount = amount_field()
    billed_amount = amount_field()  # the same as printed on the document, in minor units
    timestamp = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    idempotency_key = models.CharField(max_length=200)
    reason = models.TextField(blank=True, default="")  # why a person has posted it
    money_version = models.BigIntegerField(null=True)  # the customer's, when it was posted; NULL: before that was kept

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [
            models.UniqueConstraint(name="a_ledger_entry_is_posted_once", fields=["customer", "idempotency_key"]),
            is_a_number("amount"),
            is_a_number("billed_amount"),
            one_of(
                "type",
                [
                    "PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
                    "POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
                    "CREDIT_AUTOMATED_INVOICE_DEDUCTION",
                    "POSTPAID_COMMIT_TRUEUP",
                    *MANUAL,
                    *ROLLOVER,
                    *CREDITED,
                ],
            ),
            models.CheckConstraint(
                name="deductions_name_their_invoice",
                condition=Q(invoice_id__isnull=False, segment_id__isnull=False)
                | Q(type="POSTPAID_COMMIT_TRUEUP")
                | Q(type__in=MANUAL),
            ),
            models.CheckConstraint(
                name="what_rolls_over_goes_to_a_renewal_and_bills_nothing",
                condition=Q(type__in=ROLLOVER, new_contract_id__isnull=False, billed_amount=0, amount__lt=0)
                | ~Q(type__in=ROLLOVER) & Q(new_contract_id=None),
            ),
            models.CheckConstraint(
                name="an_entry_by_hand_says_why_and_bills_nothing",
                condition=~Q(type__in=MANUAL)
                | Q(segment_id__isnull=False, invoice_id=None, billed_amount=0) & ~Q(reason="") & ~Q(amount=0),
            ),
        ]
        indexes = [models.Index(name="entries_of_a_commit", fields=["customer", "commit_id"])]

    def __str__(self) -> str:
        return f"{self.type} {self.amount.normalize():f}"
