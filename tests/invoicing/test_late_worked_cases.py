"""Late usage of every kind of price and measure, as the customer's machine reads it: worked by hand, and held against
one rating of everything.

October is used, and final on 2 November; what is late comes on the 5th, and is on November's draft. Numbers are in
cents. Written as in `shop`; a line without one price for all its units has none ("2 at - = -4").
"""

from decimal import Decimal as D

import pytest

from billing_site.foundation import tokens
from invoicing.models import Invoice
from invoicing.services import finalize_due, verify_invoice
from ledger.services.corrections import amend_event, void_event
from tests.factories.ledger import event, post
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at, sdk
from tests.invoicing.shop import Shop, readings, shown, table

pytestmark = pytest.mark.django_db(transaction=True)

CASES = """
    case             | measure | price | in time | billed | late | adjustments | more
    plain            | SUM | FLAT 2 | 3 on 7 | 6 | 4 on 9 | 4 at 2 = 8 | 8
    less             | SUM | FLAT 2 | 3 on 7 | 6 | -2 on 9 | -2 at 2 = -4 | -4
    nothing in time  | SUM | FLAT 2 |  | 0 | 4 on 9 | 4 at 2 = 8 | 8
    all is gone      | SUM | FLAT 2 | 3 on 7 | 6 | -3 on 9 | -3 at 2 = -6 | -6
    it cancels       | SUM | FLAT 2 | 3 on 7 | 6 | 2 on 8, -2 on 9 |  | 0
    into a tier      | SUM | TIERED 10 for 10, 5 | 8 on 7 | 80 | 4 on 9 | 4 at 7.5 = 30 | 30
    back from a tier | SUM | TIERED 10 for 10, 5 | 12 on 7 | 110 | -4 on 9 | -4 at 7.5 = -30 | -30
    a tier's fee     | SUM | TIERED 10 for 10, 5 (30) | 8 on 7 | 80 | 4 on 9 | 4 at 15 = 60 | 60
    all to a volume  | SUM | VOLUME 10 for 10, 8 | 10 on 7 | 100 | 2 on 9 | 2 at - = -4 | -4
    back from it     | SUM | VOLUME 10 for 10, 8 | 12 on 7 | 96 | -2 on 9 | -2 at - = 4 | 4
    a begun package  | SUM | PACKAGE 12 per 10 | 8 on 7 | 12 | 2 on 9 | 2 at 0 = 0 | 0
    another package  | SUM | PACKAGE 12 per 10 | 8 on 7 | 12 | 3 on 9 | 3 at 4 = 12 | 12
    a price of then  | SUM | FLAT 10 then FLAT 20 | 3 on 5 | 30 | 2 on 3, 2 on 21 | 2 at 10 = 20; 2 at 20 = 40 | 60
    moved in time    | SUM | FLAT 10 then FLAT 20 | 3 on 5 | 30 | -3 on 5, 3 on 20 | -3 at 10 = -30; 3 at 20 = 60 | 30
    a higher peak    | MAX | FLAT 2 | 5 on 7 | 10 | 9 on 9 | 4 at 2 = 8 | 8
    a lower one      | MAX | FLAT 2 | 5 on 7 | 10 | 3 on 9 |  | 0
    a new value      | UNIQUE | FLAT 2 | 1 on 7, 2 on 8 | 4 | 3 on 9 | 1 at 2 = 2 | 2
    a known value    | UNIQUE | FLAT 2 | 1 on 7, 2 on 8 | 4 | 1 on 9 |  | 0
    a later state    | LATEST | FLAT 2 | 5 on 7 | 10 | 8 on 20 | 3 at 2 = 6 | 6
    a smaller state  | LATEST | FLAT 2 | 5 on 7 | 10 | 2 on 20 | -3 at 2 = -6 | -6
    an earlier state | LATEST | FLAT 2 | 5 on 7 | 10 | 8 on 3 |  | 0
    a level          | WEIGHTED_SUM | FLAT 2 | 1 on 31 | 38 | 2 on 31 | 38 at 2 = 76 | 76
    a count          | COUNT | FLAT 2 | 1 on 7 | 2 | 1 on 8, 1 on 9 | 2 at 2 = 4 | 4
"""
ROWS = [pytest.param(*cells[1:], id=cells[0]) for cells in table(CASES)]


