"""Late usage under the terms of a deal, read with the official client: who pays, in what, with which tax, and when.

Units cost 10 cents where nothing else is said. October is used, and final on 2 November; what is late comes on the 5th,
and is on November's draft.
"""

from decimal import Decimal as D

import pytest

from billing_site.foundation import tokens
from invoicing.models import Invoice
from invoicing.services import verify_invoice
from tests.factories.contracts import BillingProfileFactory, LegalEntityFactory, TaxRateFactory
from tests.factories.ledger import event, post
from tests.invoicing.conftest import ADA, DECEMBER, NOVEMBER, OCTOBER, at, sdk
from tests.invoicing.shop import shown
from tests.invoicing.test_late_worked_cases import LateShop, sells

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(clock_at):
    clock_at("2025-10-01")
    return sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def shop(client):
    return LateShop(client)


def adjusting(invoice):
    """The type and total of each line that adjusts another document, and how many units it is of."""
    return [
        (line.type, None if line.quantity is None else shown(line.quantity), shown(line.total))
        for line in invoice.line_items
        if hasattr(line, "adjustment")
    ]


def access(amount, until=NOVEMBER, **terms):
    return {"schedule_items": [{"amount": amount, "starting_at": OCTOBER, "ending_before": until}], **terms}


def sells_under(shop, commit, *, price="FLAT 10", **terms):
    """One commit, of a contract that sells units."""
    shop.product("units")
    shop.prices(*shop.price("units", price, **terms))
    given = {"product_id": shop.product("Commitment", type="FIXED"), "name": "Commitment", "priority": 1}
    shop.contract(commits=[given | commit])


def all_is_as_the_facts_say():
    assert [verify_invoice(each).differences for each in Invoice.objects.all()] == [()] * Invoice.objects.count()


def test_what_is_priced_in_credits_is_converted(client, clock_at):
    """A unit is 2 credits, a credit 3 cents: 4 late ones are 8 credits, 24 cents; of these 1 is taken back, -6."""
    credits_ = client.v1.pricing_units.create(name="credits").data.id
    shop = LateShop(client, credit_type_conversions=[{"custom_credit_type_id": credits_, "fiat_per_custom_credit": 3}])
    shop.product("units")
    shop.prices(*shop.price("units", "FLAT 2", credit_type_id=credits_))
    shop.contract()
    shop.sends("units", "5 on 7", "2025-10-31T12")
    assert shop.october().total == 30
    shop.sends("units", "4 on 9", "2025-11-05")
    clock_at("2025-11-06")
    assert adjusting(shop.draft()) == [("usage", "4", "8"), ("cpu_conversion", "8", "24")]
    assert shop.draft().total == 24
    shop.finals("2025-12-02")
    shop.sends("units", "-1 on 9", "2025-12-05")
    clock_at("2025-12-06")
    assert adjusting(shop.draft()) == [("usage", "-1", "-2"), ("cpu_conversion", "-2", "-6")]
    all_is_as_the_facts_say()


def test_a_commit_at_commit_rate_pays_at_that_and_the_rest_is_at_list(shop, clock_at):
    """Commit rate 8: 80 have paid 5 units, and 40 are left of it; 7 late ones are 5 at 8, and 2 at 10 to pay."""
    commit = {"type": "PREPAID", "access_schedule": access(80), "rate_type": "COMMIT_RATE"}
    sells_under(shop, commit, commit_rate={"rate_type": "FLAT", "price": 8})
    shop.sends("units", "5 on 7", "2025-10-31T12")
    assert shop.october().total == 0
    shop.sends("units", "7 on 9", "2025-11-05")
    clock_at("2025-11-06")
    assert (shop.adjusting(), shop.adjusted()) == ("5 at 8 = 40; 2 at 10 = 20", 20)
    shop.finals("2025-12-02")
    shop.sends("units", "-7 on 9", "2025-12-05")
    clock_at("2025-12-06")
    assert (shop.adjusting(), shop.adjusted()) == ("-5 at 8 = -40; -2 at 10 = -20", -20)
    all_is_as_the_facts_say()


def test_a_balance_of_units_takes_late_units_until_it_is_used_up(shop, clock_at):
    """8 units until November: 5 were used in time. Of 4 late ones it takes 3, whatever they cost; 1 is to pay."""
    commit = {"type": "PREPAID", "access_schedule": access(8, access_type="QUANTITY")}
    sells_under(shop, commit, price="TIERED 10 for 6, 20")
    shop.sends("units", "5 on 7", "2025-10-31T12")
    assert shop.october().total == 0
    shop.sends("units", "4 on 9", "2025-11-05")
    clock_at("2025-11-06")
    assert (shop.adjusting(), shop.adjusted()) == ("3 at - = 50; 1 at 20 = 20", 20)
    all_is_as_the_facts_say()


