"""What was found in drafts, and where to put it right."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse
from django.utils.http import urlencode

from billing_site.foundation.periods import format_instant
from contracts.models import Contract
from invoicing.engine.documents import Finding
from pricing.engine.prices import Unpriced


@dataclass(frozen=True, slots=True)
class FindingCard:
    """`price_url` is the page on which what has no price gets one, from where the finding begins."""

    text: str
    price_url: str

    @classmethod
    def of(cls, finding: Finding, cards: Mapping[UUID, UUID]) -> "FindingCard":
        """`cards` has the rate card of each contract whose prices whoever looks may change."""
        prefix = "Holds this document: " if finding.blocking else ""
        return cls(f"{prefix}{finding.message}", _price_url(finding, cards))


def cards_of_contracts(contract_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The rate card of each contract that has one. One query."""
    on_cards = Contract.objects.filter(pk__in=contract_ids, rate_card__isnull=False)
    return dict(on_cards.values_list("pk", "rate_card"))


def _price_url(finding: Finding, cards: Mapping[UUID, UUID]) -> str:
    card = cards.get(finding.contract_id) if finding.contract_id else None
    if finding.kind != Unpriced.NO_RATE or card is None or finding.product_id is None:
        return ""
    page = reverse("price_grid", args=[card, finding.product_id])
    return f"{page}?{urlencode({'from': format_instant(finding.period.starting_at)})}"
