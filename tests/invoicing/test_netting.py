"""A document made anew takes off what others have billed for its period meanwhile.

API calls cost 2 cents. Two months are final, the second carries what came late for the first, and then the first is
void.

    October was 3 calls, 4 came late and are on November's, with 5 of its own; then October is void

    October anew     7 calls = 14, and 4 on November's = -8
    all together     24
"""

from decimal import Decimal as D

import pytest

from invoicing.queries import compute
from invoicing.queries.lateness import missed_usage
from invoicing.services import OthersBuildOnIt
from ledger.models import LedgerEntry
from ledger.queries.segment_sums import segment_sums_differ
from tests.factories.contracts import AccessSegmentFactory, CommitFactory
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import NOVEMBER, OCTOBER, at
from tests.invoicing.test_voids_and_late_usage import calls, differences, final_at, regenerate, standing, void

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def documents(acme):
    """October's and November's."""
    return make(acme)


def make(acme):
    calls("2025-10-07", 3, received=at("2025-10-07"))
    [october] = final_at(acme, "2025-11-02")
    calls("2025-10-09", 4)
    calls("2025-11-09", 5, received=at("2025-11-09"))
    [november] = final_at(acme, "2025-12-02")
    return october, november


def lines_of(invoice):
    return [(line.name, line.quantity, line.total) for line in invoice.lines.order_by("position") if line.quantity]


def test_what_another_has_billed_is_taken_off(acme, documents):
    october, november = documents
    void(acme, october)
    made = regenerate(acme, october)
    assert lines_of(made) == [
        ("API calls", 7, 14),
        ("API calls, adjustment of INV-000001 (1 Oct to 31 Oct 2025), on INV-000002", -4, -8),
    ]
    assert (november.total, made.total, standing()) == (18, 6, 24)
    assert missed_usage(acme.customer.pk) == []
    assert differences() == []


def test_what_it_was_taken_off_from_is_voided_after_it(acme, documents):
    october, november = documents
    void(acme, october)
    made = regenerate(acme, october)
    with pytest.raises(OthersBuildOnIt, match="INV-000003 takes off what INV-000002 has billed for the period of INV"):
        void(acme, november)
    void(acme, made)
    again = regenerate(acme, made)
    assert (lines_of(again), standing()) == (lines_of(made), 24)
    void(acme, again)
    void(acme, november)
    october_alone, november_alone = regenerate(acme, again), regenerate(acme, november)
    assert (october_alone.total, november_alone.total) == (14, 10)
    assert differences() == []


def test_more_that_comes_late_adjusts_the_document_made_anew(acme, documents):
    october, _ = documents
    void(acme, october, "2025-12-03")
    made = regenerate(acme, october, "2025-12-03")
    calls("2025-10-20", 1, received=at("2025-12-04"))
    [december] = final_at(acme, "2026-01-02")
    [line] = [line for line in december.lines.all() if "adjustment" in line.details]
    assert (line.total, line.details["adjustment"]["invoice_id"]) == (2, str(made.pk))
    assert standing() == 26
    assert differences() == []


def test_printed_amounts_are_taken_off_as_they_were_printed(acme):
    """Three calls at 0.4 are printed as 1, four more make 2.8, and so 2 more; seven anew are 3, less 2."""
    RateFactory(rate_card=acme.prices.card, product=acme.prices.calls, starting_at=OCTOBER, price=D("0.4"))
    october, november = make(acme)
    assert (october.total, november.total) == (1, 4)
    void(acme, october)
    made = regenerate(acme, october)
    assert [line[2] for line in lines_of(made)] == [3, -2]
    assert (made.total, made.unrounded_total) == (1, D("1.2"))
    assert differences() == []


@pytest.mark.parametrize("type_", ["PREPAID", "CREDIT"])
def test_what_another_drew_can_be_drawn_again(acme, type_):
    """A balance of 10 for October: 6 in time and 4 late are paid by it, 4 are not. Anew it is the same."""
    commit = CommitFactory(contract=acme.contract, segment=None, invoice_item=None, type=type_)
    AccessSegmentFactory(commit=commit, amount=D(10), starting_at=OCTOBER, ending_before=NOVEMBER)
    october, november = make(acme)
    assert (october.total, november.total) == (0, 14)
    void(acme, october)
    [balance] = compute(acme.customer.pk, at=at("2026-02-20")).balances
    assert balance.left == 6
    made = regenerate(acme, october)
    assert made.total == 4 - 4
    assert sum(LedgerEntry.objects.values_list("amount", flat=True)) == -10
    [balance] = compute(acme.customer.pk, at=at("2026-02-20")).balances
    assert (balance.left, balance.drawn) == (0, 10)
    assert segment_sums_differ() == []
    assert differences() == []
