"""What was posted on balances."""

from datetime import datetime
from uuid import UUID

from ledger.models import LedgerEntry


def posted_entries(customer_id: UUID, *, as_of: datetime | None = None) -> list[LedgerEntry]:
    """Every entry of the customer, or those posted by `as_of`; oldest first by the instant it counts from."""
    entries = LedgerEntry.objects.filter(customer_id=customer_id)
    if as_of is not None:
        entries = entries.filter(created_at__lte=as_of)
    return list(entries.order_by("timestamp", "created_at", "id"))
