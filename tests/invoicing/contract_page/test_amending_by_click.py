"""An amendment by click: an edit that only adds, from an hour on, with what it is worth."""

import pytest

from contracts.models import ContractEdit
from contracts.queries import AMENDED_FROM
from tests.invoicing.conftest import OCTOBER
from tests.invoicing.contract_page.deal_form import MID_OCTOBER, Deal, page, split, text_of

pytestmark = pytest.mark.django_db
AMENDS = "?as=amendment"


def test_a_contract_is_amended(revops, acme):
    assert page("edit", acme.contract.pk) + AMENDS in revops.get(page("change", acme.contract.pk)).content.decode()
    deal = Deal(revops, acme.contract, AMENDS)
    given = {
        "discount": "50",
        "worth": "$1,000",
        "salesforce_opportunity_id": "006",
        **split("discount_starting_at", MID_OCTOBER),
        **split("amends_from", MID_OCTOBER),
    }
    assert deal.save(**given).status_code == 302
    made = ContractEdit.objects.latest("number")
    kept = {name: made.changes[name] for name in (AMENDED_FROM, "total_contract_value", "salesforce_opportunity_id")}
    assert kept == {
        AMENDED_FROM: "2025-10-15T00:00:00+00:00",
        "total_contract_value": "100000",
        "salesforce_opportunity_id": "006",
    }
    shown = text_of(revops.get(page("change", acme.contract.pk)))
    assert "Amendment from 15 October 2025" in shown


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"amends_from_0": ""}, "amends_from", "A time needs its date."),
        (split("amends_from", OCTOBER.replace(year=2020)), "amends_from", "must be an instant at which the contract"),
        ({"worth": "-5"}, "worth", "must not be negative"),
        ({"name": "Other"}, "name", "An amendment only adds"),
        ({"discount": "150"}, "discount", "must not be"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(revops, acme, given, field, rule):
    typed = {"discount": "50", **split("discount_starting_at", MID_OCTOBER)} | given
    answer = Deal(revops, acme.contract, AMENDS).preview(**typed)
    assert rule in answer.context["form"].errors[field][0]
    assert not answer.context["preview"]
