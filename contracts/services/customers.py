"""Creating, naming and archiving customers, and the subjects they own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.custom_fields import Entity, check_custom_fields
from billing_site.foundation.problems import NAME_LENGTH, Problems, save
from billing_site.foundation.refusals import NotSupported
from billing_site.foundation.transactions import repeatable_read
from contracts.models import Contract, ContractEdit, Customer
from contracts.provider_inputs import ConfigurationInput
from contracts.queries import aliases_of
from contracts.services.checks import short_text
from contracts.services.claims import (
    checked_aliases,
    claim_subjects,
    former_owners,
    refuse_taken,
    release_subjects,
)
from contracts.services.providers import add_configuration, check_configurations
from contracts.services.recording import record_edit
from contracts.transactions import lock_customers, money_transaction


def create_customer(
    name: str,
    *,
    ingest_aliases: Sequence[str] = (),
    custom_fields: Mapping[str, str] | None = None,
    billing_providers: Sequence[ConfigurationInput] = (),
    revenue_systems: Sequence[ConfigurationInput] = (),
    reason: str = "",
    at: datetime,
    by: Actor,
) -> Customer:
    """A new customer, which owns its id and the aliases given as subjects of events. Names are cut at 160 characters.

    What it is called at billing providers and in revenue systems is kept, and sent nowhere. Raises Conflict where
    another customer, archived or not, has one of the aliases, and Refusal.
    """
    problems = Problems()
    problems.name("name", name[:NAME_LENGTH])
    check_custom_fields(problems, Entity.CUSTOMER, custom_fields or {})
    aliases = checked_aliases(problems, ingest_aliases)
    deliveries = [
        *check_configurations(problems, "customer_billing_provider_configurations", billing_providers),
        *check_configurations(problems, "customer_revenue_system_configurations", revenue_systems),
    ]
    problems.refuse()

    @repeatable_read
    def create() -> Customer:
        lock_customers(owners)
        refuse_taken(aliases)
        customer = Customer(
            name=name.strip()[:NAME_LENGTH],
            custom_fields=dict(custom_fields or {}),
            created_at=at,
            created_by=by.label,
            updated_at=at,
        )
        save(customer, reason=reason)
        edit = record_edit(customer, ContractEdit.Kind.CLAIMS, reason=reason, at=at, by=by)
        claim_subjects([str(customer.pk), *aliases], edit, at=at, by=by)
        for each, delivery in zip([*billing_providers, *revenue_systems], deliveries, strict=True):
            add_configuration(customer, each, delivery, reason=reason, at=at, by=by)
        return customer

    owners = former_owners(aliases)
    return create()


def set_ingest_aliases(
    customer_id: UUID, ingest_aliases: Sequence[str], *, reason: str = "", at: datetime, by: Actor
) -> Customer:
    """Replace a customer's aliases. Setting what is set already changes nothing.

    A new subject comes with its whole history. A dropped one is given up as far back as nothing of the customer is
    billed, and whoever claims it next gets it from there.

    Raises NotFound, Conflict where another customer, archived or not, has one of the aliases, and Refusal.
    """
    problems = Problems()
    wanted = checked_aliases(problems, ingest_aliases, customer_id)
    problems.refuse()

    @repeatable_read
    def replace() -> Customer:
        customer = lock_customers({customer_id, *owners})[customer_id]
        held = aliases_of([customer_id])[customer_id]
        refuse_taken(wanted, customer_id)
        new = [alias for alias in wanted if alias not in held]
        dropped = [alias for alias in held if alias not in wanted]
        if new or dropped:
            edit = record_edit(customer, ContractEdit.Kind.CLAIMS, reason=reason, at=at, by=by)
            release_subjects(dropped, edit, at=at, by=by)
            claim_subjects(new, edit, at=at, by=by)
        return customer

    owners = former_owners(wanted)
    return replace()


@money_transaction
def set_name(customer: Customer, name: str, *, reason: str = "", at: datetime, by: Actor) -> Customer:
    """Rename a customer. Final documents keep the name they were made under. Raises NotFound, Refusal."""
    problems = Problems()
    problems.name("name", name[:NAME_LENGTH])
    problems.refuse()
    customer.name = name.strip()[:NAME_LENGTH]
    customer.updated_at = at
    save(customer, reason=reason)
    return customer


@money_transaction
def set_salesforce_account(
    customer: Customer, salesforce_account_id: str, *, reason: str = "", at: datetime, by: Actor
) -> Customer:
    """Say what Salesforce calls a customer; empty: nothing. Saying what is said already changes nothing.

    Raises NotFound, Refusal.
    """
    problems = Problems()
    short_text(problems, "salesforce_account_id", salesforce_account_id)
    problems.refuse()
    if customer.salesforce_account_id != salesforce_account_id:
        customer.salesforce_account_id = salesforce_account_id
        customer.updated_at = at
        save(customer, reason=reason)
    return customer


@money_transaction
def archive_customer(customer: Customer, *, reason: str = "", at: datetime, by: Actor) -> Customer:
    """Archive a customer that has no contract; its aliases stay taken. Archiving twice changes nothing.

    Raises NotFound; NotSupported where there is a contract to end and invoices to void.
    """
    if customer.archived_at is not None:
        return customer
    if Contract.objects.filter(customer=customer).exists():
        raise NotSupported.of("id", customer.pk, "has contracts; archiving those is not supported yet")
    customer.archived_at = customer.updated_at = at
    save(customer, reason=reason)
    return customer
