"""Rounding once, when a document becomes final: what is printed and frozen, by tables, through the official client.

The total is rounded half away from zero to the currency's smallest step; the difference goes to the payable lines by
largest remainder, the earlier one first where two are alike. What a credit paid for and the credit that is applied to
it cancel, and take no part in that; what counts toward a postpaid commit is payable.
"""

from decimal import Decimal as D

import pytest

from billing_site.foundation import tokens
from invoicing.models import Invoice
from invoicing.services import finalize_due, verify_invoice
from ledger.models import LedgerEntry
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at, sdk
from tests.invoicing.shop import Shop, table

pytestmark = pytest.mark.django_db(transaction=True)

# What A and B cost, how much of each was used, what a credit for A has, what each line prints, the total.
CASES = """
    case                        | in  | A       | B       | used   | credit | lines       | total
    half a cent goes up         | USD | 0.5     | 0.4     | 1 A    |        | 1, 0        | 1
    less than half goes down    | USD | 0.4     | 0.4     | 1 A    |        | 0, 0        | 0
    the sum decides             | USD | 0.4     | 0.4     | 1 A 1 B |       | 1, 0        | 1
    the largest remainder       | USD | 0.3     | 0.6     | 1 A 1 B |       | 0, 1        | 1
    over whole cents            | USD | 0.4     | 0.4     | 4 A 1 B |       | 2, 0        | 2
    nothing was used            | USD | 0.5     | 0.5     |        |        | 0, 0        | 0
    whole cents stay            | USD | 7       | 0.6     | 1 A 1 B |       | 7, 1        | 8
    hundredths                  | EUR | 0.005   | 0.004   | 1 A 1 B |       | 0.01, 0     | 0.01
    no decimals                 | JPY | 1.5     | 1.4     | 1 A 1 B |       | 2, 1        | 3
    thousandths                 | KWD | 0.0005  | 1.0002  | 1 A 1 B |       | 0.001, 1    | 1.001
    a credit pays all of A      | USD | 1.7     | 0.4     | 1 A 1 B | 10    | 2, -2, 0    | 0
    it pays, and B rounds alone | USD | 1.7     | 0.6     | 1 A 1 B | 10    | 2, -2, 1    | 1
    it pays a part of A         | USD | 0.4     | 0.4     | 4 A    | 1      | 1, -1, 1, 0 | 1
    its part takes no part      | USD | 0.4     | 0.4     | 1 A 1 B | 0.3   | 0, 0, 0, 1  | 1
    a credit in whole yen       | JPY | 1.5     | 0.5     | 1 A 1 B | 10    | 2, -2, 1    | 1
"""


@pytest.fixture
def client(clock_at):
    clock_at("2025-10-01")
    return sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])


def sells(client, currency, *prices):
    shop = Shop(client, currency)
    for name, price in zip("AB", prices, strict=True):
        shop.product(name)
        shop.prices(*shop.price(name, f"FLAT {price}"))
    return shop


def finals(shop, instant="2025-11-02"):
    return finalize_due(shop.customer.pk, at=at(instant), by=ADA).finalized


def printed(invoice):
    return [line.total for line in invoice.lines.order_by("position")]


def access(amount):
    return {"schedule_items": [{"amount": float(amount), "starting_at": OCTOBER, "ending_before": NOVEMBER}]}


def balance(shop, amount, **terms):
    product = shop.products.get("Balance") or shop.product("Balance", type="FIXED")
    return {"product_id": product, "access_schedule": access(amount), **terms}


@pytest.mark.parametrize(
    ("currency", "a", "b", "used", "credit", "lines", "total"),
    [pytest.param(*cells[1:], id=cells[0]) for cells in table(CASES)],
)
def test_what_lines_print(client, currency, a, b, used, credit, lines, total):
    shop = sells(client, currency, a, b)
    money = {} if currency == "USD" else {"credit_type_id": unit_named(shop, currency)}
    of_a = balance(shop, credit, applicable_product_ids=[shop.products["A"]], priority=1, **money) if credit else None
    shop.contract(**({"credits": [of_a]} if of_a else {}))
    words = used.split()
    for quantity, name in zip(words[::2], words[1::2], strict=True):
        shop.uses(name, quantity)
    [invoice] = finals(shop)
    assert (printed(invoice), invoice.total) == ([D(each) for each in lines.split(", ")], D(total))
    counted = sum(line.unrounded_total for line in invoice.lines.all() if line.counts_toward_total)
    assert invoice.unrounded_total == counted
    for entry in LedgerEntry.objects.filter(invoice_id=invoice.pk):
        assert entry.amount == -min(D(credit), D(a) * D(words[0]))  # exact, whatever is printed
        assert entry.billed_amount == -D(lines.split(", ")[0])
    assert verify_invoice(invoice).differences == ()


def unit_named(shop, currency):
    return next(unit.id for unit in shop.v1.pricing_units.list() if unit.name.startswith(currency))


@pytest.mark.parametrize(
    ("used", "usage", "true_up"),
    [
        pytest.param((3, 1), [1, -1, 1, -1], 98, id="1.2 and 0.4 are 2: what is covered is payable"),
        pytest.param((1, 0), [0, 0, 0], 100, id="0.4 is nothing, so all of it is still owed"),
        pytest.param((2, 2), [1, -1, 1, -1], 98, id="0.8 and 0.8 are 2"),
    ],
)
def test_invoices_and_true_up_are_the_commitment(client, used, usage, true_up):
    """A commitment of 100 for October, A and B at 0.4; the true-up is what was not billed of it."""
    shop = sells(client, "USD", "0.4", "0.4")
    asked = {"schedule_items": [{"timestamp": NOVEMBER, "unit_price": 100, "quantity": 1}]}
    shop.contract(commits=[balance(shop, 100, type="POSTPAID", invoice_schedule=asked)])
    for name, quantity in zip("AB", used, strict=True):
        shop.uses(name, str(quantity))
    finals(shop)
    by_kind = {each.kind: each for each in Invoice.objects.all()}
    assert printed(by_kind["USAGE"]) == usage
    assert by_kind["TRUE_UP"].total == true_up
    assert sum(each.total for each in by_kind.values()) == 100
