"""A void document beside taxes, balances as they are read, renewals, promises, and on paper. A call costs 2 cents."""

from decimal import Decimal as D

import pytest

from billing_site.foundation import tokens
from invoicing.models import Invoice, InvoicePdf, InvoiceVoid
from invoicing.queries.balances import balances, computed_balances
from invoicing.queries.burn_down import burn_downs
from invoicing.services import OthersBuildOnIt, finalize_due, regenerate_invoice, verify_invoice, void_invoice
from invoicing.services.freezing import NoTaxRate
from ledger.models import LedgerEntry
from ledger.queries.segment_sums import segment_sums_differ
from tests.factories.contracts import BillingProfileFactory, LegalEntityFactory, TaxRateFactory
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, at, commit_of, sdk
from tests.invoicing.test_printed_documents import html, page_of, pdf, squeezed, text_of
from tests.invoicing.test_renewals import Deal

pytestmark = pytest.mark.django_db

GRACE_IS_OVER, LATER = at("2025-11-02"), at("2025-11-10")


@pytest.fixture
def deal(acme, clock_at):
    clock_at("2025-11-10")
    _, secret = tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)
    return Deal(sdk(secret), acme)


def final_at(acme, instant):
    return finalize_due(acme.customer.pk, at=instant, by=ADA).finalized


def void(acme, invoice, instant=LATER):
    return void_invoice(acme.customer, invoice.pk, reason="Wrong address", at=instant, by=ADA)


def regenerate(acme, invoice, instant=LATER):
    return regenerate_invoice(acme.customer, invoice.pk, at=instant, by=ADA)


# --- Balances ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [NOVEMBER, JANUARY])
def test_what_was_drawn_is_there_again_wherever_it_is_read(deal, acme, end):
    """100, of which October drew 30: left, ledger and chart are as if it never had; nothing reads as below zero."""
    deal.grants(deal.commit(100, None, end=end, name="Pack"))
    acme.calls("2025-10-07T00", 15)
    [first] = final_at(acme, GRACE_IS_OVER)
    void(acme, first)

    pack = deal.balances(deal.old)["Pack"]
    running, over = D(0), end == NOVEMBER
    for entry in pack.ledger:
        running += D(str(entry.amount))
        assert running >= 0
    assert (running, pack.balance) == ((0, 0) if over else (100, 100))
    expired = [("expiration", -100, "01 Nov")] if over else []
    drawn = [("automated_invoice_deduction", -30, "01 Nov"), ("credited", 30, "01 Nov")]
    assert sorted(deal.ledger(deal.old, "Pack")) == sorted(drawn + expired)
    [held], computed = computed_balances(acme.customer.pk, at=LATER)
    assert (held.statement.used, held.statement.expired) == (0, 100 if over else 0)
    points = burn_downs(acme.customer, [held], computed, at=LATER)[held.committed.commit.pk].points
    assert {point.left for point in points if point.at < NOVEMBER} == {100}
    assert segment_sums_differ() == []

    regenerate(acme, first)
    [held], computed = computed_balances(acme.customer.pk, at=LATER)
    assert (held.statement.used, held.statement.left) == (30, 0 if over else 70)
    points = burn_downs(acme.customer, [held], computed, at=LATER)[held.committed.commit.pk].points
    assert {point.left for point in points if at("2025-10-08") <= point.at < NOVEMBER} == {70}
    assert segment_sums_differ() == []


# --- Commitments and renewals --------------------------------------------------------------------------------------


def test_a_void_true_up_is_still_to_be_spent_and_may_come_to_nothing(acme):
    """A promise of 50: 30 used and 20 trued up; both are void, and 60 are used by then."""
    commit_of(acme, D(50))
    acme.calls("2025-10-07T00", 15)
    late = at("2026-01-02")
    first, *_, true_up = final_at(acme, late)
    void(acme, true_up, late)
    [held] = balances(acme.customer.pk, at=late)
    assert (held.statement.used, held.statement.left) == (30, 20)
    void(acme, first, late)
    acme.calls("2025-10-08T00", 15)
    assert regenerate(acme, first, late).total == 60
    assert regenerate(acme, true_up, late).total == 0
    [held] = balances(acme.customer.pk, at=late)
    assert (held.statement.used, held.statement.left) == (50, 0)
    assert sum(LedgerEntry.objects.values_list("billed_amount", flat=True)) == -50


def test_a_commitment_that_was_settled_without_a_true_up_keeps_its_documents(acme):
    commit_of(acme, D(30))
    acme.calls("2025-10-07T00", 15)
    first, *_ = final_at(acme, at("2026-01-02"))
    with pytest.raises(OthersBuildOnIt, match="settled, without a true-up, by what INV-000001 billed"):
        void(acme, first, at("2026-01-03"))
    assert not InvoiceVoid.objects.exists()


def test_what_a_renewal_has_taken_over_keeps_its_document(deal, acme, clock_at):
    clock_at("2025-12-10")
    deal.grants(deal.commit(100, 1, name="Pack"))
    deal.renew()
    acme.calls("2025-10-07T00", 15)
    acme.calls("2025-11-07T00", 10)
    october, november = final_at(acme, at("2025-12-02"))
    with pytest.raises(OthersBuildOnIt, match=f"A renewal has taken over what {november} left of a balance"):
        void(acme, november, at("2025-12-10"))
    assert segment_sums_differ() == []

    void(acme, october, at("2025-12-10"))
    assert deal.balances(deal.old)["Pack"].balance == 0  # what is given back has expired with the contract
    assert regenerate(acme, october, at("2025-12-10")).total == 0
    assert [entry for entry in deal.ledger(deal.old, "Pack") if entry[0] == "expiration"] == []


# --- Tax, verification and paper -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_tax_of_a_document_made_anew_is_that_of_now(acme):
    LegalEntityFactory(taxes="FIXED_RATES")
    BillingProfileFactory(customer=acme.customer)
    rate = TaxRateFactory()
    acme.calls("2025-10-05T07", 50)
    [first] = final_at(acme, GRACE_IS_OVER)
    assert (first.subtotal, first.total) == (100, 119)
    void(acme, first)
    rate.delete()
    with pytest.raises(NoTaxRate, match="Add one under Tax rates"):
        regenerate(acme, first)
    TaxRateFactory(percent=D(20))
    made = regenerate(acme, first)
    assert (made.subtotal, made.total) == (100, 120)
    assert [verify_invoice(each).differences for each in Invoice.objects.all()] == [(), ()]


def test_a_void_document_says_so_on_the_screen_and_on_paper(acme, client, admin_client, clock_at):
    clock_at("2025-11-10")
    acme.calls("2025-10-05T07", 50)
    [first] = final_at(acme, GRACE_IS_OVER)
    plain = text_of(pdf(client, acme, first.pk))
    assert "VOID" not in plain
    assert page_of(acme, first.pk).stamp == ""
    void(acme, first)
    assert page_of(acme, first.pk).stamp == "VOID"
    stamped = text_of(pdf(client, acme, first.pk))
    assert "VOID" in stamped
    assert squeezed(first.number) in stamped
    kept = InvoicePdf.objects.get(invoice=first)
    assert "VOID" not in text_of(bytes(kept.content))  # what was sent then stays what it was
    made = regenerate(acme, first)
    assert "VOID" not in text_of(pdf(client, acme, made.pk))
    assert "VOID" in html(admin_client, acme, first.pk).content.decode()  # last: it ends connections after requests
    assert "VOID" not in html(admin_client, acme, made.pk).content.decode()
