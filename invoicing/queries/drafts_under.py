"""What prices that are planned would make of the drafts of a rate card's customers, by the same computation as theirs.

Computed are the customers with the most money on drafts of contracts on the card, each with all of its drafts, since
contracts share balances. Of the others there is what was last summarized.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.transactions import read_snapshot
from invoicing.models import DraftSummary
from invoicing.queries.compute import Computation, computation, computed_from
from invoicing.queries.finals import final_documents
from pricing.models import Rate, RateCard
from pricing.queries.planned import as_if_since_ever, with_prices

MOST_COMPUTED = 50  # customers


@dataclass(frozen=True, slots=True)
class DraftsUnder:
    """The drafts of one customer in one unit, before tax: as they are, with the prices, and had these held all
    along."""

    customer_id: UUID
    customer_name: str
    unit: Unit
    before: Decimal
    after: Decimal
    all_along: Decimal


@dataclass(frozen=True, slots=True)
class Impact:
    """`others` counts the customers that are not computed, of whom `open_elsewhere` is on drafts, by unit."""

    rows: tuple[DraftsUnder, ...]
    others: int
    open_elsewhere: tuple[tuple[UUID, Decimal], ...]


def impact(
    card: RateCard,
    adding: Sequence[Rate],
    withdrawing: Collection[UUID],
    *,
    at: datetime,
    limit: int = MOST_COMPUTED,
) -> Impact:
    """Three computations for each customer that is computed, of terms and documents that are read once, and three
    queries beside."""
    drafts = DraftSummary.objects.filter(contract__rate_card=card).order_by()
    with read_snapshot():
        by_customer = drafts.values_list("customer_id", "customer__name").annotate(open=Sum("total"))
        customers = [(id_, name) for id_, name, _ in by_customer.order_by("-open", "customer_id")]
        computed, left = customers[:limit], customers[limit:]
        elsewhere = drafts.exclude(customer__in=[id_ for id_, _ in computed]).values_list("unit_id")
        rows = []
        for customer_id, name in computed:
            now, finals = computation(customer_id, at=at), final_documents(customer_id)
            prices = now.inputs.catalog
            others = (
                with_prices(prices, card.pk, adding, withdrawing, at=at),
                as_if_since_ever(prices, card.pk, adding),
            )
            priced = (computed_from(replace(now.inputs, catalog=each), finals) for each in others)
            totals = [_totals(each) for each in (now, *priced)]
            for unit in dict.fromkeys(unit for found in totals for unit in found):
                before, after, all_along = (found.get(unit, Decimal(0)) for found in totals)
                rows.append(DraftsUnder(customer_id, name, unit, before, after, all_along))
        return Impact(tuple(rows), len(left), tuple(elsewhere.annotate(open=Sum("total")).order_by("unit_id")))


def _totals(computed: Computation) -> dict[Unit, Decimal]:
    found: dict[Unit, list[Decimal]] = {}
    for document in computed.result.documents:
        found.setdefault(document.unit, []).append(document.total)
    return {unit: exact_sum(amounts) for unit, amounts in found.items()}
