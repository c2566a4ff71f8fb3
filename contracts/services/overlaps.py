"""Contracts of one customer that would bill the same usage."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from billing_site.foundation.problems import Problems
from contracts.models import Contract, ContractTerms, Customer
from pricing.models import Product, Rate


def check_overlap(
    problems: Problems,
    field: str,
    value: datetime | None,
    customer: Customer,
    *,
    starting_at: datetime,
    ending_before: datetime | None,
    rate_card_id: UUID | None,
    apart_from: Contract | None = None,
) -> None:
    """Refuse a term in which another contract of the customer prices the same usage product. Two queries.

    Contracts may run side by side where their rate cards share no usage product.
    """
    if rate_card_id is None:
        return
    others = ContractTerms.objects.standing().filter(
        Q(ending_before__isnull=True) | Q(ending_before__gt=starting_at),
        customer=customer,
        contract__rate_card__isnull=False,
        contract__archived_at__isnull=True,
    )
    if ending_before is not None:
        others = others.filter(contract__starting_at__lt=ending_before)
    if apart_from is not None:
        others = others.exclude(contract=apart_from)
    cards = {held.contract.rate_card_id: held.contract for held in others.select_related("contract")}
    if rate_card_id in cards:
        _add(problems, field, value, cards[rate_card_id], "are on the same rate card")
        return
    rates = Rate.objects.filter(withdrawal__isnull=True, product__type=Product.Type.USAGE)
    ours = rates.filter(rate_card_id=rate_card_id).values("product_id")
    theirs = rates.filter(rate_card_id__in=cards, product_id__in=ours).select_related("product")
    shared = theirs.first() if cards else None
    if shared is not None:
        _add(problems, field, value, cards[shared.rate_card_id], f"both price {shared.product.name}")


def _add(problems: Problems, field: str, value: datetime | None, other: Contract, why: str) -> None:
    problems.add(
        field,
        value.isoformat() if value else None,
        f"must not let the contract overlap with contract {other.pk}: they {why}, and usage is billed once",
    )
