"""Amounts that are billed on their dates, whatever the usage: scheduled charges, discounts and paid commits. They have
documents of their own, or are on usage documents (`docs/scheduled_charges.md`)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from billing_site.foundation.money import MixedUnits, Unit, exact_sum
from billing_site.foundation.periods import format_instant
from contracts.consolidation import usage_period_on
from contracts.fee_terms import ServiceLine
from contracts.terms import Commit, Contract, ScheduledAmount, ScheduledCharge
from invoicing.engine.calendar import CHARGES, USAGE, draft_id
from invoicing.engine.documents import Document, Line
from invoicing.engine.inputs import Inputs
from pricing.engine.catalog import Catalog
from pricing.engine.products import name_at

Slot = tuple[UUID, str, str]  # contract, kind, slot


def charge_documents(inputs: Inputs, commits: Sequence[Commit]) -> Iterator[Document]:
    """One draft for each contract and issue date that is not final yet, however far ahead; all of a date together, but
    what access waits for, which is paid or fails by itself. What is on a usage document has none, once the period of
    that has begun."""
    for contract in inputs.terms.contracts:
        by_slot: dict[tuple[datetime, str], list[Line]] = {}
        for item, line in _lines(contract, commits, inputs.catalog):
            if usage_slot(contract, item, inputs) is None:
                by_slot.setdefault((item.issued_at, item.slot), []).append(line)
        for (issued_at, slot), lines in sorted(by_slot.items()):
            if (contract.id, CHARGES, slot) not in inputs.posted.documents:
                yield _document(contract.id, slot, issued_at, tuple(lines))


def service_documents(inputs: Inputs) -> Iterator[Document]:
    """One draft for each invoice of professional services that is not final yet."""
    for contract in inputs.terms.contracts:
        for invoice in contract.service_invoices:
            if (contract.id, CHARGES, invoice.slot) not in inputs.posted.documents:
                lines = tuple(_service_line(line, invoice.issued_at, inputs.catalog) for line in invoice.lines)
                yield _document(contract.id, invoice.slot, invoice.issued_at, lines)


def usage_slot(contract: Contract, item: ScheduledAmount, inputs: Inputs) -> Slot | None:
    """Which usage document an amount is on, as it was billed or as it will be; None: it is on one of its own."""
    posted = inputs.posted
    if item.is_alone:
        return None
    if item.id in posted.charged:
        return posted.charged[item.id]
    period = usage_period_on(contract, item.issued_at)
    if period is None or period.starting_at > inputs.at:
        return None
    slot = (contract.id, USAGE, format_instant(period.starting_at))
    alone = (contract.id, CHARGES, item.slot)
    was_alone = alone in posted.documents or alone == posted.reopened
    return None if was_alone or slot in posted.documents else slot


def on_usage_documents(inputs: Inputs, commits: Sequence[Commit]) -> Mapping[Slot, list[Line]]:
    """By usage document: the amounts that are on it."""
    found: dict[Slot, list[Line]] = {}
    for contract in inputs.terms.contracts:
        if contract.charges_on_usage:
            for item, line in _lines(contract, commits, inputs.catalog):
                slot = usage_slot(contract, item, inputs)
                if slot is not None:
                    found.setdefault(slot, []).append(line._replace(item_id=item.id))
    return found


def _lines(contract: Contract, commits: Sequence[Commit], catalog: Catalog) -> Iterator[tuple[ScheduledAmount, Line]]:
    for charge in contract.charges:
        for item in charge.items:
            yield item, _line("scheduled", charge, item, catalog, charge=charge)
    for commit in commits:
        if commit.pays and commit.is_billed_by(contract.id):
            for item in commit.invoice_items:
                yield item, _line("commit_purchase", commit, item, catalog, commit=commit)


def _line(
    type_: str,
    term: ScheduledCharge | Commit,
    item: ScheduledAmount,
    catalog: Catalog,
    *,
    charge: ScheduledCharge | None = None,
    commit: Commit | None = None,
) -> Line:
    return Line(
        type=type_,
        name=term.name or name_at(catalog.products[term.product_id], item.issued_at),
        total=item.amount,
        unit=term.unit if commit is None else commit.billed_in,
        product_id=term.product_id,
        product_type="FIXED",
        quantity=item.quantity,
        unit_price=item.unit_price,
        commit_id=commit.id if commit is not None else None,
        commit_type=commit.type if commit is not None else "",
        charge_id=charge.id if charge is not None and not charge.is_discount else None,
        discount_id=charge.id if charge is not None and charge.is_discount else None,
    )


def _service_line(line: ServiceLine, at: datetime, catalog: Catalog) -> Line:
    return Line(
        type="scheduled",
        name=name_at(catalog.products[line.product_id], at),
        total=line.amount,
        unit=line.unit,
        product_id=line.product_id,
        product_type="PRO_SERVICE",
        quantity=line.quantity,
        unit_price=line.unit_price,
        service=line,
    )


def _document(contract_id: UUID, slot: str, issued_at: datetime, lines: tuple[Line, ...]) -> Document:
    return Document(
        id=draft_id(contract_id, CHARGES, slot),
        contract_id=contract_id,
        kind=CHARGES,
        slot=slot,
        type="SCHEDULED",
        period=None,
        issued_at=issued_at,
        finalizes_at=issued_at,
        unit=_one_unit(lines),
        lines=lines,
        total=exact_sum([line.total for line in lines]),
    )


def _one_unit(lines: Sequence[Line]) -> Unit:
    units = {line.unit for line in lines}
    if len(units) > 1:
        raise MixedUnits(f"One document cannot be in {' and '.join(sorted(unit.name for unit in units))}.")
    return lines[0].unit
