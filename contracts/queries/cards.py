"""Which contracts a rate card prices."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Q

from contracts.models import ContractTerms, TermQuerySet
from pricing.models import RateCard


@dataclass(frozen=True, slots=True)
class Reach:
    """How many contracts a price from an instant on touches: in all, by rating usage again that is not billed yet,
    and those whose invoices over that time are final and stay."""

    contracts: int
    rated_again: int
    final: int


def contracts_on(card: RateCard, *, at: datetime) -> TermQuerySet:
    """The standing terms of the contracts on a card that have not ended, with contract and customer."""
    return (
        ContractTerms.objects.standing()
        .filter(_after(at), contract__rate_card=card, contract__archived_at=None)
        .select_related("contract", "customer")
        .order_by("customer__name", "contract__starting_at", "contract_id")
    )


def contracts_by_card(card_ids: Collection[UUID], *, at: datetime) -> dict[UUID, int]:
    """How many contracts that have not ended are on each card; cards without any are left out. One query."""
    on_cards = ContractTerms.objects.standing().filter(
        _after(at), contract__rate_card__in=card_ids, contract__archived_at=None
    )
    return dict(on_cards.order_by().values_list("contract__rate_card").annotate(Count("id")))


def reach(card: RateCard, *, since: datetime, at: datetime) -> Reach:
    """Three counts."""
    on_card = ContractTerms.objects.standing().filter(contract__rate_card=card, contract__archived_at=None)
    billed = F("contract__billed_through")
    not_billed = Q(contract__billed_through=None) | Q(contract__billed_through__lt=at) & (
        Q(ending_before=None) | Q(ending_before__gt=billed)
    )
    touched = on_card.filter(_after(since), contract__starting_at__lte=at) if since <= at else on_card.none()
    return Reach(
        contracts=on_card.filter(_after(at)).count(),
        rated_again=touched.filter(not_billed).count(),
        final=touched.filter(contract__billed_through__gt=since).count(),
    )


def _after(instant: datetime) -> Q:
    return Q(ending_before=None) | Q(ending_before__gt=instant)
