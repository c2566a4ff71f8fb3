"""The picture of a contract's terms in finished words: bars and marks with their labels, and the table that says the
same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from billing_site.foundation.display import day_text, instant_text, month_text, period_text
from billing_site.foundation.periods import Period
from invoicing.admin.term_chart import TO_COME, Drawn, DrawnGroup, DrawnRow, Group, Picture, picture_of
from invoicing.admin.term_rows import PRICES
from invoicing.portal.words import last_day

NARROW, WIDE = 280, 560  # pixels that a plot has at least; house.css asks the same
LETTER, PADDING = 7, 14  # pixels
LABELLED = (13, 87)  # percent: nearer to an edge the name of a month has no room
WITHOUT_END = "without end"


@dataclass(frozen=True, slots=True)
class Label:
    """An amount on a bar, beside the line of the present; `fits` says how wide the plot must be for it."""

    text: str
    x: str
    width: str
    fits: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar, or a mark where it has no width."""

    x: str
    width: str
    style: str
    is_from_before: bool
    goes_on: bool
    label: Label | None  # where there is room
    title: str


@dataclass(frozen=True, slots=True)
class ChartRow:
    name: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class ChartGroup:
    title: str
    rows: tuple[ChartRow, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How much more there is of what, and where: on the rate card or in the contract's record."""

    text: str
    is_of_card: bool


@dataclass(frozen=True, slots=True)
class TwinRow:
    kind: str
    name: str
    amount: str
    start: str
    end: str
    standing: str


@dataclass(frozen=True, slots=True)
class TermPicture:
    """`ticks` are where lines go, and what is written there, which may be nothing."""

    summary: str
    now: str
    today: str
    first: str
    last: str
    ticks: tuple[tuple[str, str], ...]
    groups: tuple[ChartGroup, ...]
    left_out: tuple[LeftOut, ...]
    twin: tuple[TwinRow, ...]

    @classmethod
    def of(cls, groups: Sequence[Group], term: Period, at: datetime) -> "TermPicture":
        picture = picture_of(groups, term, at)
        assert picture.span.ending_before is not None
        low, high = LABELLED
        return cls(
            summary=_summary(picture, groups, at),
            now="" if picture.now is None else f"{picture.now}",
            today=instant_text(at),
            first=day_text(picture.span.starting_at),
            last=last_day(picture.span.ending_before),
            ticks=tuple((f"{x}", month_text(tick) if low <= x <= high else "") for tick, x in picture.ticks),
            groups=tuple(_group(group, picture.now) for group in picture.groups if group.rows),
            left_out=tuple(each for group in picture.groups for each in _left_out(group)),
            twin=tuple(_twin(row, drawn) for group in picture.groups for row in group.rows for drawn in row.drawn),
        )


def _summary(picture: Picture, groups: Sequence[Group], at: datetime) -> str:
    """What a reader who does not see the picture is told of it; the table beside says each. What comes next is told
    whether there was room for it or not."""
    counts = "; ".join(f"{group.title}: {len(group.rows) + group.left_out}" for group in picture.groups)
    text = f"Terms over time, {period_text(picture.span)}; today is {instant_text(at)}. {counts}."
    pieces = [(row, piece) for group in groups for row in group.rows for piece in row.pieces]
    coming = [(row, piece) for row, piece in pieces if piece.standing(at) == TO_COME]
    if not coming:
        return f"{text} Nothing is to begin."
    row, piece = min(coming, key=lambda found: found[1].starting_at)
    said = " ".join(filter(None, [row.kind, row.name, piece.told()]))
    return f"{text} Next: {said}, {day_text(piece.starting_at)}."


def _group(group: DrawnGroup, now: Decimal | None) -> ChartGroup:
    rows = (ChartRow(row.row.name, tuple(_mark(row, drawn, now) for drawn in row.drawn)) for row in group.rows)
    return ChartGroup(group.title, tuple(rows))


def _left_out(group: DrawnGroup) -> Iterator[LeftOut]:
    of_rows = [(row.row.name, row.left_out) for row in group.rows]
    for name, count in [(group.title, group.left_out), *of_rows]:
        if count:
            yield LeftOut(f"{name}: {count:,} more", is_of_card=group.title == PRICES)


def _mark(row: DrawnRow, drawn: Drawn, now: Decimal | None) -> Mark:
    amount = drawn.amount
    said = " ".join(filter(None, [row.row.name, amount, _when(drawn)]))
    return Mark(
        x=f"{drawn.x}",
        width="" if drawn.width is None else f"{drawn.width}",
        style=f"is-{drawn.standing.replace(' ', '-')}",
        is_from_before=drawn.is_from_before,
        goes_on=drawn.goes_on,
        label=_label(drawn, now),
        title=f"{said}: {drawn.standing}",
    )


def _label(drawn: Drawn, now: Decimal | None) -> Label | None:
    """Where the whole amount has room before the line of the present, or behind it: a cut one would be another one."""
    if drawn.width is None or not drawn.amount:
        return None
    start, end = drawn.x, drawn.x + drawn.width
    cuts = [start, now, end] if now is not None and start < now < end else [start, end]
    needed = (len(drawn.amount) * LETTER + PADDING) * 100
    for fits, pixels in (("fits-narrow", NARROW), ("fits-wide", WIDE)):
        for left, right in pairwise(cuts):
            if needed <= (right - left) * pixels:
                return Label(drawn.amount, f"{left}", f"{right - left}", fits)
    return None


def _when(drawn: Drawn) -> str:
    when = drawn.piece.when
    return period_text(when) if isinstance(when, Period) else day_text(when)


def _twin(row: DrawnRow, drawn: Drawn) -> TwinRow:
    piece = drawn.piece
    end = ""
    if isinstance(piece.when, Period):
        end = WITHOUT_END if piece.ending_before is None else last_day(piece.ending_before)
    return TwinRow(
        kind=row.row.kind,
        name=row.row.name,
        amount=drawn.amount,
        start=day_text(piece.starting_at),
        end=end,
        standing=drawn.standing,
    )
