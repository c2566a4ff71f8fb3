"""Usage that is still to come, if it goes on hour for hour as in the last seven days: a week has all its days in it.

    now it is Wednesday 15 October, 10:20; the week is 8 October, 10:00 up to 15 October, 10:00

    hour                 counts as much as
    15 October, 09:00    itself: it is known
    15 October, 10:00    8 October, 10:00
    22 October, 10:00    8 October, 10:00, and so does 29 October, and every Wednesday
    21 October, 03:00    14 October, 03:00

What is counted once a billing period (the highest, the latest, how many different ones) does not add up over weeks. In
a period to come it is what it was over a time as long before now; the running period has what it has.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from billing_site.foundation.periods import DAY, Period
from contracts.terms import ClaimWindow
from invoicing.engine.walk import Finer, Plan
from invoicing.queries.metering import Asked, finer_usage, usage_of
from ledger.queries.scoped import Part, claimed_parts
from ledger.scopes import Scope
from ledger.used import Used

WEEK = 7 * DAY


def cut_by_week(plan: Plan, now: datetime) -> Plan:
    """The plan with slices that do not reach over `now`, nor over a week or several after it."""
    return replace(plan, slices=tuple(part for slice_ in plan.slices for part in _by_week(slice_, now)))


def _by_week(slice_: Period, now: datetime) -> Iterator[Period]:
    start, end = slice_.starting_at, slice_.ending_before
    assert end is not None, "the walk is over closed periods"
    while start < end:
        edge = now if start < now else now + ((start - now) // WEEK + 1) * WEEK
        yield Period(start, min(edge, end))
        start = min(edge, end)


@dataclass(frozen=True, slots=True)
class GoingOn:
    """What was used before `now`, an hour's beginning, and what is assumed from then on. It asks as few statements as
    what is known does, however far ahead."""

    claims: Sequence[ClaimWindow]
    over_time: Asked  # what adds up over weeks
    by_period: Asked  # what does not, already read
    now: datetime

    @classmethod
    def read(cls, claims: Sequence[ClaimWindow], asked: Asked, now: datetime) -> "GoingOn":
        parts = dict(_parts_ahead(claims, asked.scopes, now))
        by_period = Asked(frozenset(), frozenset(), tuple(parts), parts)
        return cls(claims, replace(asked, scopes=()), by_period, now)

    def of(self, periods: Collection[Period]) -> dict[Period, Used]:
        """Of slices that are `cut_by_week`."""
        taken_from = {period: self._taken_from(period) for period in periods}
        known = usage_of(self.claims, set(taken_from.values()), self.over_time, until=self.now)
        by_period = usage_of((), periods, self.by_period, until=self.now)
        return {period: Used.together((known[taken_from[period]], by_period[period])) for period in periods}

    def finer(self, finer: Finer) -> dict[Period, Used]:
        """Of days or hours of such a slice; those without usage are absent."""
        source = self._taken_from(finer.period)
        shift = finer.period.starting_at - source.starting_at
        known = finer_usage(self.claims, Finer(source, finer.by_hour), self.over_time, until=self.now)
        found = {_moved(part, shift): used for part, used in known.items()}
        for part, used in finer_usage((), finer, self.by_period, until=self.now).items():
            found[part] = Used.together((found.get(part, Used()), used))
        return found

    def _taken_from(self, period: Period) -> Period:
        weeks = (period.starting_at - self.now) // WEEK + 1
        return _moved(period, -weeks * WEEK) if weeks > 0 else period


def _parts_ahead(
    claims: Sequence[ClaimWindow], scopes: Sequence[Scope], now: datetime
) -> Iterator[tuple[Scope, list[Part]]]:
    sources = {scope: _source(scope, now) for scope in scopes}
    known = claimed_parts(claims, list(sources.values())) if sources else {}
    for scope, source in sources.items():
        shift = scope.period.starting_at - source.period.starting_at
        yield scope, [replace(part, hour=part.hour + shift) for part in known[source]]


def _source(scope: Scope, now: datetime) -> Scope:
    start, end = scope.period.starting_at, scope.period.ending_before
    assert end is not None, "what is counted by the period has an end"
    return scope if start < now else replace(scope, period=Period(now - (end - start), now))


def _moved(period: Period, by: timedelta) -> Period:
    assert period.ending_before is not None, "the walk is over closed periods"
    return Period(period.starting_at + by, period.ending_before + by)
