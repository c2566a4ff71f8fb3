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
from tests.factories.ledger import event, post
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
    quarters from 30 November | 2026-11-30 | 2027-11-30 | QUARTERLY | CONTRACT_START | 11-30 02-28 05-30 08-30 11-30
    quarters in a leap year  | 2027-12-31 | 2028-12-31 | QUARTERLY | CONTRACT_START | 12-31 03-31 06-30 09-30 12-31
    a leap day before it     | 2027-06-15 | 2028-06-15 | ANNUAL    | 2020-02-29     | 06-15 02-29 06-15
    weeks of Mondays         | 2026-01-08 | 2026-01-27 | WEEKLY    | 2026-01-05     | 01-08 01-12 01-19 01-26 01-27
    weeks over summer time   | 2026-03-25 | 2026-04-08 | WEEKLY    | CONTRACT_START | 03-25 04-01 04-08
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


@pytest.mark.parametrize(
    ("days", "dues"),
    [
        pytest.param(1, ["2028-03-01", "2028-04-01"], id="the day after a leap day is the 1st"),
        pytest.param(60, ["2028-04-29", "2028-05-30"], id="60 days, over two ends of months"),
        pytest.param(365, ["2029-02-28", "2029-03-31"], id="365 days after a leap day"),
    ],
)
def test_when_documents_of_a_leap_year_are_due(shop, days, dues):
    agrees(shop, "2028-01-31", "2028-03-31", day="CONTRACT_START", net_payment_terms_days=days)
    finalize_due(shop.customer.pk, at=at("2028-04-01"), by=ADA)
    assert [each.due_at for each in documents(shop, status="FINALIZED")] == [at(due).isoformat() for due in dues]


def test_an_hour_that_a_clock_on_the_wall_shows_twice_is_two(shop, clock_at):
    """Berlin's clocks go back on 25 October 2026; a month ends at midnight UTC, wherever the event says it is from."""
    agrees(shop, "2026-10-01", "2026-12-01")
    stamps = [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
        "2026-10-31T23:30:00-01:00",  # half an hour into November
        "2026-11-01T00:30:00+01:00",  # half an hour before it
    ]
    post(
        *(
            event(None, customer_id="acme", event_type="units", timestamp=stamp, properties={"value": str(10**place)})
            for place, stamp in enumerate(stamps)
        ),
        at=at("2026-11-20"),
    )
    clock_at("2026-11-20")
    assert [each.line_items[0].quantity for each in documents(shop)] == [1011, 100]
    [october] = [each for each in documents(shop) if each.end_timestamp == at("2026-11-01")]
    assert october.end_timestamp - october.start_timestamp == timedelta(hours=744)


@pytest.mark.parametrize(
    ("created", "due"),
    [
        pytest.param("2026-01-10", "2026-02-02", id="a day after the period, where the contract was there"),
        pytest.param("2026-01-31T20", "2026-02-02", id="or came in its last hours"),
        pytest.param("2026-02-10T07", "2026-02-11T07", id="a day after the contract was made, for a month before it"),
    ],
)
def test_grace_begins_with_the_later_of_the_end_and_the_contract(shop, clock_at, created, due):
    clock_at(created)
    agrees(shop, "2026-01-01", "2026-03-01")
    just_before = at(due) - timedelta(hours=1)
    assert finalize_due(shop.customer.pk, at=just_before, by=ADA).finalized == ()
    assert [each.starting_at for each in finalize_due(shop.customer.pk, at=at(due), by=ADA).finalized] == [
        at("2026-01-01")
    ]


def test_a_period_that_ends_inside_a_day_is_read_to_the_hour(shop, clock_at):
    agrees(shop, "2026-01-31T18", "2026-03-01T06", day="CONTRACT_START")
    clock_at("2026-03-05")
    assert [(each.start_timestamp, each.end_timestamp) for each in documents(shop)] == [
        (at("2026-01-31T18"), at("2026-02-28T18")),
        (at("2026-02-28T18"), at("2026-03-01T06")),
    ]
    assert documents(shop)[0].end_timestamp - documents(shop)[0].start_timestamp == timedelta(days=28)
