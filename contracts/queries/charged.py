"""On which dates a contract has been billed, or is about to be."""

from datetime import datetime

from django.db.models import F, OuterRef, Q, Subquery, UUIDField
from django.db.models.functions import Coalesce

from billing_site.foundation.periods import HOUR
from contracts.models import (
    Commit,
    CommitVersion,
    Contract,
    InvoiceScheduleItem,
    RecurringCommit,
    ScheduledChargeItem,
)
from contracts.queries.agreements import agreement
from contracts.queries.compiled import to_terms
from contracts.recurring import instances


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
    """The dates on which charges and payments of the contract have fallen due; what was taken out later counts, too,
    and what has a document of its own does not.

    Three queries, and those for an agreement where something that recurs is paid for.
    """
    fallen_due = Q(customer=contract.customer_id, issued_at__lte=at) & (
        Q(removed_by_edit=None) | Q(removed_by_edit__created_at__gte=F("issued_at"))
    )
    charges = ScheduledChargeItem.objects.filter(fallen_due, charge__contract=contract)
    payments = InvoiceScheduleItem.objects.annotate(billed_by=billed_by()).filter(
        fallen_due, billed_by=contract.pk, commit__type=Commit.Type.PREPAID, commit__is_invoiced=True, commit__gate=None
    )
    dates = {date for items in (charges, payments) for date in items.values_list("issued_at", flat=True)}
    return frozenset(dates | _dates_of_what_recurs(contract, at=at))


def _dates_of_what_recurs(contract: Contract, *, at: datetime) -> set[datetime]:
    paid = RecurringCommit.objects.standing().filter(contract=contract.pk, invoice_unit_price__isnull=False)
    if not paid.filter(customer=contract.customer_id).exists():
        return set()
    terms = to_terms(agreement(contract.customer_id, contract.pk))
    granted = (each for recurring in terms.recurring for each in instances(terms, recurring, until=at + HOUR))
    return {item.issued_at for each in granted for item in each.invoice_items if item.issued_at <= at}
