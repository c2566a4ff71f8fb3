"""Tax as other billing products tell of it in their documentation, with our answers, read with the official client.

    what they offer or ask                           ours
    tax on each line, rounded line by line           once for each rate, of the sum of its lines as they are printed;
                                                     lines show their share of it
    rounding half to even, up, down                  half away from zero, to the smallest coin
    prices that include tax                          no: every price is before tax, and tax is added to the total
    several rates on one line, one on top of the     no: one rate for each line, so a state's and a county's are entered
    other or side by side                            as one; lines of different rates have a tax line each
    zero-rated                                       a rate of 0 %: it is printed, with what it is of
    exempt                                           the customer is: no tax line, and the reason is printed
    no rate is found                                 the document waits for one; it is never taken for 0 %
    a rate that changes within the period            the one that holds in the last hour of the period, for all of it
    credits that reduce the total                    what they pay for is not taxed; no tax line is below zero for that
    prepaid                                          taxed when it is bought, not again when it is used
    corrections below zero                           tax below zero, at the rate of what is corrected

In the table one A and one B are used. "20 std" is a rate for products without a tax code, "5 low" one for the code
low, which B has where there is such a rate. Taxes are written as percent of taxable = amount.
"""

from decimal import Decimal as D

import pytest

from billing_site.foundation import tokens
from contracts.models import ProductTaxCode
from invoicing.models import Invoice
from invoicing.services import finalize_due, verify_invoice
from tests.factories.contracts import BillingProfileFactory, LegalEntityFactory, TaxRateFactory
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at, sdk, use
from tests.invoicing.shop import Shop, shown, table

pytestmark = pytest.mark.django_db(transaction=True)

CASES = """
    case                          | in  | A    | B      | rates          | taxes                              | total
    one rate                      | EUR | 100  | 0      | 19 std         | 19 of 100 = 19                     | 119
    the sum is rounded, not lines | EUR | 0.07 | 0.07   | 19 std         | 19 of 0.14 = 0.03                  | 0.17
    each rate for itself          | EUR | 0.07 | 0.07   | 19 std, 20 low | 20 of 0.07 = 0.01; 19 of 0.07 = 0.01 | 0.16
    two rates side by side        | EUR | 100  | 50     | 20 std, 5 low  | 20 of 100 = 20; 5 of 50 = 2.5      | 172.5
    line by line would be 0.02    | EUR | 0.05 | 0.05   | 10 std         | 10 of 0.1 = 0.01                   | 0.11
    a price with half a penny     | GBP | 5.005 | 0     | 20 std         | 20 of 5.01 = 1                     | 6.01
    a third, to six decimals      | EUR | 100  | 0      | 33.333333 std  | 33.333333 of 100 = 33.33           | 133.33
    as much again                 | EUR | 10   | 0      | 100 std        | 100 of 10 = 10                     | 20
    half a yen and half a yen     | JPY | 0.5  | 0.5    | 50 std         | 50 of 1 = 1                        | 2
    a yen that is less than half  | JPY | 0.4  | 0      | 10 std         | 10 of 0 = 0                        | 0
    half, to odd and to even      | EUR | 2.5  | 4.5    | 1 std, 1 low   | 1 of 2.5 = 0.03; 1 of 4.5 = 0.05   | 7.08
    less than half goes down      | EUR | 0.49 | 0      | 1 std          | 1 of 0.49 = 0                      | 0.49
    zero-rated is printed         | EUR | 100  | 50     | 20 std, 0 low  | 20 of 100 = 20; 0 of 50 = 0        | 170
    of what is printed            | EUR | 0.3  | 10.004 | 10 std, 25 low | 25 of 10 = 2.5; 10 of 0.3 = 0.03   | 12.83
    an eighth of a percent        | USD | 1999 | 0      | 8.875 std      | 8.875 of 1999 = 177                | 2176
    whole yen                     | JPY | 105  | 104    | 10 std, 8 low  | 10 of 105 = 11; 8 of 104 = 8       | 228
    thousandths                   | KWD | 1    | 1.234  | 5 std, 5 low   | 5 of 1 = 0.05; 5 of 1.234 = 0.062  | 2.346
"""
ROWS = [pytest.param(*cells[1:], id=cells[0]) for cells in table(CASES)]


@pytest.fixture
def client(clock_at):
    clock_at("2025-10-01")
    LegalEntityFactory(taxes="FIXED_RATES")
    return sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])


def sells(client, currency, **prices):
    shop = Shop(client, currency)
    BillingProfileFactory(customer=shop.customer)
    for name, price in prices.items():
        shop.product(name)
        shop.prices(*shop.price(name, f"FLAT {price}"))
    return shop


def taxed(shop, rates):
    for rate in rates.split(", "):
        percent, code = rate.split()
        TaxRateFactory(percent=D(percent), tax_code="" if code == "std" else code)
        if code != "std":
            ProductTaxCode.objects.create(product_id=shop.products["B"], tax_code=code)


