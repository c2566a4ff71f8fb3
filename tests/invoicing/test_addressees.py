"""Who sells, who buys and when it is due: on drafts as it is now, on final documents as it was."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from contracts.models import BillingProfile, LegalEntity
from invoicing.models import Invoice
from invoicing.queries.documents import altered
from invoicing.services import finalize_due
from tests.factories.contracts import BillingProfileFactory, CustomerFactory, LegalEntityFactory, UserFactory
from tests.invoicing.conftest import ADA, NOVEMBER, at, contract_for

pytestmark = pytest.mark.django_db

ISSUER = {
    "name": "Countinghouse Ltd",
    "address": ["1 Abacus Row", "Dublin 2"],
    "country": "IE",
    "tax_id": "IE1234567T",
    "email": "billing@countinghouse.example",
    "remittance": ["Bank of Ireland", "IBAN IE29 AIBK 9311 5212 3456 78"],
}
ACME = {
    "name": "Acme GmbH",
    "address": ["Rechenstraße 12", "10115 Berlin"],
    "country": "DE",
    "tax_id": "DE123456789",
    "purchase_order": "PO-4711",
    "contacts": ["ap@acme.example"],
}


@pytest.fixture
def october(acme, clock_at):
    """Fifty calls, two days after the month."""
    acme.calls("2025-10-05T07", 50)
    clock_at("2025-11-02")
    return acme


@pytest.fixture
def staff():
    client = Client()
    client.force_login(UserFactory(username="ada", is_staff=True, is_superuser=True))
    return client


def the_invoice(client, acme):
    return client.v1.customers.invoices.list(customer_id=str(acme.customer.pk), ending_before=NOVEMBER).data[0]


def test_without_a_legal_entity_a_document_is_a_usage_statement(client, october):
    statement = the_invoice(client, october)
    assert (statement.title, statement.bill_to) == ("Usage statement", {"name": "Acme"})
    assert not hasattr(statement, "issuer")
    assert not hasattr(statement, "due_at")


def test_with_one_it_is_an_invoice_with_both_parties(client, october):
    LegalEntityFactory()
    BillingProfileFactory(customer=october.customer)
    draft = the_invoice(client, october)
    assert (draft.title, draft.issuer, draft.bill_to) == ("Invoice", ISSUER, ACME)


def test_a_final_document_keeps_the_parties_that_it_was_made_for(client, october):
    entity, profile = LegalEntityFactory(), BillingProfileFactory(customer=october.customer)
    [final] = finalize_due(october.customer.pk, at=at("2025-11-02"), by=ADA).finalized
    entity.name, profile.address = "Somebody Else Ltd", "Elsewhere"
    entity.save()
    profile.save()
    printed = the_invoice(client, october)
    assert (printed.number, printed.title, printed.issuer, printed.bill_to) == (final.number, "Invoice", ISSUER, ACME)
    assert altered([final]) == []


def test_the_hash_covers_the_parties(october):
    LegalEntityFactory()
    [final] = finalize_due(october.customer.pk, at=at("2025-11-02"), by=ADA).finalized
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE invoicing_invoice SET details = jsonb_set(details, '{issuer,tax_id}', '\"IE0\"') WHERE id = %s",
            [final.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    changed = Invoice.objects.get(pk=final.pk)
    assert altered([changed]) == [changed]


@pytest.mark.parametrize(
    ("contract", "entity", "due"),
    [
        pytest.param(None, None, None, id="nobody says when it is due"),
        pytest.param(None, 14, "2025-11-15", id="the legal entity says so for all"),
        pytest.param(30, 14, "2025-12-01", id="the contract says otherwise"),
        pytest.param(0, 14, "2025-11-01", id="on receipt"),
        pytest.param(90, None, "2026-01-30", id="over the end of the year"),
    ],
)
def test_it_is_due_so_many_days_after_its_issue(client, price_list, clock_at, contract, entity, due):
    customer = CustomerFactory(aliases=["acme"])
    contract_for(customer, price_list, terms__net_payment_terms_days=contract)
    LegalEntityFactory(net_payment_terms_days=entity)
    clock_at("2025-11-02")
    draft = client.v1.customers.invoices.list(customer_id=str(customer.pk), ending_before=NOVEMBER).data[0]
    [final] = finalize_due(customer.pk, at=at("2025-11-02"), by=ADA).finalized
    assert getattr(draft, "due_at", None) == (f"{due}T00:00:00+00:00" if due else None)
    assert final.due_at == (at(due) if due else None)


def test_pieces_of_a_document_do_not_repeat_the_parties(client, october):
    LegalEntityFactory()
    [piece] = client.v1.customers.invoices.list_breakdowns(
        customer_id=str(october.customer.pk), starting_on=at("2025-10-05"), ending_before=at("2025-10-06")
    ).data
    assert not hasattr(piece, "issuer")
    assert piece.total == 100


def test_both_are_set_up_in_the_admin_with_history(staff, acme):
    entity = {"name": "Countinghouse Ltd", "address": "1 Abacus Row", "country": "IE", "taxes": "NONE", "reason": "New"}
    entity["numbering"] = "PER_CUSTOMER"
    made = staff.post(reverse("admin:contracts_legalentity_add"), entity)
    assert made.status_code == 302, made.context["errors"]
    profile = {"customer": acme.customer.pk, "legal_name": "Acme GmbH", "contacts": "ap@acme.example"}
    made = staff.post(reverse("admin:contracts_billingprofile_add"), profile)
    assert made.status_code == 302, made.context["errors"]
    assert [each.history_change_reason for each in LegalEntity.objects.get().history.all()] == ["New"]
    assert BillingProfile.objects.get().history.get().actor_label == "ada"
    assert staff.get(reverse("admin:contracts_legalentity_add")).status_code == 403  # there is one


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("contacts", "ap@acme.example\nnobody", "must be e-mail addresses, and &#x27;nobody&#x27; is none"),
        ("address", "\n".join("abcdefg"), "must not have more than 6 lines"),
        ("country", "de", "must be two capital letters, as in DE, or empty"),
    ],
)
def test_what_does_not_fit_onto_an_invoice_is_refused_by_its_field(staff, acme, field, value, rule):
    answer = staff.post(reverse("admin:contracts_billingprofile_add"), {"customer": acme.customer.pk, field: value})
    assert rule in answer.content.decode().replace("&#39;", "&#x27;")
    assert not BillingProfile.objects.exists()


def test_the_database_holds_one_legal_entity_and_one_profile_a_customer(acme):
    LegalEntityFactory()
    BillingProfileFactory(customer=acme.customer)
    for factory, fields in ((LegalEntityFactory, {"id": False}), (BillingProfileFactory, {"customer": acme.customer})):
        with pytest.raises(IntegrityError), transaction.atomic():
            factory(**fields)
