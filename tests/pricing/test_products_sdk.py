"""Products of every type, by the official client against a running server: every field there and back."""

from datetime import UTC, datetime

import pytest
from metronome import BadRequestError, Metronome, NotFoundError

from billing_site.foundation import tokens
from tests.factories.pricing import ADA, NOW

NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def client(live_server):
    secret = tokens.create_token("SDK", scope="admin", at=NOW, by=ADA)[1]
    with Metronome(bearer_token=secret, base_url=live_server.url, max_retries=0) as client:
        yield client


def metric(client):
    return client.v1.billable_metrics.create(
        name="Bytes",
        aggregation_type="SUM",
        aggregation_key="bytes",
        event_type_filter={"in_values": ["transfer"]},
        group_keys=[["zone"], ["zone", "tier"]],
    ).data.id


def state(of):
    """A state but for its start, and when and by whom it was made."""
    apart = ("created_at", "created_by", "starting_at")
    return {name: value for name, value in of.to_dict().items() if name not in apart}


def test_a_usage_product_comes_back_as_it_was_sent(client):
    products, metric_id = client.v1.contracts.products, metric(client)
    sent = {
        "name": "Transfer",
        "billable_metric_id": metric_id,
        "pricing_group_key": ["zone"],
        "presentation_group_key": ["tier"],
        "quantity_conversion": {"conversion_factor": 1024.5, "operation": "DIVIDE", "name": "kB"},
        "quantity_rounding": {"decimal_places": 2, "rounding_method": "ROUND_HALF_UP"},
        "is_refundable": False,
        "netsuite_internal_item_id": "T-1",
        "netsuite_overage_item_id": "T-2",
        "tags": ["network", "paid"],
    }
    made = products.create(
        type="USAGE", custom_fields={"team": "net"}, sql_breakdown_granularity="HOUR", **sent
    ).data.id
    found = products.retrieve(id=made).data
    assert (found.type, found.custom_fields, found.updates, found.archived_at) == ("USAGE", {"team": "net"}, [], None)
    assert state(found.initial) == state(found.current) == sent
    assert (found.initial.created_by, found.initial.starting_at) == ("SDK", None)


def test_an_update_says_what_it_named_and_what_it_emptied(client):
    products, metric_id = client.v1.contracts.products, metric(client)
    made = products.create(
        name="Transfer",
        type="USAGE",
        billable_metric_id=metric_id,
        pricing_group_key=["zone"],
        presentation_group_key=["tier"],
        quantity_conversion={"conversion_factor": 1024, "operation": "DIVIDE"},
        quantity_rounding={"decimal_places": 0, "rounding_method": "ROUND_UP"},
        netsuite_internal_item_id="T-1",
        tags=["network"],
    ).data.id
    emptied = {
        "presentation_group_key": [],
        "quantity_conversion": None,
        "quantity_rounding": None,
        "netsuite_internal_item_id": "",
        "tags": [],
    }
    assert products.update(product_id=made, starting_at=NOVEMBER, **emptied).data.id == made
    found = products.retrieve(id=made).data
    [update] = found.updates
    assert (update.starting_at, found.current.starting_at) == (NOVEMBER, NOVEMBER)
    assert state(update) == emptied
    assert state(found.current) == {
        "name": "Transfer",
        "billable_metric_id": metric_id,
        "pricing_group_key": ["zone"],
        "is_refundable": True,
        "tags": [],
    }


@pytest.mark.parametrize(
    ("type", "shown", "definition"),
    [
        ("FIXED", "FIXED", {}),
        ("SUBSCRIPTION", "SUBSCRIPTION", {"tags": ["seats"]}),
        ("PRO_SERVICE", "PRO_SERVICE", {}),
        ("PROFESSIONAL_SERVICE", "PRO_SERVICE", {}),
        (
            "COMPOSITE",
            "COMPOSITE",
            {"composite_tags": ["ai"], "exclude_free_usage": True, "include_composite_spend": True},
        ),
    ],
)
def test_products_of_every_other_type(client, type, shown, definition):
    products = client.v1.contracts.products
    made = products.create(name="Product", type=type, **definition).data.id
    found = products.retrieve(id=made).data
    assert found.type == shown
    assert state(found.current) == {"name": "Product", "is_refundable": True, "tags": []} | definition


def test_a_list_filters_and_pages(client):
    products = client.v1.contracts.products
    made = [products.create(name=name, type="FIXED").data.id for name in ("One", "Two", "Three")]
    assert products.archive(product_id=made[1]).data.id == made[1]
    assert products.archive(product_id=made[1]).data.id == made[1]
    assert [row.id for row in products.list(limit=1)] == [made[0], made[2]]
    assert [row.id for row in products.list(archive_filter="ARCHIVED")] == [made[1]]
    assert [row.id for row in products.list(archive_filter="ALL", limit=2)] == made
    assert products.retrieve(id=made[1]).data.archived_at is not None


@pytest.mark.parametrize(
    ("sent", "field", "rule"),
    [
        ({"name": " "}, "name", "This field may not be blank"),
        ({"type": "OTHER"}, "type", "must be one of USAGE,"),
        ({"tags": "ai"}, "tags", "Expected a list"),
        ({"custom_fields": {"team": 5}}, "custom_fields.team", "must be text"),
        ({"sql_breakdown_granularity": "DAY"}, "sql_breakdown_granularity", "must be one of HOUR, SERVICE_PERIOD"),
        ({"type": "USAGE"}, "billable_metric_id", "needs a billable metric"),
        ({"type": "USAGE", "billable_metric_id": NOWHERE}, "billable_metric_id", "there is no such billable metric"),
        ({"type": "COMPOSITE"}, "composite_product_ids", "needs these, or composite_tags"),
        ({"type": "COMPOSITE", "composite_product_ids": [NOWHERE]}, "composite_product_ids[0]", "no such product"),
        ({"exclude_free_usage": True}, "exclude_free_usage", "is for COMPOSITE products only"),
        ({"pricing_group_key": ["zone"]}, "pricing_group_key", "is for USAGE products only"),
        (
            {"quantity_rounding": {"decimal_places": 1.5, "rounding_method": "ROUND_UP"}},
            "quantity_rounding.decimal_places",
            "A valid integer is required",
        ),
    ],
)
def test_what_is_refused_is_named(client, sent, field, rule):
    products = client.v1.contracts.products
    with pytest.raises(BadRequestError) as refused:
        products.create(**{"name": "Product", "type": "FIXED"} | sent)
    [error] = refused.value.body["errors"]
    assert error["field"] == field
    assert rule in error["rule"]
    assert list(products.list(archive_filter="ALL")) == []


def test_what_is_not_there_is_not_found(client):
    products = client.v1.contracts.products
    for call in (
        lambda: products.retrieve(id=NOWHERE),
        lambda: products.update(product_id=NOWHERE, starting_at=NOVEMBER, name="Product"),
        lambda: products.archive(product_id=NOWHERE),
    ):
        with pytest.raises(NotFoundError, match="There is no product"):
            call()
