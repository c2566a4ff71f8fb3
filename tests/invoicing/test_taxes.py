"""Tax by fixed rates, from the back office to the printed document, in every kind of currency."""

from decimal import Decimal as D
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from billing_site.foundation import tokens
from billing_site.foundation.money import exact_sum
from contracts.models import BillingProfile, ProductTaxCode, TaxRate
from invoicing.models import Invoice
from invoicing.printing.page import printed
from invoicing.queries.documents import altered, document
from invoicing.services import finalize_due, finalize_invoice, verify_invoice
from invoicing.services.freezing import NoTaxRate
from pricing.models import PricingUnit
from tests.factories.contracts import (
    BillingProfileFactory,
    LegalEntityFactory,
    TaxRateFactory,
    UserFactory,
)
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at, commit_of, sdk
from tests.invoicing.shop import Shop, shown

pytestmark = pytest.mark.django_db

GRACE_IS_OVER = at("2025-11-02")


@pytest.fixture
def october(acme, clock_at):
    """100.5 tokens at 40 cents and 50 calls at 2 cents, for an address in Berlin: $41.20 before tax."""
    LegalEntityFactory(taxes="FIXED_RATES")
    BillingProfileFactory(customer=acme.customer)
    acme.uses_tokens("2025-10-03T05", D("100.5"))
    acme.calls("2025-10-05T07", 50)
    clock_at("2025-11-02")
    return acme


def the_invoice(client, acme):
    return client.v1.customers.invoices.list(customer_id=str(acme.customer.pk), ending_before=NOVEMBER).data[0]


def told(invoice):
    lines = [(tax["name"], tax["percent"], tax["taxable"], tax["amount"]) for tax in getattr(invoice, "tax_lines", [])]
    return invoice.subtotal, lines, invoice.total


def finalized(acme):
    [final] = finalize_due(acme.customer.pk, at=GRACE_IS_OVER, by=ADA).finalized
    return final


def test_the_total_is_what_the_lines_come_to_and_the_tax(client, october):
    TaxRateFactory()
    TaxRateFactory(tax_code="calls", percent=D(7))
    ProductTaxCode.objects.create(product=october.prices.calls, tax_code="calls")
    expected = (4_120, [("VAT", 19, 4_020, 764), ("VAT", 7, 100, 7)], 4_891)
    assert told(the_invoice(client, october)) == expected
    final = finalized(october)
    read = the_invoice(client, october)
    assert (read.status, *told(read)) == ("FINALIZED", *expected)
    assert sum(line.tax_amount for line in read.line_items if hasattr(line, "tax_amount")) == 771
    assert (final.subtotal, final.total) == (D(4_120), D(4_891))
    assert altered([Invoice.objects.get(pk=final.pk)]) == []


def test_a_final_document_keeps_its_rates(client, october):
    rate = TaxRateFactory()
    finalized(october)
    before = told(the_invoice(client, october))
    rate.percent = D(25)
    rate.save()
    assert told(the_invoice(client, october)) == before


def test_pieces_add_up_to_what_it_comes_to_before_tax(client, october):
    TaxRateFactory()
    for window in ("DAY", "HOUR"):
        pieces = client.v1.customers.invoices.list_breakdowns(
            customer_id=str(october.customer.pk),
            starting_on=OCTOBER if window == "DAY" else at("2025-10-05"),
            ending_before=NOVEMBER if window == "DAY" else at("2025-10-06"),
            window_size=window,
            limit=100,
        ).data
        assert sum(piece.total for piece in pieces) == (4_120 if window == "DAY" else 100)
    assert the_invoice(client, october).subtotal == 4_120


def test_without_a_rate_nothing_is_final_and_the_draft_says_why(client, october):
    TaxRateFactory(country="FR")
    draft = the_invoice(client, october)
    assert told(draft) == (4_120, [], 4_120)
    assert draft.tax_problem == "There is no tax rate for products without a tax code on 31 October 2025, 23:00 UTC."
    with pytest.raises(NoTaxRate, match="Add one under Tax rates"):
        finalize_invoice(october.customer.pk, UUID(draft.id), at=GRACE_IS_OVER, by=ADA)
    outcome = finalize_due(october.customer.pk, at=GRACE_IS_OVER, by=ADA)
    assert (outcome.finalized, [type(refusal) for _, refusal in outcome.held]) == ((), [NoTaxRate])
    TaxRateFactory(country="DE")
    assert finalized(october).total == D(4_903)


@pytest.mark.parametrize(
    ("fields", "tax"),
    [
        pytest.param({"country": "DE"}, 783, id="by the rate of the country"),
        pytest.param({"country": "US"}, 0, id="by the rate of all others"),
        pytest.param({"country": ""}, 0, id="where nobody knows the country"),
        pytest.param({"country": "DE", "tax_exemption": "Reverse charge."}, None, id="exempt"),
    ],
)
def test_who_is_billed_decides(client, october, fields, tax):
    TaxRateFactory(country="DE")
    TaxRateFactory(name="Export", percent=D(0))
    BillingProfile.objects.update(**fields)
    draft = the_invoice(client, october)
    assert draft.total - draft.subtotal == (tax or 0)
    assert [line["amount"] for line in getattr(draft, "tax_lines", [])] == ([] if tax is None else [tax])


def test_usage_has_the_rate_of_its_last_hour(client, october):
    TaxRateFactory(ending_before=NOVEMBER)
    TaxRateFactory(percent=D(16), starting_at=NOVEMBER)
    assert told(the_invoice(client, october))[1] == [("VAT", 19, 4_120, 783)]


