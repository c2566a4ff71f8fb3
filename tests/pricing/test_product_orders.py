"""The order of products on a rate card: the table of the service, and what it refuses."""

from decimal import Decimal as D

import pytest

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotFound, Refusal
from pricing import queries, services
from pricing.models import Publication, RateCardPlace
from tests.factories.pricing import ProductFactory, RateCardFactory, RateFactory, RateWithdrawalFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def card():
    """A card that prices A, B, C and D, in this order."""
    card = RateCardFactory()
    for name in "ABCD":
        RateFactory(rate_card=card, product=ProductFactory(name=name))
    return card


def ids(card):
    return {rate.product.name: rate.product_id for rate in card.rates.select_related("product")}


def order(card):
    """The order on the bill."""
    names = {product_id: name for name, product_id in ids(card).items()}
    return "".join(names[one] for one in queries.catalog(rate_card_ids=[card.id]).rate_cards[card.id].product_order)


def move(card, moves, told):
    known = ids(card)
    return services.move_products(card.id, [services.ProductMove(known[name], D(at)) for name, at in moves], **told)


@pytest.mark.parametrize(
    ("moves", "after"),
    [
        pytest.param([("D", 0)], "DABC", id="the last to the front"),
        pytest.param([("A", 1), ("B", 0)], "BACD", id="two that change places"),
        pytest.param([("A", 3), ("C", 0)], "CBDA", id="one to the end and one to the front"),
        pytest.param([("C", 0), ("A", 3)], "CBDA", id="the same told the other way round"),
    ],
)
def test_a_moved_product_stands_where_it_was_told(card, told, moves, after):
    for _ in range(2):  # the second time it stands there already
        move(card, moves, told)
        assert order(card) == after
    assert RateCardPlace.objects.count() == 4


def test_a_product_that_does_not_move_is_not_published(card, told):
    before = Publication.objects.count()
    move(card, [("B", 1)], told)
    services.set_product_order(card.id, queries.product_order(card), **told)
    assert (order(card), Publication.objects.count(), RateCardPlace.objects.count()) == ("ABCD", before, 0)


def test_a_card_is_ordered_as_a_whole_and_later_products_come_after(card, told):
    known = ids(card)
    services.set_product_order(card.id, [known[name] for name in "CADB"], reason="Models first", **told)
    assert order(card) == "CADB"
    assert RateCardPlace.objects.first().publication.price_change.reason == "Models first"
    RateFactory(rate_card=card, product=ProductFactory(name="E"))
    assert order(card) == "CADBE"
    RateWithdrawalFactory(rate=card.rates.get(product=known["A"]))
    assert order(card) == "CDBE"
    assert queries.product_order(card) == [ids(card)[name] for name in "CDBE"]


@pytest.mark.parametrize(
    ("names", "field", "rule"),
    [
        pytest.param("ABC", "product_order", "must name each product of the card", id="one is missing"),
        pytest.param("ABCDA", "product_order[4]", "must be there only once", id="one twice"),
        pytest.param("ABCDX", "product_order[4]", "there is no price of such a product", id="one of another card"),
    ],
)
def test_an_order_names_each_product_once(card, told, names, field, rule):
    known = ids(card) | {"X": ProductFactory().id}
    with pytest.raises(Refusal, match=rule) as refusal:
        services.set_product_order(card.id, [known[name] for name in names], **told)
    assert [error.field for error in refusal.value.errors] == [field]
    assert not RateCardPlace.objects.exists()


@pytest.mark.parametrize(
    ("moves", "field", "rule"),
    [
        pytest.param([("A", 4)], "[0].position", "a whole number from 0 to 3", id="behind the last"),
        pytest.param([("A", -1)], "[0].position", "a whole number from 0 to 3", id="before the first"),
        pytest.param([("A", "0.5")], "[0].position", "a whole number from 0 to 3", id="in between"),
        pytest.param([("A", "1e99")], "[0].position", "a whole number from 0 to 3", id="far away"),
        pytest.param([("A", 1), ("B", 1)], "[1].position", "another product of this request", id="two at one place"),
        pytest.param([("A", 1), ("A", 2)], "[1].product_id", "must be there only once", id="one at two places"),
    ],
)
def test_a_move_is_refused_by_field(card, told, moves, field, rule):
    with pytest.raises(Refusal, match=rule) as refusal:
        move(card, moves, told)
    assert [error.field for error in refusal.value.errors] == [f"product_moves{field}"]
    assert not RateCardPlace.objects.exists()


def test_a_product_without_a_price_on_the_card_does_not_move(told):
    with pytest.raises(Refusal) as refusal:
        services.move_products(RateCardFactory().id, [services.ProductMove(uuid7(), D(0))], **told)
    assert [error.field for error in refusal.value.errors] == ["product_moves[0].product_id"]
    with pytest.raises(NotFound):
        services.move_products(uuid7(), [], **told)
