"""The CFO's page: its numbers are those of the documents, computed once more from raw rows, whoever looks and asks."""

import csv
import io
from collections import defaultdict
from decimal import Decimal as D
from fractions import Fraction

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing_site.foundation.models import CustomFieldKey
from invoicing.models import CommitmentSummary, DraftSummary, Invoice, InvoiceLine
from invoicing.services import finalize_due, summaries, void_invoice
from pricing.sheets.cells import unguarded
from tests.factories.contracts import (
    AccessSegmentFactory,
    CommitFactory,
    CustomerFactory,
    InvoiceScheduleItemFactory,
    OverrideFactory,
)
from tests.factories.invoicing import InvoiceFactory
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at, contract_for, use
from tests.pages import words

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:invoicing_finance")
HOSTILE = '=HYPERLINK("x")<script>alert(1)</script>'
NEEDED = ("view_invoice", "view_draftsummary", "view_contract")


def member(*codenames):
    user = User.objects.create_user(f"user-{len(codenames)}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def cfo():
    return member(*NEEDED)


def refreshed():
    while summaries.refresh_what_is_due():
        pass


def committed(contract, kind, amount, paid=None):
    commit = CommitFactory(contract=contract, type=kind, name=f"{kind} deal", segment=None, invoice_item=None)
    AccessSegmentFactory(commit=commit, amount=amount, starting_at=OCTOBER, ending_before=JANUARY)
    if paid is not None:
        InvoiceScheduleItemFactory(commit=commit, amount=paid, issued_at=OCTOBER if kind == "PREPAID" else JANUARY)
    return commit


@pytest.fixture
def company(price_list, clock_at):
    """API calls at 2 cents, in October and up to 10 November.

    Acme: half price; 1,500 calls and 100 more; a prepaid commit of $40 that cost $32. Globex: 1,200 calls, of which a
    credit pays $4; a minimum of $100. A third one, in another segment: 30 calls. A fourth: its document is void.
    """
    CustomFieldKey.objects.create(entity="customer", key="segment", created_at=OCTOBER, created_by="Ada")
    made = {}
    for subject, name, fields, calls in (
        ("acme", "Acme", {"segment": "enterprise"}, 1_500),
        ("globex", "Globex", {"segment": "enterprise"}, 1_200),
        ("third", HOSTILE, {"segment": "=1+1"}, 30),
        ("void", "Void", {}, 40),
    ):
        customer = CustomerFactory(name=name, aliases=[subject], custom_fields=fields)
        made[subject] = contract_for(customer, price_list)
        use(price_list.calls_made, "2025-10-10T05", calls, {}, subject=subject)
    made["override"] = OverrideFactory(contract=made["acme"], starting_at=OCTOBER)
    committed(made["acme"], "PREPAID", D(4_000), D(3_200))
    committed(made["globex"], "CREDIT", D(400))
    committed(made["globex"], "POSTPAID", D(10_000), D(10_000))
    for subject in ("acme", "globex", "third", "void"):
        finalize_due(made[subject].customer_id, at=at("2025-11-02"), by=ADA)
    taken_back = Invoice.objects.get(contract=made["void"], kind="USAGE")
    void_invoice(taken_back.customer, taken_back.pk, reason="Not theirs", at=at("2025-11-03"), by=ADA)
    use(price_list.calls_made, "2025-11-05T05", 100, {}, subject="acme")
    made |= {"calls": price_list.calls, "prices": price_list}
    clock_at("2025-11-10T00")
    refreshed()
    return made


def sheet(client, name, **asked):
    answer = client.get(reverse("admin:invoicing_finance_csv", args=[name]), asked)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def sold_by_hand():
    """(product id, month, segment) → (cents, cents by credits), from rows of documents and nothing else."""
    found = defaultdict(lambda: [D(0), D(0)])
    for line in InvoiceLine.objects.filter(invoice__void=None).select_related("invoice__customer"):
        document, said = line.invoice, line.details
        month = f"{document.starting_at or document.issued_at:%Y-%m}"
        key = (said.get("product_id", ""), month, document.customer.custom_fields.get("segment", ""))
        if line.type in ("usage", "subscription", "scheduled"):
            found[key][0] += line.total
        elif line.type == "applied_commit_or_credit" and said["applied_commit_or_credit"]["type"] == "CREDIT":
            found[key][1] -= line.total
    return {key: tuple(amounts) for key, amounts in found.items() if any(amounts)}


def test_revenue_is_what_documents_sold_by_product_month_and_segment(cfo, company):
    rows = sheet(cfo, "revenue")
    final = {
        (row["product_id"], row["month"], unguarded(row["segment"])): (
            D(row["sold"]) * 100,
            D(row["paid_by_credits"]) * 100,
        )
        for row in rows
        if row["documents"] == "FINALIZED" and (D(row["sold"]) or D(row["paid_by_credits"]))
    }
    assert final == sold_by_hand()
    calls = str(company["calls"].pk)
    assert final == {
        (calls, "2025-10", "enterprise"): (D(3_900), D(400)),
        (calls, "2025-10", "=1+1"): (D(60), D(0)),
    }
    assert {row["segment"] for row in rows} == {"enterprise", "'=1+1", ""}


def test_drafts_stand_apart_and_true_ups_are_not_sold_before_they_are_final(cfo, company):
    rows = [row for row in sheet(cfo, "revenue") if row["documents"] == "DRAFT" and D(row["sold"])]
    assert [(row["month"], row["product"], row["segment"], row["sold"]) for row in rows] == [
        ("2025-11", "API calls", "enterprise", "1"),
    ]
    assert DraftSummary.objects.filter(kind="TRUE_UP").exists()
    assert "API calls $35.60 $1.00" in words(cfo.get(PAGE))  # final, and on drafts


def test_realised_prices_are_without_what_credits_paid(cfo, company):
    rows = [row for row in sheet(cfo, "prices") if row["product"] == "API calls"]
    found = {unguarded(row["segment"]): row for row in rows}
    assert set(found) == {"", "enterprise", "=1+1"}
    for segment, cents, by_credits, quantity in (("", 3_960, 400, 2_730), ("enterprise", 3_900, 400, 2_700)):
        row = found[segment]
        assert (D(row["sold"]) * 100, D(row["paid_by_credits"]) * 100, D(row["quantity"])) == (
            cents,
            by_credits,
            quantity,
        )
        price = Fraction(cents - by_credits, quantity) / 100
        assert abs(Fraction(D(row["price_per_unit"])) - price) <= Fraction(1, 10**14)
    assert found[""]["customers"] == "3"
    assert found["=1+1"]["price_per_unit"] == "0.02"
    (october,) = sheet(cfo, "price-months")
    assert (october["month"], october["quantity"], october["price_per_unit"]) == (
        "2025-10",
        "2730",
        found[""]["price_per_unit"],
    )


def test_like_customers_that_pay_differently_are_shown_with_what_makes_the_price(cfo, company):
    rows = sheet(cfo, "similar")
    assert [(row["customer"], row["quantity"], row["volume_from"], row["volume_below"]) for row in rows] == [
        ("Acme", "1500", "1000", "10000"),
        ("Globex", "1200", "1000", "10000"),
    ]
    assert D(rows[0]["price_per_unit"]) == D("0.01")
    highest = D(rows[1]["price_per_unit"])
    assert abs(highest - D(20) / D(1_200)) < D("1e-13")
    assert D(rows[0]["below_highest"]) == highest * 1_500 - 15
    page = words(cfo.get(PAGE))
    assert "API calls 1,000 to below 10,000, USD 2 $0.01 Acme $0.01667 Globex 40 % $10.00" in page
    assert "50 % off the list price of all products from 1 October 2025" in page
    link = reverse("admin:contracts_contract_change", args=[company["acme"].pk])
    assert f'<a href="{link}">50 % off' in cfo.get(PAGE).content.decode()
    assert "No override: what the list asks, and its tiers." in page


def test_what_is_open_is_told_by_currency(cfo, company):
    (row,) = [row for row in sheet(cfo, "standing") if row["currency"] == "USD"]
    drafts = DraftSummary.objects.all()
    by_kind = {kind: sum(draft.total for draft in drafts if draft.kind == kind) for kind in ("USAGE", "CHARGES")}
    assert D(row["unbilled_usage"]) * 100 == by_kind["USAGE"]
    assert D(row["unbilled_charges"]) * 100 == by_kind["CHARGES"] == 0
    prepaid, postpaid, credit = (CommitmentSummary.objects.get(type=kind) for kind in ("PREPAID", "POSTPAID", "CREDIT"))
    assert prepaid.used == 1_500 + 100
    paid = InvoiceLine.objects.get(type="commit_purchase", invoice__contract=company["acme"])
    assert D(row["deferred"]) * 100 == paid.total * (prepaid.amount - prepaid.used) / prepaid.amount == D(1_920)
    assert D(row["committed"]) * 100 == postpaid.amount - postpaid.used
    assert D(row["credits_left"]) * 100 == credit.amount - credit.used == 0


def test_the_page_shows_names_as_they_are_and_its_chart_has_a_table(cfo, company):
    answer = cfo.get(PAGE, {"months": "3", "by": "segment"})
    page = answer.content.decode()
    assert "<script>alert(1)" not in page
    text = words(answer)
    for shown in ("Sep 2025", "Oct 2025", "Nov 2025", "=1+1", "enterprise", "no value", "$35.00"):
        assert shown in text
    (chart,) = answer.context["charts"]
    totals = [sum(D(series["values"][month]) for series in chart["series"]) for month in range(3)]
    assert totals == [D(0), D("35.60"), D(1)]
    (chart,) = answer.context["price_charts"]
    (calls,) = chart["series"]
    assert (calls["name"], calls["texts"]) == ("API calls", ["", "$0.01304", ""])
    assert (calls["values"][0], calls["values"][2]) == (None, None)  # nothing was sold: that is no price of zero
    (bars,) = answer.context["standing_charts"]
    assert dict(zip(bars["labels"], bars["series"][0]["texts"], strict=True))["Deferred"] == "$19.20"
    assert all(f'id="{each["id"]}"' in page for each in (chart, bars))


@pytest.mark.parametrize("asked", [{"months": "x"}, {"months": "10000"}, {"segment": "\0';--"}, {"by": "customer"}])
def test_what_the_page_does_not_know_is_as_if_it_were_not_said(cfo, company, asked):
    answer = cfo.get(PAGE, asked)
    assert (answer.context["asked"].span, answer.context["asked"].segment, answer.context["by"]) == (
        12,
        "segment",
        "product",
    )


def test_a_company_without_documents_is_told_what_to_do(cfo):
    page = words(cfo.get(PAGE))
    assert "Nothing was billed in these months, and no draft is open." in page
    assert "Somebody may declare a custom field key of customers" in page


@pytest.mark.parametrize("lacking", NEEDED)
def test_it_is_for_those_who_may_see_all_that_it_shows(lacking):
    somebody = member(*(code for code in NEEDED if code != lacking))
    for page in (PAGE, reverse("admin:invoicing_finance_csv", args=["prices"])):
        assert somebody.get(page).status_code == 403


def test_there_is_no_other_sheet(cfo):
    assert cfo.get(reverse("admin:invoicing_finance_csv", args=["salaries"])).status_code == 404


def test_it_costs_the_same_for_few_customers_and_for_many(cfo, company):
    def queries():
        with CaptureQueriesContext(connection) as found:
            assert cfo.get(PAGE).status_code == 200
        return len(found)

    few = queries()
    for number in range(12):
        contract = contract_for(CustomerFactory(name=f"C {number}"), company["prices"])
        document = InvoiceFactory(contract=contract, lines=[])
        InvoiceLine.objects.create(
            customer=contract.customer,
            invoice=document,
            position=1,
            type="usage",
            name="API calls",
            total=D(100),
            unrounded_total=D(100),
            counts_toward_total=True,
            quantity=D(1_000 + number * 100),
            details={"product_id": str(company["calls"].pk), "credit_type": {"id": str(document.unit_id)}},
            trace=[{"override_id": str(company["override"].pk)}],
        )
    assert queries() == few
