"""Terms as values for the engines."""

from uuid import UUID

from billing_site.foundation.periods import Period
from billing_site.foundation.refusals import Refusal
from contracts import terms
from contracts.models import Customer
from contracts.queries.agreements import AgreedCommit, Agreement, agreements, shared_commits
from contracts.queries.claims import claim_windows
from contracts.queries.customers import no_such_customer


def customer_terms(customer_id: UUID, *, at_edit: int | None = None) -> terms.CustomerTerms:
    """Everything agreed with a customer, as known at its edit number `at_edit` (None: now). At most twelve
    queries.

    Raises NotFound; Refusal where there was no such edit.
    """
    last_edit = Customer.objects.filter(pk=customer_id).values_list("last_edit_number", flat=True).first()
    if last_edit is None:
        raise no_such_customer(customer_id)
    if at_edit is not None and not 0 <= at_edit <= last_edit:
        raise Refusal.of("at_edit", at_edit, f"must be an edit of the customer; the last one is {last_edit}")
    return terms.CustomerTerms(
        customer_id=customer_id,
        edit_number=last_edit if at_edit is None else at_edit,
        contracts=tuple(to_terms(agreed) for agreed in agreements(customer_id, at_edit=at_edit)),
        claims=claim_windows(customer_id, at_edit=at_edit),
        commits=tuple(map(_to_commit, shared_commits(customer_id, at_edit=at_edit))),
    )


def to_terms(agreed: Agreement) -> terms.Contract:
    """A contract as the engines take it."""
    contract, held = agreed.contract, agreed.terms
    return terms.Contract(
        id=contract.pk,
        customer_id=contract.customer_id,
        name=held.name,
        term=Period(contract.starting_at, held.ending_before),
        created_at=contract.created_at,
        rate_card_id=contract.rate_card_id,
        frequency=contract.frequency,
        billing_anchor_at=contract.billing_anchor_at,
        grace_hours=held.grace_hours,
        net_payment_terms_days=held.net_payment_terms_days,
        prioritization=contract.multiplier_override_prioritization,
        overrides=tuple(override.to_override() for override in agreed.overrides),
        commits=tuple(map(_to_commit, agreed.commits)),
        charges=tuple(charged.charge.to_charge(charged.items) for charged in agreed.charges),
    )


def _to_commit(committed: AgreedCommit) -> terms.Commit:
    return committed.commit.to_commit(committed.segments, committed.invoice_items)
