"""What an edit would make of the billing periods after the running one: the worked table, and its edges."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.display import amount_text
from billing_site.foundation.periods import format_instant
from contracts.models import Contract
from contracts.serializers.contracts import EditContractRequest
from invoicing.admin.screens import ComingCard
from invoicing.queries.preview import preview_edit
from tests.invoicing.conftest import DECEMBER, JANUARY, NOVEMBER, OCTOBER, at
from tests.invoicing.test_subscriptions_api import seats, shop

pytestmark = pytest.mark.django_db
__all__ = ["shop"]  # the fixture

NOW = "2025-10-15"


@pytest.fixture
def two_dollars_a_day(shop, clock_at):
    """Up to 15 October, at five in the morning, under a contract without an end."""
    clock_at(NOW)
    shop.uses("units", ", ".join(f"200 on {day}" for day in range(1, 15)))
    return shop


def coming(shop, now=NOW, **edit):
    contract = Contract.objects.get()
    given = json.loads(json.dumps(edit, default=format_instant))
    sent = EditContractRequest(data={"customer_id": contract.customer_id, "contract_id": contract.pk, **given})
    sent.is_valid(raise_exception=True)
    return preview_edit(contract.customer_id, contract.pk, sent.to_input(), at=at(now)).coming


def table(found):
    return [
        (f"{row.period.starting_at:%B}", amount_text(row.before, row.unit), amount_text(row.after, row.unit))
        for row in found.periods
    ]


def half_off(shop, since=DECEMBER):
    return {
        "starting_at": since,
        "type": "MULTIPLIER",
        "multiplier": "0.5",
        "override_specifiers": [{"product_id": shop.products["units"]}],
    }


def commitment(shop):
    return {
        "product_id": shop.product("Year", type="FIXED"),
        "type": "POSTPAID",
        "access_schedule": {"schedule_items": [{"amount": 50_000, "starting_at": OCTOBER, "ending_before": JANUARY}]},
        "invoice_schedule": {"schedule_items": [{"amount": 50_000, "timestamp": JANUARY}]},
    }


def test_a_deal_is_seen_in_the_next_three_periods(two_dollars_a_day):
    shop = two_dollars_a_day
    shop.contract()
    found = coming(
        shop,
        add_overrides=[half_off(shop)],
        add_commits=[commitment(shop)],
        add_subscriptions=[seats(shop, 1, collection_schedule="ARREARS", starting_at=NOVEMBER)],
    )
    assert table(found) == [
        ("November", "$60.00", "$80.00"),
        ("December", "$62.00", "$358.00"),
        ("January", "$62.00", "$51.00"),
    ]
    assert (found.ends_at, found.is_change) == (None, True)
    shown = ComingCard.of(found)
    assert [(row.name, row.difference) for row in shown.rows] == [
        ("1–30 November 2025", "+$20.00"),
        ("1–31 December 2025", "+$296.00"),
        ("1–31 January 2026", "-$11.00"),
    ]
    assert shown.told == (
        "What invoices of the contract come to, before tax, if usage goes on hour for hour as in the seven days up to"
        " 15 October 2025, 00:00 UTC."
    )


def test_a_contract_that_is_to_end_within_them_has_no_more_after_that(two_dollars_a_day):
    shop = two_dollars_a_day
    shop.contract()
    found = coming(shop, update_contract_end_date=at("2025-12-11"))
    assert table(found) == [
        ("November", "$60.00", "$60.00"),
        ("December", "$62.00", "$20.00"),
        ("January", "$62.00", "$0.00"),
    ]
    assert ComingCard.of(found).told.endswith("No period follows: the contract ends with 10 December 2025.")


def test_what_is_due_at_the_end_belongs_to_the_last_period(two_dollars_a_day):
    shop = two_dollars_a_day
    shop.contract(ending_before=JANUARY)
    charge = {
        "product_id": shop.product("Exit", type="FIXED"),
        "schedule": {"schedule_items": [{"amount": 700, "timestamp": DECEMBER}, {"amount": 900, "timestamp": JANUARY}]},
    }
    found = coming(shop, add_scheduled_charges=[charge])
    assert table(found) == [("November", "$60.00", "$60.00"), ("December", "$62.00", "$78.00")]
    assert found.ends_at == JANUARY


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (None, "In the billing periods after the running one nothing changes, if usage goes on hour for hour"),
        (NOVEMBER, "No billing period follows the running one: the contract ends with 31 October 2025."),
    ],
)
def test_where_there_is_nothing_to_tell_one_sentence_says_so(two_dollars_a_day, ends, told):
    two_dollars_a_day.contract(**({"ending_before": ends} if ends else {}))
    shown = ComingCard.of(coming(two_dollars_a_day, update_contract_name="Deal"))
    assert shown.rows == ()
    assert shown.told.startswith(told)


@pytest.mark.parametrize(("aggregation", "november"), [("MAX", "$0.09"), ("UNIQUE", "$0.02")])
def test_what_is_counted_once_a_period_is_what_it_was_over_a_time_as_long(shop, clock_at, aggregation, november):
    clock_at(NOW)
    shop.product("peaks", aggregation=aggregation)
    shop.prices(*shop.price("peaks", "FLAT 1"))
    shop.uses("peaks", "9 on 3, 4 on 9, 4 on 12")
    shop.contract()
    half = half_off(shop) | {"override_specifiers": [{"product_id": shop.products["peaks"]}]}
    assert table(coming(shop, add_overrides=[half]))[0] == ("November", november, november)


def test_a_balance_that_runs_out_on_the_way_is_drawn_by_the_hour(two_dollars_a_day):
    """$100 left of October 15: $34 until November, then $60, and $6 in the first days of December."""
    shop = two_dollars_a_day
    shop.contract()
    credit = {
        "product_id": shop.product("Gift", type="FIXED"),
        "access_schedule": {
            "schedule_items": [{"amount": 10_050, "starting_at": at(NOW), "ending_before": at("2026-10-01")}]
        },
    }
    assert table(coming(shop, add_credits=[credit])) == [
        ("November", "$60.00", "$0.00"),
        ("December", "$62.00", "$55.50"),
        ("January", "$62.00", "$62.00"),
    ]


def test_it_takes_as_many_statements_however_far_ahead_it_looks(two_dollars_a_day):
    two_dollars_a_day.contract(ending_before=DECEMBER)
    counted = []
    near, far = (at("2025-12-02"), 2), (at("2026-01-05"), 3)
    for end, rows in (near, near, far):  # the first one also reads what a process keeps
        with CaptureQueriesContext(connection) as captured:
            assert len(coming(two_dollars_a_day, update_contract_end_date=end).periods) == rows
        counted.append(len(captured))
    assert counted[1] == counted[2]
