"""A machine on the last evening of October, and a shop that it runs."""

import pytest

from billing_site.foundation import tokens
from tests.invoicing.conftest import ADA, OCTOBER, sdk
from tests.invoicing.shop import Shop


@pytest.fixture
def client(clock_at):
    clock_at("2025-10-31T23")
    return sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def shop(client) -> Shop:
    return Shop(client)
