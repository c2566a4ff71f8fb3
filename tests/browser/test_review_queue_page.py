"""The review queue in a browser: found from Home, a held draft seen, released, and gone."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from invoicing.models import HoldDecision
from invoicing.services.summaries import look_around, refresh_what_is_due
from tests.factories.contracts import CustomerFactory
from tests.invoicing.conftest import Acme, clock_at, contract_for, price_list
from tests.invoicing.test_holds import JULY, bills

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["clock_at", "price_list"]  # fixtures


@pytest.fixture
def held(price_list, clock_at):
    """Acme's October comes to 18 times what is usual; Globex has usage without a price."""
    acme = Acme(
        customer := CustomerFactory(aliases=["acme"]), contract_for(customer, price_list, starting_at=JULY), price_list
    )
    globex = Acme(
        other := CustomerFactory(name="Globex", aliases=["globex"]), contract_for(other, price_list), price_list
    )
    draft, due = bills(acme, m07=500, m08=500, m09=500, m10=9000)
    globex.uses_tokens("2025-10-03T05", 12, model="huge", subject="globex")
    clock_at("2025-11-02")
    look_around(at=due)
    return draft


def test_a_held_draft_is_found_and_released(held, visit, tmp_path):
    admin = User.objects.create_superuser("ada")
    page = visit("/admin/", user=admin)
    page.get_by_role("link", name="2 held for review").click()
    expect(page.get_by_role("heading", name="Review queue")).to_be_visible()
    acme = page.get_by_role("row").filter(has_text="Acme")
    expect(acme).to_contain_text("is far above the $200.00 that its last 3 usage invoices make usual")
    expect(page.get_by_role("row").filter(has_text="Globex")).to_contain_text("has no rate for it")
    page.screenshot(path=tmp_path / "queue.png", full_page=True)
    acme.get_by_role("link", name="Release…").click()
    page.get_by_label("Why may it go?").fill("They have launched")
    page.screenshot(path=tmp_path / "decide.png", full_page=True)
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("The usage invoice of 1 Oct to 31 Oct 2025 is released.")).to_be_visible()
    assert [decision.document_id for decision in HoldDecision.objects.all()] == [held]
    refresh_what_is_due()
    page.reload()
    expect(page.get_by_role("row").filter(has_text="Acme")).to_have_count(0)
