"""The official client, two customers, two metrics, and how their events are sent."""

from datetime import datetime
from uuid import uuid4

import pytest

from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import MetricFactory
from tests.ledger.sdk import sdk_client
from tests.ledger.usage_api.reading import ACME, CALLS, GLOBEX, TOKENS


@pytest.fixture
def client():
    return sdk_client()


@pytest.fixture
def acme():
    return CustomerFactory(id=ACME, name="Acme", aliases=["acme"])


@pytest.fixture
def globex():
    return CustomerFactory(id=GLOBEX, name="Globex", aliases=["globex"])


@pytest.fixture
def calls():
    """Counts calls, by region, and by region and team."""
    return MetricFactory(
        id=CALLS,
        name="API calls",
        event_type_filter={"in_values": ["call"]},
        group_keys=[["region"], ["region", "team"]],
    )


@pytest.fixture
def amounts():
    """Adds up tokens, by model."""
    return MetricFactory(
        id=TOKENS,
        name="Tokens",
        aggregation_type="SUM",
        aggregation_key="tokens",
        event_type_filter={"in_values": ["completion"]},
        property_filters=[{"name": "tokens", "exists": True}],
        group_keys=[["model"]],
    )


@pytest.fixture
def send(client):
    """Post events: (customer_id, event_type, timestamp, properties), each under an id of its own or a given one."""

    def post(*events: tuple[str, str, datetime, dict], ids: list[str] | None = None) -> None:
        client.v1.usage.ingest(
            usage=[
                {
                    "transaction_id": ids[index] if ids else str(uuid4()),
                    "customer_id": customer_id,
                    "event_type": event_type,
                    "timestamp": timestamp.isoformat(),
                    "properties": properties,
                }
                for index, (customer_id, event_type, timestamp, properties) in enumerate(events)
            ]
        )

    return post
