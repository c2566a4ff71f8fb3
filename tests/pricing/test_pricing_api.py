import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pricing.models import BillableMetric, Product, RateCard
from pricing.units import USD_ID
from tests.factories.pricing import (
    FixedProductFactory,
    MetricFactory,
    PricingUnitFactory,
    ProductFactory,
    RateCardAliasFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateFactory,
)

PRODUCTS = "/v1/contract-pricing/products"
RATE_CARDS = "/v1/contract-pricing/rate-cards"
NOWHERE = "00000000-0000-0000-0000-000000000000"
USD = {"id": str(USD_ID), "name": "USD (cents)"}


def test_a_metric_is_read_as_it_was_defined(api):
    definition = {
        "name": "Tokens",
        "aggregation_type": "sum",
        "aggregation_key": "tokens",
        "event_type_filter": {"in_values": ["completion"]},
        "property_filters": [
            {"name": "tokens", "exists": True},
            {"name": "model", "exists": None, "not_in_values": ["test"], "comment": "an unknown field"},
        ],
        "group_keys": [["model"], ["model", "region"]],
        "custom_fields": {"team": "platform"},
        "sql": None,
    }
    metric_id = api.post("/v1/billable-metrics/create", definition)["data"]["id"]
    assert api.get(f"/v1/billable-metrics/{metric_id}") == {
        "data": {
            "id": metric_id,
            "name": "Tokens",
            "aggregation_type": "SUM",
            "aggregation_key": "tokens",
            "event_type_filter": {"in_values": ["completion"]},
            "property_filters": [{"name": "tokens", "exists": True}, {"name": "model", "not_in_values": ["test"]}],
            "group_keys": [["model"], ["model", "region"]],
            "custom_fields": {"team": "platform"},
        }
    }


def test_a_metric_is_renamed_and_archived(api):
    metric = MetricFactory()
    assert api.put(f"/v1/billable-metrics/{metric.id}", {"name": "Calls"}) == {"data": {"id": str(metric.id)}}
    assert api.post("/v1/billable-metrics/archive", {"id": str(metric.id)}) == {"data": {"id": str(metric.id)}}
    shown = api.get(f"/v1/billable-metrics/{metric.id}")["data"]
    assert shown["name"] == "Calls"
    assert shown["archived_at"]
    assert api.get("/v1/billable-metrics") == {"data": [], "next_page": None}
    assert [row["id"] for row in api.get("/v1/billable-metrics?include_archived=true")["data"]] == [str(metric.id)]


def test_history_says_which_token_renamed_a_metric(api):
    metric = MetricFactory()
    api.put(f"/v1/billable-metrics/{metric.id}", {"name": "Calls"})
    latest = metric.history.first()
    assert (latest.name, latest.actor_kind, latest.actor_label, latest.source) == (
        "Calls",
        "TOKEN",
        "Provisioning",
        "API",
    )


@pytest.mark.parametrize("metric_id", [NOWHERE, "create", "not-an-id"])
def test_an_unknown_metric_is_not_found(api, metric_id):
    if metric_id == "create":
        api.get("/v1/billable-metrics/create", status=405)
    else:
        assert api.get(f"/v1/billable-metrics/{metric_id}", status=404)["errors"][0]["field"] == "billable_metric_id"


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        pytest.param({"name": " "}, 400, "name", id="no name"),
        pytest.param({"aggregation_type": None}, 400, "aggregation_type", id="no aggregation"),
        pytest.param({"aggregation_type": "MEDIAN"}, 400, "aggregation_type", id="an unheard-of aggregation"),
        pytest.param({"sql": "SELECT 1"}, 501, "sql", id="SQL"),
        pytest.param({"aggregation_key": 5}, 400, "aggregation_key", id="a number for a name"),
        pytest.param({"group_keys": [["a", "b"], ["b", "a"]]}, 400, "group_keys[1]", id="a group key twice"),
        pytest.param(
            {"property_filters": [{"name": "a", "in_values": []}]},
            400,
            "property_filters[0].in_values",
            id="an empty list of values",
        ),
    ],
)
def test_a_metric_is_refused_by_field(api, changes, status, field):
    body = {"name": "Tokens", "aggregation_type": "SUM", "aggregation_key": "tokens"} | changes
    reply = api.post("/v1/billable-metrics/create", body, status=status)
    assert [error["field"] for error in reply["errors"]] == [field]
    assert not BillableMetric.objects.exists()


