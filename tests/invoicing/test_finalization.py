"""Leaving draft: when it is allowed, what is frozen, and that nothing changes it afterwards."""

from decimal import Decimal as D
from uuid import UUID

import pytest
from django.db import connection, transaction

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotFound, Refusal
from invoicing.engine.calendar import draft_id
from invoicing.models import Invoice, InvoiceLine, NumberSeries
from invoicing.queries import compute
from invoicing.queries.documents import altered, document
from invoicing.services.finalization import (
    EarlierDocumentsOpen,
    GracePeriodOpen,
    NothingToFinalize,
    PeriodHasFindings,
    finalize_due,
    finalize_invoice,
)
from ledger.models import LedgerEntry
from tests.factories.contracts import CustomerFactory, OverrideFactory, ScheduledChargeFactory
from tests.factories.pricing import RateCardFactory, RateFactory
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, at, commit_of, contract_for, use

pytestmark = pytest.mark.django_db

GRACE_IS_OVER = at("2025-11-02")


def usage_draft(acme, month="2025-10", contract=None):
    return draft_id((contract or acme.contract).pk, "USAGE", f"{month}-01T00:00:00+00:00")


def finalize(acme, draft, when=GRACE_IS_OVER):
    return finalize_invoice(acme.customer, draft, at=when, by=ADA)


def check_at_commit():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def entries(acme):
    rows = LedgerEntry.objects.filter(customer=acme.customer).order_by("timestamp", "type")
    return [(row.type.removeprefix("POSTPAID_COMMIT_"), row.amount, row.billed_amount) for row in rows]


# --- What is frozen ------------------------------------------------------------------------------------------------


def test_a_due_draft_becomes_a_numbered_document_that_adds_up(acme):
    commit_of(acme, D(100_000))
    acme.uses_tokens("2025-10-03T05", 100)
    acme.uses_tokens("2025-10-03T06", D("33.3"), model="small")
    acme.calls("2025-10-07T00", 3)
    draft = compute(acme.customer.pk, at=GRACE_IS_OVER).documents[0]
    assert draft.total == D("4022.65")

    invoice = finalize(acme, draft.id)
    check_at_commit()
    assert invoice == Invoice.objects.get(pk=draft.id)
    assert (invoice.number, invoice.type, invoice.total, invoice.unrounded_total) == (
        "INV-000001",
        "USAGE",
        D(4023),
        D("4022.65"),
    )
    assert (invoice.starting_at, invoice.ending_before, invoice.issued_at) == (OCTOBER, NOVEMBER, NOVEMBER)
    assert (invoice.finalized_at, invoice.finalized_by, invoice.customer_name) == (GRACE_IS_OVER, "Ada", "Acme")

    lines = list(InvoiceLine.objects.filter(invoice=invoice).order_by("position"))
    assert [line.position for line in lines] == list(range(1, invoice.line_count + 1))
    assert sum(line.total for line in lines if line.counts_toward_total) == invoice.total
    applied = [line for line in lines if line.type == "applied_commit_or_credit"]
    assert sum(line.total for line in applied) == -invoice.total
    assert not any(line.counts_toward_total for line in applied)

    assert entries(acme) == [("AUTOMATED_INVOICE_DEDUCTION", D("-4022.65"), D(-4023))]
    acme.contract.refresh_from_db()
    assert acme.contract.billed_through == NOVEMBER


def test_a_document_names_everything_it_was_computed_from(acme):
    acme.calls("2025-10-07T00", 3)
    invoice = finalize(acme, usage_draft(acme))
    computed = compute(acme.customer.pk, at=at("2025-10-20"))
    assert computed.documents == ()
    invoice.refresh_from_db()
    assert invoice.publication > 0
    assert invoice.edit_number == acme.customer.last_edit_number
    assert [contract["id"] for contract in invoice.terms["contracts"]] == [str(acme.contract.pk)]
    assert invoice.snapshot.count(":") == 2
    line = InvoiceLine.objects.get(invoice=invoice, name="API calls")
    [part] = line.trace
    assert (part["quantity"], part["unit_price"], part["metric_id"]) == ("3", "2", str(acme.prices.calls_made.pk))
    assert part["published_by"] == "Ada"


