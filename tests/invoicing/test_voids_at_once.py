"""People at once at the same document: one void and one new document, and the books add up whoever was first.

October used 60 of a pack of 100. API calls cost 2 cents.
"""

from decimal import Decimal as D

import pytest

from contracts import services
from contracts.inputs import EditInput
from contracts.queries import customer_terms
from invoicing.models import Invoice, InvoiceVoid
from invoicing.queries import compute
from invoicing.services import finalize_due, regenerate_invoice, void_invoice
from invoicing.services.voiding import NotVoided
from ledger.models import LedgerEntry
from ledger.queries.segment_sums import segment_sums_differ
from tests.factories.contracts import prepaid_input
from tests.invoicing.conftest import ADA, OCTOBER, at
from tests.invoicing.test_spenders_at_once import at_once, take

pytestmark = pytest.mark.django_db(transaction=True)
THEN = at("2025-11-02")


@pytest.fixture
def october(acme):
    pack = EditInput(add_commits=(prepaid_input(D(100), name="Pack"),))
    services.edit_contract(acme.customer, acme.contract.pk, pack, at=OCTOBER, by=ADA)
    acme.calls("2025-10-05T10", 30)
    [invoice] = finalize_due(acme.customer.pk, at=THEN, by=ADA).finalized
    return invoice


def pack_of(acme):
    [contract] = customer_terms(acme.customer.pk).contracts
    return contract.commits[0]


def void(acme, invoice, reason="Not delivered"):
    return lambda: void_invoice(acme.customer.pk, invoice.pk, reason=reason, at=THEN, by=ADA)


def regenerate(acme, invoice):
    return lambda: regenerate_invoice(acme.customer.pk, invoice.pk, at=THEN, by=ADA)


def left(acme):
    assert segment_sums_differ() == []
    return [standing.left for standing in compute(acme.customer.pk, at=THEN).balances]


def test_who_voids_what_another_voids_is_told_of_the_same_void(acme, october):
    answers = at_once(*[void(acme, october, f"Reason {number}") for number in range(4)])
    assert len(answers) == 4
    assert {answer.pk for answer in answers} == {InvoiceVoid.objects.get().pk}
    assert left(acme) == [100]
    assert LedgerEntry.objects.count() == 2


def test_who_regenerates_what_another_regenerates_is_told_of_the_same_document(acme, october):
    void(acme, october)()
    answers = at_once(*[regenerate(acme, october)] * 4)
    assert len(answers) == 4
    assert {answer.pk for answer in answers} == {Invoice.objects.get(generation=2).pk}
    assert left(acme) == [40]


@pytest.mark.parametrize("_round", range(3))
def test_who_regenerates_before_it_is_void_is_told_so(acme, october, _round):
    answers = at_once(void(acme, october), regenerate(acme, october), void(acme, october), regenerate(acme, october))
    assert len(answers) == 4
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert all(isinstance(answer, NotVoided) for answer in refused)
    made = Invoice.objects.filter(generation=2).count()
    assert (InvoiceVoid.objects.count(), made) == (1, 1 if len(refused) < 2 else 0)
    assert left(acme) == [100 - 60 * made]


@pytest.mark.parametrize("_round", range(3))
def test_nobody_takes_by_hand_what_is_not_given_back_yet(acme, october, _round):
    """40 are left, and 100 once October is void: who takes 70 has them after that, or is told what is left."""
    answers = at_once(void(acme, october), take(acme, pack_of(acme), 70))
    assert len(answers) == 2
    taken = [answer for answer in answers if isinstance(answer, LedgerEntry)]
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(taken) + len(refused) == 1
    assert left(acme) == [30 if taken else 100]
    made = regenerate(acme, october)()
    assert made.total == (30 if taken else 0)
    assert left(acme) == [0 if taken else 40]


def test_who_finalizes_november_meanwhile_draws_on_what_is_there(acme, october):
    """Whoever is first, nothing is drawn twice: 60 and 60 of 100 leave 20 to pay."""
    acme.calls("2025-11-05T10", 30)
    later = at("2025-12-02")
    answers = at_once(
        void(acme, october),
        regenerate(acme, october),
        lambda: finalize_due(acme.customer.pk, at=later, by=ADA),
    )
    assert len(answers) == 3
    if not Invoice.objects.filter(generation=2).exists():
        regenerate(acme, october)()
    assert sum(Invoice.objects.filter(void=None).values_list("total", flat=True)) == 20
    assert left(acme) == [0]
