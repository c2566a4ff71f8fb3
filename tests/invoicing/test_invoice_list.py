"""The list of documents: what finance filters by, what that comes to, and the sheet of it."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import TestClock
from invoicing.models import EntityNumber, Invoice, InvoiceLine, InvoiceVoid, Note, NumberSeries
from pricing.models import PricingUnit
from pricing.sheets.cells import unguarded
from tests.factories.contracts import ContractFactory
from tests.factories.invoicing import InvoiceFactory
from tests.pages import words

pytestmark = pytest.mark.django_db

LIST = reverse("admin:invoicing_invoice_changelist")
SHEET = reverse("admin:invoicing_invoice_csv")
NOW = datetime(2025, 12, 15, tzinfo=UTC)
HOSTILE = '=HYPERLINK("http://evil") <script>alert(1)</script>'


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=NOW)


@pytest.fixture
def finance():
    user = User.objects.create_user("fay", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_invoice"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def books():
    """Acme: of dollars, one past its due date, one void, a note on it. Globex: euros, in the series of an entity."""
    acme = ContractFactory(customer__name="Acme")
    globex = ContractFactory(customer__name=HOSTILE)
    euros = PricingUnit.objects.get(code="EUR")
    october = InvoiceFactory(
        contract=acme,
        total=D(12_000),
        subtotal=D(10_000),
        unrounded_total=D(10_000),
        details={"tax_lines": [{"amount": "2000"}]},
        due_at=day("2025-12-01"),
        lines=[D(10_000)],
    )
    november = InvoiceFactory(
        contract=acme,
        number="INV-000002",
        slot="november",
        starting_at=day("2025-11-01"),
        ending_before=day("2025-12-01"),
        issued_at=day("2025-12-01"),
        due_at=day("2025-12-31"),
    )
    InvoiceVoid.objects.create(
        id=uuid7(),
        customer=acme.customer,
        invoice=november,
        reason="no",
        voided_at=NOW,
        voided_by="Ada",
        money_version=1,
    )
    note = InvoiceFactory(
        contract=acme,
        number="CN-000001",
        slot="note",
        type="SCHEDULED",
        kind="NOTE",
        starting_at=None,
        ending_before=None,
        issued_at=day("2025-12-02"),
        total=D(-50),
        lines=[D(-50)],
        details={"title": "Credit note", "correction_of": {"invoice_number": "INV-000001"}},
    )
    Note.objects.create(
        invoice=note, customer=acme.customer, about=october, is_rated=False, reason="late", entered_by="Ada"
    )
    foreign = InvoiceFactory(contract=globex, number="DE-INV-000007", unit=euros, total=D("99.5"), lines=[])
    late = InvoiceLine(
        customer=globex.customer,
        invoice=foreign,
        position=1,
        type="usage",
        name="Late",
        total=D("99.5"),
        unrounded_total=D("99.5"),
        counts_toward_total=True,
        details={"adjustment": {"invoice_id": str(october.pk)}},
        trace=[],
    )
    late.save()
    NumberSeries.objects.create(customer=acme.customer, series="INV", last_number=2)
    NumberSeries.objects.create(customer=acme.customer, series="CN", last_number=1)
    EntityNumber.objects.create(prefix="DE", series="INV", number=7, customer=globex.customer)
    return {"october": october, "november": november, "note": note, "foreign": foreign, "euros": euros}


def listed(client, **asked):
    answer = client.get(LIST, asked)
    assert answer.status_code == 200, answer.headers
    return [invoice.number for invoice in answer.context["cl"].result_list]


def sheet(client, **asked):
    answer = client.get(SHEET, asked)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {"INV-000001", "INV-000002", "CN-000001", "DE-INV-000007"}),
        ({"standing": "final"}, {"INV-000001", "CN-000001", "DE-INV-000007"}),
        ({"standing": "overdue"}, {"INV-000001"}),
        ({"standing": "void"}, {"INV-000002"}),
        ({"standing": "waiting"}, {"INV-000002"}),
        ({"kind__exact": "NOTE"}, {"CN-000001"}),
        ({"series": "INV"}, {"INV-000001", "INV-000002"}),
        ({"series": "DE-INV"}, {"DE-INV-000007"}),
        ({"notes": "yes"}, {"INV-000001"}),
        ({"notes": "no", "kind__exact": "USAGE"}, {"INV-000002", "DE-INV-000007"}),
        ({"late": "yes"}, {"DE-INV-000007"}),
        ({"late": "no"}, {"INV-000001", "INV-000002", "CN-000001"}),
        ({"issued_at_from": "2025-12-01", "issued_at_to": "2025-12-01"}, {"INV-000002"}),
        ({"starting_at_to": "2025-10-31"}, {"INV-000001", "DE-INV-000007"}),
        ({"due_at_from": "2025-12-31"}, {"INV-000002"}),
        ({"total_from": "99.50", "total_to": "120"}, {"INV-000001", "DE-INV-000007"}),
        ({"total_to": "-0.5"}, {"CN-000001"}),
        ({"q": "inv-00000"}, {"INV-000001", "INV-000002"}),
        ({"q": "acme inv-000002"}, {"INV-000002"}),
        ({"q": "<script>"}, {"DE-INV-000007"}),
        ({"q": "%"}, set()),
        ({"q": "\0"}, {"INV-000001", "INV-000002", "CN-000001", "DE-INV-000007"}),
    ],
)
def test_finance_finds_documents(finance, books, asked, found):
    assert set(listed(finance, **asked)) == found
    assert {unguarded(row["number"]) for row in sheet(finance, **asked)} == found


def test_a_currency_is_filtered_by(finance, books):
    assert listed(finance, currency=str(books["euros"].pk)) == ["DE-INV-000007"]


@pytest.mark.parametrize("of", ["customer", "contract"])
def test_the_documents_of_one_are_found_and_nobody_else_is_listed_to_choose_from(finance, books, of):
    asked = {f"{of}__id__exact": str(getattr(books["foreign"], f"{of}_id"))}
    assert listed(finance, **asked) == ["DE-INV-000007"]
    assert [row["number"] for row in sheet(finance, **asked)] == ["DE-INV-000007"]
    page = finance.get(LIST, asked).content.decode()
    assert f'name="{of}__id__exact"' in page
    assert (
        str(getattr(books["october"], f"{of}_id"))
        not in page.partition(f'name="{of}__id__exact"')[2].partition("</select>")[0]
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"issued_at_from": "32.13."}, "Day of issue from: “32.13.” is not understood. Write it as 2025-10-31."),
        ({"total_to": "lots"}, "Total, with tax to: “lots” is not understood. Write it as 1250.50."),
        ({"total_from": "NaN"}, "“NaN” is not understood"),
        ({"standing": "paid"}, "Status: “paid” is not one of its choices."),
        ({"currency": "x"}, "Currency: “x” is not one of its choices."),
    ],
)
def test_what_is_no_value_finds_nothing_and_says_so(finance, books, asked, said):
    answer = finance.get(LIST, asked)
    assert list(answer.context["cl"].result_list) == []
    assert said in words(answer)


def test_totals_are_of_all_that_is_listed_by_currency_without_what_is_void(finance, books):
    rows = finance.get(LIST).context["cl"].totals
    found = [(row.currency, row.documents, row.void, row.subtotal, row.tax, row.total) for row in rows]
    assert found == [
        ("EUR", "1", "", "€99.50", "€0.00", "€99.50"),
        ("USD", "3", "1 of them void", "$99.50", "$20.00", "$119.50"),
    ]
    standing = Invoice.objects.filter(void=None)
    for unit, text in (("EUR", "99.5"), ("USD", "11950")):
        assert sum(invoice.total for invoice in standing if invoice.unit.code == unit) == D(text)


def test_the_sheet_says_what_is_listed_in_its_order_and_holds_no_formula(finance, books):
    rows = sheet(finance, o="5")
    assert [row["number"] for row in rows] == [
        invoice.number for invoice in finance.get(LIST, {"o": "5"}).context["cl"].result_list
    ]
    by_number = {row["number"]: row for row in rows}
    foreign, october = by_number["DE-INV-000007"], by_number["INV-000001"]
    assert foreign["customer"].startswith("'=HYPERLINK")
    assert unguarded(foreign["customer"]) == HOSTILE
    assert (foreign["currency"], foreign["total"], foreign["due_at"]) == ("EUR", "99.5", "")
    assert (october["subtotal"], october["tax"], october["total"]) == ("100", "20", "120")
    assert (october["issued_at"], october["status"]) == ("2025-11-01T00:00:00+00:00", "FINALIZED")
    assert by_number["INV-000002"]["status"] == "VOID"


def test_hostile_names_are_shown_as_they_are(finance, books):
    page = finance.get(LIST).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_sheet_is_for_those_who_may_see_documents(books):
    client = Client()
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.get(SHEET).status_code == 403
    assert Client().get(SHEET).status_code == 302


def test_list_and_sheet_cost_the_same_for_few_and_for_many(finance, books):
    def queries():
        with CaptureQueriesContext(connection) as found:
            finance.get(LIST, {"issued_at_from": "2025-01-01", "late": "no"})
            sheet(finance, late="no")
        return len(found)

    few = queries()
    for number in range(20):
        InvoiceFactory(number=f"INV-{number:06d}", slot=f"s{number}", contract__customer__name=f"C {number}")
    assert queries() == few
