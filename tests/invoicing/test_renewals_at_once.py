"""Who renews a contract while others take from its balances and make its documents final: whoever is first, as much
goes over as is left, and nothing is drawn twice.

A pack of 100, half of which may go over; 30 of it are used in October. The contract is renewed on 1 November, which is
agreed a day later. API calls cost 2 cents.
"""

from decimal import Decimal as D
from uuid import UUID

import pytest
from django.db.models import Sum

from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.inputs import ContractInput, EditInput, TransitionInput
from contracts.models import Contract
from contracts.queries import customer_terms
from invoicing.models import Invoice
from invoicing.queries import compute
from invoicing.services import finalize_due, regenerate_invoice, void_invoice
from invoicing.services.manual_entries import ManualEntryInput, add_manual_entry
from ledger.models import LedgerEntry
from tests.factories.contracts import prepaid_input
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at
from tests.invoicing.test_spenders_at_once import at_once, check_the_books, finalize, take

pytestmark = pytest.mark.django_db(transaction=True)
THEN = at("2025-11-02")


@pytest.fixture
def pack(acme):
    pack = EditInput(add_commits=(prepaid_input(D(100), name="Pack", rollover_fraction=D("0.5")),))
    services.edit_contract(acme.customer, acme.contract.pk, pack, at=OCTOBER, by=ADA)
    acme.calls("2025-10-05T10", 15)
    [contract] = customer_terms(acme.customer.pk).contracts
    return contract.commits[0]


def renew(acme):
    transition = TransitionInput(acme.contract.pk)
    given = ContractInput(NOVEMBER, at("2026-11-01"), acme.prices.card.pk, transition=transition)
    return lambda: services.create_contract(acme.customer, given, at=THEN, by=ADA)


def left(acme, *, then=THEN):
    """Of the pack, and of what went over."""
    found = {each.commit.rolled_over_from is not None: each for each in compute(acme.customer.pk, at=then).balances}
    return found[False], found[True]


def by_hand():
    return -(LedgerEntry.objects.filter(type__endswith="_MANUAL").aggregate(sum=Sum("amount"))["sum"] or D(0))


@pytest.mark.parametrize("_round", range(3))
def test_a_renewal_takes_over_what_others_leave_whoever_is_first(acme, pack, _round):
    """Of the 70 that October leaves three people take 25, where they come before the renewal; after it 20 are left of
    what does not go over, and another takes 10 of that."""
    answers = at_once(
        renew(acme),
        take(acme, pack, 25),
        finalize(acme),
        renew(acme),
        take(acme, pack, 25),
        finalize(acme),
        take(acme, pack, 25),
        take(acme, pack, 10),
    )
    assert len(answers) == 8
    [twin] = [answer for answer in answers if isinstance(answer, Refusal) and "amount" not in str(answer.errors)]
    renewal = Contract.objects.exclude(pk=acme.contract.pk).get()
    assert f"contract {renewal.pk} renews it" in twin.errors[0].rule
    finalize(acme)()
    old, new = left(acme)
    assert (old.drawn, old.rolled_over) == (30, min(D(50), 70 - by_hand()))
    assert new.granted == new.left == old.rolled_over
    check_the_books(acme, [answer for answer in answers if answer is not twin], 7)


def test_what_went_over_is_drawn_once_while_people_take_from_it(acme, pack):
    """50 went over, and November uses 30 of them: of six people who each take 6 three get theirs."""
    finalize(acme)()
    renew(acme)()
    acme.calls("2025-11-05T10", 15)
    _, new = left(acme)
    december = at("2025-12-02")
    given = ManualEntryInput(UUID(str(new.commit.id)), new.segment.id, D(-6), "Paid out")
    takes = [lambda: add_manual_entry(acme.customer.pk, given, at=december, by=ADA)] * 6
    answers = at_once(*takes, lambda: finalize_due(acme.customer.pk, at=december, by=ADA))

    assert sorted(type(answer).__name__ for answer in answers) == [
        *["LedgerEntry"] * 3,
        *["MoreThanIsLeft"] * 3,
        "Outcome",
    ]
    old, new = left(acme, then=december)
    assert (old.rolled_over, new.granted, new.drawn, new.left) == (50, 50, 30, 2)
    assert sum(Invoice.objects.values_list("total", flat=True)) == 0


def test_voiding_the_first_document_of_a_renewal_leaves_what_went_over(acme, pack):
    """It is posted once, with November; a November that is made anew draws on it again, and so does an October that is
    made anew on what is left of the pack."""
    [october] = finalize_due(acme.customer.pk, at=THEN, by=ADA).finalized
    renew(acme)()
    acme.calls("2025-11-05T10", 15)
    december = at("2025-12-02")
    [november] = finalize_due(acme.customer.pk, at=december, by=ADA).finalized

    for invoice, while_void in [(november, (30, 50, 0, 50)), (october, (0, 50, 30, 20))]:
        void_invoice(acme.customer.pk, invoice.pk, reason="Not delivered", at=december, by=ADA)
        old, new = left(acme, then=december)
        assert (old.drawn, old.rolled_over, new.drawn, new.left) == while_void
        regenerate_invoice(acme.customer.pk, invoice.pk, at=december, by=ADA)
        old, new = left(acme, then=december)
        assert (old.drawn, old.rolled_over, new.drawn, new.left) == (30, 50, 30, 20)
    assert LedgerEntry.objects.filter(type="PREPAID_COMMIT_ROLLOVER").count() == 1