@pytest.fixture
def client(clock_at):
    clock_at("2025-10-01")
    return sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])


class LateShop(Shop):
    """It knows when usage comes in, and what documents say of late usage."""

    def sends(self, name, used, received, *, names=(), **properties):
        aggregation = self.metrics[name].aggregation_type
        for number, (quantity, day) in enumerate(readings(used)):
            value = {} if aggregation == "COUNT" else {"value": quantity}
            one = event(
                names[number] if names else None,
                event_type=name,
                timestamp=f"2025-10-{day:0>2}T05:00:00Z",
                properties=value | properties,
            )
            post(one, at=at(received))

    def finals(self, instant):
        return finalize_due(self.customer.pk, at=at(instant), by=ADA).finalized

    def october(self):
        [invoice] = self.finals("2025-11-02")
        return invoice

    def adjusting(self):
        """The usage lines on the draft that adjust October, as they are written."""
        lines = [each for each in self.draft().line_items if hasattr(each, "adjustment")]
        return "; ".join(written(each) for each in lines if each.type != "applied_commit_or_credit")

    def draft(self):
        (found,) = self.v1.customers.invoices.list(customer_id=str(self.customer.pk), status="DRAFT", type="USAGE").data
        return found

    def adjusted(self):
        """What all lines that adjust October come to."""
        return sum(D(str(each.total)) for each in self.draft().line_items if hasattr(each, "adjustment"))


def written(line):
    price = "-" if line.unit_price is None else shown(line.unit_price)
    return f"{shown(line.quantity)} at {price} = {shown(line.total)}"


def sells(shop, measure, price):
    shop.product("units", aggregation=measure)
    shop.prices(*shop.price("units", price))
    shop.contract()


@pytest.mark.parametrize(("measure", "price", "in_time", "billed", "late", "adjustments", "more"), ROWS)
def test_what_comes_late(client, clock_at, measure, price, in_time, billed, late, adjustments, more):
    shop = LateShop(client)
    sells(shop, measure, price)
    shop.sends("units", in_time, "2025-10-31T12")
    october = shop.october()
    assert october.total == D(billed)
    shop.sends("units", late, "2025-11-05")
    clock_at("2025-11-06")
    assert shop.adjusting() == adjustments
    [november] = shop.finals("2025-12-02")
    rows = november.lines.filter(details__has_key="adjustment")
    assert sum(row.total for row in rows) == D(more)
    assert verify_invoice(october).differences == ()
    assert verify_invoice(november).differences == ()


@pytest.mark.parametrize(("measure", "price", "in_time", "billed", "late", "adjustments", "more"), ROWS)
def test_one_rating_of_everything_comes_to_the_same(client, measure, price, in_time, billed, late, adjustments, more):
    shop = LateShop(client)
    sells(shop, measure, price)
    shop.sends("units", in_time, "2025-10-31T12")
    shop.sends("units", late, "2025-10-31T12")
    assert shop.october().total == D(billed) + D(more)


def test_an_event_that_is_amended_and_one_that_is_voided_are_late_usage(client, clock_at):
    """10 for 10 units, then 5: 8 and 4 are 110. The 8 were 18, so 22 units are 160; without the 4, 18 are 140."""
    shop = LateShop(client)
    sells(shop, "SUM", "TIERED 10 for 10, 5")
    shop.sends("units", "8 on 7, 4 on 20", "2025-10-31T12", names=["first", "second"])
    assert shop.october().total == 110
    told = {"reason": "Read wrongly", "at": at("2025-11-05"), "by": ADA}
    amend_event("first", properties={"value": "18"}, **told)
    clock_at("2025-11-06")
    assert shop.adjusting() == "10 at 5 = 50"
    void_event("second", **told)
    assert shop.adjusting() == "6 at 5 = 30"


def test_an_adjustment_has_adjustments_of_its_own(client, clock_at):
    """FLAT 2: 3 in time, 4 in November, 2 taken back in December, 1 more in January: 6 + 8 - 4 + 2 = 12 for 6."""
    shop = LateShop(client)
    sells(shop, "SUM", "FLAT 2")
    shop.sends("units", "3 on 7", "2025-10-31T12")
    billed = [shop.october().total]
    for late, received, final in (
        ("4 on 9", "2025-11-05", "2025-12-02"),
        ("-2 on 10", "2025-12-05", "2026-01-02"),
        ("1 on 11", "2026-01-05", "2026-02-02"),
    ):
        shop.sends("units", late, received)
        [document] = shop.finals(final)
        billed.append(document.total)
    assert billed == [6, 8, -4, 2]
    assert [verify_invoice(each).differences for each in Invoice.objects.all()] == [()] * 4


