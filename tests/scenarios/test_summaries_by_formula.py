"""The whitepaper's case: documents are summarized for credits, a provider's cost falls, and the invoice follows.

"Document summarization" is priced by action, data source, model and complexity, in credits a document. A credit is 10
cents. The price is a formula of ten numbers, which makes 3 × 2 × 3 × 2 = 36 prices:

    cost of the model      large 2, medium 1, small 0.4
    markup                 1.25
    action                 summarize 1, compare 2, translate 1.5
    data source            contracts 1, wiki 0.8
    complexity             high 2, low 1

    summarize contracts with large, high     2   × 1.25 × 1 × 1   × 2  =  5 credits a document
    compare wiki with small, low             0.4 × 1.25 × 2 × 0.8 × 1  =  0.8

The provider of the large model lowers its cost from 2 to 1.6 on 15 October. One node changes: the 12 prices with the
large model, and no other, and no contract.

    summarize contracts with large, high     1.6 × 1.25 × 1 × 1   × 2  =  4 credits a document

| October                    | documents | price | credits | dollars |
|----------------------------|-----------|-------|---------|---------|
| large, 1–14                |       300 |   5   |   1,500 |  150.00 |
| large, 15–31               |       500 |   4   |   2,000 |  200.00 |
| small, all month           |     1,000 |   0.8 |     800 |   80.00 |
|                            |           |       |   4,300 |  430.00 |

At the old cost it would have been 5 × 800 + 800 = 4,800 credits, 480.00 dollars.
"""

from datetime import UTC, datetime

import pytest

from billing_site.foundation.models import TestClock
from tests.ledger.sdk import sdk_client

pytestmark = pytest.mark.django_db

RATE_CARDS = "/v1/contract-pricing/rate-cards"
KEYS = ["action", "data_source", "model", "complexity"]
OCTOBER, CHANGE = datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 10, 15, tzinfo=UTC)
LARGE = {"action": "summarize", "data_source": "contracts", "model": "large", "complexity": "high"}
SMALL = {"action": "compare", "data_source": "wiki", "model": "small", "complexity": "low"}

NODES = [
    *(
        {"name": "cost", "values": {"model": model}, "number": n}
        for model, n in (("large", 2), ("medium", 1), ("small", 0.4))
    ),
    {"name": "markup", "number": 1.25},
    *(
        {"name": key, "values": {key: value}, "number": number}
        for key, values in {
            "action": {"summarize": 1, "compare": 2, "translate": 1.5},
            "data_source": {"contracts": 1, "wiki": 0.8},
            "complexity": {"high": 2, "low": 1},
        }.items()
        for value, number in values.items()
    ),
]


@pytest.fixture(autouse=True)
def _evening_of_14_october(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=datetime(2025, 10, 14, 18, tzinfo=UTC))


@pytest.fixture
def client():
    return sdk_client()


@pytest.fixture
def sold(client):
    """The product and its rate card, priced by formula in credits."""
    metric = client.v1.billable_metrics.create(
        name="Documents",
        aggregation_type="SUM",
        aggregation_key="documents",
        event_type_filter={"in_values": ["document"]},
        property_filters=[{"name": "documents", "exists": True}],
        group_keys=[KEYS],
    ).data.id
    product = client.v1.contracts.products.create(
        name="Document summarization", type="USAGE", billable_metric_id=metric, pricing_group_key=KEYS
    ).data.id
    credits_ = client.v1.pricing_units.create(name="credits").data.id
    conversions = [{"custom_credit_type_id": credits_, "fiat_per_custom_credit": 10}]
    card = client.v1.contracts.rate_cards.create(name="AI 2025", credit_type_conversions=conversions).data.id
    place = {"rate_card_id": card, "product_id": product}
    stated = call(
        client,
        "setFormula",
        {**place, "starting_at": "2025-01-01", "entitled": True, "credit_type_id": credits_, "nodes": NODES},
    )
    assert len(stated["changes"]) == 36
    return place


