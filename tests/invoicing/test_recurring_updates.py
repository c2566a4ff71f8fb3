"""What recurs, changed for whatever has not begun, and with the contract's end, through the official client.

A unit costs 1 cent. The contract runs from 1 October 2025 to 1 February 2026 and bills usage by the calendar month.
"""

import pytest

from tests.invoicing.conftest import JANUARY, NOVEMBER, OCTOBER, at
from tests.invoicing.recurring import (
    agreed,
    allowance_shop,
    edited,
    held,
    invoices,
    ledger,
    monthly,
    paid,
    read,
    windows,
)
from tests.invoicing.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(clock_at) -> Shop:
    return allowance_shop(clock_at)


def test_an_update_changes_what_has_not_begun(shop, clock_at):
    """100 a month; on 1 November it becomes 50, for 20 instead of 40, and ends on 16 December."""
    contract_id = agreed(shop, recurring_commits=[monthly(shop, 100, invoice_amount=paid(40))])
    (recurring,) = read(shop, contract_id).recurring_commits
    clock_at("2025-11-01")
    update = {
        "recurring_commit_id": recurring.id,
        "access_amount": {"unit_price": 50},
        "invoice_amount": {"unit_price": 10, "quantity": 2},
        "ending_before": at("2025-12-16T12"),
    }
    edit = edited(shop, contract_id, update_recurring_commits=[update])

    (told,) = edit.update_recurring_commits
    assert (told.id, told.access_amount.unit_price, told.invoice_amount.quantity) == (recurring.id, 50, 2)
    clock_at("2025-12-01")
    assert windows(held(shop)) == [
        ("1 Oct", "1 Nov", "100", "0"),
        ("1 Nov", "1 Dec", "100", "0"),
        ("1 Dec", "16 Dec", "25", "25"),
    ]
    dates = [("1 Dec", "10", "DRAFT"), ("1 Nov", "40", "DRAFT"), ("1 Oct", "40", "DRAFT")]
    assert invoices(shop, type="SCHEDULED") == dates
    (now,) = read(shop, contract_id).recurring_commits
    assert (now.id, now.access_amount.unit_price, now.access_amount.quantity) == (recurring.id, 50, 1)
    then = shop.v2.contracts.retrieve(contract_id=contract_id, **shop.whose, as_of_date=OCTOBER).data
    assert then.recurring_commits[0].access_amount.unit_price == 100
    assert recurring.id not in {each.id for each in read(shop, contract_id).commits}


def test_an_update_may_open_the_end_and_clear_the_rounding(shop, clock_at):
    whole = {"access": {"decimal_places": 0, "rounding_method": "FLOOR"}}
    terms = {"ending_before": at("2025-11-08"), "proration_rounding": whole}
    contract_id = agreed(shop, recurring_credits=[monthly(shop, 100, **terms)])
    (recurring,) = read(shop, contract_id).recurring_credits
    assert recurring.proration_rounding.access.rounding_method == "FLOOR"
    update = {"recurring_credit_id": recurring.id, "ending_before": None, "proration_rounding": None}
    edited(shop, contract_id, update_recurring_credits=[update])

    (recurring,) = read(shop, contract_id).recurring_credits
    assert (recurring.ending_before, recurring.proration_rounding) == (None, None)
    clock_at("2025-11-30")
    assert windows(held(shop)) == [("1 Oct", "1 Nov", "100", "0"), ("1 Nov", "1 Dec", "100", "100")]


def test_an_earlier_end_of_the_contract_takes_nothing_of_what_has_begun(shop, clock_at):
    """On 5 November the contract is made to end on the 16th: what was granted on the 1st stays 300, and ends there."""
    contract_id = agreed(shop, recurring_credits=[monthly(shop, 300)])
    clock_at("2025-11-05")
    edited(shop, contract_id, update_contract_end_date=at("2025-11-16"))
    assert windows(held(shop)) == [("1 Oct", "1 Nov", "300", "0"), ("1 Nov", "16 Nov", "300", "300")]

    clock_at("2025-11-16")
    assert ledger(held(shop)[1]) == [("credit_segment_start", "300", "1 Nov"), ("credit_expiration", "-300", "16 Nov")]


def test_an_earlier_end_that_is_agreed_ahead_cuts_the_last_grant(shop, clock_at):
    contract_id = agreed(shop, recurring_credits=[monthly(shop, 300)])
    edited(shop, contract_id, update_contract_end_date=at("2025-11-16"))
    clock_at("2025-11-16")
    assert windows(held(shop)) == [("1 Oct", "1 Nov", "300", "0"), ("1 Nov", "16 Nov", "150", "0")]


def test_a_later_end_leaves_what_was_granted_and_billed_as_it_was(shop, clock_at):
    """November is granted by time up to the 16th: 150, for 75. The end moves to 1 January: December alone is new."""
    contract_id = shop.contract(
        ending_before=at("2025-11-16"), recurring_commits=[monthly(shop, 300, invoice_amount=paid(150))]
    )
    granted = [("1 Oct", "1 Nov", "300", "0"), ("1 Nov", "16 Nov", "150", "150")]
    clock_at("2025-11-05")
    assert windows(held(shop)) == granted
    edited(shop, contract_id, update_contract_end_date=JANUARY)
    assert windows(held(shop)) == granted
    assert ("1 Nov", "75", "DRAFT") in invoices(shop)
    clock_at("2025-12-05")
    assert windows(held(shop)) == [*granted[:1], ("1 Nov", "16 Nov", "150", "0"), ("1 Dec", "1 Jan", "300", "300")]


def test_a_later_end_counts_from_where_the_contract_had_ended(shop, clock_at):
    """The contract ended on 1 November; on the 5th its end moves to December, and November is granted whole."""
    contract_id = shop.contract(ending_before=NOVEMBER, recurring_credits=[monthly(shop, 300)])
    clock_at("2025-11-05")
    edited(shop, contract_id, update_contract_end_date=at("2025-12-01"))
    assert windows(held(shop)) == [("1 Oct", "1 Nov", "300", "0"), ("1 Nov", "1 Dec", "300", "300")]
