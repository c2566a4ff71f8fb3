"""Why a line is what it is: the parts of a row of a document with the facts behind each, loaded by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from billing_site.foundation.money import Unit
from billing_site.foundation.refusals import FieldError, NotFound
from billing_site.foundation.transactions import read_snapshot
from contracts.models import AccessSegment, Contract, Override
from contracts.wording import names_in
from invoicing.models import Invoice
from invoicing.queries.documents import document
from invoicing.queries.shown import ShownDocument, ShownLine
from invoicing.queries.spending import row_key
from pricing.models import BillableMetric, PricingUnit, ProductVersion, Rate
from pricing.queries import product, version_in_force

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class ExplainedRow:
    """The lines of one product (and its values) on a document; the facts that their parts name, by id."""

    document: ShownDocument
    contract: Contract
    unit: Unit
    lines: tuple[ShownLine, ...]
    version: ProductVersion | None  # of the product: where the row begins, as known when the document was made
    rates: Mapping[UUID, Rate]
    overrides: Mapping[UUID, Override]
    segments: Mapping[UUID, AccessSegment]
    metrics: Mapping[UUID, BillableMetric]
    names: Mapping[str, str]  # of what the overrides name


def explained_row(customer_id: UUID, document_id: UUID, row: int, *, at: datetime) -> ExplainedRow:
    """The row's place is the one it has in `products_of`. Raises NotFound."""
    with read_snapshot():
        shown = document(customer_id, document_id, at=at)
        rows: dict[tuple[str, str, str, UUID], list[ShownLine]] = {}
        for line in shown.lines:
            if (key := row_key(line)) is not None:
                rows.setdefault(key, []).append(line)
        if not 0 <= row < len(rows):
            raise NotFound(
                "There is no such line.", FieldError("row", row, f"must be one of the document's {len(rows)} rows")
            )
        lines = list(rows.values())[row]
        parts = [part for line in lines for part in line.parts]
        overrides = _by_id(
            Override.objects.filter(customer_id=customer_id).select_related("unit", "added_by_edit"),
            {part.override_id for part in parts} | {loser for part in parts for loser, _ in part.losing_overrides},
        )
        rates = Rate.objects.select_related("unit", "rate_card", "publication__price_change")
        segments = AccessSegment.objects.filter(customer_id=customer_id).select_related("commit__unit")
        product_id = UUID(lines[0].fields["product_id"]) if "product_id" in lines[0].fields else None
        starting_at = min((part.period.starting_at for part in parts), default=shown.issued_at)
        return ExplainedRow(
            document=shown,
            contract=Contract.objects.select_related("customer", "rate_card").get(pk=shown.contract_id),
            unit=PricingUnit.objects.get(pk=lines[0].unit_id).to_unit(),
            lines=tuple(lines),
            version=None if product_id is None else _version(product_id, document_id, starting_at),
            rates=_by_id(rates, {part.rate_id for part in parts}),
            overrides=overrides,
            segments=_by_id(segments, {part.segment_id for part in parts}),
            metrics=_by_id(BillableMetric.objects.all(), {part.metric_id for part in parts}),
            names=names_in(overrides.values()),
        )


def _version(product_id: UUID, document_id: UUID, starting_at: datetime) -> ProductVersion:
    final = Invoice.objects.filter(pk=document_id).values_list("publication", flat=True).first()
    return version_in_force(product(product_id, at_publication=final), starting_at)


def _by_id(rows: QuerySet[Row], ids: Iterable[UUID | None]) -> dict[UUID, Row]:
    return rows.in_bulk([each for each in ids if each is not None])
