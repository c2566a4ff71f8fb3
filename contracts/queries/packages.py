"""Packages: by id, by alias at a date, in a list, and the contracts made from one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from billing_site.foundation.refusals import NotFound
from contracts.models import Contract, Package, PackageAlias

ARCHIVED, NOT_ARCHIVED, ALL = "ARCHIVED", "NOT_ARCHIVED", "ALL"


def package(package_id: UUID, *, locked: bool = False) -> Package:
    """With its aliases at hand. Raises NotFound."""
    rows = Package.objects.select_for_update() if locked else Package.objects.prefetch_related("aliases")
    found = rows.filter(pk=package_id).first()
    if found is None:
        raise NotFound.of("package_id", package_id, "must be the id of a package")
    return found


def packages(archived: str = NOT_ARCHIVED) -> QuerySet[Package]:
    """With their aliases at hand."""
    found = Package.objects.prefetch_related("aliases")
    return found if archived == ALL else found.filter(archived_at__isnull=archived != ARCHIVED)


def package_of_alias(name: str, *, at: datetime) -> Package | None:
    """The package that `name` means at `at`: of those that hold it then, the one made last."""
    begun = Q(starting_at=None) | Q(starting_at__lte=at)
    open_yet = Q(ending_before=None) | Q(ending_before__gt=at)
    covering = PackageAlias.objects.filter(begun, open_yet, name=name).select_related("package")
    latest = covering.order_by("-package__created_at", "-package_id").first()
    return latest.package if latest else None


def contracts_from(
    made_from: Package,
    *,
    covering: datetime | None = None,
    starting_from: datetime | None = None,
    include_archived: bool = False,
) -> QuerySet[Any]:
    """Contracts made from a package, each with its end as `held_end`; in force at an instant, or from one on."""
    found = Contract.objects.filter(package=made_from, terms__removed_by_edit=None)
    found = found.annotate(held_end=F("terms__ending_before"))
    if not include_archived:
        found = found.filter(archived_at=None)
    if starting_from is not None:
        found = found.filter(starting_at__gte=starting_from)
    if covering is not None:
        found = found.filter(Q(held_end=None) | Q(held_end__gt=covering), starting_at__lte=covering)
    return found
