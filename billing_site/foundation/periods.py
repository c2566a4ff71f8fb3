"""Time as billing sees it: aware UTC instants, half-open ranges, hours, and periods anchored to a day.

Only entry points read the clock; everything here is told what time it is.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

MONTHS_OF = {"MONTHLY": 1, "QUARTERLY": 3, "SEMI_ANNUAL": 6, "ANNUAL": 12}
DAYS_OF = {"DAILY": 1, "WEEKLY": 7}


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """From `starting_at` up to and not including `ending_before`; open where that is None."""

    starting_at: datetime
    ending_before: datetime | None = None

    def __post_init__(self) -> None:
        for instant in (self.starting_at, self.ending_before):
            if instant is not None and instant.utcoffset() != timedelta(0):
                raise ValueError(f"{instant!r} is not an aware instant in UTC.")
        if self.ending_before is not None and self.ending_before <= self.starting_at:
            raise ValueError(f"A period ends after it starts: {self.starting_at} to {self.ending_before}.")

    def __contains__(self, instant: datetime) -> bool:
        return self.starting_at <= instant and (self.ending_before is None or instant < self.ending_before)

    def overlap(self, other: "Period") -> "Period | None":
        """The part that both share, or None."""
        start = max(self.starting_at, other.starting_at)
        end = earliest(self.ending_before, other.ending_before)
        if end is not None and end <= start:
            return None
        return self if (start, end) == (self.starting_at, self.ending_before) else Period(start, end)

    def share_of(self, whole: "Period") -> Fraction:
        """How much of the closed period `whole` this closed period is, by time."""
        if self.ending_before is None or whole.ending_before is None:
            raise ValueError("Only closed periods have a length.")
        return Fraction(
            (self.ending_before - self.starting_at) // timedelta(microseconds=1),
            (whole.ending_before - whole.starting_at) // timedelta(microseconds=1),
        )


def earliest(*instants: datetime | None) -> datetime | None:
    """The earliest instant, where None is never."""
    given = [instant for instant in instants if instant is not None]
    return min(given) if given else None


def floor_hour(instant: datetime) -> datetime:
    """The beginning of the hour that `instant` lies in."""
    return instant.replace(minute=0, second=0, microsecond=0)


def floor_day(instant: datetime) -> datetime:
    """The beginning of the UTC day that `instant` lies in."""
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


def ceil_day(instant: datetime) -> datetime:
    """The first UTC midnight that is not before `instant`."""
    floor = floor_day(instant)
    return floor if floor == instant else floor + DAY


def is_on_the_hour(instant: datetime) -> bool:
    return instant == floor_hour(instant)


def parse_instant(text: str) -> datetime:
    """An RFC 3339 instant or a bare date as an aware UTC datetime, exact to the microsecond.

    A missing offset means UTC (the compatible client sends such instants). Fractions of a second beyond the
    microsecond are cut off. Raises ValueError for anything else, a leap second included.
    """
    cleaned = text.strip()
    head, dot, rest = cleaned.partition(".")
    if dot:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        cleaned = f"{head}.{rest[: min(digits, 6)].ljust(6, '0')}{rest[digits:]}"
    instant = datetime.fromisoformat(cleaned)
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text} lies outside the years 1 to 9999.") from error


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC: to the second where it is one, else to the microsecond."""
    instant = instant.astimezone(UTC)
    return instant.strftime("%Y-%m-%dT%H:%M:%S" + (".%f" if instant.microsecond else "")) + "+00:00"


def add_months(anchor: datetime, months: int) -> datetime:
    """`anchor` plus `months`, clamped to the last day of a shorter month."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    last_day = calendar.monthrange(year, month + 1)[1]
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, last_day))


def boundary(anchor: datetime, frequency: str, step: int) -> datetime:
    """The boundary `step` periods after `anchor` (before it, where `step` is negative).

    Always counted from the anchor and never from the boundary before, so the 31st returns to the 31st.
    """
    if frequency in DAYS_OF:
        return anchor + step * timedelta(days=DAYS_OF[frequency])
    return add_months(anchor, step * MONTHS_OF[frequency])


def boundaries(anchor: datetime, frequency: str, *, after: datetime) -> Iterator[datetime]:
    """The boundaries later than `after`, in order, without end."""
    step = _steps_before(anchor, frequency, after)
    while (instant := boundary(anchor, frequency, step)) <= after:
        step += 1
    while True:
        yield instant
        step += 1
        instant = boundary(anchor, frequency, step)


def billing_periods(term: Period, anchor: datetime, frequency: str) -> Iterator[Period]:
    """The periods that tile `term`, cut at the anchored boundaries; the first and the last may be short."""
    start = term.starting_at
    for end in boundaries(anchor, frequency, after=start):
        if term.ending_before is not None and end >= term.ending_before:
            yield Period(start, term.ending_before)
            return
        yield Period(start, end)
        start = end


def full_period(anchor: datetime, frequency: str, *, at: datetime) -> Period:
    """The whole anchored period that `at` lies in, not clipped to any term."""
    step = _steps_before(anchor, frequency, at)
    while boundary(anchor, frequency, step + 1) <= at:
        step += 1
    return Period(boundary(anchor, frequency, step), boundary(anchor, frequency, step + 1))


def _steps_before(anchor: datetime, frequency: str, instant: datetime) -> int:
    """A number of steps whose boundary is not after `instant`, and near it."""
    if frequency in DAYS_OF:
        return (instant - anchor) // timedelta(days=DAYS_OF[frequency])
    months = (instant.year - anchor.year) * 12 + instant.month - anchor.month
    return months // MONTHS_OF[frequency] - 1
