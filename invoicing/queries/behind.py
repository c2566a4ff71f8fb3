"""The events behind a line of usage, each with its part; the parts add up to what was metered for the line.

A product's units of a period lie one after the other on its counter, whoever pays and in whichever tier: each part of
a line has a stretch of it. Events move along the counter in order of time, and an event's part is how far it moves
within the stretches of the line. So an event that crosses from one tier into the next is on both lines, with a part on
each, and one that takes units back gives them back to the line that they were on.

    events      counter       line of tier 1, 0 to 100    line of tier 2, 100 to 130
    90          0 to 90       90
    40          90 to 130     10                          30

A line that adjusts a closed period has the differences: what the events are now, as far as its document saw them, less
what they were when the period was billed last. Where these units only changed payer, no event is behind it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate, pairwise
from uuid import UUID

from billing_site.foundation import cursors
from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import Period, parse_instant
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from invoicing.models import Invoice
from invoicing.queries.explained import Explained, explained_document
from invoicing.queries.finals import final_documents
from invoicing.queries.lateness import last_seen
from invoicing.queries.shown import ShownLine
from invoicing.queries.traces import ShownPart
from ledger.queries.bodies import dropped_since
from ledger.queries.contributions import Contribution, Sought, contributions
from ledger.queries.counting import StoredEvent

ZERO, ENDLESS = Decimal(0), Decimal("Infinity")
OF_AN_ITEM = ("product_id", "pricing_group_values", "presentation_group_values", "adjustment")


@dataclass(frozen=True, slots=True)
class Behind:
    """`quantity` is the event's part of the line, `metric_quantity` its part of all lines that share what was metered;
    below zero where it was taken back."""

    event: StoredEvent
    quantity: Decimal
    metric_quantity: Decimal


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a page ended: the last event, and where the counter stood after it."""

    segment: int
    timestamp: datetime
    transaction_id: str
    subject: str
    counter: Decimal


@dataclass(frozen=True, slots=True)
class EventsPage:
    """`metric_quantity` is what all events behind the line come to. Bodies of events that were received in the months
    of `dropped` are gone, and the events are not listed."""

    events: tuple[Behind, ...]
    metric_quantity: Decimal
    dropped: tuple[date, ...]
    last: Spot | None


@dataclass(frozen=True, slots=True)
class _Segment:
    """What is counted on one counter; `stretches` are those of the line. Of a difference, `before` is what was seen
    when the period was billed last, and events count `within` a slice."""

    sought: Sought
    stretches: tuple[tuple[Decimal, Decimal], ...]
    seen: str | None
    before: str | None = None
    within: Period | None = None


def events_behind(
    customer_id: UUID, document_id: UUID, line_item: int, *, at: datetime, limit: int, after: Spot | None = None
) -> EventsPage:
    """A page of the events behind the line at a place of the document, the first at 0. Of what is additive a page reads
    the events of its days, of other metrics those of the period. Raises NotFound, and Refusal where there is no such
    line."""
    with read_snapshot():
        told = explained_document(customer_id, document_id, at=at)
        lines = told.document.lines
        if not 0 <= line_item < len(lines):
            raise Refusal.of("line_item", line_item, f"must be the place of a line, from 0 to {len(lines) - 1}")
        line = lines[line_item]
        segments = list(_segments(told, line, at=at))
        found: list[Behind] = []
        last = None
        for spot, behind in _listed(segments, after):
            if len(found) == limit:
                break
            found.append(behind)
            last = spot
        else:
            last = None
        first = min((each.starting_at for one in segments for each in one.sought.periods), default=None)
        return EventsPage(
            events=tuple(found),
            metric_quantity=exact_sum([part.metric_quantity for part in line.parts]),
            dropped=() if first is None else tuple(dropped_since(first.date())),
            last=last,
        )


def _segments(told: Explained, line: ShownLine, *, at: datetime) -> Iterator[_Segment]:
    if told.document.kind not in (Invoice.Kind.USAGE, Invoice.Kind.ADJUSTMENT) or line.type != "usage":
        return
    item = [
        (other is line, part)
        for other in told.document.lines
        if other.type == "usage" and all(other.fields.get(name) == line.fields.get(name) for name in OF_AN_ITEM)
        for part in other.parts
        if part.metric_id is not None
    ]
    seen, before = _seen(told, line)
    at = told.document.finalized_at or at
    if "adjustment" not in line.fields:
        item.sort(key=lambda each: (each[1].period.starting_at, each[1].above, each[1].upto))
        for metric_id in dict.fromkeys(part.metric_id for _, part in item):
            parts = [each for each in item if each[1].metric_id == metric_id]
            periods = [part.period for _, part in parts]
            yield _Segment(_sought(told, parts[0][1], periods, at), _stretches(parts), seen)
        return
    about = line.fields["adjustment"]
    if "billed_on_invoice_number" in about:
        return  # what another document has billed, taken off as it was printed
    whole = Period(parse_instant(about["starting_at"]), parse_instant(about["ending_before"]))
    for metric_id, period in dict.fromkeys((part.metric_id, part.period) for _, part in item):
        parts = [each for each in item if (each[1].metric_id, each[1].period) == (metric_id, period)]
        sought = _sought(told, parts[0][1], [period], at)
        if not sought.is_additive and sought.metric.aggregation_type != "WEIGHTED_SUM":
            sought = _sought(told, parts[0][1], [whole], at)
        yield _Segment(sought, _stretches(parts), seen, before, period)


