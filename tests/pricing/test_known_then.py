"""What was known of the price list at an instant of the past: the publications up to then."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pricing.models import Product
from tests.factories.pricing import (
    ProductFactory,
    ProductVersionFactory,
    PublicationFactory,
    RateCardAliasFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateFactory,
    RateWithdrawalFactory,
)

pytestmark = pytest.mark.django_db

PRODUCTS = "/v1/contract-pricing/products"
RATE_CARDS = "/v1/contract-pricing/rate-cards"
JUNE = "2025-06-01T00:00:00Z"


def published(month):
    return PublicationFactory(published_at=datetime(2025, month, 1, 12, 30, tzinfo=UTC))


def noon(month, second=0):
    return f"2025-{month:02}-01T12:{30 if not second else 29}:{second:02}Z"


@pytest.fixture
def card():
    """A product called Calls since January's publication, and API calls since March's. It costs one cent since
    February's, two since April's, which May's took back; all of it from 2025 on."""
    card = RateCardFactory()
    product = ProductFactory(name="Calls", version__publication=published(1), version__tags=["old"])
    RateFactory(rate_card=card, product=product, publication=published(2))
    ProductVersionFactory(
        product=product,
        publication=published(3),
        name="API calls",
        starting_at=datetime(2025, 1, 1, tzinfo=UTC),
        changed_fields=["name", "tags"],
        tags=["new"],
    )
    later = RateFactory(rate_card=card, product=product, price=D(2), publication=published(4))
    RateWithdrawalFactory(rate=later, publication=published(5))
    return card


@pytest.fixture
def product(card):
    return Product.objects.get()


KNOWN = [
    pytest.param(noon(1), [], id="before the first price"),
    pytest.param(noon(2, 59), [], id="a second before it is published"),
    pytest.param(noon(2), [(1, "Calls")], id="as it is published"),
    pytest.param(noon(3), [(1, "API calls")], id="after the product was renamed"),
    pytest.param(noon(4), [(2, "API calls")], id="after the price was changed"),
    pytest.param(noon(5), [(1, "API calls")], id="after that was taken back"),
    pytest.param(None, [(1, "API calls")], id="now"),
]


@pytest.mark.parametrize(("as_of", "rows"), KNOWN)
@pytest.mark.parametrize(("verb", "asked"), [("getRates", "at"), ("getRateSchedule", "starting_at")])
def test_prices_as_they_were_known(api, card, verb, asked, as_of, rows):
    body = {"rate_card_id": str(card.id), asked: JUNE, "as_of": as_of}
    found = api.post(f"{RATE_CARDS}/{verb}", body)["data"]
    assert [(row["rate"]["price"], row["product_name"]) for row in found] == rows


@pytest.mark.parametrize(("as_of", "tag", "count"), [(noon(2), "old", 1), (noon(2), "new", 0), (noon(3), "new", 1)])
def test_prices_are_selected_by_the_tags_that_were_known(api, card, as_of, tag, count):
    ProductFactory(name="Later", version__publication=published(6))  # unknown to all of these
    body = {"rate_card_id": str(card.id), "at": JUNE, "as_of": as_of, "selectors": [{"product_tags": [tag]}]}
    assert len(api.post(f"{RATE_CARDS}/getRates", body)["data"]) == count


def test_products_as_they_were_known(api, product):
    other = ProductFactory(name="Later", version__publication=published(6))

    def names(as_of):
        return [row["current"]["name"] for row in api.post(f"{PRODUCTS}/list", {"as_of": as_of})["data"]]

    assert names("2024-12-31") == []
    assert names(noon(1)) == ["Calls"]
    assert names(noon(3)) == ["API calls"]
    assert sorted(names(None)) == ["API calls", "Later"]
    shown = api.post(f"{PRODUCTS}/get", {"id": str(product.id), "as_of": noon(2)})["data"]
    assert (shown["current"]["name"], shown["updates"]) == ("Calls", [])
    unknown = api.post(f"{PRODUCTS}/get", {"id": str(other.id), "as_of": noon(5)}, status=404)
    assert unknown["errors"][0]["field"] == "id"


def test_aliases_and_conversions_as_they_were_known(api):
    first, second = RateCardFactory(name="First"), RateCardFactory(name="Second")
    RateCardAliasFactory(rate_card=first, name="standard", publication=published(1))
    RateCardAliasFactory(rate_card=second, name="standard", publication=published(3))
    RateCardConversionFactory(rate_card=first, publication=published(4))

    def known(card, as_of):
        shown = api.post(f"{RATE_CARDS}/get", {"id": str(card.id), "as_of": as_of})["data"]
        conversions = [one["fiat_per_custom_credit"] for one in shown["credit_type_conversions"]]
        return [alias["name"] for alias in shown["aliases"]], conversions

    assert (known(first, noon(1)), known(second, noon(1))) == ((["standard"], []), ([], []))
    assert (known(first, noon(3)), known(second, noon(3))) == (([], []), (["standard"], []))
    assert known(first, noon(4)) == known(first, None) == ([], ["10"])


@pytest.mark.parametrize(
    ("path", "also"),
    [
        (f"{RATE_CARDS}/getRates", {"at": JUNE}),
        (f"{RATE_CARDS}/getRateSchedule", {"starting_at": JUNE}),
        (f"{RATE_CARDS}/get", {}),
        (f"{PRODUCTS}/get", {}),
        (f"{PRODUCTS}/list", {}),
    ],
)
def test_the_future_is_not_known(api, card, product, path, also):
    about = {"id": str(product.id)} if path.startswith(PRODUCTS) else {"id": str(card.id), "rate_card_id": str(card.id)}
    reply = api.post(path, {**about, **also, "as_of": "2999-01-01"}, status=400)
    [error] = reply["errors"]
    assert (error["field"], error["value"]) == ("as_of", "'2999-01-01T00:00:00+00:00'")
    assert error["rule"].startswith("must not be later than now, ")


def test_a_known_list_costs_the_same_with_one_row_and_with_three(api, card):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            api.post(f"{RATE_CARDS}/getRates", {"rate_card_id": str(card.id), "at": JUNE, "as_of": noon(6)})
            api.post(f"{PRODUCTS}/list", {"as_of": noon(6)})
        return len(captured)

    cost()  # the token is looked up and then remembered
    one = cost()
    for name in ("Small", "Large"):
        product = ProductFactory(name=name, version__publication=published(5))
        RateFactory(rate_card=card, product=product, publication=published(6))
    assert cost() == one
