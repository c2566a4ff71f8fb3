"""Summaries of what is computed: what they should say, whose are not what they should be, and reading them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from billing_site.foundation.money import Unit
from billing_site.foundation.periods import HOUR, floor_hour, format_instant
from billing_site.foundation.touched import touched_customers
from contracts.models import Claim, Contract
from contracts.queries import customer
from contracts.terms import QUANTITY
from invoicing.engine.calendar import TRUE_UP
from invoicing.engine.documents import Document
from invoicing.engine.reasons import Reason
from invoicing.models import CommitmentSummary, CustomerSummary, DraftSummary, Invoice
from invoicing.queries.addressees import addressee
from invoicing.queries.commitments import commitment, period_of
from invoicing.queries.compute import Computation
from invoicing.queries.holds import all_reasons
from invoicing.queries.shown import with_tax
from invoicing.queries.silent import silences
from invoicing.queries.sold import sold_on
from invoicing.queries.statements import statements
from pricing.models import PricingUnit, ProductVersion, Rate


def draft_summaries(computed: Computation, *, at: datetime) -> Iterator[DraftSummary]:
    """The rows that stand for the computed drafts. As many queries as it takes to find out what holds them, and what
    their tax is."""
    terms = computed.inputs.terms
    names = {contract.id: contract.name for contract in terms.contracts}
    held = all_reasons(computed, at=at)
    silent = [draft for draft, _ in silences(computed).values() if draft.id in held]
    to = addressee(customer(terms.customer_id)) if held or computed.result.documents else None
    for draft in (*computed.result.documents, *silent):
        yield DraftSummary(
            id=draft.id,
            customer_id=terms.customer_id,
            contract_id=draft.contract_id,
            contract_name=names[draft.contract_id],
            kind=draft.kind,
            starting_at=draft.period.starting_at if draft.period else None,
            ending_before=draft.period.ending_before if draft.period else None,
            issued_at=draft.issued_at,
            finalizes_at=draft.finalizes_at,
            waits=bool(draft.waits_for),
            total=draft.total,
            total_with_tax=draft.total if to is None else with_tax(draft, to),
            unit_id=draft.unit.id,
            findings=len(draft.findings),
            blocking=sum(finding.blocking for finding in draft.findings),
            holds=[_hold(reason, draft) for reason in held.get(draft.id, ())],
            sold=sold_on(draft),
        )


def _hold(reason: Reason, draft: Document) -> dict[str, Any]:
    return {
        "kind": reason.kind,
        "key": reason.key,
        "who": reason.who,
        "message": reason.message,
        "since": format_instant(reason.since or draft.finalizes_at),
        "is_reviewable": reason.is_reviewable,
    }


def commitment_summaries(computed: Computation, *, at: datetime) -> Iterator[CommitmentSummary]:
    """The rows that stand for the commits that are not over, or whose true-up is not final. One query."""
    held = statements(computed, at=at)
    true_ups = {draft.slot: draft for draft in computed.result.documents if draft.kind == TRUE_UP}
    for commit in computed.commits:
        if not commit.segments:
            continue  # its contract ended before there was access
        period, true_up = period_of(commit), true_ups.get(str(commit.id))
        assert period.ending_before is not None
        if period.ending_before <= at and true_up is None:
            continue
        now = commitment(commit, held[commit.id], true_up, (), at=at)
        yield CommitmentSummary(
            id=commit.id,
            customer_id=computed.inputs.terms.customer_id,
            contract_id=commit.contract_id,
            name=commit.name,
            type=commit.type,
            starting_at=period.starting_at,
            ending_before=period.ending_before,
            amount=now.amount,
            used=now.used,
            unit_id=None if commit.access_type == QUANTITY else commit.unit.id,
        )


def touched_by_usage(subjects: Iterable[str]) -> set[UUID]:
    """The customers that have ever claimed any of the subjects. One query."""
    claims = Claim.objects.filter(subject__in=list(subjects), customer__isnull=False)
    return set(claims.values_list("customer_id", flat=True))


def touched_by_publications(numbers: Iterable[int]) -> set[UUID]:
    """The customers with a contract on a card whose prices, or whose products, these publications changed."""
    published = list(numbers)
    products = ProductVersion.objects.filter(publication__in=published, starting_at__isnull=False).values("product")
    rates = Rate.objects.filter(
        Q(publication__in=published) | Q(withdrawal__publication__in=published) | Q(product__in=products)
    )
    contracts = Contract.objects.filter(rate_card__in=rates.values("rate_card"))
    return set(contracts.values_list("customer_id", flat=True))


def customers_to_refresh(*, at: datetime, limit: int) -> list[UUID]:
    """Whose summaries are to be made again: first those that were touched, then those of another hour of the business
    time, as terms and prices hold from the hour on."""
    touched = touched_customers(limit=limit)
    hour = floor_hour(at)
    stale = CustomerSummary.objects.filter(Q(as_of=None) | Q(as_of__lt=hour) | Q(as_of__gte=hour + HOUR))
    aged = stale.exclude(pk__in=touched).order_by("as_of", "pk").values_list("pk", flat=True)
    return [*touched, *aged[: max(limit - len(touched), 0)]]


def let_go(parked: Mapping[UUID, datetime | None], *, at: datetime) -> list[UUID]:
    """Whose due drafts something has held, and nothing holds any more in summaries that are newer than `parked` (wall
    time). One query."""
    held_before = DraftSummary.objects.filter(contract=OuterRef("contract"), issued_at__lt=OuterRef("issued_at"))
    due = (
        DraftSummary.objects.filter(customer__in=parked, finalizes_at__lte=at, waits=False, holds=[])
        .exclude(Exists(held_before.filter(kind=Invoice.Kind.USAGE).exclude(holds=[])), kind=Invoice.Kind.USAGE)
        .values_list("customer", "customer__summary__refreshed_at")
        .distinct()
        .order_by("customer")
    )
    return [
        customer_id
        for customer_id, made in due
        if made is not None and (when := parked[customer_id]) is not None and made > when
    ]


def customers_to_look_at(*, before: datetime, limit: int) -> QuerySet[CustomerSummary]:
    """Whom nobody has looked at since `before` (wall time), the longest first: a signal may have been lost."""
    return CustomerSummary.objects.filter(Q(looked_at=None) | Q(looked_at__lt=before)).order_by("looked_at", "pk")[
        :limit
    ]


def usage_by_contract(contract_ids: Collection[UUID]) -> dict[UUID, tuple[Decimal, Unit]]:
    """What the usage drafts of each contract come to together; contracts without any are left out. Two queries."""
    usage = DraftSummary.objects.filter(contract__in=contract_ids, kind=Invoice.Kind.USAGE).order_by()
    sums = list(usage.values_list("contract", "unit").annotate(Sum("total")))
    units = PricingUnit.objects.in_bulk({unit_id for _, unit_id, _ in sums})
    return {contract_id: (total, units[unit_id].to_unit()) for contract_id, unit_id, total in sums}


def oldest_summary() -> datetime | None:
    """The business time of the oldest summary that there is."""
    return CustomerSummary.objects.exclude(as_of=None).order_by("as_of").values_list("as_of", flat=True).first()
