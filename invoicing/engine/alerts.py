"""What alerts watch, and when a customer goes into alarm and comes back. The rules, with a worked table of which there
is a test, are in `docs/alerts.md`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import QUANTUM, exact_sum, round_to
from contracts.terms import CREDIT, QUANTITY
from invoicing.engine.calendar import USAGE
from invoicing.engine.documents import Document, Line, Standing

SPEND, METERED, TOTAL = "SPEND", "METERED", "TOTAL"
LEFT, PERCENT, DAYS, OF_SEATS = "LEFT", "PERCENT", "DAYS", "OF_SEATS"
NOTHING = "NOTHING"
COMMITS, CREDITS = "COMMIT", "CREDIT"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a type of alert measures, and for balances of which."""

    measure: str
    of: frozenset[str] = frozenset()

    @property
    def is_low(self) -> bool:
        """In alarm at the threshold or below; otherwise at the threshold or above."""
        return self.measure in (LEFT, PERCENT, DAYS, OF_SEATS)

    @property
    def is_of_balances(self) -> bool:
        return bool(self.of)


_COMMIT, _CREDIT = frozenset({COMMITS}), frozenset({CREDITS})
KINDS: Mapping[str, Kind] = {
    "SPEND_THRESHOLD_REACHED": Kind(SPEND),
    "USAGE_THRESHOLD_REACHED": Kind(METERED),
    "INVOICE_TOTAL_REACHED": Kind(TOTAL),
    "LOW_REMAINING_COMMIT_BALANCE_REACHED": Kind(LEFT, _COMMIT),
    "LOW_REMAINING_COMMIT_PERCENTAGE_REACHED": Kind(PERCENT, _COMMIT),
    "LOW_REMAINING_CONTRACT_CREDIT_BALANCE_REACHED": Kind(LEFT, _CREDIT),
    "LOW_REMAINING_CONTRACT_CREDIT_PERCENTAGE_REACHED": Kind(PERCENT, _CREDIT),
    "LOW_REMAINING_CONTRACT_CREDIT_AND_COMMIT_BALANCE_REACHED": Kind(LEFT, _COMMIT | _CREDIT),
    "LOW_REMAINING_CONTRACT_CREDIT_AND_COMMIT_PERCENTAGE_REACHED": Kind(PERCENT, _COMMIT | _CREDIT),
    "LOW_REMAINING_DAYS_FOR_COMMIT_SEGMENT_REACHED": Kind(DAYS, _COMMIT),
    "LOW_REMAINING_DAYS_FOR_CONTRACT_CREDIT_SEGMENT_REACHED": Kind(DAYS, _CREDIT),
    "LOW_REMAINING_SEAT_BALANCE_REACHED": Kind(OF_SEATS, _COMMIT | _CREDIT),
    # Of plans and credit grants, which there are none of.
    "LOW_CREDIT_BALANCE_REACHED": Kind(NOTHING),
    "LOW_REMAINING_CREDIT_PERCENTAGE_REACHED": Kind(NOTHING),
    "LOW_REMAINING_DAYS_IN_PLAN_REACHED": Kind(NOTHING),
    "MONTHLY_INVOICE_TOTAL_SPEND_THRESHOLD_REACHED": Kind(NOTHING),
}

Groups = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure that an alert watches. `about` tells it from the alert's others of the customer: a draft, a segment, the
    values of a group; `label` says the same in words. Both are empty where there is only one."""

    figure: Decimal
    about: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """That a customer went into alarm. One that `is_muted` was past the threshold before the alert was made."""

    since: datetime
    label: str = ""
    is_muted: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Going into alarm, or coming back; the figure is None where what was watched is gone."""

    about: str
    label: str
    is_alarm: bool
    figure: Decimal | None


def is_past(kind: Kind, figure: Decimal, threshold: Decimal) -> bool:
    return figure <= threshold if kind.is_low else figure >= threshold


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a customer stands with an alert: its alarms by what they are about, what has turned, and the figure that is
    furthest past the threshold, or nearest to it (None: there is nothing to watch)."""

    alarms: Mapping[str, Alarm]
    turns: tuple[Turn, ...]
    worst: Reading | None

    @property
    def is_alarm(self) -> bool:
        return any(not alarm.is_muted for alarm in self.alarms.values())


def followed(
    known: Mapping[str, Alarm] | None,
    readings: Sequence[Reading],
    kind: Kind,
    threshold: Decimal,
    *,
    at: datetime,
    is_muted_at_first: bool = False,
) -> Outcome:
    """What these readings make of the alarms that were known before; None: nobody has looked."""
    past = {each.about: each for each in readings if is_past(kind, each.figure, threshold)}
    before = known or {}
    mute = known is None and is_muted_at_first
    alarms = {about: before.get(about) or Alarm(at, each.label, mute) for about, each in past.items()}
    into = [Turn(about, each.label, True, each.figure) for about, each in past.items() if about not in before]
    figures = {each.about: each.figure for each in readings}
    back = [
        Turn(about, alarm.label, False, figures.get(about))
        for about, alarm in before.items()
        if about not in past and not alarm.is_muted
    ]
    heard = [each for about, each in past.items() if not alarms[about].is_muted]
    ordered = sorted(heard or readings, key=lambda reading: reading.figure)
    worst = ordered[0 if kind.is_low else -1] if ordered else None
    return Outcome(alarms, (*back, *(() if mute else into)), worst)


def spend(documents: Iterable[Document], unit_id: UUID, groups: Groups, *, at: datetime) -> Iterator[Reading]:
    """Usage of the billing periods that are current, in one unit. Nothing where there is none."""
    current = [each for each in documents if each.kind == USAGE and each.period is not None and at in each.period]
    lines = [line for each in current for line in each.lines if _is_spend(line, unit_id)]
    if not groups:
        if current:
            yield Reading(exact_sum([line.total for line in lines]))
        return
    found: dict[Groups, list[Decimal]] = {}
    if current and all(value is not None for _, value in groups):
        found[groups] = []
    for line in lines:
        values = dict((*line.pricing_group_values, *line.presentation_group_values))
        group = tuple((key, values.get(key)) for key, _ in groups)
        fits = all(
            value is not None and wanted in (None, value) for (_, value), (_, wanted) in zip(group, groups, strict=True)
        )
        if fits:
            found.setdefault(group, []).append(line.total)
    for group, totals in found.items():
        label = group_label(group)
        yield Reading(exact_sum(totals), label, label)


def group_label(group: Iterable[tuple[str, str | None]]) -> str:
    """ "region: eu, model: xl", in the order of the alert's keys."""
    return ", ".join(f"{key}: {value}" for key, value in group)


