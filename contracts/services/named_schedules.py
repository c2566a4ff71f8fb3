"""Named schedules of customers and contracts: written over a range, and superseded by what is written later."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.problems import Problems
from contracts.models import Contract, ContractEdit, Customer, CustomerScheduleSegment
from contracts.queries.customers import no_such_contract
from contracts.queries.named_schedules import written_of
from contracts.services.recording import record_edit
from contracts.transactions import money_transaction
from pricing.services import named_value_text


@money_transaction
def update_named_schedule(
    customer: Customer,
    schedule_name: str,
    value: Any,
    *,
    contract_id: UUID | None = None,
    properties: Mapping[str, str] | None = None,
    starting_at: datetime,
    ending_before: datetime | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> CustomerScheduleSegment:
    """Let a schedule of the customer, or of a contract, say `value` over a range, whatever it said there before.

    `value` is any JSON value, its fractions decimals; None as the end is open. A contract may have several schedules
    of a name, told apart by their properties. What was written last is not written a second time. It is an edit of its
    own, so that what was known at an earlier edit stays readable.

    Raises NotFound, and Refusal with every field that breaks a rule.
    """
    problems = Problems()
    problems.name("schedule_name", schedule_name)
    problems.range(starting_at, ending_before)
    for name, text in (properties or {}).items():
        problems.key("properties", name)
        problems.key(f"properties.{name}", text, may_be_empty=True)
    if properties and contract_id is None:
        problems.add("properties", dict(properties), "must only be given for a schedule of a contract")
    written = named_value_text(problems, value)
    problems.refuse()
    contract = None
    if contract_id is not None:
        contract = Contract.objects.filter(customer=customer, pk=contract_id).first()
        if contract is None:
            raise no_such_contract(contract_id)
    last = written_of(customer.pk, contract_id, schedule_name, properties or {}).last()
    if last and (last.starting_at, last.ending_before, last.value) == (starting_at, ending_before, written):
        return last
    edit = record_edit(customer, ContractEdit.Kind.NAMED_SCHEDULE, contract=contract, reason=reason, at=at, by=by)
    return CustomerScheduleSegment.objects.create(
        customer=customer,
        contract=contract,
        schedule_name=schedule_name,
        properties=dict(properties or {}),
        starting_at=starting_at,
        ending_before=ending_before,
        value=written,
        edit=edit,
    )
