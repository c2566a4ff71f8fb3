"""Who pays for October: balances as they are agreed, what is used, and what is then covered, left and to be paid.

Each row is a customer of its own, set up and read with the official client. A minute costs 1 cent, a call 2. A balance
is written as its name, type and amount, and what is special about it:

    Bonus CREDIT 20 first 1           of priority 1; others have 100
    Pack PREPAID 40 from 10 to 20     from 10 October to 20 October; others last until 2026
    Pack PREPAID 40 for calls         nothing else is paid with it
    Pack PREPAID 40 paid 30           30 were paid for it; others are complimentary
    Pack QUANTITY 40                  prepaid, and counts units

Usage is written as in the shop: "60 minutes on 5" is used at 05:00 on 5 October.
"""

import re
from decimal import Decimal
from typing import Any

import pytest

from billing_site.foundation import tokens
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at, sdk
from tests.invoicing.shop import Shop, shown

pytestmark = pytest.mark.django_db

PRICES = {"minutes": 1, "calls": 2}
WRITTEN = re.compile(
    r"(?P<name>\w+) (?P<type>\w+) (?P<amount>\S+)(?: first (?P<priority>\d+))?"
    r"(?: from (?P<start>\d+))?(?: to (?P<end>\d+))?(?: for (?P<product>\w+))?(?: paid (?P<paid>\d+))?"
)
READING = re.compile(r"(?P<quantity>\S+) (?P<product>\w+) on (?P<day>\d+)")


@pytest.fixture
def shop(clock_at) -> Shop:
    clock_at("2025-10-31T23")
    shop = Shop(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]))
    for name, price in PRICES.items():
        shop.product(name)
        shop.prices(*shop.price(name, f"FLAT {price}"))
    shop.fixed = shop.v1.contracts.products.create(name="Balance", type="FIXED").data.id
    return shop


def agreed(shop: Shop, text: str) -> dict[str, Any]:
    found = WRITTEN.fullmatch(text)
    assert found is not None, text
    start, end = (at(f"2025-10-{found[edge]:0>2}") if found[edge] else None for edge in ("start", "end"))
    segment = {"amount": float(found["amount"]), "starting_at": start or OCTOBER, "ending_before": end or JANUARY}
    access: dict[str, Any] = {"schedule_items": [segment]}
    if found["type"] == "QUANTITY":
        access["access_type"] = "QUANTITY"
    given = {"product_id": shop.fixed, "name": found["name"], "access_schedule": access}
    if found["priority"]:
        given["priority"] = float(found["priority"])
    if found["product"]:
        given["applicable_product_ids"] = [shop.products[found["product"]]]
    if found["paid"]:
        given["invoice_schedule"] = {"schedule_items": [{"amount": float(found["paid"]), "timestamp": OCTOBER}]}
    return given if found["type"] == "CREDIT" else given | {"type": "PREPAID"}


def sold_to(shop: Shop, balances: str, usage: str) -> None:
    written = [each.strip() for each in balances.split(";")]
    shop.contract(
        commits=[agreed(shop, each) for each in written if " CREDIT " not in each],
        credits=[agreed(shop, each) for each in written if " CREDIT " in each],
    )
    for reading in usage.split(", "):
        found = READING.fullmatch(reading)
        assert found is not None, reading
        shop.uses(found["product"], f"{found['quantity']} on {found['day']}")


@pytest.mark.parametrize(
    ("balances", "usage", "left", "to_pay"),
    [
        pytest.param("Pack PREPAID 40", "100 minutes on 5", "Pack 0", 60, id="what is not covered is billed"),
        pytest.param("Pack PREPAID 100", "100 minutes on 5", "Pack 0", 0, id="to the last cent"),
        pytest.param("Pack PREPAID 100", "30 minutes on 5", "Pack 70", 0, id="some is left"),
        pytest.param(
            "A PREPAID 50 first 1 paid 50; B CREDIT 20 first 1; C CREDIT 100 first 2",
            "60 minutes on 5", "A 10, B 0, C 100", 0, id="priority, then what was free",
        ),
        pytest.param(
            "A PREPAID 50 first 1 paid 50; B CREDIT 20 first 1; C CREDIT 100 first 2",
            "200 minutes on 5", "A 0, B 0, C 0", 30, id="all three, and a rest",
        ),
        pytest.param(
            "Later CREDIT 50; Sooner CREDIT 50 to 20", "30 minutes on 5, 40 minutes on 10, 10 minutes on 25",
            "Later 20, Sooner 0", 0, id="what ends sooner goes first",
        ),
        pytest.param(
            "Pack PREPAID 50 to 10", "30 minutes on 5, 40 minutes on 10", "Pack 0", 40,
            id="at its end it pays no more, and the rest expires",
        ),
        pytest.param(
            "Pack PREPAID 50 from 10", "30 minutes on 5, 40 minutes on 10", "Pack 10", 30, id="not before its start",
        ),
        pytest.param(
            "Any CREDIT 50; Calls CREDIT 50 for calls", "10 minutes on 5, 40 calls on 5", "Any 10, Calls 0", 0,
            id="what is for less goes first: 10 for minutes, 30 for the rest of the calls",
        ),
        pytest.param(
            "Calls CREDIT 50 for calls", "30 minutes on 5, 10 calls on 5", "Calls 30", 30, id="for one product alone",
        ),
        pytest.param(
            "Any CREDIT 50 first 1; Calls CREDIT 50 first 2 for calls", "30 calls on 5", "Any 0, Calls 40", 0,
            id="priority before scope",
        ),
        pytest.param(
            "Free QUANTITY 40 for calls", "100 calls on 5", "Free 0", 120, id="40 calls for nothing, 60 at their price",
        ),
        pytest.param(
            "Free QUANTITY 40 first 1 for calls; Pack PREPAID 100 first 2", "100 calls on 5", "Free 0, Pack 0", 20,
            id="units first, then money",
        ),
        pytest.param(
            "Pack PREPAID 40", "30 minutes on 5, -10 minutes on 6", "Pack 20", 0,
            id="what was taken back is given back",
        ),
        pytest.param(
            "Pack PREPAID 25", "30 minutes on 5, -10 minutes on 6", "Pack 5", 0,
            id="first to whom it was billed, then to the balance",
        ),
        pytest.param(
            "Pack PREPAID 10.5", "10 calls on 5, 10.25 minutes on 6", "Pack 0", "19.75", id="fractions are kept",
        ),
    ],
)  # fmt: skip
def test_october_burns_down(shop, balances, usage, left, to_pay):
    sold_to(shop, balances, usage)
    held = shop.v1.contracts.list_balances(
        customer_id=str(shop.customer.pk), include_contract_balances=True, include_balance=True
    )
    assert ", ".join(sorted(f"{each.name} {shown(each.balance)}" for each in held)) == left
    [usage_of_october] = shop.v1.customers.invoices.list(customer_id=str(shop.customer.pk), type="USAGE").data
    assert Decimal(shown(usage_of_october.total)) == Decimal(str(to_pay))
