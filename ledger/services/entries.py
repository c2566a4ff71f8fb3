"""Posting on balances. An entry is posted once: its key says what it stands for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.refusals import Conflict, FieldError
from contracts.models import Customer
from ledger.models import LedgerEntry


@dataclass(frozen=True, slots=True)
class NewEntry:
    """`amount` is signed and exact; `billed_amount` the same as printed on the document, in minor units."""

    type: str
    commit_id: UUID
    amount: Decimal
    billed_amount: Decimal
    timestamp: datetime
    idempotency_key: str
    segment_id: UUID | None = None
    contract_id: UUID | None = None
    invoice_id: UUID | None = None
    new_contract_id: UUID | None = None  # of what goes over to a renewal
    reason: str = ""

    @classmethod
    def of(cls, row: LedgerEntry) -> "NewEntry":
        return cls(**{field: getattr(row, field) for field in cls.__slots__})


def post_entries(customer: Customer, entries: Sequence[NewEntry], *, at: datetime, by: Actor) -> list[LedgerEntry]:
    """Post `entries`, all or none, inside the caller's money transaction.

    A key that was posted before with the same content is left alone and its row returned. Raises Conflict where
    the content differs.
    """
    keys = [entry.idempotency_key for entry in entries]
    posted = {
        row.idempotency_key: row for row in LedgerEntry.objects.filter(customer=customer, idempotency_key__in=keys)
    }
    for entry in entries:
        earlier = posted.get(entry.idempotency_key)
        if earlier is not None and NewEntry.of(earlier) != entry:
            raise Conflict(
                f"The ledger entry {entry.idempotency_key} was posted before with other content.",
                FieldError("idempotency_key", entry.idempotency_key, "was used before with other content"),
            )
    rows = [
        LedgerEntry(
            customer=customer,
            created_at=at,
            created_by=by.label,
            money_version=customer.money_version,
            **{field: getattr(entry, field) for field in NewEntry.__slots__},
        )
        for entry in entries
        if entry.idempotency_key not in posted
    ]
    posted |= {row.idempotency_key: row for row in LedgerEntry.objects.bulk_create(rows)}
    return [posted[key] for key in keys]
