"""Void and regenerate through the official SDK: what is given back, what waits, and what is made in its place.

API calls cost 2 cents.
"""

from decimal import Decimal as D

import metronome
import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client

from billing_site.foundation import tokens
from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotFound, Refusal
from invoicing.engine.calendar import draft_id
from invoicing.models import Invoice, InvoiceVoid
from invoicing.queries import compute, due_customers
from invoicing.services import (
    EarlierDocumentsOpen,
    NotVoided,
    OthersBuildOnIt,
    finalize_due,
    finalize_invoice,
    regenerate_invoice,
    verify_invoice,
    void_invoice,
)
from ledger.models import LedgerEntry
from tests.factories.contracts import AccessSegmentFactory, CommitFactory, ScheduledChargeFactory
from tests.factories.invoicing import InvoiceFactory
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at, commit_of, sdk

pytestmark = pytest.mark.django_db

GRACE_IS_OVER, LATER = at("2025-11-02"), at("2025-11-10T09:30")


@pytest.fixture
def writer(db):
    _, secret = tokens.create_token("finance", scope="admin", at=OCTOBER, by=ADA)
    return sdk(secret)


def pack_of(acme, amount, type_="PREPAID"):
    commit = CommitFactory(contract=acme.contract, segment=None, invoice_item=None, type=type_)
    return AccessSegmentFactory(commit=commit, amount=amount, starting_at=OCTOBER, ending_before=JANUARY)


def october(acme):
    slot = "2025-10-01T00:00:00+00:00"
    return finalize_invoice(acme.customer, draft_id(acme.contract.pk, "USAGE", slot), at=GRACE_IS_OVER, by=ADA)


def void(acme, invoice, reason="Wrong address"):
    return void_invoice(acme.customer, invoice.pk, reason=reason, at=LATER, by=ADA)


def regenerate(acme, invoice):
    return regenerate_invoice(acme.customer, invoice.pk, at=LATER, by=ADA)


def left(acme):
    return [standing.left for standing in compute(acme.customer.pk, at=LATER).balances]


def listed(client, acme, **asked):
    return client.v1.customers.invoices.list(customer_id=str(acme.customer.pk), **asked).data


# --- The worked table --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "given_back"), [("PREPAID", "PREPAID_COMMIT_CREDITED"), ("CREDIT", "CREDIT_CREDITED")]
)
def test_the_worked_table(acme, type_, given_back):
    pack_of(acme, D(100), type_)
    acme.calls("2025-10-07T00", 15)
    acme.calls("2025-11-07T00", 10)
    first = october(acme)
    assert left(acme) == [50]
    void(acme, first)
    assert left(acme) == [80]
    assert [draft.slot for draft in compute(acme.customer.pk, at=LATER).documents] == ["2025-11-01T00:00:00+00:00"]
    acme.calls("2025-10-08T00", 1)
    second = regenerate(acme, first)
    assert left(acme) == [48]
    assert (second.number, second.generation, second.slot) == ("INV-000002", 2, first.slot)
    entries = LedgerEntry.objects.order_by("created_at", "amount").values_list("type", "amount", "billed_amount")
    assert set(entries) == {
        (f"{type_}{'_COMMIT' * (type_ == 'PREPAID')}_AUTOMATED_INVOICE_DEDUCTION", D(-30), D(-30)),
        (given_back, D(30), D(30)),
        (f"{type_}{'_COMMIT' * (type_ == 'PREPAID')}_AUTOMATED_INVOICE_DEDUCTION", D(-32), D(-32)),
    }


def test_the_client_voids_and_regenerates(acme, writer, clock_at):
    clock_at("2025-11-10T09:30")
    acme.calls("2025-10-07T00", 15)
    first = october(acme)
    assert writer.v1.invoices.void(id=str(first.pk)).data.id == str(first.pk)
    [shown] = listed(writer, acme, status="VOID")
    assert (shown.id, shown.status, shown.total, len(shown.line_items)) == (str(first.pk), "VOID", 30, 1)
    assert listed(writer, acme, status="FINALIZED") == []
    RateFactory(rate_card=acme.prices.card, product=acme.prices.calls, starting_at=OCTOBER, price=D(4))

    made = writer.v1.invoices.regenerate(id=str(first.pk)).data.id
    [shown] = listed(writer, acme, status="FINALIZED")
    assert (shown.id, shown.total, shown.regenerated_from_invoice_id) == (made, 60, str(first.pk))
    assert made != str(first.pk)
    assert writer.v1.invoices.regenerate(id=str(first.pk)).data.id == made
    assert writer.v1.invoices.void(id=str(first.pk)).data.id == str(first.pk)
    assert (Invoice.objects.count(), InvoiceVoid.objects.get().reason) == (2, "Voided through the API")


