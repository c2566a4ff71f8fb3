"""Documents on paper and on the screen: the same words, once and for all, and nothing in them is code."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import replace
from decimal import Decimal as D

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from metronome import NotFoundError

from billing_site.foundation.ids import uuid7
from contracts.models import Customer
from invoicing.models import InvoicePdf
from invoicing.printing.page import printed
from invoicing.printing.pdf import pdf_of
from invoicing.queries.documents import document
from invoicing.services import finalize_due
from pricing.models import PricingUnit, Product
from tests.factories.contracts import (
    BillingProfileFactory,
    CustomerFactory,
    CustomerLoginFactory,
    LegalEntityFactory,
    UserFactory,
)
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import ADA, NOVEMBER, at

pytestmark = pytest.mark.django_db

GRACE_IS_OVER = at("2025-11-02")
HOSTILE = '#import "x": * <script>alert(1)</script> *b* $x^2$ `r` @a ] ) {{ 7|add:7 }} &amp;'


@pytest.fixture
def october(acme, clock_at):
    """Three products' worth of usage for an address in Berlin, two days after the month."""
    LegalEntityFactory(net_payment_terms_days=30)
    BillingProfileFactory(customer=acme.customer)
    acme.uses_tokens("2025-10-03T05", D("100.5"))
    acme.calls("2025-10-05T07", 50)
    clock_at("2025-11-02")
    return acme


@pytest.fixture
def staff():
    client = Client()
    client.force_login(UserFactory(username="ada", is_staff=True, is_superuser=True))
    return client


def the_draft(client, acme):
    return client.v1.customers.invoices.list(customer_id=str(acme.customer.pk), ending_before=NOVEMBER).data[0]


def finalized(acme):
    [final] = finalize_due(acme.customer.pk, at=GRACE_IS_OVER, by=ADA).finalized
    return final


def pdf(client, acme, invoice_id):
    return client.v1.customers.invoices.retrieve_pdf(
        customer_id=str(acme.customer.pk), invoice_id=str(invoice_id)
    ).read()


def page_of(acme, invoice_id):
    units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
    return printed(document(acme.customer.pk, invoice_id, at=GRACE_IS_OVER), units)


def html(client, acme, invoice_id):
    return client.get(reverse("portal_invoice", args=[acme.customer.pk, invoice_id]))


def text_of(content):
    """What a reader of the PDF can copy from it, without spaces and places where words may break."""
    return "".join(pages_of(content))


def pages_of(content):
    """Likewise, page by page."""
    if shutil.which("pdftotext") is None:
        if "CI" in os.environ:
            pytest.fail("pdftotext is missing: apt install poppler-utils")
        pytest.skip("needs pdftotext (apt install poppler-utils)")
    found = subprocess.run(["pdftotext", "-raw", "-", "-"], input=content, capture_output=True, check=True)
    return [squeezed(page) for page in found.stdout.decode().split("\f")]


def squeezed(words):
    return "".join(words.replace("\u200b", "").split())


def test_the_client_reads_a_draft_as_pdf_with_what_is_owed_now(client, october):
    content = pdf(client, october, the_draft(client, october).id)
    assert content.startswith(b"%PDF-1.7")
    text = text_of(content)
    for words in ("DRAFT", "Invoice", "Acme GmbH", "Countinghouse Ltd", "1 December 2025", "PO-4711", "Total $41.20"):
        assert squeezed(words) in text
    assert not InvoicePdf.objects.exists()


def test_a_final_document_has_the_same_bytes_for_ever(client, october):
    final = finalized(october)
    first = pdf(client, october, final.pk)
    Product.objects.update(name="Renamed")
    Customer.objects.update(name="Renamed")
    october.customer.billing_profile.delete()
    assert pdf(client, october, final.pk) == first
    [kept] = InvoicePdf.objects.all()
    assert (bytes(kept.content), bytes(kept.content_hash)) == (first, hashlib.sha256(first).digest())
    text = text_of(first)
    assert "AcmeGmbH" in text
    assert final.number in text
    assert "DRAFT" not in text


def test_the_same_document_makes_the_same_bytes(october):
    page = page_of(october, finalized(october).pk)
    assert pdf_of(page, at=GRACE_IS_OVER) == pdf_of(page, at=GRACE_IS_OVER)


def test_the_database_keeps_a_pdf_as_it_is(client, october):
    pdf(client, october, finalized(october).pk)
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        InvoicePdf.objects.update(content=b"")


def test_somebody_elses_document_is_not_there(client, october):
    other = CustomerFactory(name="Globex")
    for invoice_id in (finalized(october).pk, uuid7()):
        with pytest.raises(NotFoundError):
            client.v1.customers.invoices.retrieve_pdf(customer_id=str(other.pk), invoice_id=str(invoice_id))


