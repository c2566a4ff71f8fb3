"""Which events a question is about: those of some subjects on some days; and of levels, which carry over, all changes
since ever, up to the end of the last month.

    asked                    events read                       of these count
    October, calls (COUNT)   October's                         all
    October, seats (level)   October's                         calls
                             up to 1 November, of seats' types seats

What is asked for is read as it is folded, so that memory grows with hours and series and not with events.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from billing_site.foundation.periods import Period, add_months, ceil_day, floor_day
from contracts.terms import ClaimWindow
from ledger.models import Series
from ledger.queries.counting import events_within
from ledger.queries.folds import Folded, Place, fold
from ledger.queries.usage import spans_of, windows_of
from pricing.models import BillableMetric

SINCE_EVER = "-infinity"


@dataclass(frozen=True, slots=True)
class Reach:
    """`days` are a subject, its first day and the day after its last, in UTC, of which no two share a day; `levels` are
    metrics that are WEIGHTED_SUM."""

    days: tuple[tuple[str, date, date], ...]
    levels: frozenset[UUID] = frozenset()

    @classmethod
    def of(cls, claims: Iterable[ClaimWindow], periods: Collection[Period], metric_ids: Collection[UUID]) -> "Reach":
        """Of what is claimed in these closed periods, and measured by these metrics. One query."""
        claims = list(claims)
        spans = spans_of([windows_of(claims, period) for period in periods])
        by_subject: dict[str, list[tuple[date, date]]] = defaultdict(list)
        for span in sorted(spans, key=lambda span: (span.subject, span.starting_at)):
            first, end = floor_day(span.starting_at).date(), ceil_day(span.ending_before).date()
            known = by_subject[span.subject]
            if known and first <= known[-1][1]:
                known[-1] = known[-1][0], max(known[-1][1], end)
            else:
                known.append((first, end))
        levels = BillableMetric.objects.filter(pk__in=metric_ids, aggregation_type="WEIGHTED_SUM")
        days = ((subject, *each) for subject, found in by_subject.items() for each in found)
        return cls(tuple(days), frozenset(levels.values_list("pk", flat=True)))

    @property
    def subjects(self) -> list[str]:
        return sorted({subject for subject, _, _ in self.days})

    @property
    def first_day(self) -> date | None:
        """None where levels reach back for ever; and where nothing is asked about."""
        return None if self.levels else min((first for _, first, _ in self.days), default=None)

    @property
    def level_days(self) -> tuple[tuple[str, date], ...]:
        """Of each subject the first day of the month after its last."""
        if not self.levels:
            return ()
        ends = {subject: end for subject, _, end in self.days}  # in order of time
        return tuple((subject, _month_after(end)) for subject, end in ends.items())

    def folded(self, *, snapshot: str | None = None) -> dict[Place, Folded]:
        """What the events come to, as they count now or as `snapshot` saw them."""
        found = fold(
            events_within(self._columns(), snapshot=snapshot), by=lambda metric_id: metric_id not in self.levels
        )
        if self.levels:
            found |= fold(events_within(self._level_columns(), snapshot=snapshot), by=self.levels.__contains__)
        return found

    def spans(self) -> list[dict[str, Any]]:
        """The columns of what is read, each for itself: `subjects`, `starts`, `ends` and the event `types`, if only
        some."""
        return [self._columns(), *([self._level_columns()] if self.levels else [])]

    def level_series(self) -> list[UUID]:
        if not self.levels:
            return []
        return list(Series.objects.filter(metric_id__in=self.levels).values_list("pk", flat=True))

    def _columns(self) -> dict[str, Any]:
        subjects, firsts, ends = zip(*self.days, strict=True) if self.days else ((), (), ())
        return {
            "subjects": list(subjects),
            "starts": [_instant(day) for day in firsts],
            "ends": [_instant(day) for day in ends],
            "types": None,
        }

    def _level_columns(self) -> dict[str, Any]:
        return {
            "subjects": [subject for subject, _ in self.level_days],
            "starts": [SINCE_EVER for _ in self.level_days],
            "ends": [_instant(day) for _, day in self.level_days],
            "types": _types(BillableMetric.objects.filter(pk__in=self.levels)),
        }


def _types(metrics: Iterable[BillableMetric]) -> list[str] | None:
    """The event types that some of the metrics may want; None: any."""
    wanted = [metric.event_type_filter.get("in_values") for metric in metrics]
    return None if None in wanted else sorted({each for values in wanted for each in values or ()})


def _month_after(end: date) -> date:
    """The beginning of the month after the one in which the day before `end` lies."""
    last = end - timedelta(days=1)
    return add_months(datetime(last.year, last.month, 1, tzinfo=UTC), 1).date()


def _instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
