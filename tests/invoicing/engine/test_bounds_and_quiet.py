"""The tables of `invoicing.engine.bounds` and `invoicing.engine.quiet`, row by row."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest

from billing_site.foundation.periods import Period
from invoicing.engine import bounds, quiet
from invoicing.engine.bounds import Billed, Bounds, out_of_bounds
from invoicing.engine.quiet import Source, end_of, gone_quiet

START = datetime(2025, 10, 1, tzinfo=UTC)
RULE = Bounds(above=Fraction(3), below=Fraction(1, 3), least_difference=Decimal(10))
ROW = re.compile(r"    (?P<before>[-\d., ]+?)  +(?P<total>[\d.]+) in (?P<days>\d+) days +(?P<answer>\S.*)")
ROWS = [found.groups() for line in bounds.__doc__.splitlines() if (found := ROW.fullmatch(line))]
TOKENS, CALLS = (Source("acme", UUID(int=number)) for number in (1, 2))


def billed(total, days=30):
    return Billed(Decimal(total), Period(START, START + timedelta(days=days)))


def test_every_row_of_the_table_is_read():
    assert len(ROWS) == 15


@pytest.mark.parametrize(("before", "total", "days", "answer"), ROWS)
def test_the_table_of_bounds(before, total, days, answer):
    found = out_of_bounds(billed(total, int(days)), [billed(each) for each in before.split(", ")], RULE)
    if found is None:
        assert answer.startswith(("usual", "nothing is usual"))
    else:
        kind, usual = answer.partition(":")[0].split()
        assert (found.kind, f"{float(found.usual):.2f}".removesuffix(".00")) == (kind, usual)


def test_the_last_six_documents_count_and_no_others():
    before = [billed(100) for _ in range(6)] + [billed(9000) for _ in range(20)]
    found = out_of_bounds(billed(301), before, RULE)
    assert (found.usual, found.documents) == (100, 6)


@pytest.mark.parametrize(
    ("now", "before", "found"),
    [
        ({TOKENS}, [{TOKENS}] * 3, []),
        (set(), [{TOKENS}] * 3, [TOKENS]),
        (set(), [{TOKENS}, set(), {TOKENS}], []),
        (set(), [{TOKENS}, {TOKENS}, set()], []),
        ({TOKENS}, [{TOKENS, CALLS}] * 3, [CALLS]),
        (set(), [{TOKENS}] * 2, []),
        (set(), [{TOKENS}] * 3 + [set()], [TOKENS]),
    ],
)
def test_the_table_of_quiet_sources(now, before, found):
    assert gone_quiet(now, before) == found


def test_the_end_of_a_period_is_never_longer_than_the_period():
    assert end_of(Period(START, START + timedelta(days=30)), 7).starting_at == START + timedelta(days=23)
    assert end_of(Period(START, START + timedelta(days=5)), 7) == Period(START, START + timedelta(days=5))
    assert quiet.DOCUMENTS == bounds.LEAST_DOCUMENTS  # holding starts with the fourth document, for either reason