def test_paper_and_screen_say_the_same(client, staff, october):
    final = finalized(october)
    page, paper = page_of(october, final.pk), text_of(pdf(client, october, final.pk))
    screen = html(staff, october, final.pk).content.decode()
    words = [*(line.name for line in page.lines), *(line.amount for line in page.lines), page.title, page.bill_to.name]
    words += [each for fact in (*page.facts, *page.totals) for each in (fact.label, fact.text)]
    words += [*page.bill_to.lines, *page.remittance, *page.notes]
    assert [each for each in words if squeezed(each) not in paper] == []
    assert [each for each in words if each not in screen] == []


def test_what_events_and_customers_say_is_never_code(client, staff, october):
    RateFactory(
        rate_card=october.prices.card,
        product=october.prices.tokens,
        pricing_group_values={"model": HOSTILE},
        price=D(1),
    )
    october.uses_tokens("2025-10-03T05", 3, model=HOSTILE)
    Customer.objects.update(name=HOSTILE)
    october.customer.billing_profile.delete()
    final = finalized(october)
    assert text_of(pdf(client, october, final.pk)).count(squeezed(HOSTILE)) == 2
    answer = html(staff, october, final.pk)
    assert "<script>alert(1)" not in answer.content.decode()
    assert "{{ 7|add:7 }}" in answer.content.decode()
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("Ünïcödé ß Ω Ж", "Ünïcödé ß Ω Ж", id="European scripts"),
        pytest.param("bell\x07tab\t", "bell[U+0007]tab[U+0009]", id="control characters"),
        pytest.param("nothing\ufdd0", "nothing[U+FDD0]", id="what no font has"),
        pytest.param("\\u0007", "\\u0007", id="what only looks like an escape"),
        pytest.param("W" * 160, "W" * 160, id="one word over several lines"),
    ],
)
def test_every_character_of_a_name_is_printed(october, name, shown):
    october.customer.billing_profile.delete()
    Customer.objects.update(name=name)
    content = pdf_of(page_of(october, finalized(october).pk), at=GRACE_IS_OVER)
    assert squeezed(shown) in text_of(content)


def test_a_hundred_lines_go_over_pages_that_repeat_the_header(client, october):
    for number in range(100):
        model = f"m{number:03}"
        RateFactory(
            rate_card=october.prices.card,
            product=october.prices.tokens,
            pricing_group_values={"model": model},
            price=D(2),
        )
        october.uses_tokens("2025-10-03T05", 1, model=model)
    text = text_of(pdf(client, october, finalized(october).pk))
    assert [f"(model:m{number:03})" in text for number in range(100)] == [True] * 100
    pages = [f"Page{number}of3" in text for number in (1, 2, 3)]
    assert (pages, text.count("DescriptionTimeQuantityUnitpriceAmount")) == ([True] * 3, 3)


@pytest.mark.parametrize("before", [0, 1, 2])
def test_what_is_applied_stands_on_the_page_of_the_line_that_it_is_about(october, before):
    page = page_of(october, finalized(october).pk)
    line = replace(page.lines[0], kind="", counts=True)
    applied = replace(line, name="Credit", kind="applied to the line before", follows=True)
    pairs = [replace(line, name="Covered"), applied] * 60
    content = pdf_of(replace(page, lines=(*[line] * before, *pairs)), at=GRACE_IS_OVER)
    pages = pages_of(content)
    told = [(text.count("Covered"), text.count("appliedtotheline")) for text in pages]
    assert (len(told) > 3, sum(covered for covered, _ in told)) == (True, 60)
    assert [covered for covered, _ in told] == [applied for _, applied in told]


def test_where_to_pay_is_said_where_there_is_something_to_pay(client, october):
    final = document(october.customer.pk, finalized(october).pk, at=GRACE_IS_OVER)
    units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
    assert printed(final, units).remittance == ("Bank of Ireland", "IBAN IE29 AIBK 9311 5212 3456 78")
    for total in (D(0), D(-100)):
        assert printed(replace(final, total=total), units).remittance == ()


def test_the_customer_sees_its_own_documents_and_no_others(october):
    final = finalized(october)
    person, other = (
        CustomerLoginFactory(customer=october.customer),
        CustomerLoginFactory(customer=CustomerFactory(name="Globex"), user=UserFactory(username="gus")),
    )
    client = Client()
    for address in ("portal_invoice", "portal_invoice_pdf"):
        path = reverse(address, args=[october.customer.pk, final.pk])
        client.force_login(person.user)
        assert client.get(path).status_code == 200
        assert client.get(reverse(address, args=[october.customer.pk, uuid7()])).status_code == 404
        client.force_login(other.user)
        assert client.get(path).status_code == 404
        client.logout()
        assert client.get(path).status_code == 302


def test_the_back_office_leads_to_both(staff, october):
    page = staff.get(reverse("admin:invoicing_draftsofcustomer_change", args=[october.customer.pk])).content.decode()
    assert f"/portal/{october.customer.pk}/invoices/" in page
    final = finalized(october)
    listed = staff.get(reverse("admin:invoicing_invoice_changelist")).content.decode()
    assert reverse("portal_invoice_pdf", args=[october.customer.pk, final.pk]) in listed
