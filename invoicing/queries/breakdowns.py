"""Usage documents cut into days or hours, so that the pieces of a document add up to it exactly."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import QUANTUM, exact_sum, round_to
from billing_site.foundation.periods import DAY, HOUR, Period, floor_day, floor_hour
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from invoicing.engine.inputs import Inputs
from invoicing.queries.compute import computation
from invoicing.queries.documents import Filters, final_heads, finals_by_id, head_of, shown_drafts
from invoicing.queries.shown import ShownDocument, ShownLine
from invoicing.queries.spread import Asked, Share, shares
from invoicing.queries.traces import ShownPart

SPAN_OF_A_PAGE = {DAY: 35 * DAY, HOUR: 24 * HOUR}


@dataclass(frozen=True, slots=True)
class Piece:
    """What of `document` falls into `window`; `lines` have the window's quantities and totals."""

    document: ShownDocument
    window: Period
    lines: tuple[ShownLine, ...]
    total: Decimal


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a piece stands in the list."""

    starting_at: datetime
    document_id: UUID


def breakdowns_page(
    customer_id: UUID,
    wanted: Filters,
    window_size: timedelta,
    *,
    starting_on: datetime,
    ending_before: datetime,
    at: datetime,
    limit: int,
    after: Spot | None = None,
    newest_first: bool = False,
    as_of: datetime | None = None,
) -> tuple[list[Piece], Spot | None]:
    """Pieces of usage documents, by window, whose windows lie within the bounds; and where the page ends if another
    follows. A page spans 35 days, or 24 hours where windows are hours. `wanted` names no dates. `as_of` as in
    `documents`. Raises NotFound, and Refusal where `as_of` is later than `at`.
    """
    with read_snapshot():
        computed = computation(customer_id, at=at, as_of=as_of)
        drafts = {draft.id: draft for draft in shown_drafts(computed, Customer.objects.get(pk=customer_id))}
        heads = [head_of(draft) for draft in drafts.values()] + final_heads(customer_id, as_of=as_of)
        periods = {head.id: head.period for head in heads if head.passes(wanted) and head.period is not None}
        spots = sorted(
            (
                Spot(window.starting_at, document_id)
                for document_id, period in periods.items()
                for window in _windows(period, window_size)
                if window.starting_at >= starting_on and _end(window) <= ending_before
            ),
            key=_order,
            reverse=newest_first,
        )
        if after is not None:
            spots = [spot for spot in spots if spot != after and (_order(spot) < _order(after)) == newest_first]
        page = _page(spots, window_size, limit)
        documents = finals_by_id(customer_id, {spot.document_id for spot in page} - set(drafts)) | drafts
        pieces: dict[Spot, Piece] = {}
        for document_id in {spot.document_id for spot in page}:
            starts = {spot.starting_at for spot in page if spot.document_id == document_id}
            windows = [w for w in _windows(periods[document_id], window_size) if w.starting_at in starts]
            for piece in pieces_of(documents[document_id], windows, computed.inputs):
                pieces[Spot(piece.window.starting_at, document_id)] = piece
    shown = [pieces[spot] for spot in page if spot.starting_at <= at or _has_something(pieces[spot])]
    return shown, page[-1] if len(page) < len(spots) else None


def _page(spots: Sequence[Spot], window_size: timedelta, limit: int) -> list[Spot]:
    span = SPAN_OF_A_PAGE[window_size]
    return [spot for spot in spots[:limit] if abs(spot.starting_at - spots[0].starting_at) < span]


def pieces_of(document: ShownDocument, windows: Sequence[Period], inputs: Inputs) -> Iterator[Piece]:
    """What falls into each window. One query."""
    instants = sorted({instant for window in windows for instant in (window.starting_at, _end(window))})
    document = replace(document, lines=_with_fees_at_the_end(document))
    parts = _parts_by_line(document.lines)
    [by_part] = shares([Asked.of(document, tuple(instants), inputs)], inputs)
    quantities = [
        _progress(line.quantity, [(part.quantity, by_part[part]) for part in of_line], line, instants)
        for line, of_line in zip(document.lines, parts, strict=True)
    ]
    totals = [
        _progress(line.total, [(part.amount, by_part[part]) for part in of_line], line, instants)
        for line, of_line in zip(document.lines, parts, strict=True)
    ]
    for window in windows:
        start, end = window.starting_at, _end(window)
        adjustments = _adjustments(document) if document.period and start == document.period.starting_at else ()
        lines = tuple(
            replace(
                line,
                quantity=None if line.quantity is None else quantity[end] - quantity[start],
                total=total[end] - total[start],
                period=line.period.overlap(window) if line.period else None,
            )
            for line, quantity, total in zip(document.lines, quantities, totals, strict=True)
            if "adjustment" not in line.fields and (line.period is None or line.period.overlap(window))
        )
        counted = [line.total for line in (*lines, *adjustments) if line.counts]
        yield Piece(document, window, (*lines, *adjustments), exact_sum(counted))


def _with_fees_at_the_end(document: ShownDocument) -> tuple[ShownLine, ...]:
    """Fees of subscriptions, what pays them, and scheduled amounts are where they are collected: in the document's last
    hour."""
    if document.period is None or document.period.ending_before is None:
        return document.lines
    end = document.period.ending_before
    return tuple(
        replace(line, period=Period(end - HOUR, end), parts=())
        if is_of_fee or "scheduled_item_id" in line.fields
        else line
        for line, is_of_fee in with_fees_marked(document.lines)
    )


def with_fees_marked(lines: Iterable[ShownLine]) -> Iterator[tuple[ShownLine, bool]]:
    """Each line, and whether it is a fee of a subscription or what pays one."""
    is_of_fee = False
    for line in lines:
        is_of_fee = line.type == "subscription" or (is_of_fee and line.type == "applied_commit_or_credit")
        yield line, is_of_fee


def _adjustments(document: ShownDocument) -> tuple[ShownLine, ...]:
    """What the document says of periods before its own: all of it is at its beginning."""
    return tuple(line for line in document.lines if "adjustment" in line.fields)


def _parts_by_line(lines: Sequence[ShownLine]) -> list[tuple[ShownPart, ...]]:
    """The parts of each line; an applied balance has those of the line before it, which it pays for. What is converted
    came about as the usage in that unit did, whoever pays."""
    converted: dict[str, list[ShownPart]] = defaultdict(list)
    for line in lines:
        if line.type == "usage":
            converted[str(line.unit_id)] += line.parts
    parts: list[tuple[ShownPart, ...]] = []
    for line in lines:
        if line.type == "applied_commit_or_credit" and parts:
            parts.append(parts[-1])
        elif line.type == "cpu_conversion":
            parts.append(tuple(converted[line.fields["converted_credit_type_id"]]))
        else:
            parts.append(line.parts)
    return parts


def _progress(
    whole: Decimal | None, parts: Sequence[tuple[Decimal, Share]], line: ShownLine, instants: Sequence[datetime]
) -> dict[datetime, Decimal]:
    """How much of `whole` had come about by each instant, in proportion to its parts, to the line quantum."""
    weight = sum((Fraction(size) for size, _ in parts), Fraction(0))
    progress: dict[datetime, Decimal] = {}
    for instant in instants:
        if weight:
            done = sum((Fraction(size) * share[instant] for size, share in parts), Fraction(0)) / weight
        else:
            done = Fraction(line.period is None or instant > line.period.starting_at)
        progress[instant] = round_to(Fraction(whole or 0) * done, QUANTUM)
    return progress


def _windows(period: Period, size: timedelta) -> Iterator[Period]:
    """The UTC days or hours of a closed period; the first and the last may be short."""
    start = period.starting_at
    while start < _end(period):
        boundary = (floor_day(start) if size == DAY else floor_hour(start)) + size
        yield Period(start, min(boundary, _end(period)))
        start = boundary


def _end(period: Period) -> datetime:
    assert period.ending_before is not None
    return period.ending_before


def _order(spot: Spot) -> tuple[datetime, UUID]:
    return spot.starting_at, spot.document_id


def _has_something(piece: Piece) -> bool:
    return any(line.total or line.quantity for line in piece.lines)
