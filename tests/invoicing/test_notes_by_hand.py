"""Notes by hand: entered by Ada, approved by Bea.

October has 20 calls at 10 cents and 5 tokens at 40, before tax at 19 %.
"""

from decimal import Decimal as D

import pytest
from django.db import IntegrityError, transaction

from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Conflict, Forbidden, NotFound, Refusal
from contracts import services as agreements
from contracts.models import BillingProfile
from invoicing.models import EnteredNote, EnteredNoteDecision, Invoice, Note
from invoicing.queries.documents import altered
from invoicing.services import (
    AlreadyDecided,
    DocumentIsVoid,
    MoreThanWasBilled,
    NoteInput,
    NoteLineInput,
    OthersBuildOnIt,
    approve_entered_note,
    enter_note,
    finalize_due,
    reject_entered_note,
    verify_invoice,
    void_invoice,
)
from ledger.models import LedgerEntry
from tests.factories.contracts import BillingProfileFactory, LegalEntityFactory, TaxRateFactory
from tests.invoicing.conftest import ADA, at, commit_of
from tests.invoicing.test_notes_table import BEA, LATER, Books

pytestmark = pytest.mark.django_db


def of_line(number, amount, reason="Outage on 3 October"):
    return NoteLineInput(D(amount), reason, line=number)


def free(amount, reason="Goodwill", product=None):
    return NoteLineInput(D(amount), reason, product_id=product)


class HandBooks(Books):
    """Acme's, with tax; tokens come first on the document."""

    def bill(self):
        LegalEntityFactory(taxes="FIXED_RATES")
        BillingProfileFactory(customer=self.acme.customer)
        TaxRateFactory()
        self.price("10")
        self.acme.uses_tokens("2025-10-03T05", 5)
        self.acme.calls("2025-10-05T07", 20)
        [self.october] = finalize_due(self.acme.customer.pk, at=at("2025-11-02"), by=ADA).finalized

    def line(self, name):
        return self.october.lines.get(name__startswith=name).position

    def enter(self, *lines, kind="CREDIT", by=ADA, about=None, given_id=None, reason="The customer complained"):
        given = NoteInput(given_id or uuid7(), kind, lines, reason)
        about_id = (about or self.october).pk
        return enter_note(self.acme.customer, about_id, given, at=LATER, by=by)

    def approve_entered(self, entered, *, by=BEA, reason="agreed"):
        note = approve_entered_note(self.acme.customer, entered.pk, reason=reason, at=LATER, by=by)
        assert verify_invoice(note).differences == ()
        return note

    def credit(self, *lines):
        return self.approve_entered(self.enter(*lines))


@pytest.fixture
def books(acme):
    books = HandBooks(acme)
    books.bill()
    assert (books.october.subtotal, books.october.total) == (400, 476)
    return books


def test_a_line_is_credited_in_part_with_the_tax_that_was_printed(books):
    TaxRateFactory(percent=D(25), starting_at=at("2025-10-02"))
    note = books.credit(of_line(books.line("API calls"), "50"))
    assert (note.number, note.kind, note.type, note.subtotal, note.total) == (
        "CN-000001",
        "NOTE",
        "SCHEDULED",
        -50,
        D("-60"),
    )
    [line] = note.lines.all()
    assert (line.type, line.name, line.total) == ("scheduled", "API calls: Outage on 3 October", -50)
    assert line.details["correction"] == {
        "invoice_id": str(books.october.pk),
        "invoice_number": books.october.number,
        "line": books.line("API calls"),
    }
    assert note.details["tax_lines"] == [
        {"name": "VAT", "tax_code": "", "percent": "19", "taxable": "-50", "amount": "-10"}
    ]
    assert (note.details["title"], note.due_at, note.finalized_by) == ("Credit note", None, "Bea")
    made = Note.objects.get()
    assert (made.is_rated, made.entered_by, made.reason, made.about) == (
        False,
        "Ada",
        "The customer complained",
        books.october,
    )
    assert altered([Invoice.objects.get(pk=note.pk)]) == []


