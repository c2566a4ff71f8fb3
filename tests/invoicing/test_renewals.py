"""Renewals with the official SDK: what goes over, what expires, what is owed, and what is not billed any more.

Acme's contract runs from October to the end of the year; API calls cost 2 cents. It is renewed on 1 December.
"""

import pytest

from billing_site.foundation import tokens
from invoicing.services import finalize_due
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, OCTOBER, at, sdk

pytestmark = pytest.mark.django_db

NEXT_YEAR = at("2027-01-01")


class Deal:
    """What RevOps and the customer's machine see of Acme's two contracts."""

    def __init__(self, client, acme):
        self.client, self.acme = client, acme
        self.whose = {"customer_id": str(acme.customer.pk)}
        self.old = str(acme.contract.pk)
        self.product = str(FixedProductFactory().pk)

    def grants(self, *terms, **more):
        lists = {"add_commits": [each for each in terms if "type" in each]}
        lists["add_credits"] = [each for each in terms if "type" not in each]
        self.client.v2.contracts.edit(**self.whose, contract_id=self.old, **lists, **more)

    def commit(self, amount, fraction, *, start=OCTOBER, end=JANUARY, **more):
        items = [{"amount": amount, "starting_at": start, "ending_before": end}]
        plain = {"product_id": self.product, "access_schedule": {"schedule_items": items}, "type": "PREPAID"}
        return plain | {"rollover_fraction": fraction} | more

    def credit(self, amount, fraction, **more):
        terms = self.commit(amount, fraction, **more)
        del terms["type"]
        return terms

    def renew(self, start=DECEMBER, end=NEXT_YEAR, trueup=None, **more):
        transition = {"type": "RENEWAL", "from_contract_id": self.old}
        if trueup:
            transition["future_invoice_behavior"] = {"trueup": trueup}
        terms = {"rate_card_id": str(self.acme.prices.card.pk), "starting_at": start, "ending_before": end}
        made = self.client.v1.contracts.create(**self.whose, **terms, transition=transition, **more)
        return made.data.id

    def balances(self, contract_id):
        """Of one contract, by name."""
        asked = {"include_contract_balances": True, "include_balance": True, "include_ledgers": True}
        found = self.client.v1.contracts.list_balances(**self.whose, **asked)
        return {each.name: each for each in found if each.contract.id == contract_id}

    def ledger(self, contract_id, name):
        found = self.balances(contract_id)[name]
        prefix = "CREDIT_" if found.type == "CREDIT" else f"{found.type}_COMMIT_"
        entries = [
            (each.type.removeprefix(prefix).lower(), each.amount, f"{each.timestamp:%d %b}") for each in found.ledger
        ]
        return [entry for entry in entries if entry[0] != "segment_start"]

    def final_through(self, *instants):
        for instant in instants:
            finalize_due(self.acme.customer.pk, at=at(instant), by=ADA)


@pytest.fixture
def deal(acme, clock_at):
    clock_at("2025-10-01")
    _, secret = tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)
    return Deal(sdk(secret), acme)


@pytest.mark.parametrize(
    ("fraction", "calls", "over", "expires"), [(0.5, 30, 50, 0), (0.5, 10, 50, 30), (1, 10, 80, 0), (0.3, 50, 0, 0)]
)
def test_what_is_left_goes_over_up_to_its_fraction_and_the_rest_expires(
    deal, acme, clock_at, fraction, calls, over, expires
):
    """100 from October on, 20 to 100 of it used by December."""
    deal.grants(deal.commit(100, fraction, name="Pack"))
    acme.calls("2025-10-05T10", calls)
    clock_at("2025-12-10")
    new = deal.renew()
    used = 2 * calls
    left = min(over, 100 - used)
    entries = [("automated_invoice_deduction", -used, "01 Nov")]
    if expires or 100 - used - left:
        entries.append(("expiration", -(100 - used - left), "01 Dec"))
    if left:
        entries.insert(1, ("rollover", -left, "01 Dec"))

    for _ in range(2):
        assert sorted(deal.ledger(deal.old, "Pack")) == sorted(entries)
        assert deal.balances(deal.old)["Pack"].balance == 0
        taken = deal.balances(new)
        assert {name: each.balance for name, each in taken.items()} == ({"Pack": left} if left else {})
        deal.final_through("2025-11-02", "2025-12-02")