def test_the_hash_is_that_of_the_stored_document(acme):
    acme.calls("2025-10-07T00", 3)
    invoice = finalize(acme, usage_draft(acme))
    check_at_commit()
    assert altered(list(Invoice.objects.all())) == []
    with connection.cursor() as cursor:  # as somebody might who has the keys to the database
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE invoicing_invoiceline SET name = 'API call'")
        cursor.execute("RESET session_replication_role")
    assert altered(list(Invoice.objects.all())) == [invoice]


def test_the_numbers_of_a_customer_have_no_gaps(acme):
    days = ("2025-10-01", "2025-10-02", "2025-10-03")
    for day in days:
        ScheduledChargeFactory(contract=acme.contract, item__issued_at=at(day))
    drafts = [draft_id(acme.contract.pk, "CHARGES", f"{day}T00:00:00+00:00") for day in days]

    @transaction.atomic
    def fail_after_finalizing():
        finalize(acme, drafts[1])
        raise ZeroDivisionError

    assert finalize(acme, drafts[0]).number == "INV-000001"
    with pytest.raises(ZeroDivisionError):
        fail_after_finalizing()
    assert finalize(acme, drafts[2]).number == "INV-000002"
    assert finalize(acme, drafts[1]).number == "INV-000003"
    assert NumberSeries.objects.get(customer=acme.customer).last_number == 3


def test_scheduled_charges_of_a_date_are_one_document_without_a_period(acme):
    ScheduledChargeFactory(contract=acme.contract, item__issued_at=NOVEMBER, item__amount=D(500))
    ScheduledChargeFactory(contract=acme.contract, item__issued_at=NOVEMBER, item__amount=D("0.5"))
    [draft] = [each for each in compute(acme.customer.pk, at=NOVEMBER).documents if each.kind == "CHARGES"]
    invoice = finalize(acme, draft.id, NOVEMBER)
    check_at_commit()
    assert (invoice.type, invoice.total, invoice.starting_at, invoice.issued_at) == (
        "SCHEDULED",
        D(501),
        None,
        NOVEMBER,
    )
    acme.contract.refresh_from_db()
    assert acme.contract.billed_through is None


def test_payment_terms_say_when_a_document_is_due(price_list):
    customer = CustomerFactory()
    contract = contract_for(customer, price_list, terms__net_payment_terms_days=30)
    draft = draft_id(contract.pk, "USAGE", "2025-10-01T00:00:00+00:00")
    assert document(customer.pk, draft, at=GRACE_IS_OVER).fields["net_payment_terms_days"] == 30
    invoice = finalize_invoice(customer, draft, at=GRACE_IS_OVER, by=ADA)
    assert invoice.due_at == at("2025-12-01")


# --- When it is refused --------------------------------------------------------------------------------------------


def test_a_final_document_is_not_finalized_again(acme):
    acme.calls("2025-10-07T00", 3)
    finalize(acme, usage_draft(acme))
    with pytest.raises(NothingToFinalize, match="final already"):
        finalize(acme, usage_draft(acme))
    assert Invoice.objects.count() == 1


def test_what_is_not_a_draft_is_refused(acme):
    with pytest.raises(NothingToFinalize, match="no draft"):
        finalize(acme, uuid7())


def test_an_unknown_customer_is_refused(db):
    with pytest.raises(NotFound):
        finalize_invoice(uuid7(), uuid7(), at=OCTOBER, by=ADA)


@pytest.mark.parametrize("when", ["2025-10-20T00:00:00", "2025-11-01T00:00:00", "2025-11-01T23:59:59.999999"])
def test_nothing_is_final_before_grace_is_over(acme, when):
    acme.calls("2025-10-07T00", 3)
    with pytest.raises(GracePeriodOpen, match="2025-11-02T00:00:00"):
        finalize(acme, usage_draft(acme), at(when))
    assert finalize(acme, usage_draft(acme), at("2025-11-02")).number == "INV-000001"


