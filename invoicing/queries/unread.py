"""Values that a metric cannot read: never a quiet zero. They hold the documents they belong to."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Min

from billing_site.foundation.periods import Period
from contracts.terms import CustomerTerms
from invoicing.engine.calendar import BillingPeriod, open_periods
from invoicing.engine.documents import Document, Finding, Result
from invoicing.engine.inputs import Inputs
from invoicing.engine.sellers import sellers
from ledger.models import MetricBackfill, UnreadValue
from ledger.queries.unread import is_any_unread
from pricing.engine.products import name_at, versions_over_time

UNREAD_VALUE = "UNREAD_VALUE"
MEASURING_BACK = "MEASURING_BACK"


@dataclass(frozen=True, slots=True)
class _Unread:
    """So many values of one metric in one hour, and one of them with the rule it breaks."""

    metric_id: UUID
    hour: datetime
    count: int
    value: str
    rule: str


def with_unread_values(result: Result, inputs: Inputs, metric_ids: Sequence[UUID]) -> Result:
    """`result` with a blocking finding for each product and open period in which values cannot be read, or whose metric
    is still being measured back. One statement, and two more where there is something to say."""
    periods = open_periods(inputs)
    if not periods:
        return result
    span = Period(min(open_.starting_at for open_ in periods), max(open_.ending_before for open_ in periods))
    if not is_any_unread({claim.subject for claim in inputs.terms.claims}, metric_ids, span):
        return result
    found: dict[UUID, list[Finding]] = defaultdict(list)
    unread = list(_unread(inputs.terms, span, metric_ids))
    under_way = {
        backfill.metric_id: backfill
        for backfill in MetricBackfill.objects.filter(metric_id__in=metric_ids, finished_at=None)
    }
    for open_ in periods:
        found[open_.document_id].extend(_findings(open_, unread, inputs))
        found[open_.document_id].extend(_unfinished(open_, under_way, inputs))
    if not any(found.values()):
        return result
    return replace(
        result,
        documents=tuple(_held_by(found[document.id], document) for document in result.documents),
        findings=(*(finding for findings in found.values() for finding in findings), *result.findings),
    )


def _unread(terms: CustomerTerms, span: Period, metric_ids: Sequence[UUID]) -> Iterator[_Unread]:
    rows = (
        UnreadValue.objects.filter(
            subject__in={claim.subject for claim in terms.claims},
            metric_id__in=metric_ids,
            hour__gte=span.starting_at,
            hour__lt=span.ending_before,
        )
        .values("subject", "metric_id", "hour")
        .annotate(count=Count("transaction_id"), value=Min("value"), rule=Min("rule"))
        .order_by("hour", "metric_id", "subject")
    )
    for row in rows:
        if any(
            claim.subject == row["subject"]
            and (claim.starting_at is None or claim.starting_at <= row["hour"])
            and (claim.ending_before is None or row["hour"] < claim.ending_before)
            for claim in terms.claims
        ):
            yield _Unread(row["metric_id"], row["hour"], row["count"], row["value"], row["rule"])


def _findings(open_: BillingPeriod, unread: Sequence[_Unread], inputs: Inputs) -> Iterator[Finding]:
    for product_id in sellers(inputs.terms, inputs.catalog)[open_.contract.id].product_ids:
        versions = inputs.catalog.products[product_id]
        over_time = versions_over_time(versions)
        values = [
            each
            for each in unread
            if each.hour in open_.period
            and (version := over_time.at(each.hour)) is not None
            and version.metric_id == each.metric_id
        ]
        if values:
            count, first = sum(each.count for each in values), values[0]
            name = name_at(versions, first.hour)
            yield Finding(
                kind=UNREAD_VALUE,
                blocking=True,
                message=f"{name}: {count} of its values cannot be read, such as {first.value}: it {first.rule}.",
                period=open_.period,
                contract_id=open_.contract.id,
                product_id=product_id,
                quantity=Decimal(count),
            )


def _unfinished(open_: BillingPeriod, under_way: Mapping[UUID, MetricBackfill], inputs: Inputs) -> Iterator[Finding]:
    for product_id in sellers(inputs.terms, inputs.catalog)[open_.contract.id].product_ids:
        versions = inputs.catalog.products[product_id]
        measured_by = {version.metric_id for version in versions if version.metric_id is not None}
        for metric_id in sorted(measured_by & under_way.keys()):
            yield Finding(
                kind=MEASURING_BACK,
                blocking=True,
                message=f"{name_at(versions, open_.starting_at)}: its metric is still being measured back, "
                f"{under_way[metric_id]}.",
                period=open_.period,
                contract_id=open_.contract.id,
                product_id=product_id,
                quantity=Decimal(under_way[metric_id].events_before - under_way[metric_id].events_seen),
            )


def _held_by(findings: Sequence[Finding], document: Document) -> Document:
    return replace(document, findings=(*findings, *document.findings)) if findings else document