def test_a_product_is_read_as_it_was_defined(api):
    metric = MetricFactory(group_keys=[["region", "model"]])
    product_id = api.post(
        f"{PRODUCTS}/create",
        {
            "name": "Model xl",
            "type": "usage",
            "billable_metric_id": str(metric.id),
            "pricing_group_key": ["model"],
            "presentation_group_key": ["region"],
            "quantity_conversion": {"conversion_factor": 1000000, "operation": "divide", "name": "millions"},
            "quantity_rounding": {"decimal_places": 2, "rounding_method": "round_up"},
            "tags": ["ai"],
            "custom_fields": {"sku": "X-1"},
            "composite_tags": [],
            "is_refundable": True,
        },
    )["data"]["id"]
    shown = api.post(f"{PRODUCTS}/get", {"id": product_id})["data"]
    created_at = shown["initial"].pop("created_at")
    assert shown["current"].pop("created_at") == created_at
    state = {
        "created_by": "Provisioning",
        "name": "Model xl",
        "billable_metric_id": str(metric.id),
        "pricing_group_key": ["model"],
        "presentation_group_key": ["region"],
        "quantity_conversion": {"conversion_factor": 1000000, "operation": "DIVIDE", "name": "millions"},
        "quantity_rounding": {"decimal_places": 2, "rounding_method": "ROUND_UP"},
        "is_refundable": True,
        "tags": ["ai"],
    }
    assert shown == {
        "id": product_id,
        "type": "USAGE",
        "initial": state,
        "current": state,
        "updates": [],
        "custom_fields": {"sku": "X-1"},
    }


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        pytest.param({"type": "GIFT"}, 400, "type", id="an unheard-of type"),
        pytest.param({"composite_tags": ["ai"]}, 400, "composite_tags", id="tags of a composite"),
        pytest.param({"exclude_free_usage": True}, 400, "exclude_free_usage", id="a switch of a composite"),
        pytest.param({"billable_metric_id": NOWHERE}, 400, "billable_metric_id", id="an unknown metric"),
        pytest.param({"pricing_group_key": ["region"]}, 400, "pricing_group_key", id="half of a compound key"),
        pytest.param(
            {"quantity_conversion": {"conversion_factor": "0", "operation": "DIVIDE"}},
            400,
            "quantity_conversion.conversion_factor",
            id="a conversion by zero",
        ),
    ],
)
def test_a_product_is_refused_by_field(api, changes, status, field):
    metric = MetricFactory(group_keys=[["region", "model"]])
    body = {"name": "Model xl", "type": "USAGE", "billable_metric_id": str(metric.id)} | changes
    reply = api.post(f"{PRODUCTS}/create", body, status=status)
    assert [error["field"] for error in reply["errors"]] == [field]
    assert not Product.objects.exists()


def test_archived_products_are_listed_when_asked_for(api):
    kept, retired = FixedProductFactory(), ProductFactory()
    assert api.post(f"{PRODUCTS}/archive", {"product_id": str(retired.id)}) == {"data": {"id": str(retired.id)}}

    def listed(body):
        return [row["id"] for row in api.post(f"{PRODUCTS}/list", body)["data"]]

    assert listed(None) == [str(kept.id)]
    assert listed({"archive_filter": "archived"}) == [str(retired.id)]
    assert sorted(listed({"archive_filter": "ALL"})) == sorted([str(kept.id), str(retired.id)])
    assert api.post(f"{PRODUCTS}/get", {"id": str(retired.id)})["data"]["archived_at"]


def test_a_rate_card_is_read_as_it_was_created(api):
    card_id = api.post(
        f"{RATE_CARDS}/create",
        {
            "name": "List prices",
            "description": "For everybody",
            "aliases": [
                {"name": "standard", "starting_at": "2025-01-01", "ending_before": "2026-01-01T00:00:00"},
                {"name": "self-serve"},
            ],
            "custom_fields": {"owner": "RevOps"},
        },
    )["data"]["id"]
    shown = api.post(f"{RATE_CARDS}/get", {"id": card_id})["data"]
    assert shown.pop("created_at")
    assert shown == {
        "id": card_id,
        "name": "List prices",
        "description": "For everybody",
        "created_by": "Provisioning",
        "fiat_credit_type": USD,
        "aliases": [
            {"name": "self-serve"},
            {
                "name": "standard",
                "starting_at": "2025-01-01T00:00:00+00:00",
                "ending_before": "2026-01-01T00:00:00+00:00",
            },
        ],
        "credit_type_conversions": [],
        "custom_fields": {"owner": "RevOps"},
    }


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        pytest.param({"fiat_credit_type_id": NOWHERE}, 400, "fiat_credit_type_id", id="an unknown unit"),
        pytest.param(
            {"credit_type_conversions": [{"custom_credit_type_id": NOWHERE, "fiat_per_custom_credit": 1}]},
            400,
            "credit_type_conversions[0].custom_credit_type_id",
            id="an unknown custom unit",
        ),
        pytest.param(
            {"aliases": [{"name": "standard", "starting_at": "2025-01-01T00:30:00Z"}]},
            400,
            "aliases[0].starting_at",
            id="an alias off the hour",
        ),
        pytest.param(
            {"aliases": [{"name": "standard", "starting_at": "soon"}]}, 400, "aliases[0].starting_at", id="words"
        ),
    ],
)
def test_a_rate_card_is_refused_by_field(api, changes, status, field):
    reply = api.post(f"{RATE_CARDS}/create", {"name": "List prices"} | changes, status=status)
    assert [error["field"] for error in reply["errors"]] == [field]
    assert not RateCard.objects.exists()


