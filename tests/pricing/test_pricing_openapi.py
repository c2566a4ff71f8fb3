"""What the API says and what its document says of it are the same."""

import json
from decimal import Decimal as D

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from pricing.urls import urlpatterns
from tests.factories.pricing import (
    FormulaFactory,
    MetricFactory,
    NamedScheduleSegmentFactory,
    ProductFactory,
    RateCardAliasFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateFactory,
)

PRODUCTS = "/v1/contract-pricing/products"
RATE_CARDS = "/v1/contract-pricing/rate-cards"


@pytest.fixture(scope="module")
def document():
    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        document = SchemaGenerator(patterns=urlpatterns).get_schema(request=None, public=True)
    warnings = [str(found) for found in (*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache)]
    assert warnings == []
    return json.loads(json.dumps(document, default=str))


def closed(schema):
    """The schema, with no room for fields that it does not name."""
    if isinstance(schema, dict):
        extra = {"additionalProperties": False} if "properties" in schema else {}
        return extra | {name: closed(part) for name, part in schema.items()}
    return [closed(part) for part in schema] if isinstance(schema, list) else schema


@pytest.fixture
def check(document):
    """Holds a reply against the document."""

    def check(method, path, reply):
        described = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = closed({"components": document["components"]}) | {"$ref": described["$ref"]}
        plain = json.loads(json.dumps(reply, default=float))
        assert list(Draft202012Validator(schema).iter_errors(plain)) == []

    return check


@pytest.fixture
def metric(db):
    return MetricFactory(
        property_filters=[{"name": "region", "exists": True, "in_values": ["eu"]}],
        group_keys=[["model", "region"]],
        aggregation_key="calls",
        archived_at="2025-05-01T00:00:00Z",
    )


@pytest.fixture
def rate(metric):
    product = ProductFactory(
        archived_at="2025-05-01T00:00:00Z",
        version__billable_metric=metric,
        version__pricing_group_key=["model"],
        version__presentation_group_key=["region"],
        version__conversion_factor=D("0.5"),
        version__conversion_operation="DIVIDE",
        version__conversion_name="pairs",
        version__rounding_decimal_places=2,
        version__rounding_method="ROUND_UP",
        version__tags=["ai"],
    )
    card = RateCardFactory()
    RateCardAliasFactory(rate_card=card, starting_at="2025-01-01T00:00:00Z", ending_before="2026-01-01T00:00:00Z")
    RateCardConversionFactory(rate_card=card)
    NamedScheduleSegmentFactory(rate_card=card, ending_before="2026-01-01T00:00:00Z")
    return RateFactory(
        rate_card=card, product=product, pricing_group_values={"model": "xl"}, ending_before="2027-01-01T00:00:00Z"
    )


def test_every_reading_reply_is_as_described(api, check, rate, metric):
    check("get", "/v1/billable-metrics", api.get("/v1/billable-metrics?include_archived=true"))
    check("get", "/v1/billable-metrics/{billable_metric_id}", api.get(f"/v1/billable-metrics/{metric.id}"))
    check("post", f"{PRODUCTS}/get", api.post(f"{PRODUCTS}/get", {"id": str(rate.product_id)}))
    check("post", f"{PRODUCTS}/list", api.post(f"{PRODUCTS}/list", {"archive_filter": "ALL"}))
    check("post", f"{RATE_CARDS}/get", api.post(f"{RATE_CARDS}/get", {"id": str(rate.rate_card_id)}))
    check("post", f"{RATE_CARDS}/list", api.post(f"{RATE_CARDS}/list"))
    check("get", "/v1/credit-types/list", api.get("/v1/credit-types/list"))
    card = {"rate_card_id": str(rate.rate_card_id)}
    check("post", f"{RATE_CARDS}/getRates", api.post(f"{RATE_CARDS}/getRates", card | {"at": "2025-06-01"}))
    named = api.post(f"{RATE_CARDS}/getNamedSchedule", card | {"schedule_name": "regions"})
    check("post", f"{RATE_CARDS}/getNamedSchedule", named)
    formula = FormulaFactory(rate_card=rate.rate_card)
    RateFactory(rate_card=rate.rate_card, product=formula.product)
    asked = card | {"product_id": str(formula.product_id)}
    check("post", f"{RATE_CARDS}/getFormula", api.post(f"{RATE_CARDS}/getFormula", asked))
    schedule = api.post(f"{RATE_CARDS}/getRateSchedule", card | {"starting_at": "2025-06-01"})
    check("post", f"{RATE_CARDS}/getRateSchedule", schedule)


def test_every_writing_reply_is_as_described(api, check):
    metric = api.post("/v1/billable-metrics/create", {"name": "Calls", "aggregation_type": "COUNT"})
    check("post", "/v1/billable-metrics/create", metric)
    metric_id = metric["data"]["id"]
    renamed = api.put(f"/v1/billable-metrics/{metric_id}", {"name": "API calls"})
    check("put", "/v1/billable-metrics/{billable_metric_id}", renamed)
    body = {"name": "API calls", "type": "USAGE", "billable_metric_id": metric_id}
    product = api.post(f"{PRODUCTS}/create", body)
    check("post", f"{PRODUCTS}/create", product)
    card = api.post(f"{RATE_CARDS}/create", {"name": "List prices"})
    check("post", f"{RATE_CARDS}/create", card)
    card_id = card["data"]["id"]
    same = {"rate_card_id": card_id}
    check("post", f"{RATE_CARDS}/update", api.post(f"{RATE_CARDS}/update", same | {"name": "Prices"}))
    for verb, empty in (("setRateCardProductsOrder", "product_order"), ("moveRateCardProducts", "product_moves")):
        check("post", f"{RATE_CARDS}/{verb}", api.post(f"{RATE_CARDS}/{verb}", same | {empty: []}))
    rate = {
        "product_id": product["data"]["id"],
        "entitled": True,
        "rate_type": "FLAT",
        "price": 0.2,
        "starting_at": "2025-01-01",
    }
    body = {"rate_card_id": card["data"]["id"]}
    check("post", f"{RATE_CARDS}/addRate", api.post(f"{RATE_CARDS}/addRate", body | rate))
    check("post", f"{RATE_CARDS}/addRates", api.post(f"{RATE_CARDS}/addRates", body | {"rates": [rate]}))
    base = {"product_id": product["data"]["id"], "starting_at": "2025-03-01", "nodes": [{"name": "base", "number": 1}]}
    stated = {**body, **base, "entitled": True, "exceptions": "REPLACE"}
    check("post", f"{RATE_CARDS}/setFormula", api.post(f"{RATE_CARDS}/setFormula", stated))
    changed = {**body, **base, "nodes": [{"name": "base", "number": 2}]}
    check("post", f"{RATE_CARDS}/changeFormula", api.post(f"{RATE_CARDS}/changeFormula", changed))
    archive = "/v1/billable-metrics/archive"
    check("post", archive, api.post(archive, {"id": metric_id}))
    unit = api.post("/v1/credit-types/create", {"name": "Tokens"})
    check("post", "/v1/credit-types/create", unit)


def test_every_call_says_in_a_line_what_it_does(document):
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), f"{method} {path}"
