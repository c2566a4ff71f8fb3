"""Grace of RevOps on the last evening of October, and what was used in it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def revops(clock_at):
    """A browser in which Grace of RevOps is logged in, on 31 October."""
    clock_at("2025-10-31T23")
    browser = Client()
    browser.force_login(User.objects.create_superuser("grace"))
    return browser


@pytest.fixture
def october(acme):
    """Tokens of $4 in each half of October, and 10 calls of 2 cents in the second."""
    acme.uses_tokens("2025-10-03T05", 10)
    acme.uses_tokens("2025-10-20T05", 10)
    acme.calls("2025-10-20T05", 10)
    return acme
