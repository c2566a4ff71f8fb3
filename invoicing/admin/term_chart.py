"""A contract's terms as one picture over time: where bars and marks go, and what there is no room for. Values only.

**The span.** From the contract's start, or from 12 months before the present where that is later; of a contract that
has ended before its end counts as the present, and one that has not begun is shown from today on. Up to the contract's
end; of one without an end up to 12 months after the present or its start, or a month after the last change to come,
whichever is latest. Never more than ten years ahead.

**What is left out.** What lies outside of the span; of each group all but MOST_ROWS rows, of each row all but
MOST_PIECES pieces: those nearest to the present stay, in the order in which they were given.

**Worked table.** A contract of all of 2026, seen on 2 July, when 182 of its 365 days have passed:

    agreed                               x       width    standing
    1 January up to 1 July               0.00    49.59    past
    1 January, without end               0.00    100.00   in force, goes on
    1 May 2024, without end              0.00    100.00   in force, from before, goes on
    1 October, without end               74.79   25.21    to come, goes on
    2 July alone                         49.86   1.00     in force; no bar is thinner than that
    31 December alone                    99.00   1.00     to come
    a charge on 31 December              99.73            to come
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from billing_site.foundation.money import round_to
from billing_site.foundation.periods import DAY, Period, add_months, earliest, floor_day

YEAR = 12  # months
MOST_AHEAD = 10 * YEAR
MOST_ROWS = 8
MOST_PIECES = 24
MOST_TICKS = 3
TICK_STEPS = (1, 3, 6, 12, 24, 60)  # months
THINNEST = Decimal("1.00")  # percent
PLACES = Decimal("0.01")
MICROSECOND = timedelta(microseconds=1)

PAST, IN_FORCE, TO_COME = "past", "in force", "to come"


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that holds over a time, or falls on an instant. `told` says what, in a few words; a long card may have
    thousands, so that only those are asked which are drawn."""

    when: Period | datetime
    told: Callable[[], str] = str

    @property
    def starting_at(self) -> datetime:
        return self.when.starting_at if isinstance(self.when, Period) else self.when

    @property
    def ending_before(self) -> datetime | None:
        return self.when.ending_before if isinstance(self.when, Period) else self.when

    def standing(self, at: datetime) -> str:
        if self.starting_at > at:
            return TO_COME
        return PAST if self.ending_before is not None and self.ending_before <= at else IN_FORCE

    def is_within(self, span: Period) -> bool:
        if isinstance(self.when, Period):
            return self.when.overlap(span) is not None
        return self.when in span or self.when == span.ending_before

    def distance(self, at: datetime) -> tuple[timedelta, timedelta]:
        """How far from the present it is; of several in force, the one that began last is nearest."""
        standing, start, end = self.standing(at), self.starting_at, self.ending_before
        if standing == TO_COME:
            return start - at, timedelta(0)
        return (at - end if end is not None and standing == PAST else timedelta(0)), at - start


@dataclass(frozen=True, slots=True)
class Row:
    kind: str
    name: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A piece in percent of the span. A mark has no width."""

    piece: Piece
    amount: str
    x: Decimal
    width: Decimal | None
    standing: str
    is_from_before: bool
    goes_on: bool


@dataclass(frozen=True, slots=True)
class DrawnRow:
    row: Row
    drawn: tuple[Drawn, ...]
    left_out: int  # pieces


@dataclass(frozen=True, slots=True)
class DrawnGroup:
    title: str
    rows: tuple[DrawnRow, ...]
    left_out: int  # rows


@dataclass(frozen=True, slots=True)
class Picture:
    """`now` is where the present stands, None where it is not in the span; `ticks` are firsts of months."""

    span: Period
    now: Decimal | None
    ticks: tuple[tuple[datetime, Decimal], ...]
    groups: tuple[DrawnGroup, ...]


def picture_of(groups: Sequence[Group], term: Period, at: datetime) -> Picture:
    """`term` is the contract's. Groups of which nothing is to be said are left out."""
    span = _span(term, at, [piece for group in groups for row in group.rows for piece in row.pieces])
    drawn = (_group(group, span, at) for group in groups if group.rows)
    return Picture(
        span=span,
        now=_percent(at, span) if at in span else None,
        ticks=tuple((tick, _percent(tick, span)) for tick in _ticks(span)),
        groups=tuple(drawn),
    )


