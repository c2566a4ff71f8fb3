"""Why a line is what it is, in finished words."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from billing_site.foundation.display import amount_text, day_text, exact_text, period_text, quantity_text
from billing_site.foundation.money import exact_sum
from invoicing.explanation import document_sentences, line_sentences, part_sentences
from invoicing.queries.explained import Explained, ExplainedRow
from invoicing.queries.shown import ShownLine
from invoicing.queries.traces import ShownPart
from invoicing.wording import arithmetic_text

# Where the events are that a part of a line was measured by, by what the link says.
EventsOf = Callable[[Explained, ShownLine, ShownPart], Iterable[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class PartCard:
    """One decision: the arithmetic, and the sentences behind it."""

    when: str
    arithmetic: str
    amount: str
    reasons: tuple[str, ...]
    events: tuple[tuple[str, str], ...] = ()  # where the events behind it are


@dataclass(frozen=True, slots=True)
class WhyCard:
    title: str
    document: str
    total: str
    exact: str
    metered: tuple[str, ...]  # how the quantity came about
    rounded: tuple[str, ...]
    parts: tuple[PartCard, ...]

    @classmethod
    def of(cls, row: ExplainedRow, events_of: EventsOf = lambda told, line, part: ()) -> "WhyCard":
        told = row.explained
        shown, unit = told.document, told.unit(row.lines[0])
        total = exact_sum([line.total for line in row.lines])
        name = f"Invoice {shown.number}" if shown.number else "Draft"
        name += f", {period_text(shown.period)}" if shown.period else f", due {day_text(shown.issued_at)}"
        exact = exact_text(total, unit)
        with_parts = [line for line in row.lines if line.parts]
        return cls(
            title=row.lines[0].name,
            document=name,
            total=amount_text(total, unit),
            exact="" if exact == amount_text(total, unit) else exact,
            metered=tuple(line_sentences(told, *with_parts)) if with_parts else (),
            rounded=tuple(document_sentences(told)),
            parts=tuple(_part(told, line, part, events_of) for line in with_parts for part in line.parts)
            or tuple(_whole(told, line) for line in row.lines),
        )


def _part(told: Explained, line: ShownLine, part: ShownPart, events_of: EventsOf) -> PartCard:
    return PartCard(
        when=period_text(part.period),
        arithmetic=arithmetic_text(part, told.unit(line)),
        amount=exact_text(part.amount, told.unit(line)),
        reasons=tuple(part_sentences(told, line, part)),
        events=tuple(events_of(told, line, part)),
    )


def _whole(told: Explained, line: ShownLine) -> PartCard:
    """Of a line that no usage stands behind."""
    unit, arithmetic = told.unit(line), ""
    if line.quantity is not None and line.unit_price is not None:
        arithmetic = f"{quantity_text(line.quantity)} × {exact_text(line.unit_price, unit)}"
    return PartCard(
        when=period_text(line.period) if line.period else "",
        arithmetic=arithmetic,
        amount=exact_text(line.total, unit),
        reasons=tuple(line_sentences(told, line)),
    )
