"""Notes on final documents, and proposals of notes that were dismissed."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.ids import uuid7
from contracts.models import Customer


class Note(models.Model):
    """A fact: a document corrects another one. Where it was rated, its terms and prices hold for the other's period
    from then on, and `standing` is what the period came to; one by hand has none, and leaves the period as it was."""

    invoice = models.OneToOneField("invoicing.Invoice", models.PROTECT, primary_key=True, related_name="note")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    about = models.ForeignKey("invoicing.Invoice", models.PROTECT, related_name="notes")
    is_rated = models.BooleanField()
    standing = models.JSONField(default=list)  # [{"product_id", "unit_id", "part"}, …]: parts as in traces
    difference = models.CharField(max_length=64, blank=True, default="")  # the digest of what was proposed
    reason = models.TextField()
    entered_by = models.CharField(max_length=160, blank=True, default="")  # who has asked for one by hand

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_note_says_why", condition=~Q(reason="")),
            models.CheckConstraint(
                name="a_note_by_hand_says_who_asked_and_rates_nothing",
                condition=Q(is_rated=True, entered_by="") | Q(is_rated=False, standing=[]) & ~Q(entered_by=""),
            ),
        ]

    def __str__(self) -> str:
        return f"note on {self.about_id}"


class NoteDismissal(models.Model):
    """A fact: a proposed note was not wanted. Another difference is proposed anew."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    about = models.ForeignKey("invoicing.Invoice", models.PROTECT, related_name="dismissals")
    difference = models.CharField(max_length=64)  # the digest of what was proposed
    edit_number = models.BigIntegerField()  # the last one known
    publication = models.BigIntegerField()  # the last one known
    reason = models.TextField()
    dismissed_at = models.DateTimeField()
    dismissed_by = models.CharField(max_length=160)
    money_version = models.BigIntegerField()  # the customer's

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_dismissal_says_why", condition=~Q(reason="")),
            models.UniqueConstraint(name="a_difference_is_dismissed_once", fields=["about", "difference"]),
        ]

    def __str__(self) -> str:
        return f"dismissed on {self.about_id}"
