"""Payments that access to a commit waits for (`docs/payment_gates.md`)."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import one_of
from contracts.models.commits import Commit
from contracts.models.term import Term


class PaymentGate(Term):
    """That a prepaid commit can be drawn on only once its invoice is paid. The API calls its id `workflow_id`."""

    class Type(models.TextChoices):
        EXTERNAL = "EXTERNAL", "collected elsewhere"
        STRIPE = "STRIPE", "collected by Stripe"

    commit = models.OneToOneField(Commit, models.PROTECT, related_name="gate")
    type = models.CharField(max_length=16, choices=Type)
    stripe_config = models.JSONField(null=True)  # kept and given back as it came

    class Meta:
        constraints = [
            one_of("type", ["EXTERNAL", "STRIPE"]),
            models.CheckConstraint(
                name="only_what_stripe_collects_is_configured_for_it",
                condition=Q(type="STRIPE") | Q(stripe_config__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"Payment {self.get_type_display()}"


class PaymentOutcome(Term):
    """What became of the payment, told once and for all by an edit. From the hour of `created_at` what was paid for is
    usable."""

    class Outcome(models.TextChoices):
        PAID = "PAID", "paid"
        FAILED = "FAILED", "failed"

    gate = models.OneToOneField(PaymentGate, models.PROTECT, related_name="outcome")
    outcome = models.CharField(max_length=16, choices=Outcome)

    class Meta:
        constraints = [
            one_of("outcome", ["PAID", "FAILED"]),
            models.CheckConstraint(name="what_became_of_a_payment_stays", condition=Q(removed_by_edit=None)),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} on {self.created_at:%Y-%m-%d %H:%M} UTC"

    @property
    def is_paid(self) -> bool:
        return self.outcome == self.Outcome.PAID