def test_the_client_is_told_what_is_refused(acme, writer, client, clock_at):
    clock_at("2025-10-20")
    acme.calls("2025-10-07T00", 15)
    [draft] = listed(writer, acme, status="DRAFT")
    for verb in (writer.v1.invoices.void, writer.v1.invoices.regenerate):
        with pytest.raises(metronome.NotFoundError, match="a draft has nothing to take back"):
            verb(id=draft.id)
    with pytest.raises(metronome.ConflictError, match="must be of a void invoice"):
        writer.v1.invoices.regenerate(id=str(october(acme).pk))
    with pytest.raises(metronome.PermissionDeniedError):
        client.v1.invoices.void(id=draft.id)


# --- What waits, and what does not ---------------------------------------------------------------------------------


def test_a_voided_period_waits_and_is_not_due(acme):
    acme.calls("2025-10-07T00", 15)
    void(acme, october(acme))
    assert due_customers(at=LATER) == []
    assert finalize_due(acme.customer.pk, at=LATER, by=ADA).finalized == ()


def test_a_true_up_waits_until_the_void_invoice_is_regenerated(acme):
    commit_of(acme, D(10_000))
    acme.calls("2025-10-07T00", 15)
    first = october(acme)
    void(acme, first)
    late = at("2026-01-02")
    assert [invoice.kind for invoice in finalize_due(acme.customer.pk, at=late, by=ADA).finalized] == ["USAGE"] * 2
    with pytest.raises(EarlierDocumentsOpen, match="regenerated: INV-000001"):
        finalize_invoice(acme.customer, draft_id(acme.contract.pk, "TRUE_UP", first_commit(acme)), at=late, by=ADA)
    regenerate_invoice(acme.customer, first.pk, at=late, by=ADA)
    [true_up] = finalize_due(acme.customer.pk, at=late, by=ADA).finalized
    assert true_up.total == 10_000 - 30
    assert sum(LedgerEntry.objects.values_list("billed_amount", flat=True)) == -10_000


def first_commit(acme):
    [commit] = {entry.commit_id for entry in LedgerEntry.objects.all()}
    return str(commit)


def test_what_a_final_true_up_counted_is_voided_after_it(acme):
    commit_of(acme, D(10_000))
    acme.calls("2025-10-07T00", 15)
    late = at("2026-01-02")
    first, *_, true_up = finalize_due(acme.customer.pk, at=late, by=ADA).finalized
    with pytest.raises(OthersBuildOnIt, match=f"The true-up {true_up} counted what {first} billed; void that first"):
        void(acme, first)
    void(acme, true_up)
    void(acme, first)
    assert sum(LedgerEntry.objects.values_list("amount", flat=True)) == 0
    acme.calls("2025-10-08T00", 1)
    regenerate_invoice(acme.customer, first.pk, at=late, by=ADA)
    assert regenerate_invoice(acme.customer, true_up.pk, at=late, by=ADA).total == 10_000 - 32


def test_scheduled_charges_are_voided_and_made_again(acme):
    ScheduledChargeFactory(contract=acme.contract, item__issued_at=at("2025-10-15"), item__amount=D(500))
    [charge] = finalize_due(acme.customer.pk, at=at("2025-10-15"), by=ADA).finalized
    void(acme, charge)
    assert finalize_due(acme.customer.pk, at=at("2025-10-16"), by=ADA).finalized == ()
    made = regenerate(acme, charge)
    assert (made.kind, made.total, made.issued_at) == ("CHARGES", 500, at("2025-10-15"))


def test_a_regenerated_invoice_can_be_voided_in_its_turn(acme):
    acme.calls("2025-10-07T00", 15)
    first = october(acme)
    made = [first]
    for generation in (2, 3):
        void(acme, made[-1])
        made.append(regenerate(acme, made[-1]))
        assert (made[-1].generation, made[-1].total) == (generation, 30)
    assert len({invoice.pk for invoice in made}) == 3
    assert [str(invoice) for invoice in Invoice.objects.order_by("number")] == [f"INV-00000{n}" for n in (1, 2, 3)]


