"""Price changes, and the publications at which the facts that they bring become known."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import one_of
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7


class PriceChange(models.Model):
    """A governed set of edits to rate cards. DIRECT ones are published as they are made."""

    class Kind(models.TextChoices):
        DIRECT = "DIRECT"

    class State(models.TextChoices):
        PUBLISHED = "PUBLISHED"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.DIRECT)
    state = models.CharField(max_length=16, choices=State, default=State.PUBLISHED)
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    actor_id = models.CharField(max_length=64, blank=True, default="")
    history = history()

    class Meta:
        constraints = [one_of("kind", ["DIRECT"]), one_of("state", ["PUBLISHED"])]

    def __str__(self) -> str:
        return f"{self.kind.lower()} price change of {self.created_at:%Y-%m-%d %H:%M} UTC by {self.created_by}"


class Publication(models.Model):
    """The moment at which a set of catalog facts became known. Numbers strictly increase in commit order."""

    number = models.BigIntegerField(primary_key=True)
    price_change = models.ForeignKey(PriceChange, models.PROTECT, related_name="publications")
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=160)

    def __str__(self) -> str:
        return f"Publication {self.number}"


class PublicationCounter(models.Model):
    """The last publication number given out; its row lock orders all publications."""

    id = models.BooleanField(primary_key=True, default=True)
    last_number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="there_is_one_publication_counter", condition=Q(id=True))]
