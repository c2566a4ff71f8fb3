"""Billing calendars as other billing products tell of them in their documentation: anchors at the end of months, short
first and last periods, odd starts, leap years, and when the document is issued and due. Worked out with our answers.

    what they say                                                  ours
    an anchor on the 31st is the last day of shorter months        the same, and it comes back to the 31st
    29, 30 or 31 January is followed by 28 February                the same; in a leap year 29 February
    a yearly 29 February falls on 28 February                      the same, and on the 29th four years later
    quarters and years count from the anchor, or by the calendar   from the anchor; with FIRST_OF_MONTH that is the
                                                                   1st of the month in which the contract begins
    a first period that is too short is put into the next one      never: it is a period, and a document, of its own
    the last period ends with the contract                         the same
    due so many days after the document is issued                  the same; issued is where the period ends

All is read with the official client. A row says from when and up to when the contract runs, how it is billed, and where
its periods begin; the last of these is where the last one ends. A day begins at midnight UTC.
"""

from datetime import timedelta

import pytest

from billing_site.foundation import tokens
from invoicing.services import finalize_due
from tests.invoicing.conftest import ADA, OCTOBER, at, sdk
from tests.invoicing.shop import Shop, table

pytestmark = pytest.mark.django_db

CASES = """
    case                     | from       | to         | frequency | day            | periods
    the 29th                 | 2025-12-29 | 2026-04-29 | MONTHLY   | CONTRACT_START | 12-29 01-29 02-28 03-29 04-29
    the 30th                 | 2025-12-30 | 2026-04-30 | MONTHLY   | CONTRACT_START | 12-30 01-30 02-28 03-30 04-30
    the 31st                 | 2025-12-31 | 2026-04-30 | MONTHLY   | CONTRACT_START | 12-31 01-31 02-28 03-31 04-30
    the 31st in a leap year  | 2027-12-31 | 2028-04-30 | MONTHLY   | CONTRACT_START | 12-31 01-31 02-29 03-31 04-30
    the 30th in a leap year  | 2028-01-30 | 2028-03-30 | MONTHLY   | CONTRACT_START | 01-30 02-29 03-30
    quarters from the 31st   | 2026-08-31 | 2027-08-31 | QUARTERLY | CONTRACT_START | 08-31 11-30 02-28 05-31 08-31
    quarters from an odd day | 2026-02-17 | 2026-10-01 | QUARTERLY | CONTRACT_START | 02-17 05-17 08-17 10-01
    quarters from the 1st    | 2026-02-17 | 2026-10-01 | QUARTERLY | FIRST_OF_MONTH | 02-17 05-01 08-01 10-01
    a year from a leap day   | 2024-02-29 | 2028-02-29 | ANNUAL    | CONTRACT_START | 02-29 02-28 02-28 02-28 02-29
    a year from an odd day   | 2025-07-04 | 2027-01-01 | ANNUAL    | CONTRACT_START | 07-04 07-04 01-01
    the last day of a month  | 2026-01-31 | 2026-03-15 | MONTHLY   | FIRST_OF_MONTH | 01-31 02-01 03-01 03-15
    one day                  | 2026-01-31 | 2026-02-01 | MONTHLY   | FIRST_OF_MONTH | 01-31 02-01
    ends inside a month      | 2026-01-01 | 2026-02-11 | MONTHLY   | FIRST_OF_MONTH | 01-01 02-01 02-11
    ends one day into it     | 2026-01-01 | 2026-02-02 | MONTHLY   | FIRST_OF_MONTH | 01-01 02-01 02-02
    an anchor before it      | 2026-01-20 | 2026-03-20 | MONTHLY   | 2020-05-31     | 01-20 01-31 02-28 03-20
    an anchor after it       | 2026-01-20 | 2026-03-20 | MONTHLY   | 2026-02-15     | 01-20 02-15 03-15 03-20
    weeks over a leap day    | 2028-02-25 | 2028-03-10 | WEEKLY    | CONTRACT_START | 02-25 03-03 03-10
"""
ROWS = [pytest.param(*cells[1:], id=cells[0]) for cells in table(CASES)]


@pytest.fixture
def shop(clock_at):
    clock_at("2024-01-01")
    shop = Shop(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]))
    shop.product("units")
    shop.prices(*shop.price("units", "FLAT 2", since="2024-01-01"))
    return shop


def agrees(shop, start, end, frequency="MONTHLY", day="FIRST_OF_MONTH", **terms):
    schedule = {"frequency": frequency, "day": day}
    if day[0].isdigit():
        schedule |= {"day": "CUSTOM_DATE", "billing_anchor_date": at(day)}
    shop.contract(starting_at=at(start), ending_before=at(end), usage_statement_schedule=schedule, **terms)


def documents(shop, **which):
    found = shop.v1.customers.invoices.list(customer_id=str(shop.customer.pk), type="USAGE", limit=100, **which)
    return sorted(found.data, key=lambda each: each.start_timestamp)


@pytest.mark.parametrize(("start", "end", "frequency", "day", "periods"), ROWS)
def test_where_periods_begin_and_end(shop, clock_at, start, end, frequency, day, periods):
    agrees(shop, start, end, frequency, day)
    clock_at("2028-12-31")
    found = documents(shop)
    begins = [each.start_timestamp for each in found]
    ends = [each.end_timestamp for each in found]
    assert [f"{instant:%m-%d}" for instant in [*begins, ends[-1]]] == periods.split()
    assert (begins[0], begins[1:], ends[-1]) == (at(start), ends[:-1], at(end))
    assert all((each.hour, each.minute, each.second) == (0, 0, 0) for each in ends)


@pytest.mark.parametrize(
    ("days", "dues"),
    [
        pytest.param(0, ["2026-02-28", "2026-03-31"], id="at once"),
        pytest.param(1, ["2026-03-01", "2026-04-01"], id="a day"),
        pytest.param(30, ["2026-03-30", "2026-04-30"], id="30 days are days, and not a month"),
        pytest.param(None, [None, None], id="nothing is said"),
    ],
)
def test_when_documents_are_issued_and_due(shop, days, dues):
    agrees(
        shop,
        "2026-01-31",
        "2026-03-31",
        day="CONTRACT_START",
        **({} if days is None else {"net_payment_terms_days": days}),
    )
    finalize_due(shop.customer.pk, at=at("2026-04-01"), by=ADA)
    found = documents(shop, status="FINALIZED")
    assert [each.issued_at for each in found] == [each.end_timestamp for each in found]
    assert [getattr(each, "due_at", None) for each in found] == [
        None if due is None else at(due).isoformat() for due in dues
    ]


def test_a_period_that_ends_inside_a_day_is_read_to_the_hour(shop, clock_at):
    agrees(shop, "2026-01-31T18", "2026-03-01T06", day="CONTRACT_START")
    clock_at("2026-03-05")
    assert [(each.start_timestamp, each.end_timestamp) for each in documents(shop)] == [
        (at("2026-01-31T18"), at("2026-02-28T18")),
        (at("2026-02-28T18"), at("2026-03-01T06")),
    ]
    assert documents(shop)[0].end_timestamp - documents(shop)[0].start_timestamp == timedelta(days=28)
