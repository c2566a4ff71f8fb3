"""What other vendors' documentation and tests say of credit notes, with our notes by hand. Amounts are in cents.

Stripe: tax is credited in proportion, at the invoice's rate. Lago: tax of parts is rounded so that parts never exceed
the whole. Zuora: a negative item is credited as what it is, beside the positive ones. Chargebee, Orb: several notes on
one invoice, each at the most what is left of the line and of the invoice.
"""

from decimal import Decimal as D

import pytest

from billing_site.foundation.refusals import Refusal
from invoicing.services import finalize_due
from tests.factories.contracts import BillingProfileFactory, LegalEntityFactory, TaxRateFactory
from tests.factories.ledger import event, post
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import ADA, OCTOBER, at, use
from tests.invoicing.test_notes_by_hand import HandBooks, free, of_line

pytestmark = pytest.mark.django_db


class VendorBooks(HandBooks):
    def tax(self, percent):
        LegalEntityFactory(taxes="FIXED_RATES")
        BillingProfileFactory(customer=self.acme.customer)
        TaxRateFactory(percent=D(percent))

    def token_price(self, price):
        card, tokens = self.acme.prices.card, self.acme.prices.tokens
        RateFactory(
            rate_card=card, product=tokens, starting_at=OCTOBER, pricing_group_values={"model": "xl"}, price=D(price)
        )

    def close(self, instant="2025-11-02"):
        [self.october] = finalize_due(self.acme.customer.pk, at=at(instant), by=ADA).finalized


@pytest.fixture
def books(acme):
    return VendorBooks(acme)


@pytest.mark.parametrize(
    ("percent", "line", "tax", "credits", "taxes"),
    [
        pytest.param("25", "10000", "2500", ["2000"], ["500"], id="Stripe: a fifth of the invoice, a fifth of its tax"),
        pytest.param("25", "6000", "1500", ["1200"], ["300"], id="Stripe: part of a line"),
        pytest.param("20", "8000", "1600", ["8000"], ["1600"], id="Stripe: all of it"),
        pytest.param("25", "20000", "5000", ["19333"], ["4833"], id="Lago: unused days, rounded down"),
        pytest.param("25", "16000", "4000", ["15467"], ["3867"], id="Lago: unused days, rounded up"),
        pytest.param("23.33", "2999", "700", ["2571"], ["600"], id="Lago: a week"),
        pytest.param("20", "76900", "15380", ["72686", "4214"], ["14537", "843"], id="Lago: the rest of an invoice"),
        pytest.param(
            "20", "10000", "2000", ["3333", "3333", "3334"], ["667", "666", "667"], id="Chargebee: three parts"
        ),
        pytest.param("19", "5", "1", ["1", "1", "1", "1", "1"], ["0", "0", "1", "0", "0"], id="Orb: cent by cent"),
    ],
)
def test_parts_of_a_line_with_the_tax_of_each(books, percent, line, tax, credits, taxes):
    books.tax(percent)
    books.price(line)
    books.acme.calls("2025-10-05T07")
    books.close()
    assert (books.october.subtotal, books.october.total) == (D(line), D(line) + D(tax))
    notes = [books.credit(of_line(1, amount)) for amount in credits]
    assert [-note.subtotal for note in notes] == [D(amount) for amount in credits]
    assert [note.subtotal - note.total for note in notes] == [D(amount) for amount in taxes]
    left = D(line) - sum(map(D, credits))
    with pytest.raises(Refusal, match="no more than is left of it"):
        books.enter(of_line(1, left + 1))


def test_two_lines_are_credited_by_different_shares(books):
    """Stripe: $60 and $40 with 25 %; $12 and $8 come back with $3 and $2 of tax."""
    books.tax(25)
    books.price("4000")
    books.token_price("6000")
    books.acme.uses_tokens("2025-10-03T05", 1)
    books.acme.calls("2025-10-05T07")
    books.close()
    calls, tokens = books.line("API calls"), books.line("Tokens")
    note = books.credit(of_line(tokens, "1200"), of_line(calls, "800"))
    assert (note.subtotal, note.total) == (-2000, -2500)
    shares = {line.details["correction"]["line"]: line.details["tax_amount"] for line in note.lines.all()}
    assert shares == {tokens: "-300", calls: "-200"}
    assert books.credit(of_line(tokens, "4800"), of_line(calls, "3200")).total == -10000


@pytest.mark.django_db(transaction=True)  # what is late is told from what the document saw
def test_an_invoice_with_a_negative_line_is_credited_whole_and_not_beyond(books):
    """Zuora: $100 and -$10, with 20 %: $108 in all."""
    books.tax(20)
    books.token_price("1000")
    books.acme.uses_tokens("2025-10-03T05", 3)
    books.close()
    taken_back = event(
        customer_id="acme",
        event_type="tokens",
        timestamp="2025-10-04T12:00:00Z",
        properties={"tokens": "-1", "model": "xl", "region": "eu"},
    )
    post(taken_back, at=at("2025-11-05"))
    use(books.acme.prices.tokens_used, "2025-11-05T05", 10, {"model": "xl", "region": "eu"})
    books.close("2025-12-02")
    assert sorted(line.total for line in books.october.lines.filter(name__startswith="Tokens")) == [-1000, 10000]
    assert books.october.total == 10800
    minus, *_, plus = (line.position for line in books.october.lines.order_by("total"))
    for beyond in (
        (of_line(plus, "10000"),),
        (free("9001"),),
        (of_line(minus, "-1000"),),
        (of_line(plus, "10000"), of_line(minus, "-1001")),
    ):
        with pytest.raises(Refusal):
            books.enter(*beyond)
    note = books.credit(of_line(plus, "10000"), of_line(minus, "-1000"))
    assert (note.subtotal, note.total) == (-9000, -10800)
    with pytest.raises(Refusal, match="no more than is left of it"):
        books.enter(of_line(plus, "1"))
