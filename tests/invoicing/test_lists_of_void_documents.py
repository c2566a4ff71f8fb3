"""Void documents where documents are listed: through the SDK, in the back office, on the customer's page. A call: 2."""

from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation import tokens
from invoicing.models import Invoice
from invoicing.services import EarlierDocumentsOpen, finalize_due, regenerate_invoice, void_invoice
from tests.invoicing.conftest import ADA, DECEMBER, OCTOBER, at, commit_of, sdk
from tests.invoicing.shop import Shop

pytestmark = pytest.mark.django_db

LATER = at("2025-12-10")
DOCUMENTS = "/admin/invoicing/invoice/"


def void(invoice, instant=LATER):
    return void_invoice(invoice.customer_id, invoice.pk, reason="Wrong address", at=instant, by=ADA)


def regenerate(invoice, instant=LATER):
    return regenerate_invoice(invoice.customer_id, invoice.pk, at=instant, by=ADA)


@pytest.fixture
def documents(acme, clock_at):
    """October's is void and made anew, November's is void and waits."""
    clock_at("2025-12-10")
    acme.calls("2025-10-07T00", 15)
    acme.calls("2025-11-07T00", 10)
    october, november = finalize_due(acme.customer.pk, at=at("2025-12-02"), by=ADA).finalized
    void(october)
    void(november)
    return october, november, regenerate(october)


def test_the_client_lists_by_status(acme, client, documents):
    october, november, anew = documents
    asked = {"customer_id": str(acme.customer.pk)}

    def listed(**more):
        return [(each.status, each.id) for each in client.v1.customers.invoices.list(**asked, **more)]

    void_ones = [("VOID", str(october.pk)), ("VOID", str(november.pk))]
    assert listed(status="VOID", sort="date_asc") == void_ones
    assert listed(status="FINALIZED") == [("FINALIZED", str(anew.pk))]
    assert [status for status, _ in listed(status="DRAFT")] == ["DRAFT"]
    assert len(listed()) == 4
    [first] = client.v1.customers.invoices.list(**asked, status="VOID", sort="date_asc", limit=1).data
    assert first.id == str(october.pk)
    pieces = client.v1.customers.invoices.list_breakdowns(
        **asked, starting_on=OCTOBER, ending_before=DECEMBER, status="VOID", window_size="DAY"
    )
    assert {piece.id for piece in pieces} == {str(october.pk), str(november.pk)}
    shown = client.v1.customers.invoices.retrieve(**asked, invoice_id=str(october.pk)).data
    assert (shown.status, shown.total) == ("VOID", 30)


def test_the_back_office_lists_by_status(documents, admin_client):
    october, november, anew = documents
    found = {}
    for standing in ("final", "void", "waiting", ""):
        page = admin_client.get(DOCUMENTS, {"standing": standing} if standing else {})
        found[standing] = {str(invoice) for invoice in page.context["cl"].result_list}
    assert found == {
        "final": {str(anew)},
        "void": {str(october), str(november)},
        "waiting": {str(november)},
        "": {str(october), str(november), str(anew)},
    }


@pytest.mark.parametrize("action", ["void", "regenerate"])
def test_its_page_costs_the_same_for_every_number_of_documents(documents, admin_client, action):
    def queries_for(*invoices):
        chosen = [str(invoice.pk) for invoice in invoices]
        with CaptureQueriesContext(connection) as captured:
            admin_client.post(DOCUMENTS, {"action": action, "_selected_action": chosen})
        return len(captured)

    queries_for(documents[0])
    assert queries_for(documents[0]) == queries_for(*documents)


def test_a_balance_without_a_row_is_named_too(admin_client, clock_at):
    """20 cents a month, of a credit that recurs; a unit costs 1 cent, and 50 were used in October."""
    clock_at("2025-12-10")
    shop = Shop(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]))
    shop.product("units")
    shop.prices(*shop.price("units", "FLAT 1"))
    monthly = {
        "product_id": shop.v1.contracts.products.create(name="Allowance", type="FIXED").data.id,
        "name": "Monthly",
        "priority": 1,
        "starting_at": OCTOBER,
        "access_amount": {"unit_price": 20, "quantity": 1},
        "commit_duration": {"value": 1},
    }
    shop.contract(recurring_credits=[monthly])
    shop.uses("units", "50")
    invoice, *_ = finalize_due(shop.customer.pk, at=at("2025-12-20"), by=ADA).finalized
    assert invoice.total == 30
    page = admin_client.post(DOCUMENTS, {"action": "void", "_selected_action": [str(invoice.pk)]}).content.decode()
    assert "$0.20 to Monthly" in page


def test_the_customer_reads_that_it_is_void(acme, documents, admin_client):
    page = admin_client.get(f"/portal/{acme.customer.pk}/").content.decode()
    assert page.count("(void)") == 2


def test_a_true_up_is_made_anew_after_what_it_counts(acme):
    commit_of(acme, D(1_000))
    acme.calls("2025-10-07T00", 15)
    late = at("2026-01-02")
    october, *_, true_up = finalize_due(acme.customer.pk, at=late, by=ADA).finalized
    void(true_up, late)
    void(october, late)
    with pytest.raises(EarlierDocumentsOpen, match=f"until these void invoices are regenerated: {october}"):
        regenerate(true_up, late)
    assert Invoice.objects.filter(generation=2).count() == 0
    regenerate(october, late)
    assert regenerate(true_up, late).total == 970