def test_grace_runs_from_the_creation_of_a_contract_that_starts_in_the_past(price_list):
    customer = CustomerFactory(aliases=["globex"])
    contract = contract_for(customer, price_list, created_at=at("2025-11-20T10:30"), terms__grace_hours=48)
    draft = draft_id(contract.pk, "USAGE", "2025-10-01T00:00:00+00:00")
    use(price_list.calls_made, "2025-10-07T00", 3, {}, subject="globex")
    with pytest.raises(GracePeriodOpen, match="2025-11-22T10:30:00"):
        finalize_invoice(customer, draft, at=at("2025-11-22T10:29:59"), by=ADA)
    assert finalize_invoice(customer, draft, at=at("2025-11-22T10:30"), by=ADA).total == 6


def test_usage_is_finalized_in_the_order_of_its_periods(acme):
    acme.calls("2025-10-07T00", 3)
    acme.calls("2025-11-07T00", 4)
    december = at("2025-12-02")
    with pytest.raises(EarlierDocumentsOpen, match="The usage invoice of 1 Nov to 30 Nov 2025 waits for: The usage"):
        finalize(acme, usage_draft(acme, "2025-11"), december)
    finalize(acme, usage_draft(acme), december)
    finalize(acme, usage_draft(acme, "2025-11"), december)


def test_a_period_with_usage_that_has_no_rate_waits_for_a_person(acme):
    acme.uses_tokens("2025-10-03T05", 100, model="huge")
    with pytest.raises(PeriodHasFindings, match="100 metered, and the rate card List prices has no rate for it"):
        finalize(acme, usage_draft(acme))
    assert Invoice.objects.count() == 0
    RateFactory(
        rate_card=acme.prices.card, product=acme.prices.tokens, pricing_group_values={"model": "huge"}, price=D(1)
    )
    assert finalize(acme, usage_draft(acme)).total == 100


def test_a_refusal_moves_nothing(acme):
    acme.calls("2025-10-07T00", 3)
    before = acme.customer.money_version
    with pytest.raises(GracePeriodOpen), transaction.atomic():
        finalize(acme, usage_draft(acme), OCTOBER)
    acme.customer.refresh_from_db()
    assert (acme.customer.money_version, Invoice.objects.count(), NumberSeries.objects.count()) == (before, 0, 0)


# --- The true-up ---------------------------------------------------------------------------------------------------


def true_up_of(acme, commit):
    return draft_id(acme.contract.pk, "TRUE_UP", str(commit.pk))


def test_a_true_up_waits_for_the_usage_that_counts_toward_it(acme):
    commit = commit_of(acme, D(10_000))
    acme.calls("2025-12-07T00", 1_000)
    with pytest.raises(GracePeriodOpen):
        finalize(acme, true_up_of(acme, commit), JANUARY)
    late = at("2026-01-02")
    with pytest.raises(EarlierDocumentsOpen):
        finalize(acme, true_up_of(acme, commit), late)
    finalize_due(acme.customer.pk, at=late, by=ADA)
    check_at_commit()
    invoice = Invoice.objects.get(kind="TRUE_UP")
    assert (invoice.total, invoice.issued_at, invoice.type) == (D(8_000), JANUARY, "SCHEDULED")
    assert entries(acme)[-2:] == [
        ("AUTOMATED_INVOICE_DEDUCTION", D(-2_000), D(-2_000)),
        ("TRUEUP", D(-8_000), D(-8_000)),
    ]


def test_a_true_up_waits_for_a_grace_in_which_usage_may_still_come(acme):
    RateFactory(rate_card=acme.prices.card, product=acme.prices.calls, entitled=False)  # no line without usage
    commit = commit_of(acme, D(10_000))
    with pytest.raises(GracePeriodOpen, match="2026-01-02T00:00:00"):
        finalize(acme, true_up_of(acme, commit), JANUARY)
    assert finalize(acme, true_up_of(acme, commit), at("2026-01-02")).total == 10_000


