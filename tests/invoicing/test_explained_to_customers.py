"""What an explanation tells the customer: each amount and price of its own, and nothing of who decided what and why."""

import json
from datetime import UTC, datetime
from decimal import Decimal as D

import metronome
import pytest

from billing_site.foundation import tokens
from invoicing.services import finalize_due
from tests.factories.contracts import CustomerFactory, EditFactory, OverrideFactory, ScheduledChargeFactory
from tests.factories.pricing import FormulaFactory, PublicationFactory, RateFactory
from tests.invoicing.conftest import ADA, OCTOBER, at, sdk

pytestmark = pytest.mark.django_db

SECRET = ("Mallory", "squeeze them", "Bob", "their CFO is a friend", "margin", "Partner list", "10 % off")


@pytest.fixture
def october(acme, clock_at):
    """50 calls at a price that a formula made, at 20 % off; another override did not apply; a charge."""
    acme.prices.card.name = "Partner list"
    acme.prices.card.save()
    nodes = [{"name": "cost", "values": {}, "number": "2"}, {"name": "margin", "values": {}, "number": "5"}]
    formula = FormulaFactory(rate_card=acme.prices.card, product=acme.prices.calls, starting_at=OCTOBER, nodes=nodes)
    publication = PublicationFactory(
        published_at=datetime(2025, 9, 3, 9, tzinfo=UTC),
        published_by="Mallory",
        price_change__reason="squeeze them",
    )
    RateFactory(
        rate_card=acme.prices.card,
        product=acme.prices.calls,
        price=D(10),
        starting_at=OCTOBER,
        formula=formula,
        publication=publication,
    )
    for multiplier in ("0.8", "0.9"):
        edit = EditFactory(
            customer=acme.customer, contract=acme.contract, created_by="Bob", reason="their CFO is a friend"
        )
        OverrideFactory(contract=acme.contract, added_by_edit=edit, starting_at=OCTOBER, multiplier=D(multiplier))
    edit = EditFactory(customer=acme.customer, contract=acme.contract, created_by="Bob", reason="their CFO is a friend")
    ScheduledChargeFactory(contract=acme.contract, added_by_edit=edit, item__issued_at=at("2025-10-10"))
    acme.calls("2025-10-05T07", 50)
    clock_at("2025-10-31T23")
    return acme


def token(acme, **bound):
    return sdk(tokens.create_token("Portal", scope="read", at=OCTOBER, by=ADA, **bound)[1])


def explanations(client, acme, view=""):
    url = f"/v1/customers/{acme.customer.pk}/invoices"
    ids = [each.id for each in client.v1.customers.invoices.list(customer_id=str(acme.customer.pk)).data]
    return [client.get(f"{url}/{each}/explain{view}", cast_to=object)["data"] for each in ids]


def amounts(explanation):
    return [
        (
            line["name"],
            line["total"],
            [(part["amount"], part["quantity"], part["list_price"]) for part in line["parts"]],
        )
        for line in explanation["line_items"]
    ]


def test_a_token_of_the_customer_is_told_amounts_and_nothing_of_the_house(october):
    internal = explanations(token(october), october)
    told = explanations(token(october, customer_id=october.customer.pk), october)
    assert told == explanations(token(october), october, "?view=customer")
    assert told == explanations(token(october, customer_id=october.customer.pk), october, "?view=internal")
    assert [amounts(each) for each in told] == [amounts(each) for each in internal]
    assert [secret for secret in SECRET if secret not in json.dumps(internal)] == []
    assert [secret for secret in SECRET if secret in json.dumps(told)] == []
    (part,) = next(line["parts"] for each in told for line in each["line_items"] if line["name"] == "API calls")
    assert part["explanation"] == [
        "List price $0.10 from 1 October 2025.",
        "The contract has its own: 20 % off the list price of all products from 1 October 2025, agreed on 1 January"
        " 2025, 00:00 UTC.",
    ]
    assert (part["arithmetic"], part["rate"].keys()) == (
        "50 × $0.08 = $4.00",
        {"id", "rate_card_id", "starting_at", "ending_before"},
    )
    internal_part = next(
        line["parts"][0] for each in internal for line in each["line_items"] if line["name"] == "API calls"
    )
    assert internal_part.keys() - part.keys() == {"publication", "published_by", "losing_overrides"}


def test_so_it_is_of_final_documents_and_of_usage_that_has_no_price(october, clock_at):
    october.uses_tokens("2025-10-06T07", 7, model="unheard of")
    [finding] = [each for told in explanations(token(october), october) for each in told["findings"]]
    assert "unheard of" in json.dumps(finding)
    bound = token(october, customer_id=october.customer.pk)
    assert [each["findings"] for each in explanations(bound, october)] == [[]] * len(explanations(bound, october))
    RateFactory(
        rate_card=october.prices.card,
        product=october.prices.tokens,
        pricing_group_values={"model": "unheard of"},
        price=D(1),
    )
    clock_at("2025-11-02")
    finalize_due(october.customer.pk, at=at("2025-11-02"), by=ADA)
    told = explanations(bound, october)
    assert "FINALIZED" in [each["status"] for each in told]
    assert [secret for secret in SECRET if secret in json.dumps(told)] == []


def test_another_customers_document_is_not_there(october):
    bound = token(october, customer_id=CustomerFactory(name="Globex").pk)
    [first, *_] = token(october).v1.customers.invoices.list(customer_id=str(october.customer.pk)).data
    with pytest.raises(metronome.NotFoundError, match="no such customer"):
        bound.get(f"/v1/customers/{october.customer.pk}/invoices/{first.id}/explain", cast_to=object)
