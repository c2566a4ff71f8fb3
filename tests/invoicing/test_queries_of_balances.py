"""Reading balances costs the same number of queries for one commit and for twelve. With the official SDK."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation import tokens
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at, sdk
from tests.invoicing.shop import Shop

pytestmark = pytest.mark.django_db

READS = {
    "net balance": lambda shop, _: shop.v1.contracts.get_net_balance(**shop.whose),
    "net balance, final documents alone": lambda shop, _: shop.v1.contracts.get_net_balance(
        **shop.whose, invoice_inclusion_mode="FINALIZED"
    ),
    "balances": lambda shop, _: shop.v1.contracts.list_balances(
        **shop.whose, include_contract_balances=True, include_balance=True, include_ledgers=True
    ),
    "the customer's commits": lambda shop, _: shop.v1.customers.commits.list(
        **shop.whose, include_contract_commits=True, include_balance=True, include_ledgers=True
    ),
    "the customer's credits": lambda shop, _: shop.v1.customers.credits.list(
        **shop.whose, include_contract_credits=True, include_balance=True, include_ledgers=True
    ),
    "a contract": lambda shop, contract_id: shop.v2.contracts.retrieve(
        **shop.whose, contract_id=contract_id, include_balance=True, include_ledgers=True
    ),
    "contracts": lambda shop, _: shop.v2.contracts.list(**shop.whose, include_balance=True, include_ledgers=True),
}


@pytest.fixture
def shop(clock_at) -> Shop:
    clock_at("2025-10-01")
    shop = Shop(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]))
    shop.product("units")
    shop.prices(*shop.price("units", "FLAT 1"))
    shop.whose = {"customer_id": str(shop.customer.pk)}
    shop.fixed = shop.v1.contracts.products.create(name="Balance", type="FIXED").data.id
    return shop


def sold(shop, number: int, **more):
    items = [{"amount": 100, "starting_at": OCTOBER, "ending_before": JANUARY}]
    plain = {"product_id": shop.fixed, "name": f"No. {number}", "access_schedule": {"schedule_items": items}}
    return plain | more


def owed(shop, number: int):
    due = {"schedule_items": [{"amount": 100, "timestamp": JANUARY}]}
    return sold(shop, number, type="POSTPAID", invoice_schedule=due)


def recurring(shop):
    return {
        "product_id": shop.fixed,
        "priority": 9,
        "starting_at": OCTOBER,
        "access_amount": {"unit_price": 10, "quantity": 1},
        "commit_duration": {"value": 1},
    }


def queries(read, shop, contract_id) -> int:
    counts = []
    for _ in range(3):  # what a process remembers is looked up again where others have written meanwhile
        with CaptureQueriesContext(connection) as captured:
            read(shop, contract_id)
        counts.append(len(captured))
    return min(counts)


def test_more_commits_and_credits_cost_no_more_queries(shop, clock_at):
    contract_id = shop.contract(
        ending_before=JANUARY,
        commits=[sold(shop, 0, type="PREPAID"), owed(shop, 1)],
        credits=[sold(shop, 2)],
        recurring_credits=[recurring(shop)],
    )
    shop.v1.customers.commits.create(**shop.whose, priority=1, **sold(shop, 3, type="PREPAID"))
    shop.uses("units", "40 on 5")
    clock_at("2025-10-06")
    before = {name: queries(read, shop, contract_id) for name, read in READS.items()}
    assert max(before.values()) < 60

    more = [sold(shop, number, type="PREPAID", rollover_fraction=0.5) for number in range(4, 8)]
    shop.v2.contracts.edit(
        **shop.whose,
        contract_id=contract_id,
        add_commits=[*more, owed(shop, 8)],
        add_credits=[sold(shop, number, specifiers=[{"product_id": shop.products["units"]}]) for number in (9, 10)],
        add_recurring_credits=[recurring(shop)],
    )
    shop.v1.customers.credits.create(**shop.whose, priority=1, **sold(shop, 11, applicable_contract_ids=[contract_id]))
    found = shop.v1.contracts.list_balances(**shop.whose, include_contract_balances=True).data
    for held in found[:3]:
        segment_id = held.access_schedule.schedule_items[0].id
        shop.v1.contracts.add_manual_balance_entry(
            **shop.whose, id=held.id, segment_id=segment_id, amount=1, reason="Goodwill", timestamp=at("2025-10-03")
        )
    assert len(found) == 14
    assert {name: queries(read, shop, contract_id) for name, read in READS.items()} == before
