"""Who pays for October: balances as they are agreed, what is used, and what is then covered, left and to be paid.

Each row is a customer of its own, set up and read with the official client; `deals` says how it is written.
"""

from decimal import Decimal

import pytest

from billing_site.foundation import tokens
from tests.invoicing.conftest import ADA, OCTOBER, sdk
from tests.invoicing.deals import Deals
from tests.invoicing.shop import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def deals(clock_at) -> Deals:
    clock_at("2025-10-31T23")
    return Deals(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]), clock_at)


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
def test_october_burns_down(deals, balances, usage, left, to_pay):
    deals.agree(balances)
    deals.used(usage)
    assert deals.left() == left
    [usage_of_october] = deals.v1.customers.invoices.list(**deals.whose, type="USAGE").data
    assert Decimal(shown(usage_of_october.total)) == Decimal(str(to_pay))