def _is_spend(line: Line, unit_id: UUID) -> bool:
    return line.type == "usage" and line.unit.id == unit_id and line.adjusts is None


def totals(documents: Iterable[Document], unit_id: UUID, types: frozenset[str]) -> Iterator[Reading]:
    """What each draft comes to, in one unit, of some types or of all."""
    for each in documents:
        if each.unit.id == unit_id and (not types or each.type in types):
            begins = each.period.starting_at if each.period is not None else each.issued_at
            yield Reading(each.total, str(each.id), f"{each.kind.replace('_', ' ').lower()} from {_day(begins)}")


def remaining(standings: Iterable[Standing], kind: Kind, unit_id: UUID | None, *, at: datetime) -> Iterator[Reading]:
    """What is left of balances in one unit (None: of those that count units), or how much of a hundred. Nothing where
    none has begun."""
    held = [each for each in _of_kind(standings, kind, at) if _held_in(each) == unit_id]
    if not held:
        return
    left = exact_sum([each.usable(at) for each in held])
    if kind.measure == LEFT:
        yield Reading(left)
        return
    taken = [each.drawn + exact_sum([one.amount for one in each.pending]) for each in held if each.is_open(at)]
    whole = exact_sum([left, *taken])
    yield Reading(round_to(Fraction(left) * 100 / Fraction(whole), QUANTUM) if whole > 0 else Decimal(0))


def remaining_of_seats(
    standings: Iterable[Standing], groups: Groups, unit_id: UUID | None, *, at: datetime
) -> Iterator[Reading]:
    """What each seat has left of its own in one unit (None: of what counts units), of one seat or of all. Who has
    nothing that can be drawn on now is not watched: a seat that was taken out is nobody's alarm."""
    [(key, wanted)] = groups
    left: dict[str, list[Decimal]] = {}
    for each in standings:
        of, seat = each.segment.seat or ("", "")
        is_meant = of == key and seat and wanted in (None, seat)
        if is_meant and each.is_open(at) and _held_in(each) == unit_id:
            left.setdefault(seat, []).append(each.usable(at))
    for seat in sorted(left):
        label = group_label([(key, seat)])
        yield Reading(exact_sum(left[seat]), label, label)


def days(standings: Iterable[Standing], kind: Kind, *, at: datetime) -> Iterator[Reading]:
    """How many days each segment can still be drawn on, a begun one counted whole."""
    for each in _of_kind(standings, kind, at):
        end = each.segment.period.ending_before
        if end is not None and at < end:
            name = each.commit.name or ("credit" if each.commit.type == CREDIT else "commit")
            yield Reading(
                Decimal(-((at - end) // timedelta(days=1))), str(each.segment.id), f"{name} until {_day(end)}"
            )


def _of_kind(standings: Iterable[Standing], kind: Kind, at: datetime) -> list[Standing]:
    return [
        each
        for each in standings
        if (CREDITS if each.commit.type == CREDIT else COMMITS) in kind.of and each.segment.period.starting_at <= at
    ]


def _held_in(standing: Standing) -> UUID | None:
    return None if standing.commit.access_type == QUANTITY else standing.commit.unit.id


def _day(instant: datetime) -> str:
    return f"{instant:%-d %B %Y}"


# --- Custom fields -----------------------------------------------------------------------------------------------

CONTRACT, COMMIT_ENTITY, CREDIT_ENTITY, EITHER = "CONTRACT", "COMMIT", "CONTRACTCREDIT", "CONTRACTCREDITORCOMMIT"


@dataclass(frozen=True, slots=True)
class FieldFilter:
    """A custom field that has to have a value; None: any."""

    entity: str
    key: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Specifier:
    """Everything of `filters` holds, and of no list of `excluded` everything."""

    filters: tuple[FieldFilter, ...] = ()
    excluded: tuple[tuple[FieldFilter, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Fields:
    """The custom fields of a contract, and of a commit or credit of it (or of the customer's own). None: there is no
    such thing."""

    contract: Mapping[str, str] | None
    balance: Mapping[str, str] | None = None
    is_credit: bool = False

    def fit(self, filters: Iterable[FieldFilter]) -> bool:
        return all(self._has(each) for each in filters)

    def fit_any(self, specifiers: Sequence[Specifier]) -> bool:
        return not specifiers or any(
            self.fit(each.filters) and not any(self.fit(one) for one in each.excluded) for each in specifiers
        )

    def _has(self, wanted: FieldFilter) -> bool:
        found = self._of(wanted.entity)
        if found is None or wanted.key not in found:
            return False
        return wanted.value is None or found[wanted.key] == wanted.value

    def _of(self, entity: str) -> Mapping[str, str] | None:
        if entity == CONTRACT:
            return self.contract
        fits = entity == EITHER or self.is_credit == (entity == CREDIT_ENTITY)
        return self.balance if fits else None
