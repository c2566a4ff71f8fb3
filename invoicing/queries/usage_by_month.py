"""What usage comes to in a month and in the one before, from heads of documents and drafts alone."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Sum

from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import add_months
from invoicing.models import DraftSummary, Invoice

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class UsageOfMonths:
    """Before tax, final documents and drafts together, of billing periods that begin in the month."""

    this: Decimal
    last: Decimal


def usage_of_months(month: datetime) -> dict[UUID, UsageOfMonths]:
    """By unit; `month` begins this one. Two queries."""
    last = add_months(month, -1)
    found: dict[tuple[UUID, bool], Decimal] = {}
    final = Invoice.objects.filter(kind__in=(Invoice.Kind.USAGE, Invoice.Kind.HISTORICAL), void=None)
    drafts = DraftSummary.objects.filter(kind=Invoice.Kind.USAGE)
    is_this = ExpressionWrapper(Q(starting_at__gte=month), BooleanField())
    both: list[tuple[QuerySet[Any], str]] = [(final, "subtotal"), (drafts, "total")]
    for rows, amount in both:
        dated = rows.filter(starting_at__gte=last, starting_at__lt=add_months(month, 1))
        sums = dated.order_by().annotate(is_this=is_this).values_list("unit", "is_this")
        for unit_id, is_of_this, total in sums.annotate(Sum(amount)):
            key = (unit_id, is_of_this)
            found[key] = exact_sum([found.get(key, ZERO), total])
    return {
        unit_id: UsageOfMonths(found.get((unit_id, True), ZERO), found.get((unit_id, False), ZERO))
        for unit_id in sorted({unit_id for unit_id, _ in found})
    }