def test_notes_take_back_the_whole_document_and_not_a_cent_more(books):
    calls, tokens = books.line("API calls"), books.line("Tokens")
    notes = [books.credit(of_line(calls, "33")) for _ in range(6)]
    notes += [books.credit(of_line(calls, "2"), of_line(tokens, "100"))]
    notes += [books.credit(free("100"))]
    assert [note.number for note in notes] == [f"CN-{number:06}" for number in range(1, 9)]
    assert sum(note.subtotal for note in notes) == -400
    assert sum(note.total for note in notes) == -476
    for asked in (of_line(tokens, "1"), free("1")):
        with pytest.raises(Refusal, match=r"must (credit something, and no|not credit) more than"):
            books.enter(asked)


def test_a_debit_note_asks_for_more_and_may_be_credited(books):
    product = books.acme.prices.tokens
    entered = books.enter(of_line(books.line("API calls"), "30"), free("70", "Setup", product.pk), kind="DEBIT")
    note = books.approve_entered(entered)
    assert (note.number, note.subtotal, note.total) == ("DN-000001", 100, 119)
    assert note.details["title"] == "Debit note"
    assert [line.name for line in note.lines.order_by("position")] == [
        "API calls: Outage on 3 October",
        "Tokens: Setup",
    ]
    assert books.credit(of_line(books.line("API calls"), "230")).subtotal == -230


def test_who_enters_it_does_not_approve_it(books):
    entered = books.enter(free("10"))
    with pytest.raises(Forbidden, match="Ada has entered this note"):
        books.approve_entered(entered, by=ADA)
    assert not Note.objects.exists()
    renamed = Actor("USER", "ada lovelace", "7")
    entered = books.enter(free("10"), by=Actor("USER", "ada", "7"))
    with pytest.raises(Forbidden):
        books.approve_entered(entered, by=renamed)


def test_the_database_refuses_an_approval_by_who_entered_it(books):
    entered, customer = books.enter(free("10")), books.acme.customer
    note = Note.objects.create(
        invoice=books.october, customer=customer, about=books.october, is_rated=False, reason="x", entered_by="Ada"
    )
    with pytest.raises(IntegrityError, match="who_enters_a_note_does_not_approve_it"), transaction.atomic():
        EnteredNoteDecision.objects.create(
            entered=entered,
            customer=customer,
            note=note,
            entered_by="Ada",
            decided_by="Ada",
            decided_at=LATER,
            reason="x",
            money_version=1,
        )


def test_entered_and_approved_twice_it_is_one_note(books):
    given_id = uuid7()
    entered = [books.enter(free("10"), given_id=given_id) for _ in range(2)]
    assert entered[0] == entered[1]
    notes = {books.approve_entered(entered[0]).pk for _ in range(2)}
    assert len(notes) == 1
    assert books.enter(free("10"), given_id=given_id) == entered[0]
    with pytest.raises(Conflict, match="was used for another note"):
        books.enter(free("11"), given_id=given_id)
    with pytest.raises(AlreadyDecided, match="It is the note CN-000001"):
        reject_entered_note(books.acme.customer, given_id, reason="no", at=LATER, by=BEA)


def test_what_was_rejected_is_no_note(books):
    entered = books.enter(free("10"))
    for _ in range(2):
        decision = reject_entered_note(books.acme.customer, entered.pk, reason="Not our fault", at=LATER, by=ADA)
    assert (decision.decided_by, decision.reason, str(decision)) == ("Ada", "Not our fault", "rejected")
    with pytest.raises(AlreadyDecided, match="rejected by Ada"):
        books.approve_entered(entered)
    assert list(EnteredNote.objects.waiting()) == []
    with pytest.raises(NotFound):
        reject_entered_note(books.acme.customer, uuid7(), reason="no", at=LATER, by=ADA)


