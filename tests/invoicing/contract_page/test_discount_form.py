"""A discount of a fixed amount by click: looked at, made, changed, told."""

import pytest
from django.urls import reverse

from contracts.queries import agreement
from contracts.wording import history_in_words
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.commit_page import Page
from tests.invoicing.conftest import DECEMBER
from tests.invoicing.contract_page.deal_form import Deal, split, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def fixed(db):
    return FixedProductFactory(name="Platform")


def test_it_is_agreed_and_changed_by_click_after_its_effect_was_seen(acme, revops, fixed):
    typed = {
        "off_amount": "120",
        "off_name": "Launch",
        "off_netsuite_sales_order_id": "SO-7",
        **split("off_at", DECEMBER),
    }
    deal = Deal(revops, acme.contract)

    wrong = deal.preview(**{**typed, "off_amount": "-1"}).context["form"]
    assert wrong.errors == {"off_amount": ["must not be negative"]}
    missing = deal.preview(off_amount="120", **split("off_at", DECEMBER) | {"off_at_0": "", "off_at_1": ""})
    assert missing.context["form"].errors == {"off_at": ["Needed."]}
    assert "-$120.00" in text_of(deal.preview(**typed))
    assert deal.save(**typed).status_code == 302

    page = reverse("admin:contracts_contract_change", args=[acme.contract.pk])
    told = "Discount “Launch”: $120.00 off on 1 December 2025; NetSuite sales order SO-7"
    assert told in text_of(revops.get(page))
    [charged] = agreement(acme.customer.pk, acme.contract.pk).charges
    changed = Page(charged.charge, "charge")
    assert "Change Discount “Launch”" in changed.read()
    assert changed.save(item_0_amount="100").status_code == 302
    assert history_in_words(acme.contract)[0].changes == (
        "Discount “Launch”: $120.00 off on 1 December 2025 is now $100.00 off on 1 December 2025.",
    )
