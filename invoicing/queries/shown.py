"""Documents as they are shown, whether computed a moment ago or frozen long since: one value for both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import Period
from contracts.terms import Contract
from invoicing.engine.documents import Document, Finding, Line, Part
from invoicing.engine.notes.anew import Billed
from invoicing.engine.rounding import finalized
from invoicing.frozen import PRODUCT_TYPES, digits, frozen
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries.addressees import Addressee
from invoicing.queries.compute import Computation
from invoicing.queries.taxation import UNTAXED, Taxation, taxation
from invoicing.queries.traces import ShownPart, thawed
from pricing.engine.catalog import Catalog, GroupValues
from pricing.engine.products import version_in_force
from pricing.engine.steps import Level

ZERO = Decimal(0)
DRAFT, FINALIZED, VOID = "DRAFT", "FINALIZED", "VOID"
# Lines on which a balance is one that was applied.
COVERED = ("usage", "subscription", "cpu_conversion", "applied_commit_or_credit")
COMMIT_TYPES = {"PREPAID": "PrepaidCommit", "CREDIT": "PrepaidCommit", "POSTPAID": "PostpaidCommit"}


@dataclass(frozen=True, slots=True)
class ShownLine:
    """`fields` are the line's other fields on the wire, as JSON."""

    type: str
    name: str
    total: Decimal
    unrounded_total: Decimal
    counts: bool
    quantity: Decimal | None
    unit_price: Decimal | None
    period: Period | None
    fields: Mapping[str, Any]
    parts: tuple[ShownPart, ...]

    @property
    def unit_id(self) -> UUID:
        """What its amounts are in: the document's unit, or a custom one."""
        return UUID(self.fields["credit_type"]["id"])


@dataclass(frozen=True, slots=True)
class ShownDocument:
    """A draft has no number, and `finalizes_at` and `findings` instead."""

    id: UUID
    status: str
    type: str
    kind: str
    slot: str
    customer_id: UUID
    contract_id: UUID
    period: Period | None
    issued_at: datetime
    subtotal: Decimal  # what the lines come to
    total: Decimal  # with tax
    unrounded_total: Decimal
    unit_id: UUID
    fields: Mapping[str, Any]
    lines: tuple[ShownLine, ...]
    number: str | None = None
    finalizes_at: datetime | None = None
    finalized_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
    waits_for: tuple[UUID, ...] = ()


def of_draft(draft: Document, computation: Computation, addressee: Addressee) -> ShownDocument:
    """A computed document. Its tax is that of the document as it would be rounded now."""
    catalog = computation.inputs.catalog
    taxed, orders = _tax_now(draft, addressee), orders_in(computation)
    return ShownDocument(
        id=draft.id,
        status=DRAFT,
        type=draft.type,
        kind=draft.kind,
        slot=draft.slot,
        customer_id=addressee.customer.pk,
        contract_id=draft.contract_id,
        period=draft.period,
        issued_at=draft.issued_at,
        subtotal=draft.total,
        total=exact_sum([draft.total, taxed.total]),
        unrounded_total=draft.total,
        unit_id=draft.unit.id,
        fields=document_fields(draft, computation, addressee) | taxed.fields(),
        lines=tuple(
            ShownLine(
                type=line.type,
                name=line.name,
                total=line.total,
                unrounded_total=line.total,
                counts=line.counts,
                quantity=line.quantity,
                unit_price=line.unit_price,
                period=line.period,
                fields=line_fields(line, draft, catalog, orders) | taxed.line_fields(position),
                parts=tuple(_part(part, line, catalog) for part in line.parts),
            )
            for position, line in enumerate(draft.lines)
        ),
        finalizes_at=draft.finalizes_at,
        findings=draft.findings,
        waits_for=draft.waits_for,
    )


def with_tax(draft: Document, addressee: Addressee) -> Decimal:
    """What a computed document comes to, as `of_draft` says it."""
    return exact_sum([draft.total, _tax_now(draft, addressee).total])


def _tax_now(draft: Document, addressee: Addressee) -> Taxation:
    """Rounding takes time, which reads without tax need not spend."""
    return taxation(finalized(draft), addressee.tax_port) if addressee.is_taxed else UNTAXED