def test_a_share_of_late_usage_comes_late(client, clock_at):
    """Support is a fifth: 10 at 10 and 20 in time; 5 more are 50, and 10 of support."""
    shop = LateShop(client)
    shop.product("units")
    shop.product("Support", type="COMPOSITE", composite_product_ids=[shop.products["units"]])
    shop.prices(*shop.price("units", "FLAT 10"), *shop.price("Support", "PERCENTAGE 0.2"))
    shop.contract()
    shop.sends("units", "10 on 7", "2025-10-31T12")
    assert shop.october().total == 120
    shop.sends("units", "5 on 9", "2025-11-05")
    clock_at("2025-11-06")
    assert shop.adjusting() == "5 at 10 = 50; 50 at 0.2 = 10"


def credit_for(shop, **terms):
    """A credit of the customer's for October."""
    schedule = {"schedule_items": [{"amount": 50, "starting_at": OCTOBER, "ending_before": NOVEMBER}]}
    given = {"product_id": shop.product("Credit", type="FIXED"), "priority": 1, "access_schedule": schedule}
    return shop.v1.customers.credits.create(customer_id=str(shop.customer.pk), **given, **terms).data.id


def test_a_credit_of_the_customers_that_expired_pays_late_usage_of_its_time(client, clock_at):
    """50 until November; 3 at 10 were drawn. 4 late ones: 20 of it, 20 to pay; then 3 are gone: -20 to pay, 10 back."""
    shop = LateShop(client)
    sells(shop, "SUM", "FLAT 10")
    credit_for(shop)
    shop.sends("units", "3 on 7", "2025-10-31T12")
    assert shop.october().total == 0
    shop.sends("units", "4 on 9", "2025-11-05")
    clock_at("2025-11-06")
    assert (shop.adjusting(), shop.adjusted()) == ("2 at 10 = 20; 2 at 10 = 20", 20)
    [november] = shop.finals("2025-12-02")
    assert november.total == 20
    shop.sends("units", "-3 on 9", "2025-12-05")
    clock_at("2025-12-06")
    assert (shop.adjusting(), shop.adjusted()) == ("-1 at 10 = -10; -2 at 10 = -20", -20)


@pytest.mark.parametrize(
    ("currency", "price", "in_time", "billed", "late", "more", "exact"),
    [
        pytest.param("JPY", "FLAT 0.4", "3 on 7", "1", "1 on 9", "1", "0.4", id="JPY: 1.2 is 1, 1.6 is 2"),
        pytest.param("JPY", "FLAT 0.4", "3 on 7", "1", "-1 on 9", "0", "-0.4", id="JPY: 1.2 is 1, 0.8 is 1"),
        pytest.param("KWD", "FLAT 0.0004", "3 on 7", "0.001", "1 on 9", "0.001", "0.0004", id="KWD: thousandths"),
        pytest.param("KWD", "FLAT 0.0001", "5 on 7", "0.001", "-1 on 9", "-0.001", "-0.0001", id="KWD: half goes up"),
        pytest.param("EUR", "FLAT 0.001", "4 on 7", "0", "1 on 9", "0.01", "0.001", id="EUR: half a cent in the end"),
        pytest.param("USD", "FLAT 0.5", "1 on 7", "1", "1 on 9", "0", "0.5", id="cents: 0.5 is 1, and so is 1"),
    ],
)
def test_adjustments_print_what_all_comes_to_less_what_was_printed(
    client, currency, price, in_time, billed, late, more, exact
):
    shop = LateShop(client, currency)
    sells(shop, "SUM", price)
    shop.sends("units", in_time, "2025-10-31T12")
    october = shop.october()
    shop.sends("units", late, "2025-11-05")
    [november] = shop.finals("2025-12-02")
    assert (october.total, november.total, november.unrounded_total) == (D(billed), D(more), D(exact))
