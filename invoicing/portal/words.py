"""How the customer's page names periods and their last days."""

from datetime import datetime

from billing_site.foundation.display import day_text, month_name_text, month_text, near_day_text, period_text
from billing_site.foundation.periods import DAY, Period, add_months, floor_day


def period_title(period: Period, at: datetime) -> str:
    """ "October so far", "October 2025" once it is over, "15–31 October 2025 so far" where it is no whole month."""
    if at not in period:
        return month_text(period.starting_at) if is_month(period) else period_text(period)
    if not is_month(period):
        return f"{period_text(period)} so far"
    name = month_name_text if period.starting_at.year == at.year else month_text
    text = name(period.starting_at)
    return f"{text[:1].upper()}{text[1:]} so far"  # elsewhere than in English months are no names


def is_month(period: Period) -> bool:
    start = period.starting_at
    return start == floor_day(start) and start.day == 1 and period.ending_before == add_months(start, 1)


def last_day(end: datetime, near: datetime | None = None) -> str:
    """The last day before `end` where that is a midnight, else the instant itself."""
    last = end - DAY if end == floor_day(end) else end
    return day_text(last) if near is None else near_day_text(last, near)
