"""What a set of prices would change, in finished words: the preview of a grid and of a sheet."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from billing_site.foundation.display import count_text, day_text
from contracts.admin.later_shown import ShownLater
from contracts.admin.price_shown import Note, reaching_back, start_of
from contracts.admin.sealed_change import sealed
from contracts.queries import reach
from pricing.models import RateCard
from pricing.services import Held, Outcome, PlannedPrice, planned_rates
from pricing.wording import charge_text, values_text

CHANGED_SINCE = "The form or the prices have changed since you looked: this is what it would do now."
TONES = {Outcome.NEW: "good", Outcome.CHANGED: "accent", Outcome.REFUSED: "bad"}


@dataclass(frozen=True, slots=True)
class ShownPlanned:
    """One price that would be published."""

    place: str  # where it was written down: "line 7"
    name: str
    values: str
    when: str
    before: str
    after: str
    outcome: str
    tone: str
    notes: tuple[Note, ...]

    @classmethod
    def of(cls, planned: PlannedPrice, name: str, place: str = "") -> "ShownPlanned":
        assert planned.after is not None
        return cls(
            place=place,
            name=name,
            values=values_text(planned.wanted.values),
            when=day_text(planned.wanted.starting_at),
            before=held_text(planned.before),
            after=held_text(planned.after),
            outcome=planned.outcome.value,
            tone=TONES[planned.outcome],
            notes=tuple(_notes(planned)),
        )


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """`seen` names the whole plan: what is published is what was looked at, or it is looked at again."""

    rows: tuple[ShownPlanned, ...]
    counts: str
    publish: str  # what the button says; empty where nothing would be published
    notes: tuple[Note, ...]
    seen: str
    later: ShownLater | None = None
    change: str = ""  # for the panel that computes drafts with it

    @classmethod
    def of(
        cls,
        card: RateCard,
        planned: Sequence[PlannedPrice],
        rows: Iterable[ShownPlanned],
        *,
        untouched: int = 0,
        later: ShownLater | None = None,
        at: datetime,
    ) -> "ShownPlan":
        """Of a plan without errors. `untouched` counts the prices that were not even stated otherwise. A constant
        number of queries, where anything would be published."""
        changing = [each for each in planned if each.rate is not None]
        return cls(
            rows=tuple(rows),
            counts=f"{changes_text(planned)}, {len(planned) - len(changing) + untouched:,} {Outcome.SAME.value}",
            publish=f"Publish {count_text(len(changing), 'price', 'prices')}" if changing else "",
            notes=tuple(_notes_of_all(card, changing, at)),
            seen=fingerprint(planned),
            later=later,
            change=_sealed(card, planned) if changing else "",
        )


def _sealed(card: RateCard, planned: Sequence[PlannedPrice]) -> str:
    rates = planned_rates(card, [each.rate for each in planned if each.rate is not None])
    return sealed(card, rates, [later.rate_id for each in planned for later in each.later if later.is_withdrawn])


def changes_text(planned: Sequence[PlannedPrice]) -> str:
    """ "3 new, 9 changed": what is published of a plan."""
    return ", ".join(
        f"{sum(each.outcome is outcome for each in planned):,} {outcome.value}"
        for outcome in (Outcome.NEW, Outcome.CHANGED)
    )


def fingerprint(planned: Iterable[PlannedPrice]) -> str:
    """The same for two plans that would publish the same in place of the same, and withdraw the same."""
    told = [
        (
            (each.wanted, each.outcome, held_text(each.before), held_text(each.after)),
            (each.ends_at, held_text(each.then), [later.rate_id for later in each.later if later.is_withdrawn]),
        )
        for each in planned
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def held_text(held: Held | None) -> str:
    """ "$40.00", "$40.00, not part of contracts", "no price"."""
    if held is None:
        return "no price"
    text = charge_text(held.tariff, held.unit.to_unit())
    return text if held.entitled else f"{text}, not part of contracts"


def _notes(planned: PlannedPrice) -> Iterator[Note]:
    before, after = planned.before, planned.after
    if before is not None and after is not None and before.tariff.type != after.tariff.type:
        yield Note(f"It was a price of the type {before.tariff.type}, and becomes one of the type {after.tariff.type}.")
    if after is not None and after.commit_tariff is not None:
        stays = charge_text(after.commit_tariff, after.unit.to_unit())
        yield Note(f"The commit rate stays {stays}.")
    if planned.ends_at is not None:
        yield Note(f"Up to {day_text(planned.ends_at)}; then {held_text(planned.then)}.", "warn")


def _notes_of_all(card: RateCard, changing: Sequence[PlannedPrice], at: datetime) -> Iterator[Note]:
    if changing:
        yield from reach_notes(card, min(each.wanted.starting_at for each in changing), at)


def reach_notes(card: RateCard, start: datetime, at: datetime) -> Iterator[Note]:
    """Whom prices of the card that begin at `start` are for. Three queries."""
    touched = reach(card, since=start, at=at)
    yield Note(f"{start_of(count_text(touched.contracts, 'contract is', 'contracts are'))} on this card.")
    yield from reaching_back(start, touched, at)
