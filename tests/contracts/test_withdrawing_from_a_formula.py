"""Taking back a price that a formula has made: the formula stays as it was stated."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from pricing import services
from pricing.models import Rate
from pricing.services import NewNode, WholeFormula
from tests.factories.pricing import ADA, ProductFactory, RateCardFactory, RateFactory

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
SAID = "A formula made it, and stays as it was stated: this price is an exception to it then."


def test_it_becomes_an_exception_to_the_formula_and_the_page_says_so():
    card, chat = RateCardFactory(), ProductFactory(name="Chat", version__pricing_group_key=["model"])
    nodes = [NewNode("cost", D(30), {"model": "xl"}), NewNode("markup", D(2))]
    services.state_formula(card.pk, chat.pk, WholeFormula(nodes, True), starting_at=OCTOBER, at=OCTOBER, by=ADA)
    rate = Rate.objects.get(product=chat)
    browser = Client()
    browser.force_login(User.objects.create_superuser("grace"))
    page = reverse("admin:pricing_ratecard_withdraw", args=[card.pk, rate.pk])

    shown = browser.get(page)
    assert SAID in shown.content.decode()
    known = shown.context["form"]["known"].value()
    assert browser.post(page, {"known": known, "reason": "Not sold any more"}).status_code == 302
    formula = browser.get(reverse("admin:pricing_ratecard_formula", args=[card.pk, chat.pk]))
    assert [row.in_force for row in formula.context["prices"]] == ["no price"]

    typed = RateFactory(rate_card=card, product=chat, pricing_group_values={"model": "xl"}, starting_at=OCTOBER)
    withdrawn = browser.get(reverse("admin:pricing_ratecard_withdraw", args=[card.pk, typed.pk]))
    assert SAID not in withdrawn.content.decode()
