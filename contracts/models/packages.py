"""Packages: contracts written down with offsets in the place of dates."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import ends_after_it_starts, on_the_hour
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7


class Package(models.Model):
    """A template that contracts are made from. What it says never changes; it can be archived."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=160)
    # The input of a contract as `contracts.stored_inputs` keeps it, with offsets instead of dates: `docs/packages.md`.
    template = models.JSONField()
    uniqueness_key = models.CharField(max_length=128, null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    archived_at = models.DateTimeField(null=True, blank=True)
    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_package_key_is_used_once",
                fields=["uniqueness_key"],
                condition=Q(uniqueness_key__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PackageAlias(models.Model):
    """A fact: a name that means this package from one hour to another. Of two that cover an instant, the one of the
    later package holds."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    package = models.ForeignKey(Package, models.PROTECT, related_name="aliases")
    name = models.CharField(max_length=160)
    starting_at = models.DateTimeField(null=True)
    ending_before = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "package aliases"
        constraints = [*on_the_hour("starting_at", "ending_before"), ends_after_it_starts()]
        indexes = [models.Index(name="packages_by_alias", fields=["name"])]

    def __str__(self) -> str:
        return self.name