def test_invoices_and_true_up_add_up_to_the_commitment_whatever_the_rounding(acme):
    commit_of(acme, D(10_000))
    for month in (10, 11, 12):
        acme.uses_tokens(f"2025-{month}-05T00", D("33.3"), model="small")  # 16.65 cents
    finalize_due(acme.customer.pk, at=at("2026-01-02"), by=ADA)
    check_at_commit()
    assert [invoice.total for invoice in Invoice.objects.order_by("number")] == [17, 17, 17, 9_949]
    assert sum(row.amount for row in LedgerEntry.objects.all()) == -10_000
    assert sum(row.billed_amount for row in LedgerEntry.objects.all()) == -10_000


def test_a_true_up_of_zero_leaves_an_entry_and_no_document(acme):
    commit = commit_of(acme, D(2_000))
    acme.calls("2025-12-07T00", 1_000)
    late = at("2026-01-02")
    outcome = finalize_due(acme.customer.pk, at=late, by=ADA)
    assert {invoice.kind for invoice in outcome.finalized} == {"USAGE"}
    assert entries(acme)[-1] == ("TRUEUP", D(0), D(0))
    assert compute(acme.customer.pk, at=late).documents == ()
    with pytest.raises(NothingToFinalize, match="no draft"):
        finalize(acme, true_up_of(acme, commit), late)


# --- All that is due -----------------------------------------------------------------------------------------------


def test_everything_due_is_finalized_in_order_and_only_once(acme):
    acme.calls("2025-10-07T00", 3)
    acme.calls("2025-11-07T00", 4)
    ScheduledChargeFactory(contract=acme.contract, item__issued_at=at("2025-10-15"), item__amount=D(500))
    outcome = finalize_due(acme.customer.pk, at=at("2025-12-02"), by=ADA)
    check_at_commit()
    assert [(invoice.number, invoice.kind, invoice.total) for invoice in outcome.finalized] == [
        ("INV-000001", "CHARGES", D(500)),
        ("INV-000002", "USAGE", D(6)),
        ("INV-000003", "USAGE", D(8)),
    ]
    assert finalize_due(acme.customer.pk, at=at("2025-12-02"), by=ADA) == type(outcome)((), ())


def test_a_contract_with_findings_holds_no_other(acme):
    other = contract_for(acme.customer, acme.prices, rate_card=RateCardFactory())
    ScheduledChargeFactory(contract=other, item__issued_at=at("2025-10-15"), item__amount=D(500))
    acme.uses_tokens("2025-10-03T05", 100, model="huge")
    outcome = finalize_due(acme.customer.pk, at=GRACE_IS_OVER, by=ADA)
    assert [(invoice.contract_id, invoice.total) for invoice in outcome.finalized] == [(other.pk, D(500))]
    assert [draft.contract_id for draft, _ in outcome.held] == [acme.contract.pk]
    with pytest.raises(Refusal, match="The usage invoice of 1 Oct to 31 Oct 2025 is held: Tokens"):
        outcome.raise_if_held()


# --- Afterwards ----------------------------------------------------------------------------------------------------


def test_later_usage_prices_and_edits_leave_a_final_document_as_it_was(acme):
    acme.calls("2025-10-07T00", 3)
    invoice = finalize(acme, usage_draft(acme))
    shown = document(acme.customer.pk, invoice.pk, at=GRACE_IS_OVER)
    acme.calls("2025-10-08T00", 100)
    RateFactory(rate_card=acme.prices.card, product=acme.prices.calls, starting_at=OCTOBER, price=D(10))
    OverrideFactory(contract=acme.contract, starting_at=OCTOBER)
    acme.prices.calls.name = "Calls"
    acme.prices.calls.save()
    acme.customer.name = "Acme Inc."
    acme.customer.custom_fields = {"region": "eu"}
    acme.customer.save()
    assert document(acme.customer.pk, invoice.pk, at=at("2025-11-20")) == shown
    assert altered([Invoice.objects.get(pk=invoice.pk)]) == []
    assert not any(draft.slot == invoice.slot for draft in compute(acme.customer.pk, at=at("2025-11-20")).documents)


def test_ids_survive_finalization(acme):
    acme.calls("2025-10-07T00", 3)
    [draft] = compute(acme.customer.pk, at=at("2025-10-20")).documents
    assert finalize(acme, draft.id).pk == draft.id
    assert isinstance(draft.id, UUID)
