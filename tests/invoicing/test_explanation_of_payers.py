"""Why an amount is what it is, where balances pay or a commitment counts: who, in which turn, and why in that one."""

from decimal import Decimal as D

import pytest

from tests.invoicing.conftest import at
from tests.invoicing.test_explanation import LIST, MEASURED, PLAIN, balance, explained, listed, used

pytestmark = pytest.mark.django_db

__all__ = ["used"]  # the fixture

WELCOME = "prepaid commit “Welcome” of $2.00, 1–31 October 2025"
PACK = "prepaid commit “Pack” of $3.00, 1–31 October 2025"


def test_who_pays_at_which_of_the_two_rates_and_in_which_turn(used):
    """Of 130 units: 20 at ten cents by one balance, 37.5 at the commit rate of eight by the next, the rest nobody."""
    listed(used, price=D(10), commit_rate={"rate_type": "FLAT", "price": "8"})
    balance(used, "Pack", 300, rate_type="COMMIT_RATE", priority=D(2))
    balance(used, "Welcome", 200, priority=D(1))
    order = "  “Welcome” goes before “Pack”: its priority number is lower."
    commit_rate = LIST.replace("List price {}", "Commit rate $0.08, which the balance asks for,")
    assert explained(used) == [
        MEASURED.format(20),
        "20 × $0.10 = $2.00",
        LIST.format("$0.10"),
        PLAIN,
        f"  Paid by the {WELCOME}.",
        order,
        MEASURED.format("37.5"),
        "37.5 × $0.08 = $3.00",
        commit_rate,
        PLAIN,
        f"  Paid by the {PACK}.",
        f"  Nothing was left for it of the {WELCOME}.",
        order,
        MEASURED.format("72.5"),
        "72.5 × $0.10 = $7.25",
        LIST.format("$0.10"),
        PLAIN,
        f"  Nothing was left for it of the {WELCOME}, the {PACK}.",
        order,
    ]
    assert explained(used, "Pack") == ["The balance that pays for the line before."]


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        pytest.param({"priority": D(1)}, {}, "its priority number is lower", id="priority"),
        pytest.param({"applicable_product_ids": ["calls"]}, {}, "it is for fewer products", id="products"),
        pytest.param({}, {"type": "POSTPAID"}, "what was rolled over goes first, then prepaid", id="class"),
        pytest.param({}, {"created_at": at("2025-09-21")}, "it was created earlier", id="created"),
    ],
)
def test_what_puts_one_balance_before_the_next(used, first, second, why):
    for name, terms in (("Second", second), ("First", first)):
        given = dict(terms)
        if "applicable_product_ids" in given:
            given["applicable_product_ids"] = [str(used.prices.calls.pk)]
        balance(used, name, 10_000, **given)
    *_, paid, order = explained(used)
    assert paid == "  Paid by the prepaid commit “First” of $100.00, 1–31 October 2025."
    assert order.startswith(f"  “First” goes before “Second”: {why}")


def test_balances_that_are_not_open_to_it_have_no_turn(used):
    balance(used, "Tokens", 10_000, applicable_product_ids=[str(used.prices.tokens.pk)])
    assert explained(used)[-1] == PLAIN


def test_what_is_free_draws_on_nothing(used):
    listed(used, price=D(0))
    balance(used, "Pack", 300)
    assert explained(used)[1:] == ["130 × $0.00 = $0.00", LIST.format("$0.00"), PLAIN]


def test_what_counts_toward_a_commitment_is_still_to_be_paid(used):
    balance(used, "Minimum", 1_000, type="POSTPAID")
    assert explained(used)[-1] == "  Counts toward the postpaid commit “Minimum” of $10.00, 1–31 October 2025."
    assert explained(used, "Minimum") == [
        "What the line before counts toward the commitment: shown and not added, as it is still to be paid."
    ]
