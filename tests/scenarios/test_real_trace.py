"""An hour of a production language model, sold by the token.

The trace (Azure Public Dataset, LLM inference 2023) has a row a request with its input and output tokens. Each row is
one event of the customer Contoso with two properties, which two metrics add up.

| product       | price          | November 2023     | amount        |
|---------------|----------------|-------------------|---------------|
| input tokens  | 300 ¢ a M      | 22,361,870 tokens | 6,708.561 ¢   |
| output tokens | 1,500 ¢ a M    | 4,088,665 tokens  | 6,132.9975 ¢  |
|               |                |                   | 12,841.5585 ¢ |
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import call_command

from billing_site.foundation.actor import Actor
from billing_site.foundation.models import TestClock
from invoicing.queries import compute
from invoicing.services.finalization import finalize_due
from tests.ledger.sdk import sdk_client

pytestmark = pytest.mark.django_db

TRACE = settings.BASE_DIR.parent / "shared" / "data" / "azure_llm_2023_conversation.csv"
TRACE_OPTIONS = [
    "--timestamp-column=TIMESTAMP",
    "--customer=contoso",
    "--event-type=completion",
    "--property=input_tokens=ContextTokens",
    "--property=output_tokens=GeneratedTokens",
]
NOVEMBER = datetime(2023, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2023, 12, 1, tzinfo=UTC)
PRICES = {"input": 300, "output": 1_500}  # cents for a million tokens


@pytest.fixture(autouse=True)
def _evening_of_the_trace(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=datetime(2023, 11, 16, 20, tzinfo=UTC))


@pytest.fixture
def client():
    return sdk_client()


@pytest.fixture
def metrics(client):
    return {
        kind: client.v1.billable_metrics.create(
            name=f"{kind} tokens",
            aggregation_type="SUM",
            aggregation_key=f"{kind}_tokens",
            event_type_filter={"in_values": ["completion"]},
            property_filters=[{"name": f"{kind}_tokens", "exists": True}],
        ).data.id
        for kind in PRICES
    }


@pytest.fixture
def contoso(client, metrics):
    """Contoso and its contract from November on, with a price for each kind of token."""
    products = {
        kind: client.v1.contracts.products.create(
            name=f"{kind} tokens",
            type="USAGE",
            billable_metric_id=metric_id,
            quantity_conversion={"conversion_factor": 1_000_000, "operation": "DIVIDE", "name": "Million tokens"},
        ).data.id
        for kind, metric_id in metrics.items()
    }
    rate_card_id = client.v1.contracts.rate_cards.create(name="Language model").data.id
    client.v1.contracts.rate_cards.rates.add_many(
        rate_card_id=rate_card_id,
        rates=[
            {
                "product_id": products[kind],
                "starting_at": NOVEMBER,
                "entitled": True,
                "rate_type": "FLAT",
                "price": price,
            }
            for kind, price in PRICES.items()
        ],
    )
    customer_id = client.v1.customers.create(name="Contoso", ingest_aliases=["contoso"]).data.id
    client.v1.contracts.create(customer_id=customer_id, starting_at=NOVEMBER, rate_card_id=rate_card_id)
    return customer_id


def run_import() -> str:
    said = StringIO()
    call_command("import_events", str(TRACE), *TRACE_OPTIONS, stdout=said)
    return said.getvalue().strip()


def tokens(client, metrics) -> dict[str, int]:
    rows = list(client.v1.usage.list(starting_on=NOVEMBER, ending_before=DECEMBER, window_size="NONE"))
    return {
        kind: row.value for kind, metric_id in metrics.items() for row in rows if row.billable_metric_id == metric_id
    }


def test_an_hour_of_a_language_model_is_imported_once_and_priced(client, metrics, contoso):
    assert run_import() == "19,366 rows: 19,366 accepted, 0 duplicates, 0 conflicts, 0 refused."
    assert tokens(client, metrics) == {"input": 22_361_870, "output": 4_088_665}

    [draft] = compute(UUID(contoso), at=datetime(2023, 11, 16, 20, tzinfo=UTC)).documents
    assert [(line.name, line.quantity, line.total) for line in draft.lines] == [
        ("input tokens", Decimal("22.36187"), Decimal("6708.561")),
        ("output tokens", Decimal("4.088665"), Decimal("6132.9975")),
    ]
    assert draft.total == Decimal("12841.5585")
    assert draft.findings == ()

    [invoice] = client.v1.customers.invoices.list(customer_id=contoso)
    assert (invoice.status, invoice.total) == ("DRAFT", 12841.5585)
    assert [(line.name, line.quantity, line.unit_price, line.total) for line in invoice.line_items] == [
        ("input tokens", 22.36187, 300, 6708.561),
        ("output tokens", 4.088665, 1500, 6132.9975),
    ]


def test_importing_the_trace_twice_changes_nothing(client, metrics, contoso):
    run_import()
    once = client.v1.customers.invoices.list(customer_id=contoso).data
    assert run_import() == "19,366 rows: 0 accepted, 19,366 duplicates, 0 conflicts, 0 refused."
    assert tokens(client, metrics) == {"input": 22_361_870, "output": 4_088_665}
    assert client.v1.customers.invoices.list(customer_id=contoso).data == once


def test_past_grace_the_invoice_is_final_and_adds_up_as_printed(client, contoso):
    run_import()
    finalize_due(UUID(contoso), at=DECEMBER + timedelta(hours=25), by=Actor.command("tests"))
    [invoice] = client.v1.customers.invoices.list(customer_id=contoso, status="FINALIZED")
    assert (invoice.start_timestamp, invoice.end_timestamp, invoice.total) == (NOVEMBER, DECEMBER, 12_842)
    assert sorted(line.total for line in invoice.line_items) == [6_133, 6_709]
