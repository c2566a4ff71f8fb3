"""A forecast in words: the number, its range, and how both were made."""

from datetime import datetime

from billing_site.foundation.display import about_text, amount_text, near_day_text
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import DAY, Period
from invoicing.portal.words import last_day
from invoicing.queries.forecast import Forecast


def forecast_text(told: Forecast, unit: Unit, end: datetime, at: datetime) -> str:
    """ "Usage is about to come to $59,400 by 31 October, between $57,000 and $61,200"."""
    by = last_day(end, at)
    if told.highest <= told.so_far:
        return f"Nothing was used lately: usage stays at {amount_text(told.so_far, unit)} until the end of {by}."
    text = f"By the end of {by} usage comes to about {about_text(told.main.comes_to, unit)}"
    low, high = about_text(told.lowest, unit), about_text(told.highest, unit)
    return f"{text}, between {low} and {high}." if low != high else f"{text}."


def forecast_how(told: Forecast, unit: Unit, at: datetime) -> str:
    """What it was made from."""
    start = near_day_text(told.main.window.starting_at, at)
    others = ", ".join(f"{_length_text(each.window)} {about_text(each.comes_to, unit)}" for each in told.paces)
    range_ = f"The range is what other stretches make of it: {others}" if others else "There is no range yet"
    return (
        f"{amount_text(told.so_far, unit)} so far, and from {start} on {amount_text(told.main.spent, unit)} in"
        f" {_length_text(told.main.window)}, carried on at that pace. {range_}. Prices to come, tiers still to be"
        " reached, fees, and what balances will pay are not in it."
    )


def _length_text(window: Period) -> str:
    assert window.ending_before is not None
    hours = (window.ending_before - window.starting_at) // (DAY / 24)
    days, rest = divmod(hours, 24)
    text = "1 day" if days == 1 else f"{days} days"
    return f"{text} and {rest} h" if rest else text
