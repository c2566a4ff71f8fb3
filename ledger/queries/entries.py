"""What was posted on balances."""

from uuid import UUID

from ledger.models import LedgerEntry


def posted_entries(customer_id: UUID) -> list[LedgerEntry]:
    """Every entry of the customer, oldest first by the instant it counts from."""
    return list(LedgerEntry.objects.filter(customer_id=customer_id).order_by("timestamp", "created_at", "id"))
