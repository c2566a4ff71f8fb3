"""Final documents whose period has changed since: usage came in late, or was corrected, after they saw it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from billing_site.foundation.periods import Period
from contracts.queries import claim_windows
from contracts.terms import ClaimWindow
from invoicing.models import Invoice
from ledger.queries.lateness import LateUsage, Seen, late_usage
from ledger.queries.usage import windows_of


@dataclass(frozen=True, slots=True)
class MissedUsage:
    """A usage document and what came into its period after it. How much it would be is for a new rating to say."""

    invoice: Invoice
    period: Period
    late: LateUsage


def missed_usage(customer_id: UUID, *, contract_id: UUID | None = None) -> list[MissedUsage]:
    """The customer's usage documents that have missed something, oldest first; of one contract where it is named.

    Whose usage it is follows the claims as they are now. Four queries at most.
    """
    documents = Invoice.objects.filter(customer_id=customer_id).order_by("finalized_at", "money_version", "pk")
    if contract_id is not None:
        documents = documents.filter(contract_id=contract_id)
    known = list(documents.only("number", "kind", "contract_id", "starting_at", "ending_before", "snapshot"))
    return missed_by(known, claim_windows(customer_id)) if known else []


def missed_by(finals: Sequence[Invoice], claims: Iterable[ClaimWindow]) -> list[MissedUsage]:
    """Those of one customer's final documents, in the order in which they became final, whose period has missed
    something that no later document of their contract has seen: by (end, contract). One query."""
    last_seen: dict[UUID, str] = {}
    for document in finals:
        if document.kind in (Invoice.Kind.USAGE, Invoice.Kind.ADJUSTMENT):
            last_seen[document.contract_id] = document.snapshot
    closed = [
        (document, Period(document.starting_at, document.ending_before))
        for document in finals
        if document.kind == Invoice.Kind.USAGE and document.starting_at is not None
    ]
    claims = list(claims)
    asked = [Seen(tuple(windows_of(claims, period)), last_seen[document.contract_id]) for document, period in closed]
    missed = [
        MissedUsage(document, period, late)
        for (document, period), late in zip(closed, late_usage(asked), strict=True)
        if late is not None
    ]
    return sorted(missed, key=lambda each: (each.invoice.ending_before, each.invoice.contract_id))
