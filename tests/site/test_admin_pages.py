"""Every page of the admin opens, for staff alone, and the queue's own pages are not there."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from billing_site.foundation.models import TestClock
from tests.factories.pricing import NOW

PAGES = sorted((model for model in admin.site._registry), key=lambda model: model._meta.label)


@pytest.fixture
def staff(db):
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="x"))
    return client


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_the_list_opens_and_finds(staff, model):
    page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert staff.get(page).status_code == 200
    assert staff.get(page, {"q": "acme"}).status_code == 200
    assert Client().get(page).status_code == 302


def test_nothing_that_runs_code_is_registered():
    assert [model for model in PAGES if model._meta.app_label == "django_q"] == []


def test_the_moves_of_the_test_clock_are_in_its_history(staff):
    clock = TestClock.objects.create(instant=NOW)
    page = staff.get(reverse("admin:foundation_testclock_history", args=[clock.pk]))
    assert page.status_code == 200
    assert "2025-10-01" in page.content.decode()


def test_every_configured_model_has_a_page_with_history():
    configured = [
        apps.get_model(room, name)
        for room, names in {
            "foundation": ["TestClock", "ApiToken", "CustomFieldKey"],
            "pricing": ["PricingUnit", "BillableMetric", "PriceChange", "Product", "RateCard"],
            "contracts": [
                "Customer",
                "CustomerLogin",
                "Contract",
                "LegalEntity",
                "BillingProfile",
                "TaxRate",
                "ProductTaxCode",
                "ProviderConfiguration",
            ],
            "invoicing": ["Alert"],
        }.items()
        for name in names
    ]
    assert [model for model in configured if not hasattr(admin.site._registry.get(model), "history_view")] == []
