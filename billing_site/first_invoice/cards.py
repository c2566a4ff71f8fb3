"""A draft of usage as the way to the first invoice shows it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from django.urls import reverse

from billing_site.foundation.display import instant_text
from invoicing.portal.documents import document_row
from invoicing.queries.open_usage import OpenUsage


@dataclass(frozen=True, slots=True)
class LineCard:
    name: str
    arithmetic: str  # "10 × $0.002"; nothing where several prices are in it
    amount: str
    why_url: str


@dataclass(frozen=True, slots=True)
class DraftCard:
    title: str
    final: str
    lines: tuple[LineCard, ...]
    total: str
    findings: tuple[str, ...]

    @classmethod
    def of(cls, found: OpenUsage, contract_id: UUID | None = None) -> Self:
        """With the way to why each line is what it is, for a draft that is there."""
        document, row = found.document, document_row(found.document, found.products, found.unit)
        return cls(
            title=row.about,
            final=f"final on {instant_text(document.finalizes_at)}" if document.finalizes_at else "",
            lines=tuple(
                LineCard(
                    line.name,
                    f"{line.quantity} × {line.prices}" if line.quantity and not line.quantity_parts else line.prices,
                    line.amount,
                    reverse("admin:contracts_contract_why", args=[contract_id, document.id, place])
                    if contract_id
                    else "",
                )
                for place, line in enumerate(row.rows)
            ),
            total=row.subtotal,
            findings=tuple(finding.message for finding in document.findings),
        )


def card_with(drafts: Iterable[OpenUsage], instant: datetime) -> DraftCard | None:
    """Of the draft that an event is on; None where it is on none."""
    periods = ((each, each.document.period) for each in drafts)
    return next((DraftCard.of(each) for each, period in periods if period is not None and instant in period), None)
