"""The end of October, a card with a product of two dimensions, and who prices it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from billing_site.foundation.models import TestClock
from tests.factories.pricing import (
    RateCardFactory,
)
from tests.ledger.price_grid.grid import NOW, sold_by


@pytest.fixture(autouse=True)
def _end_of_october(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=NOW)


@pytest.fixture
def revops():
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


@pytest.fixture
def card():
    return RateCardFactory(name="List prices 2025")


@pytest.fixture
def tokens():
    return sold_by("model", "region")
