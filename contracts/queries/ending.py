"""Contracts that come to their end, and what is to happen there."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from contracts.models import Contract, ContractTerms, TermQuerySet


def ending(*, until: datetime) -> TermQuerySet:
    """The standing terms of contracts that end at `until` or before, which nobody has renewed or archived, with
    contract and customer; the nearest end first."""
    renewed = Contract.objects.filter(customer=OuterRef("customer"), renews=OuterRef("contract"))
    return (
        ContractTerms.objects.standing()
        .filter(
            ~Exists(renewed), ending_before__lte=until, contract__archived_at=None, contract__customer__archived_at=None
        )
        .select_related("contract", "customer")
        .order_by("ending_before", "customer__name", "contract_id")
    )


def going_on(*, until: datetime) -> TermQuerySet:
    """Those of them that do not stop there."""
    return ending(until=until).exclude(end_policy=ContractTerms.EndPolicy.STOP)
