"""Notes by hand, approved while somebody else approves, rejects, voids or credits: one of them comes first."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from billing_site.foundation.refusals import Refusal
from invoicing.models import EnteredNoteDecision, Invoice, InvoiceVoid, Note
from invoicing.services import approve_entered_note, reject_entered_note, verify_invoice, void_invoice
from tests.invoicing.test_notes_by_hand import HandBooks, free, of_line
from tests.invoicing.test_notes_table import BEA, LATER

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def books(acme):
    books = HandBooks(acme)
    books.bill()
    return books


def at_once(*verbs):
    """What each has answered: a row, or the type of its refusal."""
    connection.close()

    def run(verb):
        try:
            return verb()
        except Refusal as refusal:
            return type(refusal).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


def approving(books, entered):
    given = {"reason": "agreed", "at": LATER, "by": BEA}
    return lambda: approve_entered_note(books.acme.customer.pk, entered.pk, **given)


def test_approved_twice_at_once_it_is_one_note(books):
    entered = books.enter(free("10"))
    one, other = at_once(*[approving(books, entered)] * 2)
    assert one == other == Invoice.objects.get(kind="NOTE")
    assert verify_invoice(one).differences == ()
    assert verify_invoice(books.october).differences == ()


def test_approved_and_voided_at_once_one_of_them_is_refused(books):
    entered = books.enter(free("10"))
    given = {"reason": "wrong", "at": LATER, "by": BEA}
    answers = at_once(
        approving(books, entered), lambda: void_invoice(books.acme.customer.pk, books.october.pk, **given)
    )
    refused = [answer for answer in answers if isinstance(answer, str)]
    assert refused in (["DocumentIsVoid"], ["OthersBuildOnIt"])
    assert Note.objects.count() + InvoiceVoid.objects.count() == 1


def test_approved_and_rejected_at_once_one_decision_stands(books):
    entered = books.enter(free("10"))
    given = {"reason": "no", "at": LATER, "by": BEA}
    answers = at_once(
        approving(books, entered), lambda: reject_entered_note(books.acme.customer.pk, entered.pk, **given)
    )
    assert [answer for answer in answers if isinstance(answer, str)] == ["AlreadyDecided"]
    assert EnteredNoteDecision.objects.count() == 1


def test_two_notes_at_once_never_credit_more_than_the_line(books):
    calls = books.line("API calls")
    entered = [books.enter(of_line(calls, "150")) for _ in range(2)]
    answers = at_once(*(approving(books, each) for each in entered))
    assert [answer for answer in answers if isinstance(answer, str)] == ["MoreThanWasBilled"]
    assert [note.number for note in Invoice.objects.filter(kind="NOTE")] == ["CN-000001"]
