"""A customer's own balances in the last second before a segment, in its first hour, and where it ends; with the
official SDK. Nothing runs meanwhile: no worker, no summary, no finalization.

100 from 10 October, 00:00, to 20 October, 00:00; a unit costs 1 cent and counts as one.

    until       used     left    to pay
    9 Oct 23:59:59   5        0       5
    10 Oct 00:00:00  0        100     5
    10 Oct 00:00:01  7        93      5
    10 Oct 00:59:59  1        92      5
    19 Oct 23:59:59  11       81      5
    20 Oct 00:00:00  0        0       5
    20 Oct 00:00:01  13       0       18
"""

import pytest

from billing_site.foundation import tokens
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at, sdk, use
from tests.invoicing.shop import Shop, shown

pytestmark = pytest.mark.django_db

TENTH, TWENTIETH = at("2025-10-10"), at("2025-10-20")
STEPS = [
    ("2025-10-09T23:59:59", 5, 0, 5),
    ("2025-10-10T00:00:00", 0, 100, 5),
    ("2025-10-10T00:00:01", 7, 93, 5),
    ("2025-10-10T00:59:59", 1, 92, 5),
    ("2025-10-19T23:59:59", 11, 81, 5),
    ("2025-10-20T00:00:00", 0, 0, 5),
    ("2025-10-20T00:00:01", 13, 0, 18),
]


@pytest.fixture
def shop(clock_at) -> Shop:
    clock_at("2025-10-01")
    shop = Shop(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]))
    shop.product("units")
    shop.prices(*shop.price("units", "FLAT 1"))
    shop.whose = {"customer_id": str(shop.customer.pk)}
    shop.fixed = shop.v1.contracts.products.create(name="Balance", type="FIXED").data.id
    return shop


def granted(shop, start=TENTH, end=TWENTIETH, **access):
    items = [{"amount": 100, "starting_at": start, "ending_before": end}]
    terms = {"product_id": shop.fixed, "priority": 1, "access_schedule": {"schedule_items": items, **access}}
    return shop.whose | terms | {"applicable_product_ids": [shop.products["units"]]}


@pytest.mark.parametrize(
    ("type_", "access"),
    [
        ("CREDIT", {}),
        ("PREPAID", {}),
        ("CREDIT", {"access_type": "QUANTITY"}),
        ("PREPAID", {"access_type": "QUANTITY"}),
    ],
)
def test_a_balance_can_be_used_from_its_first_second_to_its_last(shop, clock_at, type_, access):
    contract_id = shop.contract(ending_before=NOVEMBER)
    if type_ == "CREDIT":
        shop.v1.customers.credits.create(**granted(shop, **access))
    else:
        shop.v1.customers.commits.create(type="PREPAID", **granted(shop, **access))

    for instant, used, left, to_pay in STEPS:
        clock_at(instant)
        use(shop.metrics["units"], instant, used, {})
        [held] = shop.v1.contracts.list_balances(**shop.whose, include_balance=True, include_ledgers=True)
        net = shop.v1.contracts.get_net_balance(**shop.whose, **access).data.balance
        retrieved = shop.v2.contracts.retrieve(**shop.whose, contract_id=contract_id, include_balance=True).data
        draft = shop.invoice()
        assert (held.balance, net, draft.total) == (left, left, to_pay), instant
        assert bool(held.ledger) == (at(instant) >= TENTH), instant
        assert sum(entry.amount for entry in held.ledger) == left, instant
        assert retrieved.commits == []
    assert [(entry.type.partition("_")[2].removeprefix("COMMIT_"), shown(entry.amount)) for entry in held.ledger] == [
        ("SEGMENT_START", "100"),
        ("EXPIRATION", "-81"),
        ("AUTOMATED_INVOICE_DEDUCTION", "-19"),
    ]


def test_an_obligation_is_there_from_its_first_second(shop, clock_at):
    """100 owed for what is used from 10 October to 20 October: 19 of it counts, and 81 is still to be spent or paid."""
    contract_id = shop.contract(ending_before=NOVEMBER)
    due = {"schedule_items": [{"amount": 100, "timestamp": TWENTIETH}]}
    shop.v1.customers.commits.create(
        type="POSTPAID", invoice_contract_id=contract_id, invoice_schedule=due, **granted(shop)
    )
    total = 0
    for instant, used, left, _ in STEPS:
        clock_at(instant)
        use(shop.metrics["units"], instant, used, {})
        total += used
        owed = 81 if at(instant) >= TWENTIETH else left
        [held] = shop.v1.contracts.list_balances(**shop.whose, include_balance=True, include_ledgers=True)
        assert held.balance == owed, instant
        assert [entry.type for entry in held.ledger][:1] == (
            ["POSTPAID_COMMIT_INITIAL_BALANCE"] if at(instant) >= TENTH else []
        )
        drafts = shop.v1.customers.invoices.list(**shop.whose, status="DRAFT").data
        found = {draft.type: draft.total for draft in drafts}
        assert found["USAGE"] == total, instant
        assert found["SCHEDULED"] == (owed or 100), instant
