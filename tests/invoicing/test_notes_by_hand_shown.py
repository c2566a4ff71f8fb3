"""Notes by hand as people and machines see them: the form, the approval, the official client, paper, and why.

October is Acme's: 20 calls at 10 cents and 5 tokens at 40, before tax at 19 %. Ada enters, Bea approves.
"""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from billing_site.foundation.ids import uuid7
from invoicing.models import EnteredNote, EnteredNoteDecision, Invoice
from invoicing.services import void_invoice
from invoicing.services.printing import print_invoice
from tests.invoicing.conftest import ADA
from tests.invoicing.test_notes_by_hand import HandBooks, free, of_line
from tests.invoicing.test_notes_table import LATER
from tests.invoicing.test_prepaid_balances import Read
from tests.invoicing.test_printed_documents import text_of

pytestmark = pytest.mark.django_db

QUEUE = reverse("admin:invoicing_note_proposed")


@pytest.fixture
def books(acme, clock_at):
    books = HandBooks(acme)
    books.bill()
    clock_at("2025-11-05")
    return books


def browser_of(name, **fields):
    browser = Client()
    browser.force_login(User.objects.create_user(name, is_staff=True, **fields))
    return browser


@pytest.fixture
def ada():
    return browser_of("ada", is_superuser=True)


@pytest.fixture
def bea():
    return browser_of("bea", is_superuser=True)


def page_of(books):
    return reverse("admin:invoicing_note_enter", args=[books.october.pk])


def sent(books, *, amount="$0.50", subject=None, **more):
    calls = f"line {books.line('API calls')}" if subject is None else subject
    row = {"row_0_subject": calls, "row_0_amount": amount, "row_0_reason": "Outage"}
    return {"id": str(uuid7()), "kind": "CREDIT", "reason": "They complained", **row} | more


def test_a_note_is_looked_at_entered_and_approved_by_clicks(books, ada, bea):
    asked = sent(books)
    looked_at = ada.post(page_of(books), asked | {"preview": "1"})
    preview = looked_at.context["preview"]
    assert preview.title == f"Credit note on {books.october.number}"
    assert [(line.label, line.text) for line in preview.lines] == [("API calls: Outage", "-$0.50")]
    assert [(total.label, total.text) for total in preview.totals] == [
        ("Subtotal", "-$0.50"),
        ("VAT 19% of -$0.50", "-$0.10"),
        ("Total", "-$0.60"),
    ]
    assert not EnteredNote.objects.exists()
    previewed = looked_at.context["previewed"]
    changed = ada.post(page_of(books), asked | {"row_0_amount": "0.60", "save": "1", "previewed": previewed})
    assert "The form has changed since it was looked at" in changed.content.decode()
    for _ in range(2):
        answer = ada.post(page_of(books), asked | {"save": "1", "previewed": previewed}, follow=True)
        assert "Entered. It is a note once somebody else has approved it." in answer.content.decode()
    [card] = answer.context["entered"]
    assert (card.title, card.total, card.is_mine) == (f"Credit note on {books.october.number}", "-$0.50", True)
    assert card.entered == "Entered by ada on 5 November 2025: “They complained”"
    decision = {"customer_id": card.customer.pk, "entered_id": card.id, "reason": "agreed", "approve": "1"}
    assert "ada has entered this note" in ada.post(QUEUE, decision, follow=True).content.decode()
    answer = bea.post(QUEUE, decision, follow=True)
    assert "CN-000001 is made." in answer.content.decode()
    assert answer.context["entered"] == []
    [note] = Invoice.objects.filter(kind="NOTE")
    assert (note.total, note.finalized_by) == (-60, "bea")
    listed = bea.get(reverse("admin:invoicing_enterednotedecision_changelist")).content.decode()
    assert "agreed" in listed
    change = bea.get(reverse("admin:invoicing_invoice_change", args=[books.october.pk])).content.decode()
    assert "CN-000001" in change
    assert "Enter a note by hand" in change


def test_a_note_is_rejected_with_a_click(books, ada):
    entered = books.enter(free("10"))
    decision = {"customer_id": books.acme.customer.pk, "entered_id": entered.pk, "reject": "1"}
    assert "must say why" in ada.post(QUEUE, decision, follow=True).content.decode()
    answer = ada.post(QUEUE, decision | {"reason": "No"}, follow=True).content.decode()
    assert "Rejected. The document stays as it is." in answer
    assert str(EnteredNoteDecision.objects.get()) == "rejected"
    assert "not the id of a note" in ada.post(QUEUE, {"entered_id": "x", "reject": "1"}, follow=True).content.decode()


