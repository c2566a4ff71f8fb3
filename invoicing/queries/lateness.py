"""Final documents whose period has changed since: usage came in late, or was corrected, after they saw it."""

from dataclasses import dataclass
from uuid import UUID

from billing_site.foundation.periods import Period
from contracts.queries import claim_windows
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
    documents = Invoice.objects.filter(customer_id=customer_id, kind=Invoice.Kind.USAGE).order_by("starting_at", "pk")
    if contract_id is not None:
        documents = documents.filter(contract_id=contract_id)
    known = [
        (document, Period(document.starting_at, document.ending_before))
        for document in documents.only("number", "contract_id", "starting_at", "ending_before", "snapshot")
        if document.starting_at is not None
    ]
    if not known:
        return []
    claims = claim_windows(customer_id)
    asked = [Seen(tuple(windows_of(claims, period)), document.snapshot) for document, period in known]
    return [
        MissedUsage(document, period, late)
        for (document, period), late in zip(known, late_usage(asked), strict=True)
        if late is not None
    ]
