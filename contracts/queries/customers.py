"""Customers by id, and lists of them for paging."""

from collections.abc import Collection
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import QuerySet

from billing_site.foundation.refusals import FieldError, NotFound
from contracts.models import Customer
from contracts.queries.claims import holders_of


def customer(customer_id: UUID | str) -> Customer:
    """Raises NotFound, for what is no id at all too."""
    try:
        return Customer.objects.get(pk=customer_id)
    except (ObjectDoesNotExist, ValidationError) as error:
        raise no_such_customer(customer_id) from error


def customers(
    *, ids: Collection[UUID] | None = None, ingest_alias: str = "", only_archived: bool = False
) -> QuerySet[Customer]:
    """Customers that are not archived, or only archived ones; all that is given must hold."""
    found = Customer.objects.filter(archived_at__isnull=not only_archived)
    if ids is not None:
        found = found.filter(pk__in=ids)
    if ingest_alias:
        claim = holders_of([ingest_alias]).get(ingest_alias)
        found = found.filter(pk=claim.customer_id) if claim and claim.customer_id else found.none()
    return found


def no_such_customer(customer_id: object) -> NotFound:
    return NotFound(
        "There is no such customer.", FieldError("customer_id", customer_id, "must be the id of a customer")
    )