def _span(term: Period, at: datetime, pieces: Iterable[Piece]) -> Period:
    today = floor_day(at)
    present = earliest(today, term.ending_before) or today
    start = today if term.starting_at > today else max(term.starting_at, add_months(present, -YEAR))
    end = term.ending_before
    if end is None:
        changes = [each for piece in pieces for each in (piece.starting_at, piece.ending_before) if each is not None]
        last = max(changes, default=present)
        end = max(add_months(max(term.starting_at, today), YEAR), _a_month_later(last, today))
    return Period(start, min(end, add_months(today, MOST_AHEAD)))


def _a_month_later(instant: datetime, today: datetime) -> datetime:
    farthest = add_months(today, MOST_AHEAD)
    return farthest if instant >= farthest else add_months(instant, 1)


def _group(group: Group, span: Period, at: datetime) -> DrawnGroup:
    rows = [row for row in group.rows if any(piece.is_within(span) for piece in row.pieces)]
    nearest = sorted(rows, key=lambda row: min(each.distance(at) for each in row.pieces if each.is_within(span)))
    kept = {id(row) for row in nearest[:MOST_ROWS]}
    shown = tuple(_row(row, span, at) for row in rows if id(row) in kept)
    return DrawnGroup(group.title, shown, len(group.rows) - len(shown))


def _row(row: Row, span: Period, at: datetime) -> DrawnRow:
    pieces = [piece for piece in row.pieces if piece.is_within(span)]
    nearest = sorted(pieces, key=lambda piece: piece.distance(at))[:MOST_PIECES]
    shown = sorted(nearest, key=lambda piece: piece.starting_at)
    return DrawnRow(row, tuple(_drawn(piece, span, at) for piece in shown), len(row.pieces) - len(shown))


def _drawn(piece: Piece, span: Period, at: datetime) -> Drawn:
    x = _percent(piece.starting_at, span)
    if not isinstance(piece.when, Period):
        return Drawn(piece, piece.told(), x, None, piece.standing(at), is_from_before=False, goes_on=False)
    assert span.ending_before is not None
    end = piece.ending_before or span.ending_before
    width = max(_percent(end, span) - x, THINNEST)
    return Drawn(
        piece,
        piece.told(),
        x=min(x, 100 - width),
        width=width,
        standing=piece.standing(at),
        is_from_before=piece.starting_at < span.starting_at,
        goes_on=piece.ending_before is None or piece.ending_before > span.ending_before,
    )


def _percent(instant: datetime, span: Period) -> Decimal:
    """Within 0 and 100."""
    assert span.ending_before is not None
    inside = min(max(instant, span.starting_at), span.ending_before)
    whole = (span.ending_before - span.starting_at) // MICROSECOND
    return round_to(Fraction((inside - span.starting_at) // MICROSECOND * 100, whole), PLACES)


def _ticks(span: Period) -> list[datetime]:
    """Firsts of months within the span, evenly, no more than there is room for."""
    found: list[datetime] = []
    for step in TICK_STEPS:
        found = list(_firsts(span, step))
        if len(found) <= MOST_TICKS:
            break
    return found


def _firsts(span: Period, step: int) -> Iterator[datetime]:
    first = floor_day(span.starting_at + DAY).replace(day=1)
    assert span.ending_before is not None
    while first < span.ending_before:
        if first > span.starting_at and (first.year * YEAR + first.month - 1) % step == 0:
            yield first
        first = add_months(first, 1)
