"""The ledger's pages: everything can be looked at, nothing can be changed, and no list reads a table through."""

from decimal import Decimal as D

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
from ledger.admin import facts as admin
from ledger.models import IngestCall, LedgerEntry, MetricSet, Series
from ledger.services.entries import NewEntry, post_entries
from tests.factories.contracts import CustomerFactory
from tests.factories.ledger import NOON, event, post
from tests.factories.pricing import MetricFactory

pytestmark = pytest.mark.django_db

MODELS = [IngestCall, LedgerEntry, MetricSet, Series]


@pytest.fixture
def finance(client):
    """A browser in which finance are logged in."""
    client.force_login(get_user_model().objects.create_superuser("grace"))
    return client


@pytest.fixture(autouse=True)
def _some_of_everything():
    MetricFactory(group_keys=[["model"]])
    for model in ("xl", "m", None):
        post(event(properties={"model": model}), source=f"gateway of {model}")
    entry = NewEntry(
        type=LedgerEntry.Type.POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION,
        commit_id=uuid7(),
        segment_id=uuid7(),
        invoice_id=uuid7(),
        amount=D("-16.650000000001"),
        billed_amount=D(-17),
        timestamp=NOON,
        idempotency_key="october",
    )
    post_entries(CustomerFactory(), [entry], at=NOON, by=Actor.command("Ada"))


def list_of(model):
    return reverse(f"admin:ledger_{model._meta.model_name}_changelist")


def page_of(row, page="change"):
    return reverse(f"admin:ledger_{row._meta.model_name}_{page}", args=[row.pk])


@pytest.mark.parametrize("model", MODELS)
def test_lists_and_pages_open_and_nothing_can_be_changed(finance, model):
    row = model.objects.first()
    listed = finance.get(list_of(model))
    assert listed.status_code == 200
    assert page_of(row) in listed.content.decode()
    assert finance.get(page_of(row)).status_code == 200
    assert finance.post(page_of(row), {"source": "x"}).status_code == 403
    assert finance.post(page_of(row, "delete"), {"post": "yes"}).status_code == 403
    assert finance.get(reverse(f"admin:ledger_{model._meta.model_name}_add")).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_a_row_is_found_by_its_whole_id_and_by_nothing_else(finance, model):
    row = model.objects.first()
    for text, found in [(f" {row.pk} ", [row]), (uuid7(), []), ("gateway", []), (f"{row.pk}"[:8], [])]:
        assert list(finance.get(list_of(model), {"q": text}).context["cl"].result_list) == found


def test_what_belongs_together_is_found_by_its_owner(finance):
    entry, series = LedgerEntry.objects.get(), Series.objects.first()
    assert [*finance.get(list_of(LedgerEntry), {"q": entry.customer_id}).context["cl"].result_list] == [entry]
    assert finance.get(list_of(Series), {"q": series.metric_id}).context["cl"].result_count == 3


def test_lists_are_counted_no_further_than_one_can_leaf(finance, monkeypatch):
    monkeypatch.setattr(admin, "MOST_ROWS", 2)
    with CaptureQueriesContext(connection) as queries:
        page = finance.get(list_of(IngestCall))
    assert page.context["cl"].result_count == 2
    counting = [query["sql"] for query in queries if "COUNT(" in query["sql"] and "ledger_ingestcall" in query["sql"]]
    assert counting
    assert all("LIMIT 2" in sql for sql in counting)


def test_an_amount_is_shown_to_its_last_digit(finance):
    assert "-16.650000000001" in finance.get(list_of(LedgerEntry)).content.decode()
