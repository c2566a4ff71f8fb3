"""Amounts, prices, quantities and instants as people read them.

Amounts come in wire units (USD: cents) and are shown in the major unit with its currency. An amount is shown to the
minor unit; a price and an exact amount keep every digit. Everything that is a time says UTC.

Numbers, dates and currencies are written as people of `LOCALE` do, or of the locale that a page was asked in; the words
around them are English.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from decimal import Context, Decimal, localcontext

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_interval, format_skeleton
from babel.numbers import format_currency, format_decimal, get_currency_name, get_currency_symbol

from billing_site.foundation.money import PRECISION, Unit, major_amount, round_to
from billing_site.foundation.periods import Period, floor_day, parse_instant

LOCALE = "en_US"
NOTHING = "–"
WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00")  # as `format_instant` writes them

_locale: ContextVar[str] = ContextVar("locale", default=LOCALE)


@contextmanager
def written_for(locale: str) -> Iterator[None]:
    """What is made into text inside is written as people of `locale` (of `known_locale`) write it."""
    token = _locale.set(locale)
    try:
        yield
    finally:
        _locale.reset(token)


def known_locale(tag: str) -> str | None:
    """The locale that a language tag names: "de-CH" is "de_CH", "DE-xx" is "de"; None where nothing is known of it."""
    parts = tag.strip().replace("_", "-").split("-")[:3]
    if not all(part.isascii() and part.isalnum() for part in parts):
        return None
    for length in range(len(parts), 0, -1):
        try:
            return str(Locale.parse("-".join(parts[:length]), sep="-"))
        except (UnknownLocaleError, ValueError):
            continue
    return None


def amount_text(amount: Decimal, unit: Unit) -> str:
    """To the minor unit, halves away from zero: "$51,000.00", "-€0.50", "12.5 credits"."""
    return exact_text(round_to(amount, unit.minor_step) if unit.code else amount, unit)


def exact_text(amount: Decimal, unit: Unit) -> str:
    """With every digit that says something, and no fewer than the minor unit has: "$40.00", "$0.0000025"."""
    with localcontext(Context(prec=PRECISION)):
        major = _plain(major_amount(amount, unit))
        if unit.code:
            text = format_currency(major, unit.code, locale=_locale.get(), decimal_quantization=False)
            return text.replace(unit.code, f"{unit.code}\xa0")  # where a currency has no sign of its own
    return f"{quantity_text(amount)} {unit.name}"


def about_text(amount: Decimal, unit: Unit) -> str:
    """To three digits, for what is only estimated: "$89,900", "$1.25", "$0.05"."""
    step = max(Decimal(1).scaleb(amount.adjusted() - 2), unit.minor_step) if amount else unit.minor_step
    with localcontext(Context(prec=PRECISION)):
        major = _plain(round_to(amount, step).scaleb(-unit.wire_exponent))
        if not unit.code:
            return f"{quantity_text(round_to(amount, step))} {unit.name}"
        if major != int(major):
            return exact_text(round_to(amount, step), unit)
        whole = Locale.parse(_locale.get()).currency_formats["standard"].pattern.replace(".00", "")
        text = format_currency(major, unit.code, format=whole, locale=_locale.get(), currency_digits=False)
        return text.replace(unit.code, f"{unit.code}\xa0")


def unit_text(unit: Unit) -> str:
    """What amounts are counted in, in words: "US dollars", "credits"."""
    return get_currency_name(unit.code, count=2, locale=_locale.get()) if unit.code else unit.name


def unit_sign(unit: Unit) -> str:
    """Before an amount: "$", "KWD"; nothing for a custom unit."""
    return get_currency_symbol(unit.code, locale=_locale.get()) if unit.code else ""


def plain_text(number: Decimal) -> str:
    """For an input: every digit that says something, nothing between them, no exponent: "0.0000025"."""
    return f"{_plain(number):f}"


def count_text(count: int, one: str, many: str) -> str:
    """ "1 contract", "2 contracts", "no contracts"."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {many}" if count else f"no {many}"


def quantity_text(quantity: Decimal) -> str:
    """With every digit that says something, thousands apart: "3,600,000", "0.25"."""
    with localcontext(Context(prec=PRECISION)):
        return format_decimal(_plain(quantity), locale=_locale.get(), decimal_quantization=False)


def instant_text(instant: datetime) -> str:
    """ "2 November 2025, 00:00 UTC"; seconds only where there are any."""
    clock = "HH:mm:ss" if instant.second or instant.microsecond else "HH:mm"
    time = format_datetime(instant, f"{clock} 'UTC'", locale=_locale.get())
    return f"{_date(instant, 'd MMMM y', 'yMMMMd')}, {time}"


def clock_text(instant: datetime) -> str:
    """ "09:05:07 UTC", where the day goes without saying."""
    return format_datetime(instant, "HH:mm:ss 'UTC'", locale=_locale.get())


def day_text(instant: datetime) -> str:
    """The day alone where the instant is its midnight, else the instant: "15 October 2025"."""
    if (instant.hour, instant.minute, instant.second, instant.microsecond) != (0, 0, 0, 0):
        return instant_text(instant)
    return _date(instant, "d MMMM y", "yMMMMd")


def with_days_in_words(text: str) -> str:
    """A sentence with its RFC 3339 instants in UTC as `day_text` says them."""
    return WRITTEN.sub(lambda found: day_text(parse_instant(found[0])), text)


def near_day_text(instant: datetime, near: datetime) -> str:
    """`day_text` without its year where that is also the year of `near`: "15 October"."""
    if instant.year != near.year:
        return day_text(instant)
    day = _date(instant, "d MMMM", "MMMMd")
    if instant == floor_day(instant):
        return day
    time = format_datetime(instant, "HH:mm 'UTC'", locale=_locale.get())
    return f"{day}, {time}"


def period_text(period: Period) -> str:
    """By days where it begins and ends with them: "1–14 October 2025", "from 15 October 2025"; the last is in it."""
    start, end = period.starting_at, period.ending_before
    if end is None:
        return f"from {day_text(start)}"
    last = end - timedelta(days=1)
    if start.hour or start.minute or end.hour or end.minute:
        return f"{instant_text(start)} to {instant_text(end)}"
    if last == start:
        return day_text(start)
    if not _is_english():
        return format_interval(start, last, "yMMMd", locale=_locale.get())
    if (start.year, start.month) == (last.year, last.month):
        return f"{start.day}–{day_text(last)}"
    if start.year == last.year:
        return f"{_date(start, 'd MMMM', 'MMMMd')} – {day_text(last)}"
    return f"{day_text(start)} – {day_text(last)}"


def month_text(instant: datetime) -> str:
    """ "October 2025"."""
    return _date(instant, "MMMM y", "yMMMM")


def month_name_text(instant: datetime) -> str:
    """ "October"."""
    return format_datetime(instant, "LLLL", locale=_locale.get())


def short_day_text(instant: datetime) -> str:
    """ "15 Oct", where there is little room."""
    return _date(instant, "d MMM", "MMMd")


def _date(instant: datetime, english: str, skeleton: str) -> str:
    """In English the day first, in words, wherever the reader is; elsewhere in the order of the place."""
    if _is_english():
        return format_datetime(instant, english, locale=_locale.get())
    if skeleton == "yMMMMd":
        return format_date(instant, "long", locale=_locale.get())
    return format_skeleton(skeleton, instant, locale=_locale.get())


def _is_english() -> bool:
    return _locale.get().partition("_")[0] == "en"


def _plain(number: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent."""
    return number.normalize() if number else Decimal(0)
