"""Who approves notes, when, and twice at once; what dismissing does; what cannot be voided any more."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal as D

import pytest
from django.db import connection

from billing_site.foundation.refusals import Forbidden, Refusal
from contracts.inputs import OverrideInput
from invoicing.models import Invoice, Note
from invoicing.services import void_invoice
from invoicing.services.notes import NothingProposed, ProposalHasChanged, approve_note, dismiss_note
from invoicing.services.verification import verify_invoice
from invoicing.services.voiding import OthersBuildOnIt
from tests.invoicing.conftest import ADA, at
from tests.invoicing.test_notes_table import BEA, LATER, Books

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def books(acme):
    """October is final, 20 H at 10, and 8 are asked now."""
    books = Books(acme)
    books.price("10")
    books.uses(20, 5)
    books.close_october()
    books.price("8")
    return books


def test_who_has_made_the_edit_does_not_approve(books):
    books.edit(add_overrides=(OverrideInput(at("2025-10-01"), type="MULTIPLIER", multiplier=D("0.5")),))
    with pytest.raises(Forbidden, match="Ada has made an edit or a price that this note follows from"):
        books.approve(by=ADA)
    assert books.approve(by=BEA).total == -120


def test_a_note_says_why_and_who(books):
    with pytest.raises(Refusal, match="reason: must say why"):
        books.approve(reason=" ")
    note = books.approve(reason="The price list was wrong")
    assert Note.objects.get().reason == "The price list was wrong"
    assert (note.finalized_by, note.kind, note.type, note.finalized_at) == ("Bea", "NOTE", "SCHEDULED", LATER)


def test_approved_twice_at_once_it_is_one_note(books):
    [one] = books.proposed()
    connection.close()

    def approve(_):
        try:
            return approve_note(
                books.acme.customer.pk, one.about.pk, difference=one.difference, reason="agreed", at=LATER, by=BEA
            ).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        made = set(pool.map(approve, range(2)))

    assert len(made) == 1
    assert [note.pk for note in Invoice.objects.filter(kind="NOTE")] == list(made)


def test_what_has_changed_since_it_was_looked_at_is_not_approved(books):
    [one] = books.proposed()
    books.price("7")
    given = {"reason": "agreed", "at": LATER, "by": BEA}
    with pytest.raises(ProposalHasChanged):
        approve_note(books.acme.customer, one.about.pk, difference=one.difference, **given)
    [seven] = books.proposed()
    assert seven.note.total == -60
    november = books.finalize("2025-12-02")[0]
    with pytest.raises(NothingProposed):
        approve_note(books.acme.customer, november.pk, difference=one.difference, **given)


def test_a_dismissed_note_comes_back_only_as_another_one(books):
    [one] = books.proposed()
    for _ in range(2):
        dismissed = dismiss_note(
            books.acme.customer, one.about.pk, difference=one.difference, reason="Too little", at=LATER, by=BEA
        )
    assert (dismissed.reason, dismissed.dismissed_by) == ("Too little", "Bea")
    assert books.proposed() == []
    half = OverrideInput(at("2025-10-15"), type="MULTIPLIER", multiplier=D("0.5"))
    books.edit(add_overrides=(half,))  # nothing was used then
    assert books.proposed() == []
    books.price("6")
    assert books.approve().total == -80


def test_what_a_note_has_corrected_is_not_voided(books):
    note = books.approve()
    about = Note.objects.get().about
    for invoice in (about, note):
        with pytest.raises(OthersBuildOnIt):
            void_invoice(books.acme.customer, invoice.pk, reason="wrong", at=LATER, by=BEA)


def test_verifying_names_what_was_changed_in_a_note(books):
    note = books.approve()
    note.total = D(-41)
    assert any("total is -41" in said for said in verify_invoice(note).differences)
