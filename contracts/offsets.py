"""Time as packages tell it: so many days, weeks, months or years after a contract's start (`docs/packages.md`)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing_site.foundation.periods import add_months

DAYS, WEEKS, MONTHS, YEARS = "DAYS", "WEEKS", "MONTHS", "YEARS"
UNITS = (DAYS, WEEKS, MONTHS, YEARS)
MOST = {DAYS: 36_500, WEEKS: 5_200, MONTHS: 1_200, YEARS: 100}

_DAYS_OF = {DAYS: 1, WEEKS: 7}
_MONTHS_OF = {MONTHS: 1, YEARS: 12}


@dataclass(frozen=True, slots=True)
class Offset:
    unit: str
    value: int

    def after(self, start: datetime) -> datetime:
        """Months and years end on the last day of a month that is too short. Raises OverflowError, ValueError where
        there is no such date."""
        if self.unit in _DAYS_OF:
            return start + timedelta(days=self.value * _DAYS_OF[self.unit])
        return add_months(start, self.value * _MONTHS_OF[self.unit])


AT_THE_START = Offset(DAYS, 0)


def dated(start: datetime, offset: Offset, duration: Offset | None) -> tuple[datetime, datetime | None]:
    """From when to when something holds on a contract that starts at `start`; without a duration its end is open.

    Months are counted from the contract's start to both ends, so that what follows one another has no gap: on a
    contract from 31 January, a month that begins a month later is 28 February to 31 March.
    """
    starting_at = offset.after(start)
    if duration is None:
        return starting_at, None
    if duration.unit in _MONTHS_OF and (offset.unit in _MONTHS_OF or not offset.value):
        before = offset.value and offset.value * _MONTHS_OF[offset.unit]
        return starting_at, add_months(start, before + duration.value * _MONTHS_OF[duration.unit])
    return starting_at, duration.after(starting_at)


def series(first: Offset, step: Offset, times: int) -> list[Offset]:
    """So many offsets, `step` apart. Raises ValueError where days cannot be told in months, nor months in days."""
    if times == 1 or not first.value:
        return [first, *(Offset(step.unit, step.value * count) for count in range(1, times))]
    for family, unit in ((_DAYS_OF, DAYS), (_MONTHS_OF, MONTHS)):
        if first.unit in family and step.unit in family:
            start, apart = first.value * family[first.unit], step.value * family[step.unit]
            return [first, *(Offset(unit, start + apart * count) for count in range(1, times))]
    raise ValueError(f"{step.unit} cannot be counted from {first.unit}")


def apart(first: Offset, second: Offset) -> Offset | None:
    """What lies between two offsets; None where days would have to be told in months, or it is nothing."""
    for family, unit in ((_DAYS_OF, DAYS), (_MONTHS_OF, MONTHS)):
        if second.unit in family and (first.unit in family or not first.value):
            between = second.value * family[second.unit] - first.value * family.get(first.unit, 0)
            return Offset(unit, between) if between > 0 else None
    return None
