"""Customers by id, and lists of them for paging."""

from collections.abc import Collection
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import QuerySet

from billing_site.foundation.refusals import FieldError, NotFound
from contracts.models import Contract, Customer
from contracts.queries.claims import holders_of


def customer(customer_id: UUID | str) -> Customer:
    """Raises NotFound, for what is no id at all too."""
    try:
        return Customer.objects.get(pk=customer_id)
    except (ObjectDoesNotExist, ValidationError) as error:
        raise no_such_customer(customer_id) from error


def customers(
    *,
    ids: Collection[UUID] | None = None,
    ingest_alias: str = "",
    salesforce_account_ids: Collection[str] | None = None,
    only_archived: bool = False,
) -> QuerySet[Customer]:
    """Customers that are not archived, or only archived ones; all that is given must hold."""
    found = Customer.objects.filter(archived_at__isnull=not only_archived)
    if ids is not None:
        found = found.filter(pk__in=ids)
    if salesforce_account_ids is not None:
        found = found.filter(salesforce_account_id__in=[each for each in salesforce_account_ids if each])
    if ingest_alias:
        claim = holders_of([ingest_alias]).get(ingest_alias)
        found = found.filter(pk=claim.customer_id) if claim and claim.customer_id else found.none()
    return found


def names_of_customers(ids: Collection[UUID]) -> dict[UUID, str]:
    return dict(Customer.objects.filter(pk__in=ids).values_list("pk", "name"))


def refuse_unknown(customer_id: UUID, contract_id: UUID | None = None) -> None:
    """Raises NotFound where there is no such customer, or where the contract is not one of its own."""
    if not Customer.objects.filter(pk=customer_id).exists():
        raise no_such_customer(customer_id)
    if contract_id is not None and not Contract.objects.filter(customer=customer_id, pk=contract_id).exists():
        raise no_such_contract(contract_id)


def no_such_contract(contract_id: object) -> NotFound:
    return NotFound(
        "There is no such contract.",
        FieldError("contract_id", contract_id, "must be the id of a contract of this customer"),
    )


def no_such_customer(customer_id: object) -> NotFound:
    return NotFound(
        "There is no such customer.", FieldError("customer_id", customer_id, "must be the id of a customer")
    )
