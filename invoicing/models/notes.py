"""Notes on final documents, proposals of notes that were dismissed, and notes that people ask for by hand."""

from django.db import models
from django.db.models import F, Q

from billing_site.foundation.columns import one_of
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


class EnteredNoteQuerySet(models.QuerySet["EnteredNote"]):
    def waiting(self) -> "EnteredNoteQuerySet":
        return self.filter(decision=None)


class EnteredNote(models.Model):
    """A fact: somebody asks for a note. It is none before somebody else has approved it."""

    class Kind(models.TextChoices):
        CREDIT = "CREDIT", "credit note"
        DEBIT = "DEBIT", "debit note"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    about = models.ForeignKey("invoicing.Invoice", models.PROTECT, related_name="entered_notes")
    kind = models.CharField(max_length=8, choices=Kind)
    lines = models.JSONField()  # [{"amount", "reason", "position", "product_id", "product_type", "name"}, …]
    reason = models.TextField()
    entered_at = models.DateTimeField()
    entered_by = models.CharField(max_length=160)
    actor_id = models.CharField(max_length=64, blank=True, default="")
    money_version = models.BigIntegerField()  # the customer's

    objects = EnteredNoteQuerySet.as_manager()

    class Meta:
        verbose_name = "note entered by hand"
        verbose_name_plural = "notes entered by hand"
        constraints = [
            one_of("kind", ["CREDIT", "DEBIT"]),
            models.CheckConstraint(name="an_entered_note_says_why", condition=~Q(reason="")),
            models.CheckConstraint(name="an_entered_note_says_who", condition=~Q(entered_by="")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().capitalize()} on {self.about}"


class EnteredNoteDecision(models.Model):
    """A fact: what was entered has become a note, or was rejected. There is one for each, whoever comes first."""

    entered = models.OneToOneField(EnteredNote, models.PROTECT, primary_key=True, related_name="decision")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    note = models.ForeignKey(Note, models.PROTECT, null=True, related_name="decisions")
    entered_by = models.CharField(max_length=160)
    decided_by = models.CharField(max_length=160)
    decided_at = models.DateTimeField()
    reason = models.TextField()
    money_version = models.BigIntegerField()  # the customer's

    class Meta:
        verbose_name = "decision on a note entered by hand"
        verbose_name_plural = "decisions on notes entered by hand"
        constraints = [
            models.UniqueConstraint(name="a_note_is_approved_once", fields=["note"], condition=Q(note__isnull=False)),
            models.CheckConstraint(name="a_decision_on_a_note_says_why", condition=~Q(reason="")),
            models.CheckConstraint(
                name="who_enters_a_note_does_not_approve_it", condition=Q(note=None) | ~Q(entered_by=F("decided_by"))
            ),
        ]

    def __str__(self) -> str:
        return "rejected" if self.note_id is None else "approved"
