from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pricing.models import BillableMetric, Product, Rate, RateCard
from pricing.units import USD_ID
from tests.factories.pricing import (
    FixedProductFactory,
    MetricFactory,
    PricingUnitFactory,
    ProductFactory,
    RateCardAliasFactory,
    RateCardFactory,
    RateFactory,
)

PRODUCTS = "/v1/contract-pricing/products"
RATE_CARDS = "/v1/contract-pricing/rate-cards"
NOWHERE = "00000000-0000-0000-0000-000000000000"
USD = {"id": str(USD_ID), "name": "USD (cents)"}


def rate(product, **changes):
    return {
        "product_id": str(product.id),
        "entitled": True,
        "rate_type": "FLAT",
        "price": 0.2,
        "starting_at": "2025-01-01T00:00:00.000Z",
    } | changes


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
        pytest.param({"aggregation_type": "unique"}, 501, "aggregation_type", id="an aggregation to come"),
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
        pytest.param({"type": "COMPOSITE"}, 501, "type", id="a composite"),
        pytest.param({"type": "professional_service"}, 501, "type", id="a professional service"),
        pytest.param({"type": "GIFT"}, 400, "type", id="an unheard-of type"),
        pytest.param({"composite_tags": ["ai"]}, 501, "composite_tags", id="tags of a composite"),
        pytest.param({"is_refundable": False}, 501, "is_refundable", id="not refundable"),
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
            501,
            "credit_type_conversions",
            id="a custom unit",
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


def test_adding_a_rate_replies_with_the_rate(api):
    card, product = RateCardFactory(), ProductFactory(version__pricing_group_key=["model"])
    body = rate(product, pricing_group_values={"model": "xl"}, price="0.000000000001", rate_type="flat")
    assert api.post(f"{RATE_CARDS}/addRate", {"rate_card_id": str(card.id), **body}) == {
        "data": {
            "rate_type": "FLAT",
            "price": D("0.000000000001"),
            "credit_type": USD,
            "pricing_group_values": {"model": "xl"},
        }
    }


def test_adding_rates_replies_with_the_rate_card(api):
    card, product = RateCardFactory(), ProductFactory()
    rates = [rate(product), rate(product, starting_at="2025-07-01T02:00:00.000+02:00", price=3)]
    assert api.post(f"{RATE_CARDS}/addRates", {"rate_card_id": str(card.id), "rates": rates}) == {
        "data": {"id": str(card.id)}
    }
    assert [str(row.starting_at) for row in Rate.objects.order_by("id")] == [
        "2025-01-01 00:00:00+00:00",
        "2025-07-01 00:00:00+00:00",
    ]
    assert len(set(Rate.objects.values_list("publication", flat=True))) == 1


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        pytest.param({"price": -1}, 400, "price", id="a negative price"),
        pytest.param({"price": "NaN"}, 400, "price", id="not a number"),
        pytest.param({"price": True}, 400, "price", id="a truth"),
        pytest.param({"price": None}, 400, "price", id="no price"),
        pytest.param({"price": "0.0000000000001"}, 400, "price", id="thirteen decimals"),
        pytest.param({"price": 1e16}, 400, "price", id="seventeen digits"),
        pytest.param({"starting_at": "2025-01-01T00:00:01Z"}, 400, "starting_at", id="off the hour"),
        pytest.param({"starting_at": 1735689600}, 400, "starting_at", id="seconds since 1970"),
        pytest.param({"ending_before": "2025-01-01T00:00:00Z"}, 400, "ending_before", id="an end at the start"),
        pytest.param({"product_id": NOWHERE}, 400, "product_id", id="an unknown product"),
        pytest.param({"product_id": "xl"}, 400, "product_id", id="a product by name"),
        pytest.param({"entitled": None}, 400, "entitled", id="neither entitled nor not"),
        pytest.param({"rate_type": "tiered"}, 501, "rate_type", id="tiers"),
        pytest.param({"tiers": [{"price": 1}]}, 501, "tiers", id="tiers beside FLAT"),
        pytest.param({"commit_rate": {"rate_type": "FLAT", "price": 1}}, 501, "commit_rate", id="a commit rate"),
        pytest.param({"billing_frequency": "monthly"}, 501, "billing_frequency", id="a subscription"),
        pytest.param({"pricing_group_values": {"model": "xl"}}, 400, "pricing_group_values", id="a value too many"),
        pytest.param({"credit_type_id": NOWHERE}, 400, "credit_type_id", id="another unit"),
    ],
)
def test_a_rate_is_refused_by_field(api, changes, status, field):
    card, product = RateCardFactory(), ProductFactory()
    body = {"rate_card_id": str(card.id), **rate(product, **changes)}
    reply = api.post(f"{RATE_CARDS}/addRate", body, status=status)
    assert [error["field"] for error in reply["errors"]] == [field]
    many = {"rate_card_id": str(card.id), "rates": [rate(product), rate(product, **{"price": 5} | changes)]}
    reply = api.post(f"{RATE_CARDS}/addRates", many, status=status)
    assert f"rates[1].{field}" in [error["field"] for error in reply["errors"]]
    assert not Rate.objects.exists()


