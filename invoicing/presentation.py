"""Documents and balances as the API shows them. Drafts and final documents have one shape."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing_site.foundation.display import exact_text
from billing_site.foundation.periods import format_instant
from contracts.models import Override
from invoicing.engine.documents import Finding
from invoicing.explanation import (
    balance_name,
    document_sentences,
    line_sentences,
    override_words,
    part_sentences,
)
from invoicing.queries.behind import Behind
from invoicing.queries.breakdowns import Piece
from invoicing.queries.explained import Explained, Turn
from invoicing.queries.movements import Movement
from invoicing.queries.shown import ShownDocument, ShownLine
from invoicing.queries.traces import ShownPart
from invoicing.wording import arithmetic_text
from pricing.engine.steps import Level
from pricing.formula_presentation import made_of_json
from pricing.models import Rate

LETTERHEAD = (
    "title",
    "issuer",
    "bill_to",
    "due_at",
    "tax_lines",
    "tax_problem",
)  # not repeated with every piece of a document
KEPT_AS_TEXT = ("flat_fee", "package_size", "quantity_consumed", "tax_amount")  # numbers among a line's other fields


KEPT_ALONE = ("given",)  # of a document that was invoiced elsewhere: what it was imported from


def invoice_json(shown: ShownDocument, *, skip_zero_quantities: bool = False) -> dict[str, Any]:
    """An invoice object. Only a final one has a number and the total from before rounding."""
    body: dict[str, Any] = {
        "id": shown.id,
        "type": shown.type,
        "status": shown.status,
        "customer_id": shown.customer_id,
        "contract_id": shown.contract_id,
        "issued_at": format_instant(shown.issued_at),
        "subtotal": shown.subtotal,
        "total": shown.total,
        "billable_status": "billable",
        "line_items": _lines(shown.lines, skip_zero_quantities),
        **{name: value for name, value in shown.fields.items() if name not in KEPT_ALONE},
    }
    if shown.period is not None:
        body["start_timestamp"] = format_instant(shown.period.starting_at)
        body["end_timestamp"] = _end(shown.period.ending_before)
    if "tax_lines" in shown.fields:
        body["tax_lines"] = [_tax_line_json(line) for line in shown.fields["tax_lines"]]
    if shown.number is not None:
        body["number"] = shown.number
        body["unrounded_total"] = shown.unrounded_total
    return body


def _tax_line_json(line: Mapping[str, Any]) -> dict[str, Any]:
    return {**line, **{name: Decimal(line[name]) for name in ("percent", "taxable", "amount")}}


def breakdown_json(piece: Piece, *, skip_zero_quantities: bool = False) -> dict[str, Any]:
    """What of an invoice falls into one window, before tax."""
    body = invoice_json(piece.document, skip_zero_quantities=skip_zero_quantities)
    return {name: value for name, value in body.items() if name not in LETTERHEAD} | {
        "subtotal": piece.total,
        "total": piece.total,
        "line_items": _lines(piece.lines, skip_zero_quantities),
        "breakdown_start_timestamp": format_instant(piece.window.starting_at),
        "breakdown_end_timestamp": _end(piece.window.ending_before),
    }


def explanation_json(told: Explained) -> dict[str, Any]:
    """How each line's amount came about, part by part: as data, and in plain English. What it does not say to the
    customer is absent there."""
    shown = told.document
    return {
        "invoice_id": shown.id,
        "status": shown.status,
        "number": shown.number,
        "total": shown.total,
        "unrounded_total": shown.unrounded_total,
        "finalizes_at": None if shown.finalizes_at is None else format_instant(shown.finalizes_at),
        "waits_for": list(shown.waits_for),
        "explanation": list(document_sentences(told)),
        "line_items": [
            {
                **line_json(line),
                "unrounded_total": line.unrounded_total,
                "counts_toward_total": line.counts,
                "share_of": [{"name": name, "amount": amount} for name, amount in told.base_of(line).items()],
                "explanation": list(line_sentences(told, line)),
                "parts": [explained_part_json(told, line, part) for part in line.parts],
            }
            for line in shown.lines
        ],
        "findings": [] if told.is_for_customer else [finding_json(finding) for finding in shown.findings],
    }


def explained_part_json(told: Explained, line: ShownLine, part: ShownPart) -> dict[str, Any]:
    override = told.overrides.get(part.override_id) if part.override_id else None
    body = {
        **part_json(part),
        "arithmetic": f"{arithmetic_text(part, told.unit(line))} = {exact_text(part.amount, told.unit(line))}",
        "explanation": list(part_sentences(told, line, part)),
        "rate": _rate(told, told.rates[part.rate_id]),
        "override": None if override is None else _override(told, override),
        "balances": [_turn(told, turn) for turn in told.turns(line, part)],
    }
    if told.is_for_customer:
        return {name: value for name, value in body.items() if name not in ("publication", "published_by")}
    return body | {
        "losing_overrides": [
            {**_override(told, told.overrides[loser]), "reason": reason} for loser, reason in part.losing_overrides
        ],
    }


def _rate(told: Explained, rate: Rate) -> dict[str, Any]:
    body = {
        "id": rate.pk,
        "rate_card_id": rate.rate_card_id,
        "starting_at": format_instant(rate.starting_at),
        "ending_before": _end(rate.ending_before),
    }
    if told.is_for_customer:
        return body
    publication = rate.publication
    return body | {
        "rate_card_name": rate.rate_card.name,
        "publication": publication.pk,
        "published_at": format_instant(publication.published_at),
        "published_by": publication.published_by,
        "reason": publication.price_change.reason,
        "formula": made_of_json(rate),
    }


def _override(told: Explained, override: Override) -> dict[str, Any]:
    edit = override.added_by_edit
    body = {
        "id": override.pk,
        "description": override_words(told, override),
        "edited_at": format_instant(edit.created_at),
    }
    if told.is_for_customer:
        return body
    return body | {"edit_number": edit.number, "edited_by": edit.created_by, "edit_reason": edit.reason}


def _turn(told: Explained, turn: Turn) -> dict[str, Any]:
    balance = turn.balance
    return {
        "commit_id": balance.commit.id,
        "commit_segment_id": balance.segment.id,
        "name": balance_name(told, balance),
        "type": balance.commit.type,
        "priority": balance.commit.priority,
        "pays": turn.pays,
        "before_the_next_by": turn.rule or None,
    }


def behind_json(behind: Behind) -> dict[str, Any]:
    event = behind.event
    return {
        "subject": event.subject,
        "transaction_id": event.transaction_id,
        "event_type": event.event_type,
        "timestamp": format_instant(event.timestamp),
        "received_at": format_instant(event.received_at),
        "properties": event.properties,
        "correction": event.correction,
        "quantity": behind.quantity,
        "metric_quantity": behind.metric_quantity,
    }


def movement_json(movement: Movement) -> dict[str, Any]:
    """A ledger entry. The fields that its type requires are there, or the client would take it for another type."""
    body: dict[str, Any] = {
        "type": movement.type,
        "amount": movement.amount,
        "timestamp": format_instant(movement.timestamp),
        "segment_id": movement.segment_id,
        "invoice_id": movement.invoice_id,
        "contract_id": movement.contract_id,
        "new_contract_id": movement.new_contract_id,
        "reason": movement.reason or None,
    }
    return {name: value for name, value in body.items() if value is not None}


def line_json(line: ShownLine) -> dict[str, Any]:
    body: dict[str, Any] = {"type": line.type, "name": line.name, "total": line.total, **line.fields}
    body |= {name: Decimal(line.fields[name]) for name in KEPT_AS_TEXT if name in line.fields}
    if line.quantity is not None:
        body["quantity"] = line.quantity
    if line.unit_price is not None:
        body["unit_price"] = line.unit_price
    if line.period is not None:
        body["starting_at"] = format_instant(line.period.starting_at)
        body["ending_before"] = _end(line.period.ending_before)
    return body


def part_json(part: ShownPart) -> dict[str, Any]:
    return {
        "starting_at": format_instant(part.period.starting_at),
        "ending_before": _end(part.period.ending_before),
        "billable_metric_id": part.metric_id,
        "metric_quantity": part.metric_quantity,
        "quantity": part.quantity,
        "amount": part.amount,
        "unit_price": part.unit_price,
        "list_price": part.list_price,
        "list_amount": part.list_amount,
        "rate_type": part.rate_type,
        "rate_charged": part.charged,
        "units_above": part.above,
        "units_up_to": part.upto,
        "tier": None if part.level is None else _level(part.level),
        "flat_fee": part.fee,
        "package_size": part.package_size,
        "period_quantity": part.period_quantity,
        "rate_id": part.rate_id,
        "publication": part.publication,
        "published_by": part.published_by,
        "override_id": part.override_id,
        "commit_segment_id": part.segment_id,
    }


def _level(level: Level) -> dict[str, Any]:
    return {"level": level.number, "starting_at": level.above, "size": level.size}


def finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "blocking": finding.blocking,
        "message": finding.message,
        "starting_at": format_instant(finding.period.starting_at),
        "ending_before": _end(finding.period.ending_before),
        "product_id": finding.product_id,
        "group_values": dict(finding.values),
        "quantity": finding.quantity,
    }


def _lines(lines: Sequence[ShownLine], skip_zero_quantities: bool) -> list[Mapping[str, Any]]:
    return [line_json(line) for line in lines if not (skip_zero_quantities and line.quantity == Decimal(0))]


def _end(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)
