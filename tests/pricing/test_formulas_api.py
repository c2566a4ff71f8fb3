"""Formulas over HTTP: stated, looked at beforehand, changed, read as they were known."""

from decimal import Decimal as D

import pytest

from pricing.models import Formula, PriceChange, Publication, Rate
from tests.factories.pricing import ProductFactory, RateCardFactory, RateFactory

pytestmark = pytest.mark.django_db

RATE_CARDS = "/v1/contract-pricing/rate-cards"
NOWHERE = "00000000-0000-0000-0000-000000000000"
JANUARY, JULY = "2025-01-01T00:00:00+00:00", "2025-07-01T00:00:00+00:00"
NODES = [
    {"name": "cost", "values": {"model": "xl"}, "number": D("30.5")},
    {"name": "cost", "values": {"model": "small"}, "number": 2},
    {"name": "markup", "values": {}, "number": 2},
]


@pytest.fixture
def place():
    product = ProductFactory(version__pricing_group_key=["model"])
    return {"rate_card_id": str(RateCardFactory().pk), "product_id": str(product.pk)}


@pytest.fixture
def whole(place):
    nodes = [node | {"number": float(node["number"])} for node in NODES]
    return {**place, "starting_at": "2025-01-01", "entitled": True, "nodes": nodes}


@pytest.fixture
def change(place):
    nodes = [{"name": "cost", "values": {"model": "xl"}, "number": 20}]
    return {**place, "starting_at": "2025-07-01", "nodes": nodes, "reason": "The provider is cheaper"}


def test_a_formula_is_stated_changed_and_read(api, place, whole, change):
    first = api.post(f"{RATE_CARDS}/setFormula", whole)["data"]
    published = Publication.objects.latest("number").number
    assert first == {
        "id": place["rate_card_id"],
        "publication": published,
        "changes": [
            {"pricing_group_values": {"model": "xl"}, "starting_at": JANUARY, "price": 61},
            {"pricing_group_values": {"model": "small"}, "starting_at": JANUARY, "price": 4},
        ],
        "exceptions": [],
        "left": [],
        "unchanged": 0,
    }
    second = api.post(f"{RATE_CARDS}/changeFormula", change)["data"]
    (moved,) = second["changes"]
    assert (moved["pricing_group_values"], moved["price"], moved["rate_before"]["price"]) == ({"model": "xl"}, 40, 61)
    assert second["unchanged"] == 1
    assert PriceChange.objects.filter(reason="The provider is cheaper").count() == 1
    assert api.post(f"{RATE_CARDS}/getFormula", place | {"at": "2025-03-01"})["data"]["nodes"] == NODES
    now = api.post(f"{RATE_CARDS}/getFormula", place | {"at": "2025-08-01"})["data"]
    assert (now["starting_at"], now["publication"], now["nodes"][0]["number"]) == (JULY, second["publication"], 20)
    assert [(row["price"], row["rate"]["price"], row["is_exception"]) for row in now["prices"]] == [
        (40, 40, False),
        (4, 4, False),
    ]
    assert [statement["changed_nodes"] for statement in now["statements"]] == [
        [],
        [{"name": "cost", "values": {"model": "xl"}, "number": 20}],
    ]


def test_a_dry_run_says_what_would_change_and_changes_nothing(api, whole, change):
    assert len(api.post(f"{RATE_CARDS}/setFormula", whole | {"dry_run": True})["data"]["changes"]) == 2
    assert not Formula.objects.exists()
    api.post(f"{RATE_CARDS}/setFormula", whole)
    reply = api.post(f"{RATE_CARDS}/changeFormula", change | {"dry_run": True})["data"]
    assert "publication" not in reply
    assert [(row["rate_before"]["price"], row["price"]) for row in reply["changes"]] == [(61, 40)]
    assert (Formula.objects.count(), Rate.objects.count()) == (1, 2)


def test_an_exception_is_named_and_kept(api, place, whole):
    typed = RateFactory(
        rate_card_id=place["rate_card_id"], product_id=place["product_id"], pricing_group_values={"model": "xl"}
    )
    reply = api.post(f"{RATE_CARDS}/setFormula", whole, status=409)
    rule = "costs $0.01 a unit then, which is not the formula's price: say KEEP or REPLACE"
    assert reply["errors"] == [{"field": "exceptions", "value": "'model: xl'", "rule": rule}]
    kept = api.post(f"{RATE_CARDS}/setFormula", whole | {"exceptions": "keep"})["data"]
    assert [(row["price"], row["rate_before"]["price"]) for row in kept["exceptions"]] == [(61, 1)]
    assert [row["price"] for row in kept["changes"]] == [4]
    (odd, even) = api.post(f"{RATE_CARDS}/getFormula", place)["data"]["prices"]
    assert (odd["is_exception"], odd["rate_id"], even["is_exception"]) == (True, str(typed.pk), False)


def test_a_formula_is_read_as_it_was_known(api, place, whole):
    api.post(f"{RATE_CARDS}/setFormula", whole)
    api.post(f"{RATE_CARDS}/getFormula", place | {"as_of": "2020-01-01"}, status=404)
    known = api.post(f"{RATE_CARDS}/getFormula", place | {"at": "2025-08-01"})["data"]
    assert known["starting_at"] == JANUARY


def test_what_is_wrong_is_named(api, api_for, place, whole, change):
    reply = api.post(f"{RATE_CARDS}/getFormula", place, status=404)
    rule = "has no formula on the card then"
    assert reply["errors"] == [{"field": "product_id", "value": place["product_id"], "rule": rule}]
    broken = whole | {"nodes": [*whole["nodes"], {"name": "cost", "number": -1}]}
    reply = api.post(f"{RATE_CARDS}/setFormula", broken, status=400)
    assert [error["field"] for error in reply["errors"]] == ["nodes[3].number", "nodes[3].values"]
    reply = api.post(f"{RATE_CARDS}/setFormula", whole | {"nodes": [{"name": "base"}]}, status=400)
    assert reply["errors"][0]["field"] == "nodes[0].number"
    api.post(f"{RATE_CARDS}/changeFormula", change, status=400)
    api.post(f"{RATE_CARDS}/changeFormula", change | {"rate_card_id": NOWHERE}, status=404)
    api_for("read").post(f"{RATE_CARDS}/setFormula", whole, status=403)
    assert not Formula.objects.exists()