def test_what_another_note_has_credited_meanwhile_is_not_approved(books):
    calls = books.line("API calls")
    first, second = books.enter(of_line(calls, "150")), books.enter(of_line(calls, "100"))
    books.approve_entered(first)
    with pytest.raises(
        MoreThanWasBilled, match=r"lines\[0\].amount: must credit something, and no more than is left of it"
    ):
        books.approve_entered(second)
    assert [note.subtotal for note in Invoice.objects.filter(kind="NOTE")] == [-150]


def test_what_is_void_has_nothing_to_correct(books):
    waiting = books.enter(free("10"))
    void_invoice(books.acme.customer, books.october.pk, reason="wrong", at=LATER, by=BEA)
    with pytest.raises(DocumentIsVoid):
        books.approve_entered(waiting)
    with pytest.raises(DocumentIsVoid):
        books.enter(free("10"))


def test_a_document_with_a_note_is_not_voided_and_a_note_is_not_corrected(books):
    note = books.credit(free("10"))
    for invoice in (books.october, note):
        with pytest.raises(OthersBuildOnIt):
            void_invoice(books.acme.customer, invoice.pk, reason="wrong", at=LATER, by=BEA)
    with pytest.raises(Conflict, match="must not be of a note"):
        books.enter(free("1"), about=note)


def test_bad_lines_are_named_one_by_one(books):
    wrong = (
        of_line(9, "1"),
        of_line(books.line("Tokens"), "0.5"),
        free("-1"),
    )
    with pytest.raises(Refusal) as refused:
        books.enter(*wrong)
    assert [(error.field, str(error.value)) for error in refused.value.errors] == [
        ("lines[0].line", "9"),
        ("lines[1].amount", "0.5"),
        ("lines[2].amount", "-1"),
    ]
    both = NoteLineInput(D("NaN"), " ", line=1, product_id=uuid7())
    with pytest.raises(Refusal) as refused:
        books.enter(both, kind="GIFT", reason="")
    assert [error.field for error in refused.value.errors] == [
        "kind",
        "reason",
        "lines[0].amount",
        "lines[0].reason",
        "lines[0].product_id",
    ]
    with pytest.raises(Refusal, match="must be the id of a product"):
        books.enter(free("1", product=uuid7()))
    with pytest.raises(Refusal, match="lines: must be from 1 to 500"):
        books.enter()
    assert not EnteredNote.objects.exists()


def test_a_document_stays_taxed_as_it_was_whoever_is_exempt_by_now(books):
    BillingProfile.objects.update(tax_exemption="Reverse charge")
    assert books.credit(free("100")).total == -119


def test_a_note_on_a_document_of_an_archived_contract(books):
    agreements.archive_contract(books.acme.customer, books.acme.contract.pk, at=LATER, by=ADA, reason="over")
    assert books.credit(free("100")).subtotal == -100


def test_what_a_balance_has_paid_is_not_credited(acme):
    books = HandBooks(acme)
    books.price("10")
    books.commit("100")
    acme.calls("2025-10-05T07", 20)
    [invoice] = [
        each for each in finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA).finalized if each.kind == "USAGE"
    ]
    books.october = invoice
    assert invoice.total == 100
    entries = LedgerEntry.objects.count()
    paid, open_ = (line.position for line in invoice.lines.filter(type="usage").order_by("position"))
    with pytest.raises(Refusal, match="no more than is left of it"):
        books.enter(of_line(paid, "1"))
    note = books.credit(of_line(open_, "100"))
    assert (note.total, LedgerEntry.objects.count()) == (-100, entries)


def test_what_counts_toward_a_commitment_stays_counted(acme):
    books = HandBooks(acme)
    books.price("10")
    commit_of(acme, D(1000))
    acme.calls("2025-10-05T07", 20)
    [books.october] = finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA).finalized
    note = books.credit(of_line(1, "200"))
    assert note.total == -200
    [true_up] = [
        each for each in finalize_due(acme.customer.pk, at=at("2026-01-10"), by=ADA).finalized if each.kind == "TRUE_UP"
    ]
    assert true_up.total == 800
