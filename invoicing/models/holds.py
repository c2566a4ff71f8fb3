"""What people decided about drafts: to hold one, and to let one go that was held."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import one_of
from billing_site.foundation.ids import uuid7
from contracts.models import Contract, Customer


class HoldDecision(models.Model):
    """A fact: a person held a document, or released it after seeing the reasons that held it, and said why.

    What holds a document is these facts and what is computed: see `invoicing.queries.holds`.
    """

    class Kind(models.TextChoices):
        HELD = "HELD", "held"
        RELEASED = "RELEASED", "released"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="+")
    document_id = models.UUIDField()  # the draft's, which its final document keeps
    document_name = models.CharField(max_length=160)  # as a person would name it
    kind = models.CharField(max_length=16, choices=Kind)
    releases = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")  # the hold by hand that is over
    reviewed = models.JSONField(default=list)  # [{kind, about, measure, message}]: the other reasons that were seen
    reason = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    actor_id = models.CharField(max_length=64, blank=True, default="")
    money_version = models.BigIntegerField()  # the customer's: the order of its decisions

    class Meta:
        verbose_name = "hold or release"
        verbose_name_plural = "holds and releases"
        constraints = [
            one_of("kind", ["HELD", "RELEASED"]),
            models.UniqueConstraint(name="decisions_have_an_order", fields=["customer", "money_version"]),
            models.UniqueConstraint(
                name="a_hold_is_released_once",
                fields=["customer", "releases"],
                condition=Q(releases__isnull=False),
            ),
            models.CheckConstraint(name="who_holds_or_releases_says_why", condition=~Q(reason="")),
            models.CheckConstraint(
                name="a_release_names_what_was_seen",
                condition=Q(kind="HELD", releases=None, reviewed=[])
                | Q(kind="RELEASED") & (Q(releases__isnull=False) | ~Q(reviewed=[])),
            ),
        ]
        indexes = [models.Index(name="decisions_of_a_document", fields=["customer", "document_id"])]

    def __str__(self) -> str:
        return f"{self.document_name} {self.get_kind_display()} by {self.created_by}"
