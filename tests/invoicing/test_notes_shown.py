"""Notes as people and machines see them: the page of proposals, the official client, paper, and why.

October had 20 H at 10 cents and is final; Cleo publishes 8 for it.
"""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from metronome import NotFoundError

from invoicing.models import Invoice, NoteDismissal
from invoicing.services.printing import print_invoice
from tests.invoicing.test_notes_table import LATER, Books
from tests.invoicing.test_prepaid_balances import Read
from tests.invoicing.test_printed_documents import text_of

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = reverse("admin:invoicing_note_proposed")


@pytest.fixture
def books(acme, clock_at):
    books = Books(acme)
    books.price("10")
    books.uses(20, 5)
    books.close_october()
    books.price("8")
    clock_at("2025-11-05")
    return books


@pytest.fixture
def browser(django_user_model):
    django_user_model.objects.create_superuser("bea")
    browser = Client()
    browser.force_login(User.objects.get(username="bea"))
    return browser


def cards(books, browser):
    return browser.get(PAGE, {"customer": books.acme.customer.pk}).context["cards"]


def decide(browser, card, **what):
    sent = {"customer_id": card.customer.pk, "about_id": card.about_id, "difference": card.difference} | what
    return browser.post(PAGE, sent, follow=True).content.decode()


def test_a_proposal_says_what_was_billed_and_what_it_would_be(books, browser):
    answer = browser.get(PAGE, {"customer": books.acme.customer.pk})
    [card] = answer.context["cards"]
    assert card.title == f"{books.october.number}, 1–31 October 2025"
    assert card.total == "-$0.40"
    [line] = card.lines
    assert (line.name, line.was, line.now, line.difference) == ("API calls", "$2.00", "$1.60", "-$0.40")
    [because] = card.because
    assert because.startswith("Prices of publication ")
    assert card.title in answer.content.decode()


def test_it_is_approved_with_a_click(books, browser):
    [card] = cards(books, browser)
    assert "reason: must say why" in decide(browser, card, approve="1", reason=" ").replace("&#x27;", "'")
    assert "CN-000001 is made" in decide(browser, card, approve="1", reason="The list was wrong")
    assert cards(books, browser) == []
    assert Invoice.objects.get(kind="NOTE").finalized_by == "bea"
    assert "CN-000001" in browser.get(reverse("admin:invoicing_note_changelist")).content.decode()


def test_it_is_dismissed_with_a_click(books, browser):
    [card] = cards(books, browser)
    assert "Dismissed." in decide(browser, card, dismiss="1", reason="Too little")
    assert cards(books, browser) == []
    assert NoteDismissal.objects.get().dismissed_by == "bea"
    assert "not the id of a document" in browser.post(PAGE, {"approve": "1"}, follow=True).content.decode()


def test_who_may_only_look_decides_nothing(books, django_user_model):
    viewer = django_user_model.objects.create_user("vera", is_staff=True)
    browser = Client()
    browser.force_login(viewer)
    assert browser.get(PAGE).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_note"))
    answer = browser.get(PAGE, {"customer": books.acme.customer.pk})
    [card] = answer.context["cards"]
    assert "Approve" not in answer.content.decode()
    assert browser.post(PAGE, {"approve": "1", "about_id": card.about_id}).status_code == 403


def test_the_client_reads_a_note_as_a_document_of_the_customer(books, client):
    note = books.approve()
    read = Read(client, books.acme)
    whose = read.whose
    found = client.v1.customers.invoices.list(**whose, type="SCHEDULED")
    [one] = [each for each in found if each.id == str(note.pk)]
    assert (one.status, one.total, one.type) == ("FINALIZED", -40, "SCHEDULED")
    [line] = one.line_items
    assert (line.type, line.total, line.quantity) == ("usage", -40, None)
    assert line.adjustment["invoice_number"] == books.october.number
    told = client.v1.customers.invoices.retrieve(invoice_id=str(note.pk), **whose).data
    assert told.correction_of == {"invoice_id": str(books.october.pk), "invoice_number": books.october.number}
    path = f"/v1/customers/{books.acme.customer.pk}/invoices/{note.pk}/explain"
    explained = client.get(path, cast_to=dict[str, Any])["data"]
    [why] = explained["line_items"]
    assert why["explanation"][0].startswith(f"{books.october.number} has billed 1–31 October 2025.")
    with pytest.raises(NotFoundError):
        client.v1.customers.invoices.retrieve(invoice_id=str(note.pk), customer_id=str(note.pk))


def test_a_note_is_printed_with_the_number_that_it_corrects(books):
    note = books.approve()
    pdf = print_invoice(books.acme.customer.pk, note.pk, at=LATER)
    assert pdf.name == "CN-000001.pdf"
    paper = text_of(pdf.content)
    assert "Creditnote" in paper
    assert f"Corrects{books.october.number}" in paper
    assert note.details["title"] == "Credit note"
    assert note.due_at is None
