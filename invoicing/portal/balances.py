"""Commits and credits as their customer reads them: what is left, until when, and when it will be used up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.display import about_text, amount_text, day_text, near_day_text, period_text
from billing_site.foundation.money import QUANTUM, Unit, exact_sum, round_to
from billing_site.foundation.periods import DAY, Period, floor_day
from contracts.commit_wording import NOUNS
from contracts.terms import POSTPAID
from invoicing.engine.documents import Standing
from invoicing.portal.bars import percent_text
from invoicing.portal.ledgers import Chart, LedgerRow, chart_of, ledger_of, name_of, term_of
from invoicing.portal.words import last_day
from invoicing.queries.balances import Balance
from invoicing.queries.burn_down import BurnDown, Pace

ENTRIES_SHOWN = 50
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Grant:
    term: str
    amount: str
    left: str


@dataclass(frozen=True, slots=True)
class BalanceCard:
    """`outlook` says when it will be used up, and `how` what that was made from. Of the ledger the last entries, and
    how many are `older`."""

    id: UUID
    title: str
    kind: str
    contract: str
    term: str
    standing: str
    used_percent: str
    outlook: str
    how: str
    grants: tuple[Grant, ...]
    ledger: tuple[LedgerRow, ...]
    older: int
    chart: Chart | None
    is_over: bool


def cards_of(
    held: Sequence[Balance],
    burnt: Mapping[UUID, BurnDown],
    numbers: Mapping[UUID, str],
    contract_names: Mapping[UUID, str],
    at: datetime,
    *,
    with_names: bool = True,
) -> list[BalanceCard]:
    """Those that can be used first, then those to come, then those that are over. `with_names`: else each is called by
    its kind alone."""
    cards = [_card(each, burnt[each.committed.commit.pk], numbers, contract_names, at, with_names) for each in held]
    begun = {each.committed.commit.pk: bool(burnt[each.committed.commit.pk].points) for each in held}
    return sorted(cards, key=lambda card: (card.is_over, not begun[card.id]))


def _card(
    held: Balance,
    burnt: BurnDown,
    numbers: Mapping[UUID, str],
    contract_names: Mapping[UUID, str],
    at: datetime,
    with_names: bool,
) -> BalanceCard:
    commit, statement, term = held.committed.commit, held.statement, term_of(held)
    unit, kind = commit.held_in, NOUNS[commit.type]
    granted = exact_sum([statement.granted, statement.manual])
    ledger = ledger_of(held, numbers, with_reasons=False)
    is_over = term is None or (term.ending_before is not None and term.ending_before <= at)
    return BalanceCard(
        id=commit.pk,
        title=name_of(held) if with_names else kind,
        kind=kind if with_names else "",
        contract=contract_names.get(held.contract.pk, "") if held.contract else "",
        term=period_text(term) if term else "",
        standing=f"{amount_text(statement.left, unit)} left of {amount_text(granted, unit)}",
        used_percent=percent_text(exact_sum([statement.used, statement.pending]), granted),
        outlook=_outlook(held, burnt.pace, term, at),
        how=_how(burnt.pace, unit, at) if burnt.pace is not None and burnt.pace.drawn > 0 and statement.left else "",
        grants=tuple(_grant(each, at) for each in statement.standings if each.granted),
        ledger=ledger[-ENTRIES_SHOWN:],
        older=max(len(ledger) - ENTRIES_SHOWN, 0),
        chart=chart_of(burnt.points, unit) if len(burnt.points) > 1 else None,
        is_over=is_over,
    )


def _grant(standing: Standing, at: datetime) -> Grant:
    unit, seat = standing.commit.held_in, standing.segment.seat
    left = "later" if standing.to_come(at) else amount_text(standing.usable(at), unit)
    whose = f", seat {seat[1]}" if seat else ""
    return Grant(f"{period_text(standing.segment.period)}{whose}", amount_text(standing.granted, unit), left)


def _outlook(held: Balance, pace: Pace | None, term: Period | None, at: datetime) -> str:
    commit, left = held.committed.commit, held.statement.left
    gate = held.committed.gate
    if gate is not None and gate.has_failed:
        return "Its payment has failed, so it cannot be used."
    if gate is not None and gate.is_waiting:
        since = day_text(gate.gate.created_at)
        return f"It has waited for your payment since {since}, and can be used once that has come."
    if term is None:
        return ""
    if term.starting_at > at:
        return f"It can be used from {day_text(term.starting_at)} on."
    if term.ending_before is not None and term.ending_before <= at:
        return f"It ended on {last_day(term.ending_before, at)}."
    owed = commit.type == POSTPAID
    if left == 0:
        more = "; the rest can be used later" if held.statement.to_come else ""
        return "You have met this commitment." if owed else f"All of it is used{more}."
    if pace is None:
        return "When it will be used up is shown once a day has passed."
    end = _end(held, at)
    return _carried_on(pace, left, commit.held_in, end, at, owed=owed)


def _carried_on(pace: Pace, left: Decimal, unit: Unit, end: datetime | None, at: datetime, *, owed: bool) -> str:
    """Where the pace leads, until access ends."""
    runs_out_at = _runs_out_at(pace, left)
    if pace.drawn <= 0:
        since = near_day_text(floor_day(pace.window.starting_at), at)
        rest = amount_text(left, unit)
        until = "" if end is None else f": {rest} {'is still missing' if owed else 'expires'} on {last_day(end, at)}"
        return f"Nothing was drawn on it since {since}{until}."
    if runs_out_at is not None and (end is None or runs_out_at < end):
        by = near_day_text(floor_day(runs_out_at), at)
        return f"At your pace you will have met it by about {by}." if owed else f"At your pace it runs out about {by}."
    assert end is not None
    window_end = pace.window.ending_before
    assert window_end is not None
    to_draw = _a_microsecond(pace) * ((end - window_end) // MICROSECOND)
    kept = about_text(round_to(Fraction(left + pace.since) - to_draw, QUANTUM), unit)
    if owed:
        return f"At your pace about {kept} of it will be missing at its end, {last_day(end, at)}, and be due then."
    return f"At your pace about {kept} of it will be left when it expires, at the end of {last_day(end, at)}."


def _runs_out_at(pace: Pace, left: Decimal) -> datetime | None:
    """None where nothing is drawn, or not within the calendar."""
    if pace.drawn <= 0 or pace.window.ending_before is None:
        return None
    try:
        return pace.window.ending_before + MICROSECOND * int(Fraction(left + pace.since) / _a_microsecond(pace))
    except OverflowError:
        return None


def _a_microsecond(pace: Pace) -> Fraction:
    assert pace.window.ending_before is not None
    return Fraction(pace.drawn) / ((pace.window.ending_before - pace.window.starting_at) // MICROSECOND)


def _end(held: Balance, at: datetime) -> datetime | None:
    """When the last of what can be used now ends."""
    ends = [each.segment.period.ending_before for each in held.statement.standings if each.usable(at)]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _how(pace: Pace, unit: Unit, at: datetime) -> str:
    start, end = pace.window.starting_at, pace.window.ending_before
    assert end is not None
    a_day = about_text(round_to(_a_microsecond(pace) * (DAY // MICROSECOND), QUANTUM), unit)
    return (
        f"Made from the {amount_text(pace.drawn, unit)} drawn from {near_day_text(start, at)} to"
        f" {near_day_text(end, at)}: about {a_day} a day, carried on. Changes of prices and of your usage are not"
        " foreseen."
    )