@pytest.fixture
def contract(client, sold):
    customer = client.v1.customers.create(name="Initech", ingest_aliases=["initech"]).data.id
    contract = client.v1.contracts.create(
        customer_id=customer, rate_card_id=sold["rate_card_id"], starting_at=OCTOBER
    ).data.id
    return {"customer_id": customer, "contract_id": contract}


def call(client, verb, body):
    return client.post(f"{RATE_CARDS}/{verb}", body=body, cast_to=object)["data"]


def use(client, day, documents, values):
    event = {
        "transaction_id": f"{day} {values['model']}",
        "customer_id": "initech",
        "event_type": "document",
        "timestamp": f"2025-10-{day:02}T12:00:00Z",
        "properties": {"documents": documents, **values},
    }
    client.v1.usage.ingest(usage=[event])


def draft_of(client, contract):
    (draft,) = client.v1.customers.invoices.list(customer_id=contract["customer_id"], status="DRAFT").data
    return draft


def credits_of(draft):
    """The usage lines: model, first day, documents, credits a document, credits."""
    return sorted(
        (line.pricing_group_values["model"], line.starting_at.day, line.quantity, line.unit_price, line.total)
        for line in draft.line_items
        if line.type == "usage"
    )


def cheaper(client, sold, **more):
    """The provider's cost of the large model from 15 October on: one number."""
    node = {"name": "cost", "values": {"model": "large"}, "number": 1.6}
    body = {**sold, "starting_at": CHANGE.isoformat(), "nodes": [node], "reason": "The provider is cheaper"}
    return call(client, "changeFormula", body | more)


def test_the_invoice_follows_a_provider_s_cost_with_no_contract_edit(client, sold, contract):
    use(client, 5, 300, LARGE)
    use(client, 10, 400, SMALL)
    assert credits_of(draft_of(client, contract)) == [("large", 1, 300, 5, 1_500), ("small", 1, 400, 0.8, 320)]
    assert draft_of(client, contract).total == 18_200

    preview = cheaper(client, sold, dry_run=True)
    assert (len(preview["changes"]), preview["unchanged"]) == (12, 24)
    changed = cheaper(client, sold)
    assert preview == {name: value for name, value in changed.items() if name != "publication"}
    assert {row["pricing_group_values"]["model"] for row in changed["changes"]} == {"large"}
    (burned,) = (row for row in changed["changes"] if row["pricing_group_values"] == LARGE)
    assert (burned["rate_before"]["price"], burned["price"]) == (5, 4)

    TestClock.objects.update(instant=datetime(2025, 10, 31, 18, tzinfo=UTC))
    use(client, 20, 500, LARGE)
    use(client, 21, 600, SMALL)
    draft = draft_of(client, contract)
    assert credits_of(draft) == [
        ("large", 1, 300, 5, 1_500),
        ("large", 15, 500, 4, 2_000),
        ("small", 1, 1_000, 0.8, 800),
    ]
    (converted,) = (line for line in draft.line_items if line.type == "cpu_conversion")
    assert (converted.quantity, converted.total, draft.total) == (4_300, 43_000, 43_000)
    assert client.v2.contracts.get_edit_history(**contract).data == []


def test_the_charge_says_the_formula(client, sold, contract):
    cheaper(client, sold)
    TestClock.objects.update(instant=datetime(2025, 10, 31, 18, tzinfo=UTC))
    use(client, 20, 500, LARGE)
    draft = draft_of(client, contract)
    path = f"/v1/customers/{contract['customer_id']}/invoices/{draft.id}/explain"
    explained = client.get(path, cast_to=object)["data"]
    (part,) = (part for line in explained["line_items"] if line["type"] == "usage" for part in line["parts"])
    made_of = [(node["name"], node["number"]) for node in part["rate"]["formula"]["nodes"]]
    assert made_of == [("cost", 1.6), ("markup", 1.25), ("action", 1), ("data_source", 1), ("complexity", 2)]
    assert (
        "Its price is made by a formula: cost (model: large) 1.6 × markup 1.25 × action summarize 1 × "
        "data_source contracts 1 × complexity high 2 = 4 credits."
    ) in part["explanation"]