def test_what_is_owed_toward_a_commitment_is_before_tax(client, october):
    TaxRateFactory()
    commit_of(october, D(10_000))
    [true_up] = client.v1.customers.invoices.list(customer_id=str(october.customer.pk), type="SCHEDULED").data
    assert told(true_up) == (5_880, [("VAT", 19, 5_880, 1_117)], 6_997)
    finalized(october)
    [true_up] = client.v1.customers.invoices.list(customer_id=str(october.customer.pk), type="SCHEDULED").data
    assert told(true_up) == (5_880, [("VAT", 19, 5_880, 1_117)], 6_997)


def test_it_is_printed_between_subtotal_and_total(october):
    TaxRateFactory(percent=D("8.875"))
    units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
    page = printed(document(october.customer.pk, finalized(october).pk, at=GRACE_IS_OVER), units)
    assert [(total.label, total.text) for total in page.totals] == [
        ("Subtotal", "$41.20"),
        ("VAT 8.875% of $41.20", "$3.66"),
        ("Total", "$44.86"),
    ]


def test_why_no_tax_is_charged_is_printed(october):
    TaxRateFactory()
    BillingProfile.objects.update(tax_exemption="Reverse charge.")
    units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
    page = printed(document(october.customer.pk, finalized(october).pk, at=GRACE_IS_OVER), units)
    assert "No tax is charged: Reverse charge." in page.notes
    assert [(total.label, total.text) for total in page.totals] == [("Total", "$41.20")]


@pytest.mark.django_db(transaction=True)  # a snapshot does not see the events of its own transaction
def test_a_taxed_document_is_verified_with_its_tax(october):
    TaxRateFactory()
    TaxRateFactory(tax_code="calls", percent=D(7))
    ProductTaxCode.objects.create(product=october.prices.calls, tax_code="calls")
    final = finalized(october)
    TaxRate.objects.all().delete()
    assert verify_invoice(final).differences == ()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE invoicing_invoice SET details = jsonb_set(details, '{tax_lines,0,amount}', '\"700\"') "
            "WHERE id = %s",
            [final.pk],
        )
        cursor.execute("RESET session_replication_role")
    final.refresh_from_db()
    assert "The document: tax VAT 19 % is 700, and comes to 764." in verify_invoice(final).differences


@pytest.fixture
def maker(clock_at):
    clock_at("2025-10-31T23:00")
    _, secret = tokens.create_token("maker", scope="admin", at=OCTOBER, by=ADA)
    return sdk(secret)


@pytest.mark.parametrize(
    ("currency", "price", "percent", "wire", "paper"),
    [
        pytest.param("USD", "1999", "8.875", (1999, 177, 2176), ["$19.99", "$1.77", "$21.76"], id="cents"),
        pytest.param("EUR", "19.99", "19", (19.99, 3.80, 23.79), ["€19.99", "€3.80", "€23.79"], id="whole euros"),
        pytest.param("JPY", "105", "10", (105, 11, 116), ["¥105", "¥11", "¥116"], id="yen: half a yen rounds up"),
        pytest.param(
            "JPY",
            "1234567.4",
            "10",
            (1234567, 123457, 1358024),
            ["¥1,234,567", "¥123,457", "¥1,358,024"],
            id="yen: the tax of what is printed",
        ),
        pytest.param(
            "KWD",
            "1.2345",
            "5",
            (1.235, 0.062, 1.297),
            ["KWD\xa01.235", "KWD\xa00.062", "KWD\xa01.297"],
            id="dinars: three decimals",
        ),
    ],
)
def test_every_currency_is_taxed_to_what_can_be_paid_in_it(maker, currency, price, percent, wire, paper):
    LegalEntityFactory(taxes="FIXED_RATES")
    TaxRateFactory(percent=D(percent))
    shop = Shop(maker, currency)
    shop.product("Units")
    shop.prices(*shop.price("Units", f"FLAT {price}"))
    shop.uses("Units", "1")
    shop.contract()
    finalize_invoice(shop.customer.pk, UUID(shop.invoice().id), at=at("2025-11-03"), by=ADA)
    final = shop.invoice("FINALIZED")
    assert (final.subtotal, final.tax_lines[0]["amount"], final.total) == wire
    assert D(shown(final.total)) == exact_sum([D(shown(final.subtotal)), D(shown(final.tax_lines[0]["amount"]))])
    units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
    page = printed(document(shop.customer.pk, UUID(final.id), at=at("2025-11-03")), units)
    assert [total.text for total in page.totals] == paper
    content = maker.v1.customers.invoices.retrieve_pdf(customer_id=str(shop.customer.pk), invoice_id=final.id).read()
    assert content.startswith(b"%PDF")


def test_rates_and_codes_are_set_in_the_back_office_with_history(acme):
    staff = Client()
    staff.force_login(UserFactory(username="ada", is_staff=True, is_superuser=True))
    rate = {"name": "VAT", "percent": "19", "starting_at_0": "2025-01-01", "starting_at_1": "00:00", "reason": "Law"}
    made = staff.post(reverse("admin:contracts_taxrate_add"), rate)
    assert made.status_code == 302, made.context["errors"]
    assert [each.history_change_reason for each in TaxRate.objects.get().history.all()] == ["Law"]
    code = {"product": acme.prices.calls.pk, "tax_code": "calls"}
    assert staff.post(reverse("admin:contracts_producttaxcode_add"), code).status_code == 302
    refused = staff.post(reverse("admin:contracts_taxrate_add"), rate | {"percent": "101", "starting_at_1": "00:30"})
    for rule in ("must be from 0 to 100", "must be on the hour (UTC)"):
        assert rule in refused.content.decode()
    assert TaxRate.objects.count() == 1


def test_the_database_refuses_two_rates_from_one_instant():
    TaxRateFactory(country="DE")
    with pytest.raises(IntegrityError, match="one_tax_rate_begins_at_a_time"), transaction.atomic():
        TaxRateFactory(country="DE", percent=D(7))
