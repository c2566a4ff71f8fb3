"""Invoices, drafts included, read with the official SDK."""

from decimal import Decimal as D

import httpx
import metronome
import pytest

from billing_site.foundation import tokens
from billing_site.foundation.ids import uuid7
from billing_site.wsgi import application
from invoicing.serializers import InvoiceReply, LineReply
from invoicing.services import finalize_due
from pricing.units import USD_ID
from tests.factories.contracts import CustomerFactory, OverrideFactory, ScheduledChargeFactory
from tests.invoicing.conftest import (
    ADA,
    JANUARY,
    NOVEMBER,
    OCTOBER,
    InThisProcess,
    at,
    commit_of,
    sdk,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(acme, clock_at):
    """October with a commit of $1,000 and half price from the 15th, seen on 20 November."""
    commit_of(acme, D(100_000))
    OverrideFactory(contract=acme.contract, starting_at=at("2025-10-15"))
    for day in ("03", "20"):
        acme.uses_tokens(f"2025-10-{day}T05", D("100.5"))
        acme.uses_tokens(f"2025-10-{day}T05", 1000, model="small")
        acme.calls(f"2025-10-{day}T07", 50)
    acme.calls("2025-11-05T07", 7)
    ScheduledChargeFactory(contract=acme.contract, item__issued_at=at("2025-10-10"), item__amount=D(500))
    clock_at("2025-11-20")
    return acme


def lines_of(invoice):
    return [
        (line.type, line.name, line.quantity, line.unit_price, line.total, f"{line.starting_at:%d %b}")
        for line in invoice.line_items
    ]


def read(secret, path):
    client = httpx.Client(transport=InThisProcess(app=application), base_url="http://localhost")
    return client.get(path, headers={"Authorization": f"Bearer {secret}"})


def listed(client, acme, **query):
    return list(client.v1.customers.invoices.list(customer_id=str(acme.customer.pk), **query))


def test_a_usage_draft_has_every_field_a_client_needs(client, story):
    [draft] = listed(client, story, type="USAGE", ending_before=NOVEMBER)
    assert (draft.status, draft.type, draft.total, draft.subtotal) == ("DRAFT", "USAGE", 6_930, 6_930)
    assert (draft.start_timestamp, draft.end_timestamp, draft.issued_at) == (OCTOBER, NOVEMBER, NOVEMBER)
    assert (draft.customer_id, draft.contract_id) == (str(story.customer.pk), str(story.contract.pk))
    assert (draft.credit_type.id, draft.credit_type.name) == (str(USD_ID), "USD (cents)")
    assert draft.billable_status == "billable"
    assert lines_of(draft)[:4] == [
        ("usage", "Tokens (model: small)", 1000, 0.5, 500, "01 Oct"),
        ("applied_commit_or_credit", "Commitment", None, None, -500, "01 Oct"),
        ("usage", "Tokens (model: small)", 1000, 0.25, 250, "15 Oct"),
        ("applied_commit_or_credit", "Commitment", None, None, -250, "15 Oct"),
    ]
    covered, applied = draft.line_items[:2]
    assert (covered.product_id, covered.product_type) == (str(story.prices.tokens.pk), "UsageProductListItem")
    assert covered.pricing_group_values == {"model": "small"}
    assert covered.commit_id == applied.commit_id == applied.applied_commit_or_credit.id
    assert (applied.commit_type, applied.applied_commit_or_credit.type) == ("PostpaidCommit", "POSTPAID")
    assert applied.commit_segment_id is not None


def test_scheduled_documents_have_an_issue_date_and_no_period(client, story):
    charge, true_up = listed(client, story, type="SCHEDULED")
    assert (charge.total, charge.issued_at) == (500, at("2025-10-10"))
    assert (charge.start_timestamp, charge.end_timestamp) == (None, None)
    [line] = charge.line_items
    assert (line.type, line.name, line.product_type) == ("scheduled", "Onboarding", "FixedProductListItem")
    assert line.scheduled_charge_id is not None
    assert (true_up.total, true_up.issued_at) == (100_000 - 6_930 - 7, JANUARY)
    [line] = true_up.line_items
    assert (line.type, line.product_type, line.commit_type) == (
        "commit_purchase",
        "FixedProductListItem",
        "PostpaidCommit",
    )
    assert line.postpaid_commit.id == line.commit_id


def test_draft_and_final_document_of_one_id_look_the_same(client, story):
    [draft] = listed(client, story, type="USAGE", ending_before=NOVEMBER)
    finalize_due(story.customer.pk, at=at("2025-11-20"), by=ADA)
    final = client.v1.customers.invoices.retrieve(customer_id=draft.customer_id, invoice_id=draft.id).data
    assert (final.status, final.number, final.unrounded_total) == ("FINALIZED", "INV-000002", 6_930)
    assert final.to_dict() | {"status": "DRAFT"} == draft.to_dict() | {
        "number": "INV-000002",
        "unrounded_total": 6_930,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param({}, ["CHARGES F", "USAGE F", "USAGE D", "TRUE_UP D"], id="all, oldest first"),
        pytest.param({"sort": "date_desc"}, ["TRUE_UP D", "USAGE D", "USAGE F", "CHARGES F"], id="newest first"),
        pytest.param({"status": "DRAFT"}, ["USAGE D", "TRUE_UP D"], id="drafts"),
        pytest.param({"status": "FINALIZED"}, ["CHARGES F", "USAGE F"], id="final ones"),
        pytest.param({"status": "finalized"}, ["CHARGES F", "USAGE F"], id="in any case"),
        pytest.param({"status": "VOID"}, [], id="void ones"),
        pytest.param({"type": "SCHEDULED"}, ["CHARGES F", "TRUE_UP D"], id="scheduled ones"),
        pytest.param({"type": "USAGE_CONSOLIDATED"}, [], id="consolidated ones"),
        pytest.param({"starting_on": NOVEMBER}, ["USAGE D", "TRUE_UP D"], id="from November"),
        pytest.param({"starting_on": OCTOBER, "ending_before": NOVEMBER}, ["CHARGES F", "USAGE F"], id="October"),
        pytest.param({"ending_before": at("2025-10-31")}, ["CHARGES F"], id="a period not over"),
        pytest.param({"credit_type_id": str(USD_ID), "status": "DRAFT"}, ["USAGE D", "TRUE_UP D"], id="in dollars"),
        pytest.param({"credit_type_id": str(uuid7())}, [], id="in another unit"),
        pytest.param({"contract_id": str(uuid7())}, [], id="of another contract"),
        pytest.param({"limit": 1}, ["CHARGES F", "USAGE F", "USAGE D", "TRUE_UP D"], id="a page for each"),
        pytest.param({"limit": 3, "sort": "date_desc"}, ["TRUE_UP D", "USAGE D", "USAGE F", "CHARGES F"], id="pages"),
    ],
)
def test_filters_order_and_pages(client, story, query, expected):
    finalize_due(story.customer.pk, at=at("2025-11-20"), by=ADA)
    kinds = {(None, 500): "CHARGES", (None, 93_063): "TRUE_UP"}
    found = [
        f"{kinds.get((each.start_timestamp, each.total), 'USAGE')} {each.status[0]}"
        for each in listed(client, story, **query)
    ]
    assert found == expected


