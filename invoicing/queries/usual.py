"""What is usual for a contract: the bounds, and the usage documents before one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import F, OuterRef, Q, Subquery, Sum, Window
from django.db.models.functions import RowNumber

from billing_site.foundation.money import Unit, exact_sum, wire_amount
from invoicing.engine.bounds import MOST_DOCUMENTS, Billed, Bounds
from invoicing.models import Invoice, InvoiceLine


def bounds_for(unit: Unit) -> Bounds:
    """The settings, in the wire units of a currency."""
    least = wire_amount(settings.HOLD_LEAST_DIFFERENCE, unit)
    return Bounds(settings.HOLD_ABOVE, settings.HOLD_BELOW, least)


def billed_before(
    customer_id: UUID, places: Iterable[tuple[UUID, UUID, datetime]]
) -> Mapping[UUID, tuple[Billed, ...]]:
    """By contract: its last usage documents in a unit that began before an instant, the last one first; void ones left
    out. `places` are contract, unit and instant. What was charged by schedule is not counted: it says nothing of usage.
    One query; none where nothing is asked."""
    earlier = Q()
    for contract_id, unit_id, instant in places:
        earlier |= Q(contract=contract_id, unit=unit_id, starting_at__lt=instant)
    found: dict[UUID, list[Billed]] = defaultdict(list)
    if not earlier:
        return {}
    place = Window(RowNumber(), partition_by=F("contract_id"), order_by=F("starting_at").desc())
    charged = InvoiceLine.objects.filter(
        customer_id=customer_id, invoice=OuterRef("pk"), details__has_key="scheduled_item_id"
    )
    rows = (
        Invoice.objects.filter(earlier, customer=customer_id, kind=Invoice.Kind.USAGE, void=None)
        .annotate(place=place, charged=Subquery(charged.values("invoice").values(sum=Sum("total"))))
        .filter(place__lte=MOST_DOCUMENTS)
        .order_by("place")
    )
    for row in rows.only("contract_id", "subtotal", "starting_at", "ending_before"):
        subtotal = exact_sum([row.subtotal, -(row.charged or Decimal(0))])
        assert row.period is not None, "a usage document has a period"
        found[row.contract_id].append(Billed(subtotal, row.period))
    return {contract_id: tuple(billed) for contract_id, billed in found.items()}