def of_final(invoice: Invoice, lines: Sequence[InvoiceLine], *, is_void: bool = False) -> ShownDocument:
    """A final document, from what was frozen with it."""
    return ShownDocument(
        id=invoice.pk,
        status=VOID if is_void else FINALIZED,
        type=invoice.type,
        kind=invoice.kind,
        slot=invoice.slot,
        customer_id=invoice.customer_id,
        contract_id=invoice.contract_id,
        period=_period(invoice),
        issued_at=invoice.issued_at,
        subtotal=invoice.subtotal,
        total=invoice.total,
        unrounded_total=invoice.unrounded_total,
        unit_id=invoice.unit_id,
        fields=invoice.details,
        lines=tuple(map(shown_line, lines)),
        number=invoice.number,
        finalized_at=invoice.finalized_at,
    )


def shown_line(line: InvoiceLine) -> ShownLine:
    """A line of a final document, from what was frozen of it."""
    return ShownLine(
        type=line.type,
        name=line.name,
        total=line.total,
        unrounded_total=line.unrounded_total,
        counts=line.counts_toward_total,
        quantity=line.quantity,
        unit_price=line.unit_price,
        period=_period(line),
        fields=line.details,
        parts=tuple(map(thawed, line.trace)),
    )


def document_fields(draft: Document, computation: Computation, addressee: Addressee) -> dict[str, Any]:
    """The document's other fields on the wire, as JSON."""
    contract = next(each for each in computation.inputs.terms.contracts if each.id == draft.contract_id)
    given: dict[str, Any] = {
        "credit_type": {"id": draft.unit.id, "name": draft.unit.name},
        "customer_custom_fields": addressee.customer.custom_fields,
        **addressee.of_contract(draft.contract_id),
        "contract_name": contract.name,
        **_netsuite_header(contract, draft.slot),
        **addressee.fields(issued_at=draft.issued_at, net_payment_terms_days=contract.net_payment_terms_days),
    }
    return dict(frozen(given))


def _netsuite_header(contract: Contract, slot: str) -> dict[str, datetime]:
    """What the header of an invoice of professional services says in NetSuite, where it was told."""
    invoice = next((each for each in contract.service_invoices if each.slot == slot), None)
    if invoice is None:
        return {}
    told = {
        "netsuite_invoice_header_start": invoice.netsuite_header_start,
        "netsuite_invoice_header_end": invoice.netsuite_header_end,
    }
    return {name: value for name, value in told.items() if value is not None}


def orders_in(computation: Computation) -> dict[UUID, str]:
    """By which NetSuite order each commit and credit was sold, where it is known."""
    commits = computation.result.commits
    return {each.id: each.netsuite_sales_order_id for each in commits if each.netsuite_sales_order_id}