# --- What is refused -----------------------------------------------------------------------------------------------


def test_only_final_invoices_of_the_customer_are_voided_and_only_with_a_reason(acme):
    acme.calls("2025-10-07T00", 15)
    first = october(acme)
    with pytest.raises(NotFound, match="no such final invoice"):
        void_invoice(acme.customer, uuid7(), reason="Wrong", at=LATER, by=ADA)
    for reason in ("", "  ", "x" * 1_001):
        with pytest.raises(Refusal, match=r"must say why|longer than 1000 characters"):
            void(acme, first, reason)
    with pytest.raises(NotVoided, match="INV-000001 is not void"):
        regenerate(acme, first)
    assert not InvoiceVoid.objects.exists()


def test_the_database_refuses_a_generation_without_a_void_and_a_second_one(acme):
    with pytest.raises(IntegrityError, match="a_later_generation_stands_for_a_void_document"), transaction.atomic():
        InvoiceFactory(contract=acme.contract, generation=2, lines=[])
    first = InvoiceFactory(contract=acme.contract)
    taken_back = InvoiceVoid.objects.create(
        customer=acme.customer, invoice=first, reason="Wrong", voided_at=LATER, voided_by="Ada", money_version=1
    )
    again = {"contract": acme.contract, "regenerated_from": taken_back}
    InvoiceFactory(generation=2, number="INV-000002", **again)
    with pytest.raises(IntegrityError, match="a_void_document_is_regenerated_once"), transaction.atomic():
        InvoiceFactory(generation=3, number="INV-000003", **again)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        InvoiceVoid.objects.update(reason="Right")


@pytest.mark.django_db(transaction=True)
def test_both_generations_are_equal_to_the_facts_that_they_saw(acme):
    pack_of(acme, D(20))
    acme.calls("2025-10-07T00", 15)
    first = october(acme)
    void(acme, first)
    acme.calls("2025-10-08T00", 1)
    second = regenerate(acme, first)
    assert (first.total, second.total) == (10, 12)
    for invoice in Invoice.objects.all():
        assert verify_invoice(invoice).differences == ()


# --- In the admin --------------------------------------------------------------------------------------------------


def test_the_page_says_what_will_happen_before_it_does(acme, admin_client, clock_at):
    clock_at("2025-11-10T09:30")
    pack_of(acme, D(20))
    acme.calls("2025-10-07T00", 15)
    first = october(acme)
    documents = "/admin/invoicing/invoice/"
    chosen = {"_selected_action": [str(first.pk)]}
    page = admin_client.post(documents, {"action": "void", **chosen})
    assert "$0.20 to" in page.content.decode()
    assert not InvoiceVoid.objects.exists()
    sent = {"action": "void", "reason": "Sent to nobody", **chosen}
    page = admin_client.post(documents, sent, follow=True).content.decode()
    assert "INV-000001 of Acme is void and waits to be regenerated." in page
    assert InvoiceVoid.objects.get().reason == "Sent to nobody"
    asked = admin_client.post(documents, {"action": "regenerate", **chosen}).content.decode()
    assert "A document with a number of its own, final at once." in asked
    assert Invoice.objects.count() == 1
    sent = {"action": "regenerate", "confirmed": "1", **chosen}
    page = admin_client.post(documents, sent, follow=True).content.decode()
    assert "INV-000001 is replaced by INV-000002." in page
    assert '<span class="house-held">void</span>' in page
    chosen = {"_selected_action": [str(invoice.pk) for invoice in Invoice.objects.all()]}
    asked = admin_client.post(documents, {"action": "regenerate", **chosen}).content.decode()
    assert "It is replaced by INV-000002 already." in asked
    assert "Invoice INV-000002 is not void." in asked
    assert 'name="confirmed"' not in asked


def test_who_may_only_look_is_offered_neither(acme, django_user_model, clock_at):
    clock_at("2025-11-10T09:30")
    acme.calls("2025-10-07T00", 15)
    first = october(acme)
    viewer = django_user_model.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_invoice"))
    client = Client()
    client.force_login(viewer)
    sent = {"action": "void", "reason": "Mine", "_selected_action": [str(first.pk)]}
    assert "Void…" not in client.get("/admin/invoicing/invoice/").content.decode()
    client.post("/admin/invoicing/invoice/", sent)
    assert not InvoiceVoid.objects.exists()
