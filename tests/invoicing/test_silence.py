"""A contract that bills nothing but usage by model, and has had none at all over a whole period: there are no lines."""

from decimal import Decimal as D

import pytest

from billing_site.foundation.models import Job
from invoicing.models import DraftSummary, Invoice
from invoicing.queries.compute import computation
from invoicing.services import do_due_work
from invoicing.services.finalization import DocumentHeld, EarlierDocumentsOpen, finalize_due, finalize_invoice
from tests.factories.contracts import AccessSegmentFactory, CommitFactory, CustomerFactory, InvoiceScheduleItemFactory
from tests.factories.pricing import RateCardFactory, RateFactory
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, Acme, at, contract_for
from tests.invoicing.test_holds import JULY, after, bills, draft_of, reasons, release
from tests.invoicing.test_review_queue import member, page, refresh_summary_of

pytestmark = pytest.mark.django_db

OCTOBER_IS_DUE, NOVEMBER_IS_DUE = at("2025-11-02"), at("2025-12-02")
SAID = "No usage at all, whereas its last 3 usage invoices make $206.00 usual for as long a period."


@pytest.fixture
def acme(price_list):
    customer, card = CustomerFactory(aliases=["acme"]), RateCardFactory()
    RateFactory(rate_card=card, product=price_list.tokens, pricing_group_values={"model": "xl"}, price=D(40))
    return Acme(customer, contract_for(customer, price_list, starting_at=JULY, rate_card=card), price_list)


@pytest.fixture
def silent(acme):
    """July to September are $200 each, and nothing came in October."""
    draft, due = bills(acme, m07=500, m08=515, m09=500)
    finalize_invoice(acme.customer, draft, at=due, by=ADA)
    return draft_of(acme, "m10")


def test_silence_after_documents_is_held_with_the_reason_and_who_must_act(acme, silent, clock_at):
    assert reasons(acme, at("2025-10-31T23")) == {}
    assert reasons(acme, NOVEMBER) == {silent: ["SILENT"]}
    with pytest.raises(DocumentHeld, match="usage invoice of 1 Oct to 31 Oct 2025 is held: No usage at all"):
        finalize_invoice(acme.customer, silent, at=OCTOBER_IS_DUE, by=ADA)
    clock_at("2025-11-02")
    [job] = do_due_work(at=OCTOBER_IS_DUE)
    assert job.state == Job.State.FAILED
    assert SAID in job.error
    refresh_summary_of(acme, OCTOBER_IS_DUE)
    text = page(member("view_draftsummary", "add_holddecision"))
    for words in ("Acme", "October 2025", "$0.00", SAID, "Operations"):
        assert words in text
    release(acme, silent, OCTOBER_IS_DUE)
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    refresh_summary_of(acme, OCTOBER_IS_DUE)
    assert not DraftSummary.objects.filter(pk=silent).exists()


def test_it_stops_the_later_usage_of_its_contract_until_somebody_has_seen_it(acme, silent):
    acme.uses_tokens("2025-11-27T05", 500)
    november = draft_of(acme, "m11")
    outcome = finalize_due(acme.customer.pk, at=NOVEMBER_IS_DUE, by=ADA)
    assert (outcome.finalized, [draft.id for draft, _ in outcome.held]) == ((), [silent])
    with pytest.raises(EarlierDocumentsOpen, match="waits for: The usage invoice of 1 Oct to 31 Oct 2025"):
        finalize_invoice(acme.customer, november, at=NOVEMBER_IS_DUE, by=ADA)
    release(acme, silent, NOVEMBER_IS_DUE)
    assert [each.pk for each in finalize_due(acme.customer.pk, at=NOVEMBER_IS_DUE, by=ADA).finalized] == [november]
    assert reasons(acme, JANUARY) == {draft_of(acme, "m12"): ["SILENT"]}  # after a document again


def test_silence_that_goes_on_is_asked_about_once(acme, silent):
    assert reasons(acme, JANUARY) == {silent: ["SILENT"]}
    release(acme, silent, JANUARY)
    assert reasons(acme, JANUARY) == {}


def test_the_customer_is_not_shown_it_and_usage_that_comes_makes_a_document(acme, silent):
    assert computation(acme.customer.pk, at=OCTOBER_IS_DUE).result.documents == ()
    acme.uses_tokens("2025-10-27T05", 500)
    assert reasons(acme, OCTOBER_IS_DUE) == {}
    assert finalize_invoice(acme.customer, silent, at=OCTOBER_IS_DUE, by=ADA).total == 20_000


def test_a_true_up_waits_for_it(acme, silent):
    commit = CommitFactory(contract=acme.contract, segment=None, invoice_item=None)
    AccessSegmentFactory(commit=commit, amount=D(90_000), starting_at=OCTOBER, ending_before=NOVEMBER)
    InvoiceScheduleItemFactory(commit=commit, amount=D(90_000), issued_at=NOVEMBER)
    assert finalize_due(acme.customer.pk, at=OCTOBER_IS_DUE, by=ADA).finalized == ()
    release(acme, silent, OCTOBER_IS_DUE)
    [true_up] = finalize_due(acme.customer.pk, at=OCTOBER_IS_DUE, by=ADA).finalized
    assert (true_up.kind, true_up.total) == ("TRUE_UP", 90_000)


@pytest.mark.parametrize(
    "months", [{"m07": 1, "m08": 1, "m09": 1}, {"m08": 500, "m09": 500}], ids=["little money", "nothing is usual yet"]
)
def test_where_nothing_is_missed_nothing_is_held(acme, months):
    draft, due = bills(acme, **months)
    finalize_invoice(acme.customer, draft, at=due, by=ADA)
    assert reasons(acme, after("m10")) == {}
    assert Invoice.objects.count() == len(months)
