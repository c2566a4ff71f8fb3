"""Edits as facts: each change of a customer's terms gets the next number."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from billing_site.foundation.actor import Actor
from contracts.models import Contract, ContractEdit, Customer, Term


def record_edit(
    customer: Customer,
    kind: ContractEdit.Kind,
    *,
    contract: Contract | None = None,
    changes: Mapping[str, Any] | None = None,
    uniqueness_key: str | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> ContractEdit:
    """The customer's next edit. Call it under the customer's lock, once everything has been checked."""
    customer.last_edit_number += 1
    Customer.objects.filter(pk=customer.pk).update(last_edit_number=customer.last_edit_number)
    return ContractEdit.objects.create(
        customer=customer,
        contract=contract,
        number=customer.last_edit_number,
        kind=kind,
        changes=dict(changes or {}),
        uniqueness_key=uniqueness_key,
        reason=reason,
        created_at=at,
        created_by=by.label,
        actor_id=by.id,
    )


def add_terms(edit: ContractEdit, terms: Sequence[Term]) -> None:
    """Insert terms that an edit adds, all of one model."""
    stamp(edit, terms)
    if terms:
        type(terms[0]).objects.bulk_create(terms)


def stamp(edit: ContractEdit, terms: Sequence[Term]) -> None:
    """Make terms those that `edit` adds."""
    for term in terms:
        term.customer_id = edit.customer_id
        term.added_by_edit = edit
        term.created_at = edit.created_at


def remove_terms(edit: ContractEdit, terms: Sequence[Term]) -> None:
    """Mark standing terms, all of one model, as removed by an edit."""
    if terms:
        standing = type(terms[0]).objects.standing()
        ids = [term.pk for term in terms]
        standing.filter(customer_id=edit.customer_id, pk__in=ids).update(removed_by_edit=edit)
