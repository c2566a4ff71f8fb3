"""Why this month is more than last month: a document of usage against the one before it, as customers read it."""

from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from invoicing.services.finalization import finalize_invoice
from tests.factories.contracts import CustomerLoginFactory
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import ADA, NOVEMBER, at
from tests.invoicing.test_holds import draft_of
from tests.pages import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(acme, clock_at):
    clock_at("2025-11-20T10:30")
    client = Client()
    client.force_login(CustomerLoginFactory(customer=acme.customer).user)
    return client


@pytest.fixture
def november(acme, dana):
    """October is final: 100 xl at $0.40 and 200 small at half a cent. In November xl is $0.50; small is gone, calls are
    new."""
    acme.uses_tokens("2025-10-02T10", 100)
    acme.uses_tokens("2025-10-03T10", 200, model="small")
    prices = {"rate_card": acme.prices.card, "product": acme.prices.tokens, "starting_at": NOVEMBER}
    RateFactory(**prices, pricing_group_values={"model": "xl"}, price=D(50))
    acme.uses_tokens("2025-11-02T10", 150)
    acme.calls("2025-11-05T10", 50)
    finalize_invoice(acme.customer, draft_of(acme, "m10"), at=at("2025-11-02"), by=ADA)
    return draft_of(acme, "m11")


def compared(client, acme, invoice_id):
    return client.get(reverse("portal_compared", args=[acme.customer.pk, invoice_id]))


def test_it_is_told_apart_by_quantity_and_by_price_and_adds_up(dana, acme, november):
    page = compared(dana, acme, november)
    text = words(page)
    assert "+$20.00 by quantity, +$15.00 by price, +$1.00 new, -$1.00 gone." in text
    assert "Tokens (model: xl) $40.00 $75.00 +$35.00 +$20.00 +$15.00" in text
    assert "API calls new $1.00 +$1.00" in text
    assert "Tokens (model: small) $1.00 gone -$1.00" in text
    assert "Total $41.00 $76.00 +$35.00 +$20.00 +$15.00" in text
    assert "This document is a draft: it has the usage that is there so far." in text
    document = dana.get(reverse("portal_invoice", args=[acme.customer.pk, november])).content.decode()
    assert f"{november}/compared" in document


def test_the_first_document_has_nothing_before_it(dana, acme, november):
    assert "Nothing to compare with" in words(compared(dana, acme, draft_of(acme, "m10")))


def test_nobody_else_may_read_it_and_nothing_else_is_found(dana, acme, november):
    stranger = Client()
    stranger.force_login(CustomerLoginFactory().user)
    assert compared(stranger, acme, november).status_code in (403, 404)
    assert compared(dana, acme, acme.contract.pk).status_code == 404


def test_it_costs_the_same_whatever_the_lines(dana, acme, november, django_assert_max_num_queries):
    with django_assert_max_num_queries(60) as few:
        compared(dana, acme, november)
    for model in ("small", "xl"):
        acme.uses_tokens("2025-11-08T10", 3, model=model)
    with django_assert_max_num_queries(60) as more:
        compared(dana, acme, november)
    assert len(few) == len(more)


def test_the_back_office_leads_there_from_drafts_and_from_documents(acme, november):
    staff = Client()
    staff.force_login(User.objects.create_superuser("grace"))
    drafts = staff.get(reverse("admin:invoicing_draftsofcustomer_change", args=[acme.customer.pk])).content.decode()
    final = staff.get(reverse("admin:invoicing_invoice_change", args=[draft_of(acme, "m10")])).content.decode()
    for page, month in ((drafts, "m11"), (final, "m10")):
        assert reverse("portal_compared", args=[acme.customer.pk, draft_of(acme, month)]) in page
