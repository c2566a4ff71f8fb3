"""Void documents beside late usage: nothing is billed twice, and nothing is lost.

API calls cost 2 cents. October is final on 2 November; what is late comes on the 5th.
"""

import pytest

from invoicing.engine.calendar import draft_id
from invoicing.models import Invoice
from invoicing.queries import compute
from invoicing.queries.lateness import missed_usage
from invoicing.services import (
    NothingToRegenerate,
    OthersBuildOnIt,
    finalize_due,
    regenerate_invoice,
    verify_invoice,
    void_invoice,
)
from ledger.models import LedgerEntry
from tests.factories.ledger import event, post
from tests.invoicing.conftest import ADA, at, commit_of

pytestmark = pytest.mark.django_db(transaction=True)

LATE = at("2025-11-05")


def calls(day, number, *, received=LATE):
    post(*(event(None, customer_id="acme", timestamp=f"{day}T12:00:00Z") for _ in range(number)), at=received)


def final_at(acme, instant):
    return finalize_due(acme.customer.pk, at=at(instant), by=ADA).finalized


def void(acme, invoice, instant="2026-02-20"):
    return void_invoice(acme.customer, invoice.pk, reason="Not delivered", at=at(instant), by=ADA)


def regenerate(acme, invoice, instant="2026-02-20"):
    return regenerate_invoice(acme.customer, invoice.pk, at=at(instant), by=ADA)


def standing():
    return sum(Invoice.objects.filter(void=None).values_list("total", flat=True))


def differences():
    return [each for invoice in Invoice.objects.order_by("number") for each in verify_invoice(invoice).differences]


@pytest.fixture
def october(acme):
    calls("2025-10-07", 3, received=at("2025-10-07"))
    [invoice] = final_at(acme, "2025-11-02")
    return invoice


def test_late_usage_of_a_voided_period_waits_for_it_and_is_there_once(acme, october):
    void(acme, october, "2025-11-04")
    calls("2025-10-09", 4)
    calls("2025-11-09", 5, received=at("2025-11-09"))
    assert missed_usage(acme.customer.pk) == []
    [november] = compute(acme.customer.pk, at=at("2025-11-10")).documents
    assert (november.slot[:7], november.total) == ("2025-11", 10)

    made = regenerate(acme, october, "2025-11-10")
    assert made.total == 14
    assert missed_usage(acme.customer.pk) == []
    [november] = final_at(acme, "2025-12-02")
    assert (november.total, standing()) == (10, 24)
    assert differences() == []


def test_what_comes_late_for_a_regenerated_document_adjusts_that(acme, october):
    void(acme, october, "2025-11-04")
    made = regenerate(acme, october, "2025-11-04")
    calls("2025-10-09", 4)
    [november] = final_at(acme, "2025-12-02")
    assert (made.total, november.total) == (6, 8)
    [line] = [line for line in november.lines.all() if "adjustment" in line.details]
    assert line.details["adjustment"]["invoice_id"] == str(made.pk)
    assert differences() == []


@pytest.mark.parametrize("regenerated_first", [False, True])
def test_an_adjustment_on_a_void_document_is_billed_anew(acme, october, regenerated_first):
    """November carried 8 for October's late usage, and December is final, too, when November is voided."""
    calls("2025-10-09", 4)
    calls("2025-11-09", 5, received=at("2025-11-09"))
    [november] = final_at(acme, "2025-12-02")
    calls("2025-12-09", 1, received=at("2025-12-09"))
    [december] = final_at(acme, "2026-01-02")
    assert (november.total, december.total) == (18, 2)
    void(acme, november)
    assert [missed.invoice.pk for missed in missed_usage(acme.customer.pk)] == [october.pk]
    if regenerated_first:
        made = regenerate(acme, november)
        assert made.total == 18
        assert final_at(acme, "2026-03-20") == ()
    else:
        [late] = final_at(acme, "2026-03-20")
        assert (late.kind, late.total) == ("ADJUSTMENT", 8)
        made = regenerate(acme, november, "2026-03-21")
        assert made.total == 10
    assert standing() == 26
    assert missed_usage(acme.customer.pk) == []
    assert differences() == []


def test_the_late_usage_of_a_void_document_of_its_own_is_on_the_next(acme, october):
    final_at(acme, "2026-01-02")
    calls("2025-10-09", 4, received=at("2026-01-20"))
    [late] = final_at(acme, "2026-02-02")
    assert (late.kind, late.total) == ("ADJUSTMENT", 8)
    void(acme, late, "2026-02-03")
    with pytest.raises(NothingToRegenerate, match=f"{late} has billed is on the next invoice"):
        regenerate(acme, late)
    [again] = final_at(acme, "2026-03-02")
    assert (again.kind, again.total) == ("ADJUSTMENT", 8)
    assert (again.slot == late.slot, standing()) == (False, 14)
    assert differences() == []


def test_a_true_up_that_late_usage_has_reversed_is_voided_after_that(acme):
    """1,000 promised, 6 used and billed, 994 trued up; 8 came late, so 8 of the true-up are reversed."""
    commit = commit_of(acme, 1_000)
    calls("2025-10-07", 3, received=at("2025-10-07"))
    *_, true_up = final_at(acme, "2026-01-02")
    calls("2025-10-09", 4, received=at("2026-01-20"))
    [late] = final_at(acme, "2026-02-02")
    assert (true_up.total, late.total, standing()) == (994, 0, 1_000)
    with pytest.raises(OthersBuildOnIt, match=f"{late} has reversed part of the true-up {true_up}"):
        void(acme, true_up)
    void(acme, late)
    assert sum(LedgerEntry.objects.filter(commit_id=commit.pk).values_list("billed_amount", flat=True)) == -1_000
    [again] = final_at(acme, "2026-03-02")
    assert (again.total, standing()) == (0, 1_000)
    assert sum(LedgerEntry.objects.filter(commit_id=commit.pk).values_list("amount", flat=True)) == -1_000
    void(acme, again, "2026-03-03")
    void(acme, true_up, "2026-03-03")
    assert draft_id(acme.contract.pk, "TRUE_UP", str(commit.pk)) not in {
        draft.id for draft in compute(acme.customer.pk, at=at("2026-03-04")).documents
    }
    [late_again] = final_at(acme, "2026-04-02")
    assert late_again.total == 8  # counts toward the commitment; there is no true-up to reverse
    assert regenerate(acme, true_up, "2026-04-03").total == 1_000 - 14
    assert standing() == 1_000
    assert differences() == []