def test_what_is_wrong_stands_beside_its_field(books, ada):
    answer = ada.post(page_of(books), sent(books, row_2_amount="-1"))
    assert answer.context["form"].errors == {"row_2_reason": ["Must not be empty."]}
    answer = ada.post(page_of(books), sent(books, amount="9"))
    assert answer.context["form"].errors == {
        "row_0_amount": ["Must credit something, and no more than is left of it."],
        "__all__": ["Must not credit more than is left of the document."],
    }
    nothing = sent(books, amount="", subject="", row_0_reason="")
    assert "Must be from 1 to 500." in str(ada.post(page_of(books), nothing).context["form"].errors)
    void_invoice(books.acme.customer, books.october.pk, reason="wrong", at=LATER, by=ADA)
    answer = ada.get(page_of(books), follow=True).content.decode()
    assert f"{books.october.number} is a note, or void" in answer


def test_who_may_only_look_neither_enters_nor_decides(books):
    entered = books.enter(free("10"))
    vera = browser_of("vera")
    vera_user = User.objects.get(username="vera")
    assert vera.get(page_of(books)).status_code == 403
    vera_user.user_permissions.add(Permission.objects.get(codename="view_note"))
    seen = vera.get(QUEUE)
    assert len(seen.context["entered"]) == 1
    assert "Approve" not in seen.content.decode()
    decision = {"customer_id": books.acme.customer.pk, "entered_id": entered.pk, "reason": "x"}
    for button in ("approve", "reject"):
        assert vera.post(QUEUE, decision | {button: "1"}).status_code == 403
    vera_user.user_permissions.add(Permission.objects.get(codename="add_enterednote"))
    assert vera.get(page_of(books)).status_code == 200
    assert vera.get(reverse("admin:invoicing_note_enter", args=[uuid7()])).status_code == 404


def test_the_client_reads_it_and_is_told_why(books, client):
    note = books.credit(of_line(books.line("API calls"), "50"), free("30"))
    read = Read(client, books.acme)
    [one] = client.v1.customers.invoices.list(**read.whose, type="SCHEDULED")
    assert (one.id, one.status, one.total) == (str(note.pk), "FINALIZED", -95)
    told = client.v1.customers.invoices.retrieve(invoice_id=str(note.pk), **read.whose).data
    assert told.correction_of == {"invoice_id": str(books.october.pk), "invoice_number": books.october.number}
    assert [(line.name, line.total) for line in told.line_items] == [
        ("API calls: Outage on 3 October", -50),
        ("Goodwill", -30),
    ]
    assert told.line_items[0].correction["line"] == books.line("API calls")
    path = f"/v1/customers/{books.acme.customer.pk}/invoices/{note.pk}/explain"
    explained = client.get(path, cast_to=dict[str, Any])["data"]
    assert explained["explanation"][0].startswith(
        "Entered by hand by Ada on 5 November 2025, 00:00 UTC (“The customer complained”), and approved by Bea on"
    )
    assert [line["explanation"] for line in explained["line_items"]] == [
        [f"Credited by hand, to correct line {books.line('API calls')} of {books.october.number}."],
        [f"Credited by hand, to correct {books.october.number}."],
    ]


def test_it_is_printed_and_on_the_customers_page(books, bea):
    note = books.credit(of_line(books.line("API calls"), "50"))
    paper = text_of(print_invoice(books.acme.customer.pk, note.pk, at=LATER).content)
    assert "Creditnote" in paper
    assert f"Corrects{books.october.number}" in paper
    assert "APIcalls:Outageon3October" in paper
    page = bea.get(reverse("portal_invoice", args=[books.acme.customer.pk, note.pk])).content.decode()
    assert "VAT 19% of -$0.50" in page
    listed = bea.get(reverse("portal_of_customer", args=[books.acme.customer.pk])).content.decode()
    assert "CN-000001" in listed


@pytest.mark.parametrize("documents", [1, 3])
def test_the_queue_reads_what_waits_at_once(books, bea, documents, django_assert_num_queries):
    bea.get(QUEUE)
    for _ in range(documents):
        books.enter(free("10"))
    with django_assert_num_queries(QUERIES):
        assert len(bea.get(QUEUE).context["entered"]) == documents


QUERIES = 5
