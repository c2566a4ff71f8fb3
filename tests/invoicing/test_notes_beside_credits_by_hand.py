"""A proposed note where a note by hand has given money back on the same line, and tax as it was printed.

October has 20 calls at 10 cents and 5 tokens at 40, before tax at 19 %.
"""

import pytest
from django.test import Client
from django.urls import reverse

from contracts.models import ProductTaxCode
from invoicing.explanation import line_sentences
from invoicing.queries.explained import explained_document
from tests.factories.contracts import TaxRateFactory
from tests.invoicing.test_notes_by_hand import HandBooks, of_line
from tests.invoicing.test_notes_table import LATER

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def books(acme, clock_at):
    books = HandBooks(acme)
    books.bill()
    clock_at("2025-11-05")
    return books


def test_a_proposal_tells_what_was_given_back_by_hand_and_credits_no_more_than_is_left(books, django_user_model):
    given = books.credit(of_line(books.line("API calls"), "150"))
    books.price("2")  # 160 cents less, and 50 are left of the line
    browser = Client()
    browser.force_login(django_user_model.objects.create_superuser("bea"))
    page = reverse("admin:invoicing_note_proposed")
    [card] = browser.get(page, {"customer": books.acme.customer.pk}).context["cards"]
    assert card.total == "-$0.50"
    assert card.by_hand == [
        f"{given.number} of 5 November 2025 has given back $1.50 by hand (API calls: Outage on 3 October)."
    ]
    assert [(line.name, line.was, line.now, line.difference) for line in card.lines] == [
        ("API calls", "$2.00", "$0.40", "-$1.60"),
        ("API calls, given back by hand before", "", "", "$1.10"),
    ]
    note = books.approve()
    assert (note.subtotal, note.total) == (-50, -59)  # with its tax, notes take back what was printed
    assert books.proposed() == []
    told = explained_document(books.acme.customer.pk, note.pk, at=LATER)
    [sentence] = line_sentences(told, told.document.lines[-1])
    assert sentence.startswith(f"So much of what {books.october.number} billed was given back by hand before")


def test_a_price_that_takes_less_than_is_left_gives_all_of_it_back(books):
    books.credit(of_line(books.line("API calls"), "50"))
    books.price("9")
    assert books.approve().subtotal == -20


def test_lines_keep_the_tax_code_that_was_printed(books):
    """The product has another tax code by now; what corrects the line is taxed as the line was."""
    TaxRateFactory(tax_code="reduced", percent=7)
    ProductTaxCode.objects.create(product=books.acme.prices.calls, tax_code="reduced")
    note = books.credit(of_line(books.line("API calls"), "100"))
    assert (note.subtotal, note.total) == (-100, -119)
    assert [(line.details["tax_amount"], line.details["tax_code"]) for line in note.lines.all()] == [("-19", "")]
