"""Commits and credits that recur, driven and read with the official client.

A unit costs 1 cent. The contract runs from 1 October 2025 to 1 February 2026 and bills usage by the calendar month.
"""

import pytest

from billing_site.foundation import tokens
from invoicing.queries.due import due_customers, next_due
from invoicing.services import finalize_due
from ledger.models import LedgerEntry
from pricing.units import USD_ID
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at, sdk
from tests.invoicing.shop import Shop, shown

pytestmark = pytest.mark.django_db

FEBRUARY = at("2026-02-01")


@pytest.fixture
def shop(clock_at) -> Shop:
    clock_at("2025-10-01")
    shop = Shop(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]))
    shop.product("units")
    shop.prices(*shop.price("units", "FLAT 1"))
    shop.fixed = shop.v1.contracts.products.create(name="Allowance", type="FIXED").data.id
    shop.whose = {"customer_id": str(shop.customer.pk)}
    return shop


def monthly(shop, amount=310, start=OCTOBER, **terms):
    return {
        "product_id": shop.fixed,
        "name": "Monthly",
        "priority": 1,
        "starting_at": start,
        "access_amount": {"unit_price": amount, "quantity": 1},
        "commit_duration": {"value": 1},
    } | terms


def paid(unit_price, quantity=1):
    return {"unit_price": unit_price, "quantity": quantity, "credit_type_id": str(USD_ID)}


def agreed(shop, **terms):
    return shop.contract(ending_before=FEBRUARY, **terms)


def edited(shop, contract_id, **edit):
    return shop.v2.contracts.edit(contract_id=contract_id, **shop.whose, **edit).data.edit


def read(shop, contract_id):
    asked = {"include_balance": True, "include_ledgers": True}
    return shop.v2.contracts.retrieve(contract_id=contract_id, **shop.whose, **asked).data


def held(shop, **query):
    asked = {"include_contract_balances": True, "include_balance": True, "include_ledgers": True} | query
    return list(shop.v1.contracts.list_balances(**shop.whose, **asked))


def windows(found):
    """From, until, amount, what is left."""
    return [
        (f"{item.starting_at:%-d %b}", f"{item.ending_before:%-d %b}", shown(item.amount), shown(each.balance))
        for each in found
        for item in each.access_schedule.schedule_items
    ]


def ledger(each):
    return [(entry.type.lower(), shown(entry.amount), f"{entry.timestamp:%-d %b}") for entry in each.ledger]


def invoices(shop, **query):
    found = shop.v1.customers.invoices.list(**shop.whose, **query)
    return sorted((f"{each.issued_at:%-d %b}", shown(each.total), each.status) for each in found)


def test_a_monthly_credit_is_granted_by_time_at_both_ends(shop, clock_at):
    """310 a month from 22 October to 11 December: 10 of 31 days, a month, 10 of 31 days."""
    contract_id = agreed(
        shop, recurring_credits=[monthly(shop, start=at("2025-10-22"), ending_before=at("2025-12-11"))]
    )

    for instant, expected in [
        ("2025-10-21T23:59:59", []),
        ("2025-10-22T00:00:00", [("22 Oct", "1 Nov", "100", "100")]),
        ("2025-10-31T23:59:59", [("22 Oct", "1 Nov", "100", "100")]),
        ("2025-11-01T00:00:00", [("22 Oct", "1 Nov", "100", "0"), ("1 Nov", "1 Dec", "310", "310")]),
        (
            "2025-12-11T00:00:00",
            [("22 Oct", "1 Nov", "100", "0"), ("1 Nov", "1 Dec", "310", "0"), ("1 Dec", "11 Dec", "100", "0")],
        ),
    ]:  # fmt: skip
        clock_at(instant)
        assert windows(held(shop)) == expected, instant
        assert windows(read(shop, contract_id).credits) == expected, instant

    first, _, last = held(shop)
    (recurring,) = read(shop, contract_id).recurring_credits
    assert (first.recurring_credit_id, first.name, first.created_by) == (recurring.id, "Monthly", None)
    assert first.created_at == at("2025-10-22")
    assert ledger(last) == [("credit_segment_start", "100", "1 Dec"), ("credit_expiration", "-100", "11 Dec")]


def test_usage_draws_on_the_instance_of_its_hour_in_drafts_and_for_good(shop, clock_at):
    agreed(shop, recurring_credits=[monthly(shop, 100)])
    shop.uses("units", "130 on 5")
    clock_at("2025-11-01")

    october, november = held(shop)
    assert ledger(october) == [
        ("credit_segment_start", "100", "1 Oct"),
        ("credit_automated_invoice_deduction", "-100", "1 Nov"),
    ]
    assert (shown(october.balance), shown(november.balance)) == ("0", "100")
    assert ("1 Nov", "30", "DRAFT") in invoices(shop)

    finalize_due(shop.customer.pk, at=at("2025-11-02"), by=ADA)
    clock_at("2025-11-02")
    entry = LedgerEntry.objects.get()
    assert (str(entry.commit_id), entry.amount) == (october.id, -100)
    assert ledger(held(shop, id=october.id)[0]) == ledger(october)
    assert windows(held(shop, covering_date=at("2025-11-15"))) == [("1 Nov", "1 Dec", "100", "100")]


def test_a_paid_commit_of_two_months_overlaps_with_the_next_and_is_billed_at_its_start(shop, clock_at):
    """100 a month for 80, each for two months."""
    terms = {"commit_duration": {"value": 2}, "invoice_amount": paid(8, 10)}
    contract_id = agreed(shop, recurring_commits=[monthly(shop, 100, **terms)])

    assert next_due(at("2025-09-30"), JANUARY) == OCTOBER
    assert [due.customer_id for due in due_customers(at=OCTOBER)] == [shop.customer.pk]
    finalize_due(shop.customer.pk, at=OCTOBER, by=ADA)
    assert due_customers(at=OCTOBER) == []

    shop.uses("units", "30 on 5")
    clock_at("2025-11-05")
    assert windows(held(shop)) == [("1 Oct", "1 Dec", "100", "70"), ("1 Nov", "1 Jan", "100", "100")]
    assert ("1 Oct", "80", "FINALIZED") in invoices(shop)
    assert ("1 Nov", "80", "DRAFT") in invoices(shop)
    first = held(shop)[0]
    (recurring,) = read(shop, contract_id).recurring_commits
    assert (first.recurring_commit_id, first.type, shown(first.cost_basis)) == (recurring.id, "PREPAID", "0.8")
    assert first.invoice_schedule.schedule_items[0].timestamp == OCTOBER
    assert (recurring.anchor_date, recurring.commit_duration.value, recurring.proration) == (
        OCTOBER,
        2,
        "FIRST_AND_LAST",
    )