def test_rates_need_a_rate_card(api):
    body = {"rate_card_id": NOWHERE, "rates": [rate(ProductFactory())]}
    assert api.post(f"{RATE_CARDS}/addRates", body, status=400)["errors"] == [
        {"field": "rate_card_id", "value": NOWHERE, "rule": "there is no such rate card"}
    ]


def test_the_rates_in_force_are_listed_with_their_products(api):
    card = RateCardFactory()
    product = ProductFactory(
        name="Model xl", custom_fields={"sku": "X-1"}, version__pricing_group_key=["model"], version__tags=["ai"]
    )
    RateFactory(rate_card=card, product=product, pricing_group_values={"model": "xl"}, price=D(4000))
    RateFactory(
        rate_card=card,
        product=product,
        pricing_group_values={"model": "xl"},
        price=D(5000),
        starting_at="2025-07-01T00:00:00Z",
        entitled=False,
    )
    body = {"rate_card_id": str(card.id), "at": "2025-06-30T23:59:59"}
    assert api.post(f"{RATE_CARDS}/getRates", body) == {
        "data": [
            {
                "entitled": True,
                "product_id": str(product.id),
                "product_name": "Model xl",
                "product_tags": ["ai"],
                "product_custom_fields": {"sku": "X-1"},
                "pricing_group_values": {"model": "xl"},
                "rate": {
                    "rate_type": "FLAT",
                    "price": 4000,
                    "credit_type": USD,
                    "pricing_group_values": {"model": "xl"},
                },
                "starting_at": "2025-01-01T00:00:00+00:00",
                "ending_before": "2025-07-01T00:00:00+00:00",
            }
        ],
        "next_page": None,
    }


def test_the_rate_schedule_pages_by_row(api):
    card, product = RateCardFactory(), ProductFactory()
    for month in (1, 4, 7, 10):
        RateFactory(rate_card=card, product=product, price=D(month), starting_at=f"2025-{month:02}-01T00:00:00Z")
    body = {
        "rate_card_id": str(card.id),
        "starting_at": "2025-05-01",
        "selectors": [{"product_id": str(product.id)}],
    }
    prices, cursor = [], ""
    while cursor is not None:
        page = api.post(f"{RATE_CARDS}/getRateSchedule?limit=2&next_page={cursor}", body)
        assert len(page["data"]) <= 2
        prices += [(row["rate"]["price"], row["starting_at"][:10]) for row in page["data"]]
        cursor = page["next_page"]
    assert prices == [(4, "2025-04-01"), (7, "2025-07-01"), (10, "2025-10-01")]


@pytest.mark.parametrize("cursor", ["x", "WzEsMiwzLDRd", "WyJhIiwiYiIsImMiLCJkIl0"])
def test_a_cursor_from_elsewhere_is_refused(api, cursor):
    body = {"rate_card_id": str(RateCardFactory().id), "starting_at": "2025-05-01"}
    reply = api.post(f"{RATE_CARDS}/getRateSchedule?next_page={cursor}", body, status=400)
    assert reply["errors"][0]["field"] == "next_page"


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
    PricingUnitFactory(name=f"Tokens of {card.id}")


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
    assert queries_of_a_page() == one


@pytest.mark.parametrize("call", ["getRates", "getRateSchedule"])
def test_a_price_list_costs_the_same_with_one_row_and_with_three(api, call):
    card = RateCardFactory()
    body = {"rate_card_id": str(card.id), "at": "2025-05-01", "starting_at": "2025-05-01"}

    def queries_of_a_page():
        with CaptureQueriesContext(connection) as queries:
            found = api.post(f"{RATE_CARDS}/{call}", body)["data"]
        return len(found), len(queries)

    RateFactory(rate_card=card)
    api.post(f"{RATE_CARDS}/{call}", body)
    assert queries_of_a_page()[0] == 1
    one = queries_of_a_page()[1]
    RateFactory(rate_card=card)
    RateFactory(rate_card=card)
    assert queries_of_a_page() == (3, one)


def test_lists_page_by_query_even_on_post(api):
    cards = sorted(str(RateCardFactory().id) for _ in range(3))
    first = api.post(f"{RATE_CARDS}/list?limit=2")
    second = api.post(f"{RATE_CARDS}/list?limit=2&next_page={first['next_page']}")
    assert sorted(row["id"] for row in first["data"] + second["data"]) == cards
    assert second["next_page"] is None


def test_price_lists_page_over_products_and_values(api):
    card = RateCardFactory()
    for product in (ProductFactory(version__pricing_group_key=["model"]) for _ in range(2)):
        for model in ("m", "s", "xl"):
            RateFactory(rate_card=card, product=product, pricing_group_values={"model": model})
    body = {"rate_card_id": str(card.id), "at": "2025-05-01"}
    seen, cursor = [], ""
    while cursor is not None:
        page = api.post(f"{RATE_CARDS}/getRates?limit=4&next_page={cursor}", body)
        seen += [(row["product_id"], row["pricing_group_values"]["model"]) for row in page["data"]]
        cursor = page["next_page"]
    assert len(seen) == len(set(seen)) == 6
