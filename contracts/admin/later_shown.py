"""The prices that begin later than those that are published, in finished words, each with whether it stays."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from billing_site.foundation.display import count_text, day_text
from contracts.forms.later_prices import OF_ALL, OF_ONE, LaterAnswers
from pricing.services import LaterPrice, PlannedPrice
from pricing.wording import charge_text, key_text

ROWS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class LaterRow:
    rate_id: UUID
    name: str
    values: str
    when: str
    price: str
    field: str
    answer: str


@dataclass(frozen=True, slots=True)
class ShownLater:
    """The question; `field` is the one that answers for all of them. `more` are not listed: only all answers them."""

    rows: tuple[LaterRow, ...]
    field: str
    of_all: str
    says: str
    more: str
    is_answered: bool

    @classmethod
    def of(cls, found: Iterable[LaterRow], answers: LaterAnswers) -> "ShownLater | None":
        rows = tuple(found)
        if not rows:
            return None
        more = len(rows) - ROWS_SHOWN
        says = (
            "A price that is already published begins later and replaces the new one then: keep or withdraw it?"
            if len(rows) == 1
            else f"{len(rows):,} prices that are already published begin later and replace the new ones then: keep or"
            " withdraw them?"
        )
        return cls(
            rows=rows[:ROWS_SHOWN],
            field=OF_ALL,
            of_all=answers.of_all,
            says=says,
            more=f"And {count_text(more, 'more', 'more')}: say of all what becomes of them." if more > 0 else "",
            is_answered=all(row.answer for row in rows),
        )


def later_of_plan(named: Iterable[tuple[PlannedPrice, str]], answers: LaterAnswers) -> ShownLater | None:
    """Of planned prices, each with the name of its product."""
    return later_shown(
        (
            (later, name, key_text(planned.wanted.values, planned.wanted.frequency))
            for planned, name in named
            for later in planned.later
        ),
        answers,
    )


def later_shown(named: Iterable[tuple[LaterPrice, str, str]], answers: LaterAnswers) -> ShownLater | None:
    """Each with the name of its product, and its values in words."""
    return ShownLater.of(
        (
            LaterRow(
                rate_id=each.rate_id,
                name=name,
                values=values,
                when=day_text(each.starting_at),
                price=charge_text(each.held.tariff, each.held.unit.to_unit()),
                field=f"{OF_ONE}{each.rate_id}",
                answer=answers.answer(each.rate_id),
            )
            for each, name, values in named
        ),
        answers,
    )
