from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Conflict, Refusal
from pricing import queries, services
from pricing.models import Publication, Rate, RateWithdrawal
from tests.factories.pricing import NOW, FixedProductFactory, ProductFactory, RateCardFactory, RateFactory

pytestmark = pytest.mark.django_db

JANUARY = datetime(2025, 1, 1, tzinfo=UTC)
JULY = datetime(2025, 7, 1, tzinfo=UTC)


def new(product, price="1", **changes):
    fixed = {"starting_at": JANUARY, "entitled": True, "rate_type": "FLAT", "price": price and D(price)}
    return services.NewRate(product_id=product.id, **fixed | changes)


def in_force(card, product, at, values=()):
    found = queries.catalog(rate_card_ids=[card.id]).rate_cards[card.id]
    rate = found.over_time((product.id, values, "")).at(at)
    return rate and rate.tariff.price


def test_many_rates_are_one_publication_in_the_order_given(told):
    card = RateCardFactory()
    products = [ProductFactory() for _ in range(5)]
    services.add_rates(card.id, [new(product) for product in reversed(products)], reason="Launch", **told)
    publication = Publication.objects.latest("number")
    assert set(Rate.objects.values_list("publication", flat=True)) == {publication.number}
    assert publication.price_change.reason == "Launch"
    order = queries.catalog(rate_card_ids=[card.id]).rate_cards[card.id].product_order
    assert order == tuple(product.id for product in reversed(products))


def test_a_later_price_supersedes_and_the_earlier_one_stays_on_record(told):
    card, product = RateCardFactory(), ProductFactory()
    services.add_rate(card.id, new(product, "10"), **told)
    services.add_rate(card.id, new(product, "20", starting_at=JULY), **told)
    assert in_force(card, product, NOW) == 20
    assert in_force(card, product, JANUARY) == 10
    services.add_rate(card.id, new(product, "12"), **told)  # the same start again: the later publication holds
    assert in_force(card, product, JANUARY) == 12
    assert in_force(card, product, NOW) == 20
    assert Rate.objects.count() == 3


def test_a_withdrawn_rate_was_never_there_from_then_on(told):
    card, product = RateCardFactory(), ProductFactory()
    services.add_rate(card.id, new(product, "10"), **told)
    mistake = services.add_rate(card.id, new(product, "20", starting_at=JULY), **told)
    before = queries.latest_publication()
    publication = services.withdraw_rates([mistake.id], reason="A mistake", **told)
    assert publication.number == queries.latest_publication() == before + 1
    assert in_force(card, product, NOW) == 10
    as_known_before = queries.catalog(rate_card_ids=[card.id], at_publication=before)
    assert as_known_before.rate_cards[card.id].over_time((product.id, (), "")).at(NOW).tariff.price == 20


def test_rates_are_withdrawn_all_or_none_and_once(told):
    one, other = RateFactory(), RateFactory()
    with pytest.raises(Refusal, match="there is no such rate"):
        services.withdraw_rates([one.id, uuid7()], **told)
    assert not RateWithdrawal.objects.exists()
    services.withdraw_rates([one.id], **told)
    published = queries.latest_publication()
    with pytest.raises(Conflict) as conflict:
        services.withdraw_rates([other.id, one.id], **told)
    assert [error.value for error in conflict.value.errors] == [one.id]
    with pytest.raises(Refusal):
        services.withdraw_rates([], **told)
    assert RateWithdrawal.objects.count() == 1
    assert queries.latest_publication() == published