def told(invoice):
    lines = [
        f"{shown(tax['percent'])} of {shown(tax['taxable'])} = {shown(tax['amount'])}" for tax in invoice.tax_lines
    ]
    return "; ".join(lines), shown(invoice.total)


def final(shop):
    """October's usage, as it is read."""
    finalize_due(shop.customer.pk, at=at("2025-11-02"), by=ADA)
    listed = shop.v1.customers.invoices.list(customer_id=str(shop.customer.pk), status="FINALIZED", type="USAGE").data
    assert [verify_invoice(each).differences for each in Invoice.objects.all()] == [()] * Invoice.objects.count()
    return listed[0]


@pytest.mark.parametrize(("currency", "a", "b", "rates", "taxes", "total"), ROWS)
def test_what_is_taxed_and_how_it_is_rounded(client, currency, a, b, rates, taxes, total):
    shop = sells(client, currency, A=a, B=b)
    taxed(shop, rates)
    shop.contract()
    shop.uses("A", "1")
    shop.uses("B", "1")
    october = final(shop)
    assert told(october) == (taxes, total)
    shares = sum(D(str(line.tax_amount)) for line in october.line_items if hasattr(line, "tax_amount"))
    assert shares == D(total) - D(str(october.subtotal))


def test_what_is_given_back_takes_its_tax_along_and_the_document_may_come_to_less_than_nothing(client):
    """5 at 100 in October, of which 4 come back in November, beside one new: 19 % of -300, and not of 100 and -400."""
    shop = sells(client, "USD", A=100)
    TaxRateFactory()
    shop.contract()
    shop.uses("A", "5")
    assert told(final(shop)) == ("19 of 500 = 95", "595")
    late = at("2025-11-10")
    use(shop.metrics["A"], "2025-10-12T05", -4, {}, received_at=late)
    use(shop.metrics["A"], "2025-11-09T05", 1, {}, received_at=late)
    finalize_due(shop.customer.pk, at=at("2025-12-02"), by=ADA)
    november = Invoice.objects.get(starting_at=NOVEMBER)
    listed = shop.v1.customers.invoices.retrieve(customer_id=str(shop.customer.pk), invoice_id=str(november.pk)).data
    assert told(listed) == ("19 of -300 = -57", "-357")
    assert sorted((line.total, line.tax_amount) for line in listed.line_items) == [(-400, -76), (100, 19)]
    assert verify_invoice(november).differences == ()


@pytest.mark.parametrize(
    ("changes", "percent"),
    [
        pytest.param("2025-10-15", 16, id="in the middle of it"),
        pytest.param("2025-10-31T23", 16, id="with its last hour"),
        pytest.param("2025-11-01", 19, id="with the next period"),
    ],
)
def test_a_rate_that_changes_holds_for_the_period_that_ends_under_it(client, changes, percent):
    shop = sells(client, "USD", A=100)
    TaxRateFactory(ending_before=at(changes))
    TaxRateFactory(percent=D(16), starting_at=at(changes))
    shop.contract()
    shop.uses("A", "1 on 5, 1 on 25")
    assert told(final(shop)) == (f"{percent} of 200 = {percent * 2}", str(200 + percent * 2))


def test_what_a_credit_pays_is_not_taxed(client):
    """5 at 100, of which a credit pays 300: 19 % of 200."""
    shop = sells(client, "USD", A=100)
    TaxRateFactory()
    schedule = {"schedule_items": [{"amount": 300, "starting_at": OCTOBER, "ending_before": NOVEMBER}]}
    given = {"product_id": shop.product("Credit", type="FIXED"), "access_schedule": schedule}
    shop.contract(credits=[given])
    shop.uses("A", "5")
    october = final(shop)
    assert told(october) == ("19 of 200 = 38", "238")
    by_type = {}
    for line in october.line_items:
        by_type[line.type] = by_type.get(line.type, 0) + line.tax_amount
    assert by_type == {"usage": 95, "applied_commit_or_credit": -57}


def test_what_is_prepaid_is_taxed_where_it_is_bought(client):
    """300 are bought at 19 %, and 5 at 100 are used: 57 with the purchase, 38 with the usage, 95 in all."""
    shop = sells(client, "USD", A=100)
    TaxRateFactory()
    schedule = {"schedule_items": [{"amount": 300, "starting_at": OCTOBER, "ending_before": NOVEMBER}]}
    paid = {"schedule_items": [{"amount": 300, "timestamp": OCTOBER}]}
    given = {"product_id": shop.product("Pack", type="FIXED"), "access_schedule": schedule, "invoice_schedule": paid}
    shop.contract(commits=[given | {"type": "PREPAID"}])
    shop.uses("A", "5")
    assert told(final(shop)) == ("19 of 200 = 38", "238")
    bought = Invoice.objects.get(kind=Invoice.Kind.CHARGES)
    assert (bought.subtotal, bought.total) == (300, 357)
