"""The worked table of `docs/packages.md`, and what it leaves to be said."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_site.foundation.periods import parse_instant
from contracts.offsets import DAYS, MONTHS, UNITS, YEARS, Offset, dated

DOCUMENT = Path(__file__).parents[2] / "docs" / "packages.md"
STARTS = ("2025-01-31", "2025-11-30", "2024-02-29T05:00")


def worked_rows():
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) == 5 and cells[0].split()[-1] in UNITS:
            yield cells


def offset(text):
    if text == "–":
        return None
    value, unit = text.split()
    return Offset(unit, int(value))


def told(period):
    texts = [f"{each:%Y-%m-%dT%H}".removesuffix("T00") for each in period if each is not None]
    return " to ".join(texts) if len(texts) == 2 else f"{texts[0]} on"


@pytest.mark.parametrize(("begins", "lasts", "holds"), [(row[0], row[1], row[2:]) for row in worked_rows()])
def test_the_worked_table_holds(begins, lasts, holds):
    found = [told(dated(parse_instant(start), offset(begins), offset(lasts))) for start in STARTS]
    assert found == holds


def test_the_table_was_found():
    assert len(list(worked_rows())) == 9


starts = st.datetimes(min_value=parse_instant("2000-01-01").replace(tzinfo=None)).map(
    lambda naive: (
        parse_instant(f"{naive.replace(year=2000 + naive.year % 100):%Y-%m-%dT%H:00}")
        if (naive.month, naive.day) != (2, 29)
        else parse_instant("2024-02-29")
    )
)
months = st.builds(Offset, st.sampled_from([MONTHS, YEARS]), st.integers(1, 30))


@given(start=starts, first=months, second=months)
def test_months_that_follow_one_another_leave_no_gap(start, first, second):
    """Where the second begins as many months later as the first lasts."""
    _, end = dated(start, Offset(DAYS, 0), first)
    begin, _ = dated(start, first, second)
    assert end == begin


@given(start=starts, begins=st.builds(Offset, st.sampled_from(UNITS), st.integers(0, 50)), lasts=months)
def test_whatever_lasts_ends_after_it_begins(start, begins, lasts):
    starting_at, ending_before = dated(start, begins, lasts)
    assert start <= starting_at < ending_before