def test_lines_of_zero_can_be_left_out(client, acme, clock_at):
    clock_at("2025-10-20")
    [draft] = listed(client, acme)
    assert [(line.name, line.quantity, line.total) for line in draft.line_items] == [("API calls", 0, 0)]
    [without] = listed(client, acme, skip_zero_qty_line_items=True)
    assert without.line_items == []
    one = client.v1.customers.invoices.retrieve(
        customer_id=draft.customer_id, invoice_id=draft.id, skip_zero_qty_line_items=True
    )
    assert one.data.line_items == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"status": "LOST"}, "status"),
        ({"type": "BILL"}, "type"),
        ({"sort": "up"}, "sort"),
        ({"contract_id": "7"}, "contract_id"),
        ({"starting_on": "soon"}, "starting_on"),
        ({"next_page": "abc"}, "next_page"),
        ({"next_page": "WzEsIDJd"}, "next_page"),
    ],
)
def test_a_query_that_breaks_a_rule_is_refused_with_the_field(client, story, query, field):
    with pytest.raises(metronome.BadRequestError) as refused:
        client.v1.customers.invoices.list(customer_id=str(story.customer.pk), **query)
    [error] = refused.value.body["errors"]
    assert error["field"] == field
    assert str(query[field]) in error["value"]
    assert error["rule"]


def test_what_does_not_exist_or_is_another_customers_is_not_found(client, story):
    other = CustomerFactory(name="Globex")
    [draft] = listed(client, story, type="USAGE", status="DRAFT", ending_before=NOVEMBER)
    for customer, invoice in [
        (other.pk, draft.id),
        (story.customer.pk, uuid7()),
        (uuid7(), draft.id),
    ]:
        with pytest.raises(metronome.NotFoundError):
            client.v1.customers.invoices.retrieve(customer_id=str(customer), invoice_id=str(invoice))
    for status in ("FINALIZED", "DRAFT", "VOID"):
        with pytest.raises(metronome.NotFoundError):
            client.v1.customers.invoices.list(customer_id=str(uuid7()), status=status)


