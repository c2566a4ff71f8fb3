"""Amounts and times as people read them."""

import re
from datetime import UTC, datetime
from decimal import Decimal as D
from uuid import UUID

import pytest

from billing_site.foundation.display import (
    about_text,
    amount_text,
    clock_text,
    day_text,
    exact_text,
    instant_text,
    known_locale,
    month_name_text,
    month_text,
    near_day_text,
    period_text,
    quantity_text,
    short_day_text,
    written_for,
)
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period

ID = UUID(int=1)
USD = Unit(ID, "USD (cents)", 2, 2, "USD")
EUR = Unit(ID, "EUR", 0, 2, "EUR")
JPY = Unit(ID, "JPY", 0, 0, "JPY")
KWD = Unit(ID, "KWD", 0, 3, "KWD")
CREDITS = Unit(ID, "credits", 0, 2)


@pytest.mark.parametrize(
    ("amount", "unit", "shown", "exact"),
    [
        pytest.param("5100000", USD, "$51,000.00", "$51,000.00", id="cents in dollars"),
        pytest.param("0.2", USD, "$0.00", "$0.002", id="a fifth of a cent"),
        pytest.param("0.00025", USD, "$0.00", "$0.0000025", id="a very small price"),
        pytest.param("1E+3", USD, "$10.00", "$10.00", id="no exponent is ever shown"),
        pytest.param("-1250.5", USD, "-$12.51", "-$12.505", id="halves go away from zero"),
        pytest.param("0", USD, "$0.00", "$0.00", id="nothing"),
        pytest.param("1234.5", EUR, "€1,234.50", "€1,234.50", id="euros are whole units"),
        pytest.param("1234", JPY, "¥1,234", "¥1,234", id="yen have no smaller unit"),
        pytest.param("1.2345", KWD, "KWD\xa01.235", "KWD\xa01.2345", id="a thousandth of a dinar"),
        pytest.param("12.50", CREDITS, "12.5 credits", "12.5 credits", id="credits of our own"),
        pytest.param(
            "123456789012345678901234.123456789012",
            USD,
            "$1,234,567,890,123,456,789,012.34",
            "$1,234,567,890,123,456,789,012.34123456789012",
            id="more digits than a float has",
        ),
    ],
)
def test_an_amount_is_shown_in_its_major_unit(amount, unit, shown, exact):
    assert (amount_text(D(amount), unit), exact_text(D(amount), unit)) == (shown, exact)


@pytest.mark.parametrize(
    ("quantity", "shown"), [("3600000.00", "3,600,000"), ("0.250", "0.25"), ("-1e-12", "-0.000000000001"), ("0", "0")]
)
def test_a_quantity_keeps_every_digit(quantity, shown):
    assert quantity_text(D(quantity)) == shown


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        pytest.param(at(2025, 10, 1), at(2025, 10, 15), "1–14 October 2025", id="within a month"),
        pytest.param(at(2025, 10, 1), at(2025, 10, 2), "1 October 2025", id="a day"),
        pytest.param(at(2025, 10, 1), at(2026, 1, 1), "1 October – 31 December 2025", id="within a year"),
        pytest.param(at(2025, 10, 1), at(2026, 2, 1), "1 October 2025 – 31 January 2026", id="over a new year"),
        pytest.param(at(2025, 10, 1), None, "from 1 October 2025", id="open"),
        pytest.param(
            at(2025, 10, 1, 3),
            at(2025, 10, 2),
            "1 October 2025, 03:00 UTC to 2 October 2025, 00:00 UTC",
            id="not by days",
        ),
    ],
)
def test_a_period_names_its_last_day(start, end, shown):
    assert period_text(Period(start, end)) == shown


def test_a_time_says_utc_and_a_midnight_may_be_its_day():
    assert instant_text(at(2025, 11, 2)) == "2 November 2025, 00:00 UTC"
    assert instant_text(at(2025, 11, 2, 9, 5, 7)) == "2 November 2025, 09:05:07 UTC"
    assert (day_text(at(2025, 11, 2)), day_text(at(2025, 11, 2, 9))) == (
        "2 November 2025",
        "2 November 2025, 09:00 UTC",
    )


@pytest.mark.parametrize(
    ("amount", "unit", "shown"),
    [
        pytest.param("8988812.34", USD, "$89,900", id="three digits"),
        pytest.param("100049", USD, "$1,000", id="a round one"),
        pytest.param("12345", USD, "$123", id="whole dollars"),
        pytest.param("1234", USD, "$12.30", id="with cents"),
        pytest.param("4.6", USD, "$0.05", id="never finer than a cent"),
        pytest.param("0", USD, "$0", id="nothing"),
        pytest.param("-8988812", USD, "-$89,900", id="below nothing"),
        pytest.param("123456", JPY, "¥123,000", id="yen"),
        pytest.param("1234567", KWD, "KWD\xa01,230,000", id="a currency without a sign"),
        pytest.param("12345", CREDITS, "12,300 credits", id="credits"),
    ],
)
def test_an_estimate_has_three_digits(amount, unit, shown):
    assert about_text(D(amount), unit) == shown


def test_what_goes_without_saying_is_left_out():
    assert near_day_text(at(2025, 10, 15), at(2025, 12, 1)) == "15 October"
    assert near_day_text(at(2025, 10, 15, 13), at(2025, 12, 1)) == "15 October, 13:00 UTC"
    assert near_day_text(at(2025, 10, 15), at(2026, 1, 1)) == "15 October 2025"
    assert (month_name_text(at(2025, 10, 15)), short_day_text(at(2025, 10, 5))) == ("October", "5 Oct")
    assert clock_text(at(2025, 10, 15, 9, 5, 7)) == "09:05:07 UTC"


@pytest.mark.parametrize(
    ("locale", "amount", "instant", "period", "month"),
    [
        pytest.param(
            "de_DE",
            "51.000,00\xa0$",
            "2. November 2025, 06:30 UTC",
            "1.–14. Nov. 2025",
            "November 2025",
            id="the order of German",
        ),
        pytest.param(
            "ja",
            "$51,000.00",
            "2025年11月2日, 06:30 UTC",
            "2025年11月1日～14日",
            "2025年11月",
            id="the order of Japanese",
        ),
        pytest.param(
            "en_GB",
            "US$51,000.00",
            "2 November 2025, 06:30 UTC",
            "1–14 November 2025",
            "November 2025",
            id="English anywhere",
        ),
    ],
)
def test_texts_are_written_for_a_locale(locale, amount, instant, period, month):
    half_month = Period(datetime(2025, 11, 1, tzinfo=UTC), datetime(2025, 11, 15, tzinfo=UTC))
    with written_for(locale):
        assert amount_text(D("5100000"), USD) == amount
        assert instant_text(datetime(2025, 11, 2, 6, 30, tzinfo=UTC)) == instant
        assert period_text(half_month) == period
        assert month_text(half_month.starting_at) == month
        assert about_text(D("5100000"), USD) == re.sub(r"[.,]00(?!\d)", "", amount)
    assert amount_text(D("5100000"), USD) == "$51,000.00"  # as before


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("de-DE", "de_DE"),
        ("de_CH", "de_CH"),
        ("de-xx", "de"),
        ("zh-Hant-TW", "zh_Hant_TW"),
        ("../../etc/passwd", None),
        ("xx", None),
        ("", None),
        ("*", None),
    ],
)
def test_a_language_tag_names_a_locale_or_nothing(tag, locale):
    assert known_locale(tag) == locale