@pytest.mark.parametrize(
    ("received", "final", "documents"),
    [
        pytest.param(
            "2025-11-05", "2025-12-02", [("USAGE", 360), ("USAGE", 100), ("TRUE_UP", 540)], id="before it is trued up"
        ),
        pytest.param(
            "2025-12-05",
            "2026-01-02",
            [("USAGE", 360), ("USAGE", 0), ("TRUE_UP", 640), ("USAGE", 100 - 100)],
            id="after it is trued up",
        ),
    ],
)
def test_what_comes_late_counts_toward_a_commitment_once(shop, received, final, documents):
    """1,000 until December, 360 of it used in October. 100 more of October are 100 less to true up, or -100 of it."""
    commit = {
        "type": "POSTPAID",
        "access_schedule": access(1_000, DECEMBER),
        "invoice_schedule": {"schedule_items": [{"amount": 1_000, "timestamp": DECEMBER}]},
    }
    sells_under(shop, commit)
    shop.sends("units", "36 on 7", "2025-10-31T12")
    shop.october()
    if received > "2025-12":
        shop.finals("2025-12-02")
    shop.sends("units", "10 on 9", received)
    shop.finals(final)
    found = [(each.kind, each.total) for each in Invoice.objects.order_by("money_version") if each.line_count]
    assert found == documents
    assert sum(total for _, total in found) == 1_000
    all_is_as_the_facts_say()


def test_late_usage_has_the_tax_of_its_own_period(shop, clock_at):
    """19 % until November, then 16 %: 4 late units of October have 19 %, 3 of November's own 16 %."""
    LegalEntityFactory(taxes="FIXED_RATES")
    BillingProfileFactory(customer=shop.customer)
    TaxRateFactory(ending_before=NOVEMBER)
    TaxRateFactory(percent=D(16), starting_at=NOVEMBER)
    sells(shop, "SUM", "FLAT 100")
    shop.sends("units", "3 on 7", "2025-10-31T12")
    assert shop.october().total == 357
    shop.sends("units", "4 on 9", "2025-11-05")
    post(event(event_type="units", timestamp="2025-11-06T05:00:00Z", properties={"value": "3"}), at=at("2025-11-06"))
    clock_at("2025-11-07")
    taxed = [(tax["percent"], tax["taxable"], tax["amount"]) for tax in shop.draft().tax_lines]
    assert (taxed, shop.draft().total) == ([(19, 400, 76), (16, 300, 48)], 824)
    [november] = shop.finals("2025-12-02")
    assert november.total == 824
    shop.sends("units", "-4 on 9", "2025-12-05")
    clock_at("2025-12-06")
    assert [(tax["percent"], tax["amount"]) for tax in shop.draft().tax_lines] == [(19, -76), (16, 0)]
    all_is_as_the_facts_say()


@pytest.mark.parametrize(
    ("start", "final", "used", "late", "received", "adjusts"),
    [
        pytest.param(
            "2025-12-31", "2026-02-02", "2026-01-30T23:30", "2026-01-30T22:59:59", "2026-02-05",
            ("2025-12-31", "2026-01-31"), id="anchored on the 31st: the last hour of January's period",
        ),
        pytest.param(
            "2025-12-31", "2026-03-02", "2026-01-31T00:00", "2026-02-27T23:59:59", "2026-03-05",
            ("2026-01-31", "2026-02-28"), id="anchored on the 31st: up to the 28th in February",
        ),
        pytest.param(
            "2025-12-31", "2026-04-02", "2026-02-28T00:00", "2026-03-30T23:59:59", "2026-04-05",
            ("2026-02-28", "2026-03-31"), id="anchored on the 31st: and back to it",
        ),
        pytest.param(
            "2026-03-01", "2026-04-02", "2026-03-29T01:30", "2026-03-29T02:30", "2026-04-05",
            ("2026-03-01", "2026-04-01"), id="an hour that European clocks leave out",
        ),
        pytest.param(
            "2026-03-01", "2026-04-02", "2026-03-31T22:30", "2026-03-31T23:59:59", "2026-04-05",
            ("2026-03-01", "2026-04-01"), id="April in Berlin is March in UTC",
        ),
        pytest.param(
            "2028-02-01", "2028-03-02", "2028-02-28T05:00", "2028-02-29T23:59:59", "2028-03-05",
            ("2028-02-01", "2028-03-01"), id="a leap day",
        ),
        pytest.param(
            "2028-02-29", "2028-03-30", "2028-02-29T00:00", "2028-03-28T23:59:59", "2028-04-05",
            ("2028-02-29", "2028-03-29"), id="anchored on a leap day",
        ),
    ],
)  # fmt: skip
def test_late_usage_belongs_to_the_period_of_its_instant(client, clock_at, start, final, used, late, received, adjusts):
    """Units cost 2: one in time, one late."""
    shop = LateShop(client)
    sells_from(shop, at(start))
    post(event(event_type="units", timestamp=f"{used}:00Z", properties={"value": "1"}), at=at(used))
    billed = shop.finals(final)
    assert sum(each.total for each in billed) == 2
    post(event(event_type="units", timestamp=f"{late}Z", properties={"value": "1"}), at=at(received))
    clock_at(received)
    [line] = [each for each in shop.draft().line_items if hasattr(each, "adjustment")]
    period = tuple(line.adjustment[edge][:10] for edge in ("starting_at", "ending_before"))
    assert (period, line.total) == (adjusts, 2)


def sells_from(shop, start):
    """The billing periods begin when the contract does."""
    shop.product("units")
    shop.prices(*shop.price("units", "FLAT 2"))
    statement = {"frequency": "MONTHLY", "day": "CONTRACT_START"}
    shop.contract(starting_at=start, usage_statement_schedule=statement)
