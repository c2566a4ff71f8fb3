"""Contracts of one customer that would bill the same usage."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from billing_site.foundation.periods import Period, format_instant
from billing_site.foundation.problems import Problems
from contracts.models import Contract, ContractTerms, Customer
from contracts.terms import UsageFilter, are_apart, filter_in_force
from pricing.models import Product, Rate


def check_overlap(
    problems: Problems,
    field: str,
    value: object,
    customer: Customer,
    *,
    starting_at: datetime,
    ending_before: datetime | None,
    rate_card_id: UUID | None,
    filters: Sequence[UsageFilter],
    apart_from: Contract | None = None,
) -> None:
    """Refuse a term in which another contract of the customer prices the same usage product. Two queries.

    Contracts may run side by side where their rate cards share no usage product, or while their usage filters keep them
    apart.
    """
    is_never = ending_before is not None and ending_before <= starting_at  # which is refused by itself
    if rate_card_id is None or is_never:
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
    term = Period(starting_at, ending_before)
    cards = {
        held.contract.rate_card_id: (held, since)
        for held in others.select_related("contract")
        if (since := _together_since(term, filters, held)) is not None
    }
    if rate_card_id in cards:
        _add(problems, field, value, cards[rate_card_id], "are on the same rate card")
        return
    rates = Rate.objects.filter(withdrawal__isnull=True, product__type=Product.Type.USAGE)
    ours = rates.filter(rate_card_id=rate_card_id).values("product_id")
    theirs = rates.filter(rate_card_id__in=cards, product_id__in=ours).select_related("product")
    shared = theirs.first() if cards else None
    if shared is not None:
        _add(problems, field, value, cards[shared.rate_card_id], f"both price {shared.product.name}")


def _together_since(term: Period, filters: Sequence[UsageFilter], held: ContractTerms) -> datetime | None:
    """The first instant of the term at which another contract would take some of the same usage, if there is one."""
    theirs = held.to_filters()
    both = term.overlap(Period(held.contract.starting_at, held.ending_before))
    if both is None:
        return None
    cuts = sorted(each.starting_at for each in (*filters, *theirs) if each.starting_at in both)
    instants = (both.starting_at, *cuts)
    apart = (are_apart(filter_in_force(filters, each), filter_in_force(theirs, each)) for each in instants)
    return next((each for each, is_apart in zip(instants, apart, strict=True) if not is_apart), None)


def _add(problems: Problems, field: str, value: object, other: tuple[ContractTerms, datetime], why: str) -> None:
    held, since = other
    called = f" (“{held.name}”)" if held.name else ""
    problems.add(
        field,
        value.isoformat() if isinstance(value, datetime) else value,
        f"must not let the contract overlap with contract {held.contract_id}{called}: they {why}, no usage filters "
        f"keep them apart from {format_instant(since)} on, and usage is billed once",
    )
