"""On which dates a contract has been billed, or is about to be."""

from datetime import datetime

from django.db.models import F, Q

from contracts.models import Commit, Contract, InvoiceScheduleItem, ScheduledChargeItem


def dates_charged(contract: Contract, *, at: datetime) -> frozenset[datetime]:
    """The dates on which charges and payments of the contract have fallen due; what was taken out later counts, too.
    Two queries."""
    fallen_due = Q(customer=contract.customer_id, issued_at__lte=at) & (
        Q(removed_by_edit=None) | Q(removed_by_edit__created_at__gte=F("issued_at"))
    )
    charges = ScheduledChargeItem.objects.filter(fallen_due, charge__contract=contract)
    billed_here = Q(commit__contract=contract) | Q(commit__invoice_contract=contract)
    payments = InvoiceScheduleItem.objects.filter(
        fallen_due, billed_here, commit__type=Commit.Type.PREPAID, commit__is_invoiced=True
    )
    return frozenset(date for items in (charges, payments) for date in items.values_list("issued_at", flat=True))
