"""The form of a deal sent as a browser sends it: whatever inputs the page before has, with what is typed."""

from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from contracts.queries import agreement
from tests.factories.contracts import ContractFactory
from tests.invoicing.conftest import at

pytestmark = pytest.mark.django_db


class Inputs(HTMLParser):
    """What the form of a page would send if nothing were typed."""

    def __init__(self, page):
        super().__init__()
        self.sent, self.select = {}, ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "input" and given.get("name") and given.get("type") not in ("checkbox", "radio", "submit"):
            self.sent[given["name"]] = given.get("value") or ""
        elif tag == "select":
            self.select = given.get("name", "")
        elif tag == "option" and "selected" in given:
            self.sent[self.select] = given.get("value") or ""


@pytest.mark.parametrize("end", [None, at("2026-06-01")], ids=["open", "with an end"])
def test_the_contract_as_a_whole_is_changed_by_the_preview_and_the_save_of_a_browser(clock_at, end):
    clock_at("2025-10-16")
    contract = ContractFactory(terms__ending_before=end)
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada"))
    page = reverse("admin:contracts_contract_edit", args=[contract.pk])
    typed = {"name": "Renamed", "ending_before_0": "2026-12-01", "ending_before_1": "00:00", "reason": "By phone"}
    first = browser.get(page).content.decode()
    seen = browser.post(page, Inputs(first).sent | typed | {"preview": "1"}).content.decode()
    assert browser.post(page, Inputs(seen).sent | {"save": "1"}).status_code == 302
    terms = agreement(contract.customer_id, contract.pk).terms
    assert (terms.name, terms.ending_before) == ("Renamed", at("2026-12-01"))
