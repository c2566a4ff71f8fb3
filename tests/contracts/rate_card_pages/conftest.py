"""The end of October, a card, and who prices it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from billing_site.foundation.models import TestClock
from tests.contracts.rate_card_pages.typed_prices import NOW
from tests.factories.pricing import RateCardFactory


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