def line_fields(
    line: Line, draft: Document, catalog: Catalog, orders: Mapping[UUID, str] = MappingProxyType({})
) -> dict[str, Any]:
    """The line's other fields on the wire, as JSON. What does not apply is absent. `orders` are those of
    `orders_in`."""
    when = line.period.starting_at if line.period else draft.issued_at
    given: dict[str, Any] = {"credit_type": {"id": line.unit.id, "name": line.unit.name}}
    if line.product_id is not None:
        given["product_id"] = line.product_id
        given["product_type"] = PRODUCT_TYPES[line.product_type]
        version = version_in_force(catalog.products.get(line.product_id, ()), when)
        if version is not None and version.tags:
            given["product_tags"] = version.tags
    if line.level is not None:
        given["tier"] = _tier(line.level)
    optional = {
        "flat_fee": line.flat_fee,
        "package_size": line.package_size,
        "quantity_consumed": line.quantity_consumed,
        "converted_credit_type_id": None if line.converted is None else line.converted.id,
    }
    given |= {name: value for name, value in optional.items() if value is not None}
    if line.pricing_group_values:
        given["pricing_group_values"] = {key: value for key, value in line.pricing_group_values if value is not None}
    if line.presentation_group_values:
        given["presentation_group_values"] = dict(line.presentation_group_values)
    if line.commit_id is not None:
        given["commit_id"] = line.commit_id
        given["commit_type"] = COMMIT_TYPES[line.commit_type]
        if line.commit_id in orders:
            given["commit_netsuite_sales_order_id"] = orders[line.commit_id]
        if line.segment_id is not None:
            given["commit_segment_id"] = line.segment_id
        if line.type in COVERED:
            applied = {"id": line.commit_id, "type": line.commit_type, "access_type": line.access_type}
            given["applied_commit_or_credit"] = applied
    if line.postpaid_commit_id is not None:
        given["postpaid_commit"] = {"id": line.postpaid_commit_id}
    if line.charge_id is not None:
        given["scheduled_charge_id"] = line.charge_id
    if line.discount_id is not None:
        given["discount_id"] = line.discount_id
    if line.service is not None:
        given["professional_service_id"] = line.service.service_id
        told = {
            "metadata": line.service.metadata,
            "netsuite_invoice_billing_start": line.service.netsuite_billing_start,
            "netsuite_invoice_billing_end": line.service.netsuite_billing_end,
        }
        given |= {name: value for name, value in told.items() if value}
    if line.item_id is not None:
        given["scheduled_item_id"] = line.item_id
    if line.subscription_id is not None:
        given |= {"subscription_id": line.subscription_id, "is_prorated": line.is_prorated}
    if line.adjusts is not None:
        adjusted = line.adjusts
        about = {"starting_at": adjusted.period.starting_at, "ending_before": adjusted.period.ending_before}
        given["adjustment"] = {"invoice_id": adjusted.invoice_id, "invoice_number": adjusted.number, **about}
        if adjusted.billed_on is not None:
            given["adjustment"]["billed_on_invoice_number"] = adjusted.billed_on[1]
    if line.corrects is not None:
        given["correction"] = {"invoice_id": line.corrects.invoice_id, "invoice_number": line.corrects.number}
        if line.corrects.position is not None:
            given["correction"]["line"] = line.corrects.position
    return dict(frozen(given))


def _tier(level: Level) -> dict[str, Any]:
    """As the API spells it: numbers but the level as text, and no size where it holds all the rest."""
    size = {} if level.size is None else {"size": digits(level.size)}
    return {"level": level.number, "starting_at": digits(level.above), **size}


def frozen_parts(line: Line, catalog: Catalog) -> list[Any]:
    """The line's trace, as it is kept with a final document."""
    return [frozen(_part(part, line, catalog)) for part in line.parts]


def frozen_billed(billed: Billed, catalog: Catalog) -> Any:
    """A part that stands for a closed period, likewise."""
    return frozen(_part_of(billed.part, billed.product_id, billed.values, catalog))


def _part(part: Part, line: Line, catalog: Catalog) -> ShownPart:
    return _part_of(part, line.product_id, (*line.pricing_group_values, *line.presentation_group_values), catalog)


def _part_of(part: Part, product_id: UUID | None, values: GroupValues, catalog: Catalog) -> ShownPart:
    versions = catalog.products.get(product_id, ()) if product_id else ()
    version = version_in_force(versions, part.period.starting_at)
    return ShownPart(
        period=part.period,
        metric_id=version.metric_id if version else None,
        group_values=values,
        metric_quantity=part.metric_quantity,
        quantity=part.quantity,
        amount=part.amount,
        unit_price=part.unit_price,
        list_price=part.list_price,
        rate_id=part.rate_id,
        publication=part.publication,
        published_by=part.published_by,
        override_id=part.override_id,
        losing_overrides=tuple((loser.id, loser.reason) for loser in part.losing_overrides),
        segment_id=part.segment_id,
        rate_type=part.rate_type,
        charged=part.charged,
        above=part.above,
        upto=part.upto,
        level=part.level,
        fee=part.fee,
        package_size=part.package_size,
        period_quantity=part.period_quantity,
        list_amount=part.list_amount,
        converted_by=part.converted_by,
        share=part.share,
    )


def _period(row: Invoice | InvoiceLine) -> Period | None:
    return None if row.starting_at is None else Period(row.starting_at, row.ending_before)
