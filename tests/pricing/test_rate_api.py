from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pricing.models import Rate
from pricing.units import USD_ID
from tests.factories.pricing import ProductFactory, RateCardFactory, RateFactory

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


def test_adding_a_rate_replies_with_the_rate(api):
    card, product = RateCardFactory(), ProductFactory(version__pricing_group_key=["model"])
    body = rate(product, pricing_group_values={"model": "xl"}, price="0.000000000001", rate_type="flat")
    assert api.post(f"{RATE_CARDS}/addRate", {"rate_card_id": str(card.id), **body}) == {
        "data": {
            "rate_type": "FLAT",
            "price": D("0.000000000001"),
            "credit_type": USD,
            "pricing_group_values": {"model": "xl"},
            "rate_id": str(Rate.objects.get().pk),
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
        pytest.param({"rate_type": "CUSTOM"}, 501, "rate_type", id="a custom rate"),
        pytest.param({"custom_rate": {"a": 1}}, 400, "custom_rate", id="a custom rate beside FLAT"),
        pytest.param({"rate_type": "tiered", "tiers": [{"price": 1}]}, 400, "price", id="a price beside TIERED"),
        pytest.param({"rate_type": "tiered", "price": None}, 400, "tiers", id="no tiers"),
        pytest.param({"tiers": [{"price": 1}]}, 400, "tiers", id="tiers beside FLAT"),
        pytest.param(
            {"rate_type": "VOLUME", "price": None, "tiers": [{"price": 1}, {"price": 2}]},
            400,
            "tiers[0].size",
            id="a tier without a size",
        ),
        pytest.param(
            {"rate_type": "TIERED", "price": None, "tiers": [{"price": 1, "size": 0}, {"price": 2}]},
            400,
            "tiers[0].size",
            id="an empty tier",
        ),
        pytest.param(
            {"rate_type": "TIERED", "price": None, "tiers": [{"price": 1, "size": 5}]},
            400,
            "tiers[0].size",
            id="tiers that end",
        ),
        pytest.param({"rate_type": "PACKAGE"}, 400, "package_size", id="a package of no size"),
        pytest.param({"rate_type": "PACKAGE", "package_size": 0}, 400, "package_size", id="an empty package"),
        pytest.param({"package_size": 10}, 400, "package_size", id="a package beside FLAT"),
        pytest.param({"rate_type": "PERCENTAGE", "price": 0.5}, 400, "rate_type", id="a percentage of usage"),
        pytest.param({"quantity": 1}, 400, "quantity", id="a quantity beside FLAT"),
        pytest.param({"is_prorated": True}, 400, "is_prorated", id="a proration beside FLAT"),
        pytest.param({"commit_rate": {"rate_type": "FLAT"}}, 400, "commit_rate.price", id="a commit rate of nothing"),
        pytest.param(
            {"commit_rate": {"rate_type": "PERCENTAGE", "price": 1}}, 400, "commit_rate.rate_type", id="a commit rate"
        ),
        pytest.param({"billing_frequency": "monthly"}, 400, "billing_frequency", id="a frequency of usage"),
        pytest.param({"billing_frequency": "DAILY"}, 400, "billing_frequency", id="an unknown frequency"),
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
    first = RateFactory(rate_card=card, product=product, pricing_group_values={"model": "xl"}, price=D(4000))
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
                "rate_id": str(first.pk),
                "publication": first.publication_id,
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