def test_an_archived_rate_card_is_readable_and_not_listed(api):
    card = RateCardFactory()
    assert [row["id"] for row in api.post(f"{RATE_CARDS}/list")["data"]] == [str(card.id)]
    assert api.post(f"{RATE_CARDS}/archive", {"id": str(card.id)}) == {"data": {"id": str(card.id)}}
    assert api.post(f"{RATE_CARDS}/list")["data"] == []
    assert api.post(f"{RATE_CARDS}/get", {"id": str(card.id)})["data"]["id"] == str(card.id)


def test_pricing_units_are_listed_created_and_archived(api):
    unit_id = api.post("/v1/credit-types/create", {"name": "Tokens"})["data"]["id"]
    reply = api.post("/v1/credit-types/create", {"name": "Tokens"}, status=409)
    assert reply["errors"][0]["field"] == "name"
    listed = {row["name"]: row for row in api.get("/v1/credit-types/list")["data"]}
    assert listed["USD (cents)"] == {**USD, "is_currency": True}
    assert {"EUR", "GBP", "JPY", "KWD"} <= set(listed)
    assert listed["Tokens"] == {"id": unit_id, "name": "Tokens", "is_currency": False}
    assert api.post("/v1/credit-types/archive", {"id": unit_id}) == {"data": {"id": unit_id}}
    assert "Tokens" not in [row["name"] for row in api.get("/v1/credit-types/list")["data"]]
    assert api.post("/v1/credit-types/archive", {"id": str(USD_ID)}, status=400)["errors"][0]["field"] == "id"


def test_a_read_token_reads_and_does_not_write(db, api_for):
    reader, metric = api_for("read"), MetricFactory()
    assert reader.get(f"/v1/billable-metrics/{metric.id}")["data"]["id"] == str(metric.id)
    assert reader.post(f"{PRODUCTS}/list")["data"] == []
    for path in (f"{PRODUCTS}/create", f"{RATE_CARDS}/addRates", "/v1/credit-types/archive"):
        reader.post(path, {}, status=403)
    reader.put(f"/v1/billable-metrics/{metric.id}", {"name": "Calls"}, status=403)


def rows_of_each_list():
    """One row in every list."""
    card = RateCardFactory()
    MetricFactory()
    RateFactory(rate_card=card)
    RateCardAliasFactory(rate_card=card)
    RateCardConversionFactory(rate_card=card, unit=PricingUnitFactory(name=f"Tokens of {card.id}"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/v1/billable-metrics"),
        ("post", f"{PRODUCTS}/list"),
        ("post", f"{RATE_CARDS}/list"),
        ("get", "/v1/credit-types/list"),
    ],
)
def test_a_list_costs_the_same_with_one_row_and_with_three(api, method, path):
    def queries_of_a_page():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            getattr(api, method)(path)
        return len(queries)

    rows_of_each_list()
    getattr(api, method)(path)  # the token is looked up and then remembered
    one = queries_of_a_page()
    rows_of_each_list()
    rows_of_each_list()
    getattr(api, method)(path)
    assert queries_of_a_page() == one


def test_lists_page_by_query_even_on_post(api):
    cards = sorted(str(RateCardFactory().id) for _ in range(3))
    first = api.post(f"{RATE_CARDS}/list?limit=2")
    second = api.post(f"{RATE_CARDS}/list?limit=2&next_page={first['next_page']}")
    assert sorted(row["id"] for row in first["data"] + second["data"]) == cards
    assert second["next_page"] is None
