"""Commitments and balances: how much of each is used, and what that will come to."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing_site.foundation.display import about_text, amount_text, day_text, near_day_text, period_text
from billing_site.foundation.money import round_to
from billing_site.foundation.periods import DAY, floor_day
from invoicing.portal.words import last_day
from invoicing.queries.commitments import DAYS_OF_PACE, Commitment, Pace


@dataclass(frozen=True, slots=True)
class Bar:
    """A commitment or a balance. Percentages are of the whole, as SVG takes them."""

    title: str
    term: str
    standing: str
    besides: str  # what else became of it, or will
    used_percent: str
    reached_percent: str
    outlook: str
    how: str


def bar_of(held: Commitment, at: datetime) -> Bar:
    unit, whole = held.commit.held_in, held.amount
    standing = f"{amount_text(held.used, unit)} of {amount_text(whole, unit)}, {amount_text(held.left, unit)} left"
    reached = held.pace.reached if held.pace is not None else held.used
    return Bar(
        title=held.commit.name or ("Commitment" if held.due is not None else "Balance"),
        term=period_text(held.period),
        standing=standing,
        besides=besides(held),
        used_percent=percent_text(held.used, whole),
        reached_percent=percent_text(reached, whole),
        outlook=_outlook(held, at),
        how=_how(held.pace, held, at) if held.pace is not None and held.due else "",
    )


def besides(held: Commitment) -> str:
    """ "$0.50 can be used later; $0.20 has expired; $0.30 was added by hand"; nothing where there is no such thing."""
    amounts = (
        (held.to_come, "can be used later"),
        (held.expired, "has expired"),
        (max(held.manual, Decimal(0)), "was added by hand"),
        (max(-held.manual, Decimal(0)), "was taken by hand"),
        (held.rolled_over, "has gone over to the renewal"),
    )
    return "; ".join(f"{amount_text(amount, held.commit.held_in)} {what}" for amount, what in amounts if amount)


def percent_text(part: Decimal, whole: Decimal) -> str:
    return (
        format(round_to(min(max(part / whole, Decimal(0)), Decimal(1)) * 100, Decimal("0.01")), "f") if whole else "0"
    )


def _outlook(held: Commitment, at: datetime) -> str:
    """What it will come to, in words: what is due if nothing more is used, and what is due at the present pace."""
    unit, pace, end = held.commit.unit, held.pace, held.period.ending_before
    if held.commit.pays and end is not None:
        return f"What you have not used by {day_text(end)} expires."
    if held.due is None or held.due_at is None or end is None:
        return ""
    due_on = day_text(held.due_at)
    if held.due == 0:
        return f"You have met this commitment: nothing more is due for it on {due_on}."
    due = amount_text(held.due, unit)
    if end <= at:
        return f"The commitment ended on {last_day(end)}. {due} is due on {due_on}."
    nothing_more = f"If you used nothing more, {due} would be due on {due_on}"
    if held.period.starting_at > at:
        return f"It counts from {day_text(held.period.starting_at)}. {nothing_more}."
    if pace is None:
        return f"{nothing_more}. Your pace is shown once a day has passed."
    if pace.counted <= 0:
        return f"{nothing_more}. Nothing has counted toward it {_lately(pace)}."
    at_your_pace = f"at your pace {_of_lately(pace, at)}"
    if pace.used_up_at is not None:
        used_up = near_day_text(floor_day(pace.used_up_at), at)
        return f"{nothing_more}; {at_your_pace} you will have used all of it by about {used_up}, and owe nothing more."
    return (
        f"{nothing_more}; {at_your_pace} you will reach about {about_text(pace.reached, unit)}"
        f" by {last_day(end, at)}, so about {about_text(pace.due, unit)} would be due."
    )


def _how(pace: Pace, held: Commitment, at: datetime) -> str:
    start, end = pace.window.starting_at, pace.window.ending_before
    assert end is not None
    assert held.period.ending_before is not None
    return (
        f"The pace: {amount_text(pace.counted, held.commit.unit)} counted toward the commitment from"
        f" {near_day_text(start, at)} to {near_day_text(end, at)}; as much a day is carried on"
        f" to {last_day(held.period.ending_before, at)}."
    )


def _lasted_full(pace: Pace) -> bool:
    assert pace.window.ending_before is not None
    return pace.window.ending_before - pace.window.starting_at == DAYS_OF_PACE * DAY


def _of_lately(pace: Pace, at: datetime) -> str:
    if _lasted_full(pace):
        return f"of the last {DAYS_OF_PACE} days"
    return f"since {near_day_text(pace.window.starting_at, at)}"


def _lately(pace: Pace) -> str:
    return f"in the last {DAYS_OF_PACE} days" if _lasted_full(pace) else "yet"
