"""On which dates a contract has been billed, or is about to be."""

from datetime import datetime

from django.db.models import F, OuterRef, Q, Subquery, UUIDField
from django.db.models.functions import Coalesce

from contracts.models import Commit, CommitVersion, Contract, InvoiceScheduleItem, ScheduledChargeItem


def billed_by() -> Coalesce:
    """Of invoice items of commits: which contract bills them; an edit may have changed that."""
    version = CommitVersion.objects.standing().filter(commit=OuterRef("commit_id"))
    return Coalesce(
        "commit__contract_id",
        Subquery(version.values("invoice_contract_id")[:1]),
        "commit__invoice_contract_id",
        output_field=UUIDField(),
    )


def dates_charged(contract: Contract, *, at: datetime) -> frozenset[datetime]:
    """The dates on which charges and payments of the contract have fallen due; what was taken out later counts, too.
    Two queries."""
    fallen_due = Q(customer=contract.customer_id, issued_at__lte=at) & (
        Q(removed_by_edit=None) | Q(removed_by_edit__created_at__gte=F("issued_at"))
    )
    charges = ScheduledChargeItem.objects.filter(fallen_due, charge__contract=contract)
    payments = InvoiceScheduleItem.objects.annotate(billed_by=billed_by()).filter(
        fallen_due, billed_by=contract.pk, commit__type=Commit.Type.PREPAID, commit__is_invoiced=True
    )
    return frozenset(date for items in (charges, payments) for date in items.values_list("issued_at", flat=True))