def test_a_token_of_one_customer_sees_that_one_alone(story):
    other = CustomerFactory(name="Globex")
    _, secret = tokens.create_token("acme", scope="read", customer_id=story.customer.pk, at=OCTOBER, by=ADA)
    mine = sdk(secret)
    assert len(listed(mine, story)) == 4
    with pytest.raises(metronome.NotFoundError):
        mine.v1.customers.invoices.list(customer_id=str(other.pk))


def test_an_ingest_token_reads_nothing(story):
    _, secret = tokens.create_token("meter", scope="ingest", at=OCTOBER, by=ADA)
    with pytest.raises(metronome.PermissionDeniedError):
        listed(sdk(secret), story)


def test_a_list_costs_the_same_for_one_final_document_and_for_three(client, story, django_assert_max_num_queries):
    finalize_due(story.customer.pk, at=at("2025-11-20"), by=ADA)
    with django_assert_max_num_queries(60) as few:
        listed(client, story)
    for month in ("2025-12-02", "2026-01-02"):
        finalize_due(story.customer.pk, at=at(month), by=ADA)
    with django_assert_max_num_queries(len(few)):
        assert len(listed(client, story)) == 5


def test_what_is_answered_is_what_the_reference_describes(client, story):
    finalize_due(story.customer.pk, at=at("2025-11-20"), by=ADA)
    invoices = listed(client, story)
    assert {key for invoice in invoices for key in invoice.to_dict()} == set(InvoiceReply().fields) - {
        "net_payment_terms_days",
        "due_at",
        "issuer",
        "tax_lines",
        "tax_problem",
        "correction_of",
        "regenerated_from_invoice_id",
        "salesforce_opportunity_id",
        "netsuite_sales_order_id",
        "netsuite_invoice_header_start",  # of professional services
        "netsuite_invoice_header_end",
    }
    answered = {key for invoice in invoices for line in invoice.line_items for key in line.to_dict()}
    of_other_prices = {"tier", "flat_fee", "package_size", "quantity_consumed", "converted_credit_type_id"} | {
        "scheduled_item_id",  # of what is consolidated
        "tax_amount",
        "tax_code",
        "discount_id",
        "commit_netsuite_sales_order_id",
        "subscription_id",
        "is_prorated",
        "adjustment",
        "correction",
        "professional_service_id",
        "metadata",
        "netsuite_invoice_billing_start",
        "netsuite_invoice_billing_end",
    }
    assert answered == set(LineReply().fields) - {"product_tags", "presentation_group_values"} - of_other_prices


# --- Explain ---------------------------------------------------------------------------------------------------------


def explain(acme, document_id):
    _, secret = tokens.create_token("explain", scope="read", at=OCTOBER, by=ADA)
    answer = read(secret, f"/v1/customers/{acme.customer.pk}/invoices/{document_id}/explain")
    assert answer.status_code == 200
    return answer.json()["data"]


def test_each_line_is_explained_by_its_parts_alike_in_drafts_and_final_documents(client, story):
    [draft] = listed(client, story, type="USAGE", ending_before=NOVEMBER)
    told = explain(story, draft.id)
    assert (told["status"], told["finalizes_at"]) == ("DRAFT", "2025-11-02T00:00:00+00:00")
    [halved] = [line for line in told["line_items"] if line["type"] == "usage" and line["unit_price"] == 20]
    [part] = halved["parts"]
    assert (part["quantity"], part["amount"], part["list_price"], part["unit_price"]) == (100.5, 2010, 40, 20)
    assert part["override_id"] is not None
    assert part["published_by"] == "Ada"
    assert part["billable_metric_id"] == str(story.prices.tokens_used.pk)
    for line in told["line_items"]:
        if line["type"] == "usage":
            assert sum(part["amount"] for part in line["parts"]) == line["unrounded_total"]

    finalize_due(story.customer.pk, at=at("2025-11-20"), by=ADA)
    after = explain(story, draft.id)
    assert (after["status"], after["number"]) == ("FINALIZED", "INV-000002")
    assert after["line_items"] == told["line_items"]


def test_findings_are_part_of_the_explanation(client, story):
    story.uses_tokens("2025-10-03T05", 7, model="huge")
    [draft] = listed(client, story, type="USAGE", ending_before=NOVEMBER)
    [finding] = explain(story, draft.id)["findings"]
    assert (finding["kind"], finding["blocking"], finding["quantity"]) == ("NO_RATE", True, 7)
    assert finding["group_values"] == {"model": "huge"}