def _sought(told: Explained, part: ShownPart, periods: Sequence[Period], at: datetime) -> Sought:
    assert part.metric_id is not None
    contract = next(each for each in told.terms.contracts if each.id == told.document.contract_id)
    return Sought(
        metric=told.metrics[part.metric_id],
        values=part.group_values,
        periods=_together(periods),
        claims=told.terms.claims,
        takes=contract.takes,
        at=at,
    )


def _together(periods: Sequence[Period]) -> list[Period]:
    """The same time, no hour of it twice."""
    found: list[Period] = []
    for period in sorted(periods, key=lambda each: each.starting_at):
        end = found[-1].ending_before if found else None
        if end is not None and period.starting_at <= end:
            assert period.ending_before is not None
            found[-1] = Period(found[-1].starting_at, max(end, period.ending_before))
        else:
            found.append(period)
    return found


def _stretches(parts: Sequence[tuple[bool, ShownPart]]) -> tuple[tuple[Decimal, Decimal], ...]:
    """Where the line's parts lie on the counter. On its way it may come before the first part of all, or behind the
    last, where something is taken back: that belongs to this part, too."""
    ends = [ZERO, *accumulate((part.metric_quantity for _, part in parts), lambda one, other: exact_sum([one, other]))]
    if ends == sorted(ends):
        ends[0], ends[-1] = -ENDLESS, ENDLESS
    elif ends == sorted(ends, reverse=True):
        ends[0], ends[-1] = ENDLESS, -ENDLESS
    return tuple(ends_of for ends_of, (is_of_line, _) in zip(pairwise(ends), parts, strict=True) if is_of_line)


def _seen(told: Explained, line: ShownLine) -> tuple[str | None, str | None]:
    """What the document saw (a draft: everything), and what was seen when a period that it adjusts was billed last."""
    shown = told.document
    final = Invoice.objects.filter(pk=shown.id).only("snapshot", "money_version").first() if shown.number else None
    seen = None if final is None else final.snapshot
    if "adjustment" not in line.fields:
        return seen, None
    finals = final_documents(shown.customer_id, before=None if final is None else final.money_version)
    adjusted = {each.pk: each.snapshot for each in finals.documents}[UUID(line.fields["adjustment"]["invoice_id"])]
    return seen, last_seen(finals).get(shown.contract_id, adjusted)


def _listed(segments: Sequence[_Segment], after: Spot | None) -> Iterator[tuple[Spot, Behind]]:
    for number, segment in enumerate(segments):
        if after is not None and number < after.segment:
            continue
        resumed = after if after is not None and number == after.segment else None
        is_quick = resumed is not None and segment.sought.is_additive
        counter = resumed.counter if resumed is not None and is_quick else ZERO
        since = resumed.timestamp if resumed is not None and is_quick else None
        for each in _in_order(segment, since):
            is_before = resumed is not None and each.place <= _place(resumed)
            if is_before and is_quick:
                continue
            start, counter = counter, exact_sum([counter, each.quantity])
            part = _within(segment.stretches, start, counter)
            if part and not is_before:
                yield Spot(number, *each.place, counter), Behind(each.event, part, each.quantity)


def _place(spot: Spot) -> tuple[datetime, str, str]:
    return spot.timestamp, spot.transaction_id, spot.subject


def _in_order(segment: _Segment, since: datetime | None) -> Iterator[Contribution]:
    if segment.before is None:
        for some in contributions(segment.sought, snapshot=segment.seen, since=since):
            yield from some
        return
    now = contributions(segment.sought, snapshot=segment.seen, since=since, is_by_day=True)
    before = contributions(segment.sought, snapshot=segment.before, since=since, is_by_day=True)
    for is_now, was in zip(now, before, strict=True):
        for each in _differences(is_now, was):
            is_level = segment.sought.metric.aggregation_type == "WEIGHTED_SUM"
            if is_level or segment.within is None or each.event.timestamp in segment.within:
                yield each


def _differences(now: Sequence[Contribution], before: Sequence[Contribution]) -> list[Contribution]:
    """What each event counts more or less than before."""
    held = {(each.event.subject, each.event.transaction_id): each for each in before}
    found = []
    for each in now:
        was = held.pop((each.event.subject, each.event.transaction_id), None)
        more = each.quantity if was is None else exact_sum([each.quantity, -was.quantity])
        found.append(Contribution(each.event, more))
    found += [Contribution(each.event, -each.quantity) for each in held.values()]
    return sorted((each for each in found if each.quantity), key=lambda each: each.place)


def _within(stretches: Sequence[tuple[Decimal, Decimal]], start: Decimal, end: Decimal) -> Decimal:
    """How far the counter moved within the stretches; below zero where it went back."""
    low, high = min(start, end), max(start, end)
    moved = [
        exact_sum([top, -bottom])
        for one, other in stretches
        if (top := min(high, max(one, other))) > (bottom := max(low, min(one, other)))
    ]
    return exact_sum(moved) if end > start else -exact_sum(moved)


def spot_of(cursor: str, field: str = "next_page") -> Spot | None:
    """Where the page that `cursor_of` was made of ended; None for none. Raises Refusal naming `field`."""
    if not cursor:
        return None
    try:
        segment, timestamp, transaction_id, subject, counter = cursors.decode(cursor, length=5, field=field)
        return Spot(int(segment), parse_instant(timestamp), str(transaction_id), str(subject), Decimal(counter))
    except (ValueError, TypeError, ArithmeticError) as error:
        raise cursors.foreign(cursor, field) from error


def cursor_of(page: EventsPage) -> str | None:
    """Where the next page begins; None after the last."""
    return None if page.last is None else cursors.encode(*astuple(page.last))
