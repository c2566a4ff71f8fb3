"""A panel of the pages on which prices change: what the drafts of the card's customers would come to."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing_site.foundation import clock
from billing_site.foundation.display import amount_text, count_text
from billing_site.foundation.money import Unit, exact_sum
from contracts.admin.card_pages import card_of
from contracts.admin.sealed_change import opened
from invoicing.queries.drafts_under import DraftsUnder, Impact, impact
from pricing.models import PricingUnit

SHOWN = 20


@dataclass(frozen=True, slots=True)
class ImpactRow:
    customer_id: UUID | None
    name: str
    before: str
    after: str
    difference: str
    all_along: str

    @classmethod
    def of(cls, rows: Iterable[DraftsUnder], unit: Unit, name: str, customer_id: UUID | None = None) -> "ImpactRow":
        found = list(rows)
        before, after, all_along = (
            exact_sum([getattr(row, column) for row in found]) for column in ("before", "after", "all_along")
        )
        return cls(
            customer_id,
            name,
            amount_text(before, unit),
            amount_text(after, unit),
            _signed(exact_sum([after, -before]), unit),
            _signed(exact_sum([all_along, -before]), unit),
        )


def drafts_under_view(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """POST of the change that the page has sealed; nothing is written."""
    if not request.user.has_perms(("pricing.add_rate", "invoicing.view_draftsummary")):
        raise PermissionDenied
    card = card_of(card_id)
    change = opened(card, request.POST.get("change", ""))
    found = impact(card, change.adding, change.withdrawing, at=clock.now())
    context = _shown(found) | {"has_all_along": bool(change.adding)}
    return TemplateResponse(request, "admin/invoicing/drafts_under.html", context)


def _shown(found: Impact) -> dict[str, object]:
    units = {
        unit.pk: unit.to_unit() for unit in PricingUnit.objects.filter(pk__in=[id_ for id_, _ in found.open_elsewhere])
    }
    in_order = sorted(found.rows, key=_moved, reverse=True)
    return {
        "rows": [ImpactRow.of([row], row.unit, row.customer_name, row.customer_id) for row in in_order[:SHOWN]],
        "totals": [
            ImpactRow.of((row for row in found.rows if row.unit == unit), unit, f"Together, {unit.code or unit.name}")
            for unit in dict.fromkeys(row.unit for row in found.rows)
        ],
        "more": count_text(len(in_order) - SHOWN, "more", "more") if len(in_order) > SHOWN else "",
        "others": count_text(found.others, "other customer", "other customers") if found.others else "",
        "elsewhere": ", ".join(amount_text(amount, units[id_]) for id_, amount in found.open_elsewhere),
    }


def _moved(row: DraftsUnder) -> Decimal:
    return max(abs(exact_sum([row.after, -row.before])), abs(exact_sum([row.all_along, -row.before])))


def _signed(amount: Decimal, unit: Unit) -> str:
    return f"{'+' if amount > 0 else ''}{amount_text(amount, unit)}" if amount else ""