def test_values_choose_the_price(told):
    card, product = RateCardFactory(), ProductFactory(version__pricing_group_key=["region", "model"])
    rates = [
        new(product, "1", pricing_group_values={"region": "eu", "model": "s"}),
        new(product, "2", pricing_group_values={"model": "xl", "region": "eu"}),
    ]
    services.add_rates(card.id, rates, **told)
    assert in_force(card, product, NOW, (("model", "xl"), ("region", "eu"))) == 2
    assert in_force(card, product, NOW, (("model", "xl"), ("region", "us"))) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"price": None}, "price", id="no price"),
        pytest.param({"price": D("-0.01")}, "price", id="a negative price"),
        pytest.param({"price": D("NaN")}, "price", id="not a number"),
        pytest.param({"price": D("Infinity")}, "price", id="infinity"),
        pytest.param({"price": D("1e-13")}, "price", id="thirteen decimals"),
        pytest.param({"price": D("1e16")}, "price", id="seventeen digits"),
        pytest.param({"price": D("1e999999")}, "price", id="a million digits"),
        pytest.param({"rate_type": "BARTER"}, "rate_type", id="an unheard-of type"),
        pytest.param({"starting_at": JANUARY.replace(second=1)}, "starting_at", id="a start off the hour"),
        pytest.param({"ending_before": JULY.replace(minute=30)}, "ending_before", id="an end off the hour"),
        pytest.param({"ending_before": JANUARY}, "ending_before", id="an end at the start"),
        pytest.param({"pricing_group_values": {"model": "x" * 257}}, "pricing_group_values.model", id="257 bytes"),
        pytest.param({"pricing_group_values": {}}, "pricing_group_values", id="a value missing"),
        pytest.param(
            {"pricing_group_values": {"model": "xl", "zone": "eu"}}, "pricing_group_values", id="a value too many"
        ),
        pytest.param({"credit_type_id": uuid7()}, "credit_type_id", id="another unit"),
    ],
)
def test_one_bad_rate_refuses_them_all_by_index_and_field(told, changes, field):
    card, product = RateCardFactory(), ProductFactory(version__pricing_group_key=["model"])
    good = new(product, pricing_group_values={"model": "xl"})
    bad = new(product, **{"starting_at": JULY, "pricing_group_values": {"model": "xl"}, "price": D(1)} | changes)
    before = queries.latest_publication()
    with pytest.raises(Refusal) as refusal:
        services.add_rates(card.id, [good, bad], **told)
    assert [error.field for error in refusal.value.errors] == [f"rates[1].{field}"]
    with pytest.raises(Refusal) as refusal:
        services.add_rate(card.id, bad, **told)
    assert [error.field for error in refusal.value.errors] == [field]
    assert not Rate.objects.exists()
    assert queries.latest_publication() == before


@pytest.mark.parametrize("price", ["0", "9999999999999999.999999999999", "0.000000000001", "0.2000000000000000"])
def test_a_price_keeps_every_digit(told, price):
    rate = services.add_rate(RateCardFactory().id, new(ProductFactory(), price), **told)
    rate.refresh_from_db()
    assert rate.price == D(price)


def test_every_bad_rate_is_named(told):
    product = ProductFactory()
    with pytest.raises(Refusal, match="And 1 more") as refusal:
        services.add_rates(RateCardFactory().id, [new(product, "-1"), new(product), new(product, "-2")], **told)
    assert [error.field for error in refusal.value.errors] == ["rates[0].price", "rates[2].price"]


def test_two_rates_of_a_request_cannot_price_the_same_from_the_same_instant(told):
    product = ProductFactory()
    with pytest.raises(Refusal) as refusal:
        services.add_rates(RateCardFactory().id, [new(product, "1"), new(product, "2")], **told)
    assert [error.field for error in refusal.value.errors] == ["rates[0].starting_at", "rates[1].starting_at"]


def test_rates_are_for_living_products_that_have_some_on_living_cards(told):
    card = RateCardFactory()
    for product, rule in (
        (FixedProductFactory(), "is a FIXED product, which has no rates"),
        (ProductFactory(archived_at=NOW), "is archived"),
    ):
        with pytest.raises(Refusal, match=rule):
            services.add_rate(card.id, new(product), **told)
    with pytest.raises(Refusal, match="is archived"):
        services.add_rate(RateCardFactory(archived_at=NOW).id, new(ProductFactory()), **told)
    with pytest.raises(Refusal, match="rate_card_id: there is no such rate card"):
        services.add_rate(uuid7(), new(ProductFactory()), **told)
    with pytest.raises(Refusal, match="must not be empty"):
        services.add_rates(card.id, [], **told)


def test_adding_rates_costs_the_same_for_one_product_and_for_three(told):
    card = RateCardFactory()

    def queries_for(products):
        with CaptureQueriesContext(connection) as captured:
            services.add_rates(card.id, [new(product) for product in products], **told)
        return len(captured)

    assert queries_for([ProductFactory()]) == queries_for([ProductFactory() for _ in range(3)])
