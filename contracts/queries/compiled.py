"""Terms as values for the engines."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from uuid import UUID

from django.db.models import OuterRef, Subquery, Value

from billing_site.foundation.periods import HOUR, Period, earliest
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import sees_committed_alone
from contracts import terms
from contracts.models import ContractEdit, Customer, RecurringCommit
from contracts.models.subscriptions import to_subscription
from contracts.queries.agreements import AgreedRecurring, Agreement, everything_agreed
from contracts.queries.claims import claim_windows
from contracts.queries.customers import no_such_customer
from pricing.queries.memo import Memo


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What the customer's own edits say; they say all of it."""

    contracts: tuple[terms.Contract, ...]
    commits: tuple[terms.Commit, ...]


_agreed: Memo[_Agreed] = Memo(128)


def customer_terms(customer_id: UUID, *, at_edit: int | None = None, anew: bool = False) -> terms.CustomerTerms:
    """Everything agreed with a customer that is not archived, as known at its edit number `at_edit` (None: now). Two
    queries, and at most thirteen more where this process has not read what was known then. `anew` is for who doubts the
    facts: nothing that this process remembers of them is used.

    Raises NotFound; Refusal where there was no such edit.
    """
    last_edit, edit_id = _edit(customer_id, at_edit)
    if at_edit is not None and not 0 <= at_edit <= last_edit:
        raise Refusal.of("at_edit", at_edit, f"must be an edit of the customer; the last one is {last_edit}")
    # What was known at an edit never changes, once the edit is whole. Its id tells it from one that was rolled back.
    key = customer_id, edit_id
    agreed = _agreed.get(key) if sees_committed_alone() and not anew else None
    if agreed is None:
        agreed = _read(customer_id, at_edit)
        if sees_committed_alone():
            _agreed.keep(key, agreed)
    return terms.CustomerTerms(
        customer_id=customer_id,
        edit_number=last_edit if at_edit is None else at_edit,
        contracts=agreed.contracts,
        claims=claim_windows(customer_id, at_edit=at_edit),  # end where others claim later, in edits of theirs
        commits=agreed.commits,
    )


def _edit(customer_id: UUID, at_edit: int | None) -> tuple[int, UUID | None]:
    """The number of the customer's last edit, and the id of the edit asked about; None before the first."""
    number = OuterRef("last_edit_number") if at_edit is None else Value(at_edit)
    edits = ContractEdit.objects.filter(customer=OuterRef("pk"), number=number).values("pk")
    found = Customer.objects.filter(pk=customer_id).values_list("last_edit_number", Subquery(edits)).first()
    if found is None:
        raise no_such_customer(customer_id)
    return found


def _read(customer_id: UUID, at_edit: int | None) -> _Agreed:
    contracts, shared = everything_agreed(customer_id, at_edit=at_edit)
    return _Agreed(
        contracts=tuple(to_terms(agreed) for agreed in contracts if not agreed.is_archived),
        commits=tuple(each.to_commit() for each in shared),
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
        commits=tuple(each.to_commit() for each in agreed.commits),
        charges=tuple(charged.charge.to_charge(charged.items) for charged in agreed.charges),
        renews=contract.renews_id,
        usage_filters=held.to_filters(),
        invoicing_starts_at=contract.invoicing_starts_at,
        charges_on_usage=contract.charges_on_usage,
        subscriptions=tuple(
            to_subscription(each.subscription, each.terms, each.quantities, contract)
            for each in agreed.subscriptions
            if each.terms.ending_before is None or each.terms.ending_before > each.subscription.starting_at
        ),
        recurring=tuple(each for recurring in agreed.recurring for each in to_recurring(recurring)),
        service_invoices=tuple(invoice.to_invoice(lines) for invoice, lines in agreed.services.invoices),
    )


def to_recurring(agreed: AgreedRecurring) -> Iterator[terms.RecurringCommit]:
    """Each row as the engines take it: up to where the next one takes over, and as it was granted until then."""
    after = None
    for row, later in zip_longest(agreed.rows, agreed.rows[1:]):
        until = _takes_over(later) if later else None
        end = row.ending_before if later is None else earliest(row.ending_before, later.contract_ended_at)
        if end is None or end > row.starting_at:
            yield row.to_recurring(after=after, until=until, end=end, agreed_at=agreed.rows[0].created_at)
        after = until


def _takes_over(row: RecurringCommit) -> datetime:
    """What begins later is as the row says. Of a contract that had ended before the edit that is all from that end on,
    the first instance at that very hour."""
    return row.created_at if row.contract_ended_at is None else min(row.created_at, row.contract_ended_at - HOUR)
