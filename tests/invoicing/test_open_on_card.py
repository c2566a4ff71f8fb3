"""The panel of a rate card: the usage that is open on it, from drafts."""

from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from billing_site.foundation.ids import uuid7
from invoicing.models import DraftSummary
from invoicing.services import summaries
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import RateCardFactory
from tests.invoicing.conftest import contract_for, use
from tests.pages import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer():
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_ratecard", "view_draftsummary"]))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def card(price_list, clock_at):
    """API calls at 2 cents: 300 of one customer, 50 of another, 7 of one on another card."""
    for subject, calls, prices in (("one", 300, price_list), ("other", 50, price_list)):
        customer = CustomerFactory(name=f"<b>{subject}", aliases=[subject])
        contract_for(customer, prices)
        use(price_list.calls_made, "2025-10-10T05", calls, {}, subject=subject)
    elsewhere = CustomerFactory(name="Elsewhere", aliases=["elsewhere"])
    contract_for(elsewhere, price_list, rate_card=RateCardFactory())
    clock_at("2025-10-20T00")
    while summaries.refresh_what_is_due():
        pass
    return price_list.card


def panel(client, card, **asked):
    return client.get(reverse("admin:invoicing_open_on_card", args=[card.pk]), asked)


def test_it_adds_up_the_drafts_of_the_cards_contracts(viewer, card):
    text = words(panel(viewer, card))
    drafts = DraftSummary.objects.filter(contract__rate_card=card, kind="USAGE")
    assert sum(draft.total for draft in drafts) == D(700)
    assert "API calls 2 350 $7.00" in text
    assert "Usage drafts of the contracts on this card, before tax, as of 20 October 2025, 00:00 UTC or later." in text


def test_a_card_without_open_usage_says_so(viewer, card):
    nobody = panel(viewer, RateCardFactory())
    assert "No draft of a contract on this card has usage." in words(nobody)
    assert panel(viewer, RateCardFactory.build(id=uuid7())).status_code == 200


def test_it_is_for_those_who_see_cards_and_drafts(card):
    user = User.objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_ratecard"))
    client = Client()
    client.force_login(user)
    assert panel(client, card).status_code == 403


def test_the_pages_of_the_card_ask_for_it(admin_client, card):
    address = reverse("admin:invoicing_open_on_card", args=[card.pk])
    for name in ("change", "raise"):
        assert (
            f'hx-get="{address}'
            in admin_client.get(reverse(f"admin:pricing_ratecard_{name}", args=[card.pk])).content.decode()
        )
