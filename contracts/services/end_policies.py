"""What takes over from a contract at its end: `docs/end_policies.md`."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from contracts.inputs import ContractInput, StatementScheduleInput, TransitionInput
from contracts.models import Contract, ContractTerms, Customer
from contracts.queries import Agreement, agreement
from contracts.services.contracts import create_contract
from contracts.services.copies import contract_like
from contracts.services.provider_choice import BILLING, REVENUE, lookup_again
from contracts.transactions import money_transaction

Policy = ContractTerms.EndPolicy
REASONS = {
    Policy.LIST_PRICE: "Goes on at list prices after its end, as was agreed",
    Policy.RENEW: "Renewed at its end, as was agreed",
}


@money_transaction
def go_on(customer: Customer, contract_id: UUID, *, at: datetime, by: Actor) -> Contract | None:
    """The contract that takes over at the end of another, as that one's policy says. None where nothing is to be done:
    it has not ended by `at`, stops there, was archived, or goes on already.

    Raises NotFound, and whatever `create_contract` raises.
    """
    agreed = agreement(customer.pk, contract_id)
    end, policy = agreed.terms.ending_before, Policy(agreed.terms.end_policy)
    if end is None or end > at or policy == Policy.STOP or agreed.is_archived or agreed.renewed_by is not None:
        return None
    return create_contract(customer, _successor(agreed, end), reason=REASONS[policy], at=at, by=by)


def _successor(agreed: Agreement, end: datetime) -> ContractInput:
    contract, starts = agreed.contract, agreed.contract.invoicing_starts_at
    later = starts if starts is not None and starts > end else None  # not yet invoiced: nor is what takes its place
    schedule = StatementScheduleInput(
        contract.frequency, "CUSTOM_DATE", contract.billing_anchor_at, later, is_carried_on=True
    )
    same = replace(
        contract_like(agreed, end, keeps_orders=True),
        usage_statement_schedule=schedule,
        transition=TransitionInput(contract.pk),
        billing_provider_configuration=lookup_again(agreed, BILLING),
        revenue_system_configuration=lookup_again(agreed, REVENUE),
    )
    if agreed.terms.end_policy == Policy.RENEW:
        return same
    return ContractInput(
        starting_at=end,
        rate_card_id=same.rate_card_id,
        name=same.name,
        net_payment_terms_days=same.net_payment_terms_days,
        usage_statement_schedule=same.usage_statement_schedule,
        usage_filter=same.usage_filter,
        transition=same.transition,
        custom_fields=same.custom_fields,
        billing_provider_configuration=same.billing_provider_configuration,
        revenue_system_configuration=same.revenue_system_configuration,
    )
