"""The worked tables of `docs/start_of_invoicing.md`."""

import pytest

from billing_site.foundation.money import exact_sum
from invoicing.engine.calendar import invoiced_periods, is_billed_to_its_end
from tests.invoicing.engine.subscribed import collected, subscribed, subscription
from tests.invoicing.engine.world import (
    DECEMBER,
    NEW_YEAR,
    NOTHING_POSTED,
    OCTOBER,
    D,
    computed,
    contract,
    postpaid,
    prepaid,
    used,
)
from tests.invoicing.engine.world import on as day

MIDDLE = day(11, 15)
USAGE = (
    used("Calls", day(10, 10), 100),
    used("Calls", day(11, 14, 23), 40),
    used("Calls", MIDDLE, 60),
    used("Calls", day(12, 10), 120),
)
NOVEMBERS = ("01 Nov - 01 Dec", "10", "2,000", "20,000")
DECEMBERS = ("01 Dec - 01 Jan", "10", "2,000", "20,000")


def told(*commits, starts):
    """Of each usage document its period, calls and what is asked; what is left of each balance; true-ups."""
    inputs = subscribed(day(12, 31, 23), terms={"commits": commits, "invoicing_starts_at": starts})
    result = computed(inputs, USAGE)
    documents = [each for each in result.documents if each.kind == "USAGE"]
    return (
        [
            (
                f"{each.period.starting_at:%d %b} - {each.period.ending_before:%d %b}",
                exact_sum([line.quantity for line in each.lines if line.type == "usage"]),
                each.total,
            )
            for each in documents
        ],
        [each.left for each in result.balances],
        [each.total for each in result.documents if each.kind == "TRUE_UP"],
    )


@pytest.mark.parametrize(
    ("starts", "documents", "left"),
    [
        (MIDDLE, [("15 Nov - 01 Dec", 60, 0), ("01 Dec - 01 Jan", 120, 30)], 0),
        (DECEMBER, [("01 Dec - 01 Jan", 120, 0)], 30),
        (day(12, 10, 1), [("10 Dec - 01 Jan", 0, 0)], 150),
        (OCTOBER, [("01 Oct - 01 Nov", 100, 0), ("01 Nov - 01 Dec", 100, 50), ("01 Dec - 01 Jan", 120, 120)], 0),
    ],
)
def test_usage_before_it_is_on_no_document_and_draws_on_nothing(starts, documents, left):
    assert told(prepaid("150"), starts=starts) == (documents, [D(left)], [])


def test_usage_before_it_counts_toward_no_commitment():
    assert told(postpaid("1000"), starts=MIDDLE)[1:] == ([820], [820])
    assert told(postpaid("1000"), starts=None)[1:] == ([680], [680])


@pytest.mark.parametrize(
    ("is_in_advance", "starts", "fees"),
    [
        (True, MIDDLE, [("01 Dec", "USAGE", *DECEMBERS)]),
        (True, DECEMBER, [("01 Dec", "CHARGES", *DECEMBERS)]),
        (False, MIDDLE, [("01 Dec", "USAGE", *NOVEMBERS), ("01 Jan", "USAGE", *DECEMBERS)]),
        (False, DECEMBER, [("01 Jan", "USAGE", *DECEMBERS)]),
    ],
)
def test_fees_collected_before_it_are_invoiced_elsewhere(is_in_advance, starts, fees):
    seats = subscription(OCTOBER, (OCTOBER, 10), is_in_advance=is_in_advance)
    inputs = subscribed(day(12, 31, 23), seats, terms={"invoicing_starts_at": starts})

    assert collected(computed(inputs, ())) == fees


def test_a_contract_that_ends_before_it_has_no_usage_document():
    over = contract(OCTOBER, MIDDLE, invoicing_starts_at=DECEMBER)

    assert (over.invoiced, list(invoiced_periods(over))) == (None, [])
    assert is_billed_to_its_end(over, NOTHING_POSTED)
    ends = [
        period.ending_before for period in invoiced_periods(contract(OCTOBER, NEW_YEAR, invoicing_starts_at=MIDDLE))
    ]
    assert ends == [DECEMBER, NEW_YEAR]
