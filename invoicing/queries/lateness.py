"""Final documents whose period has changed since: usage came in late, or was corrected, after they saw it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from billing_site.foundation.periods import Period
from contracts.queries import claim_windows
from contracts.terms import ClaimWindow
from invoicing.models import Invoice
from invoicing.queries.finals import Finals, final_documents
from ledger.queries.lateness import LateUsage, Seen, late_usage
from ledger.queries.usage import windows_of

NEVER = -1  # before any money version


@dataclass(frozen=True, slots=True)
class MissedUsage:
    """A usage document and what came into its period after it. How much it would be is for a new rating to say."""

    invoice: Invoice
    period: Period
    late: LateUsage


def missed_usage(customer_id: UUID, *, contract_id: UUID | None = None) -> list[MissedUsage]:
    """The customer's standing usage documents that have missed something, oldest first; of one contract where it is
    named.

    Whose usage it is follows the claims as they are now. Four queries at most.
    """
    finals = final_documents(customer_id)
    if contract_id is not None:
        finals = finals.of([contract_id])
    return missed_by(finals, claim_windows(customer_id)) if finals.documents else []


def missed_by(finals: Finals, claims: Iterable[ClaimWindow]) -> list[MissedUsage]:
    """Those of one customer's standing usage documents whose period has missed something that no later document of
    their contract has seen and billed: by (end, contract). One query."""
    closed = [
        (document, Period(document.starting_at, document.ending_before))
        for document in finals.standing
        if document.kind == Invoice.Kind.USAGE and document.starting_at is not None
    ]
    seen = last_seen(finals)
    claims = list(claims)
    asked = [
        Seen(tuple(windows_of(claims, period)), seen.get(document.contract_id, document.snapshot))
        for document, period in closed
    ]
    missed = [
        MissedUsage(document, period, late)
        for (document, period), late in zip(closed, late_usage(asked), strict=True)
        if late is not None
    ]
    return sorted(missed, key=lambda each: (each.invoice.ending_before, each.invoice.contract_id))


def last_seen(finals: Finals) -> Mapping[UUID, str]:
    """What was known when everything that was missed was last billed, by contract.

    A document that was voided gave back what it had billed for closed periods. So only what became final after that has
    seen everything; where nothing has, each document has seen no more than its own period.
    """
    carrying = [each for each in finals.documents if each.kind in (Invoice.Kind.USAGE, Invoice.Kind.ADJUSTMENT)]
    taken_back: dict[UUID, int] = {}
    for document in carrying:
        if document.pk in finals.voided:
            version = finals.voided[document.pk]
            taken_back[document.contract_id] = max(version, taken_back.get(document.contract_id, version))
    return {
        document.contract_id: document.snapshot
        for document in carrying
        if document.pk not in finals.voided
        and (document.money_version or 0) > taken_back.get(document.contract_id, NEVER)
    }
