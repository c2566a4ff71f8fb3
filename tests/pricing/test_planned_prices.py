"""Prices that are wanted beside those that hold: what is new, what changes, and that nothing else is published."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.refusals import Refusal
from pricing import queries, services
from pricing.engine.tariffs import flat
from pricing.models import Publication, Rate
from pricing.services import Outcome, WantedPrice, plan_prices, publish_prices
from tests.factories.pricing import (
    NEW_YEAR,
    PricingUnitFactory,
    ProductFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateFactory,
    RateWithdrawalFactory,
)

pytestmark = pytest.mark.django_db

NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (11, 12))
TIERS = {"rate_type": "TIERED", "price": None, "tiers": [{"price": "3", "size": "10"}, {"price": "2"}]}


@pytest.fixture
def card():
    return RateCardFactory()


@pytest.fixture
def tokens():
    return ProductFactory(name="Tokens", version__pricing_group_key=["model"])


def rate(card, product, model, price=25, **changes):
    return RateFactory(
        rate_card=card, product=product, pricing_group_values={"model": model}, **{"price": price, **changes}
    )


def wanted(product, model, price=25, **changes):
    given = {"starting_at": NOVEMBER, "values": {"model": model}, **changes}
    return WantedPrice(product.id, D(price), **given)


@pytest.mark.parametrize(
    ("held", "changes", "outcome", "published"),
    [
        pytest.param(None, {}, Outcome.NEW, (D(25), True), id="nothing held"),
        pytest.param(None, {"entitled": False}, Outcome.NEW, (D(25), False), id="new, and not entitled"),
        pytest.param({}, {}, Outcome.SAME, None, id="the same"),
        pytest.param({"price": D("25.000")}, {}, Outcome.SAME, None, id="the same number, written otherwise"),
        pytest.param({"price": D(30)}, {}, Outcome.CHANGED, (D(25), True), id="another price"),
        pytest.param(
            {"price": D(30), "entitled": False}, {}, Outcome.CHANGED, (D(25), False), id="the entitlement stays"
        ),
        pytest.param({}, {"entitled": False}, Outcome.CHANGED, (D(25), False), id="only the entitlement"),
        pytest.param(TIERS, {}, Outcome.CHANGED, (D(25), True), id="tiers before"),
        pytest.param({"ending_before": NOVEMBER}, {}, Outcome.NEW, (D(25), True), id="what held has ended"),
        pytest.param({"starting_at": DECEMBER}, {}, Outcome.NEW, (D(25), True), id="what will hold has not begun"),
    ],
)
def test_a_price_is_compared_with_what_holds_at_its_start(card, tokens, told, held, changes, outcome, published):
    if held is not None:
        rate(card, tokens, "xl", **held)
    known = queries.latest_publication()
    [planned] = plan_prices(card, [wanted(tokens, "xl", **changes)])
    assert planned.outcome is outcome
    if published is None:
        with pytest.raises(services.NothingToPublish):
            publish_prices(card, [planned], known_publication=known, **told)
        assert queries.latest_publication() == known
    else:
        [new] = publish_prices(card, [planned], known_publication=known, reason="Cheaper chips", **told)
        new.refresh_from_db()
        assert (new.price, new.entitled) == published
        assert (new.rate_type, new.starting_at, new.ending_before) == ("FLAT", NOVEMBER, None)
        assert new.publication.price_change.reason == "Cheaper chips"


def test_only_what_differs_is_published_and_in_one_publication(card, tokens, told):
    for model in ("s", "m", "l"):
        rate(card, tokens, model)
    known = queries.latest_publication()
    given = {"s": 25, "m": 30, "l": 25, "x": 40}
    planned = plan_prices(card, [wanted(tokens, model, price) for model, price in given.items()])
    assert [each.outcome.value for each in planned] == ["unchanged", "changed", "unchanged", "new"]
    rates = publish_prices(card, planned, known_publication=known, **told)
    assert [(each.pricing_group_values["model"], each.price) for each in rates] == [("m", 30), ("x", 40)]
    assert {each.publication_id for each in rates} == {known + 1} == {queries.latest_publication()}


def test_a_withdrawn_price_holds_nothing(card, tokens):
    RateWithdrawalFactory(rate=rate(card, tokens, "xl"))
    assert [each.outcome for each in plan_prices(card, [wanted(tokens, "xl")])] == [Outcome.NEW]


def test_the_commit_rate_stays_beside_a_new_list_price(card, tokens, told):
    rate(card, tokens, "xl", commit_rate={"rate_type": "PACKAGE", "price": "7.5", "package_size": "10"})
    planned = plan_prices(card, [wanted(tokens, "xl", 30)])
    [new] = publish_prices(card, planned, known_publication=queries.latest_publication(), **told)
    new.refresh_from_db()
    assert new.commit_rate == {"rate_type": "PACKAGE", "price": "7.5", "package_size": "10"}
    assert new.to_tariff() == flat(D(30))


def test_prices_of_one_key_are_taken_in_order_of_time(card, tokens, told):
    """Alone, the second would change nothing: 30 holds in December now. After the first it does."""
    rate(card, tokens, "xl", 30)
    later, sooner = plan_prices(
        card, [wanted(tokens, "xl", 30, starting_at=DECEMBER), wanted(tokens, "xl", 20, starting_at=NOVEMBER)]
    )
    assert (sooner.outcome, sooner.before.tariff) == (Outcome.CHANGED, flat(D(30)))
    assert (later.outcome, later.before.tariff) == (Outcome.CHANGED, flat(D(20)))
    assert (sooner.ends_at, sooner.then) == (DECEMBER, later.after)
    publish_prices(card, [later, sooner], known_publication=queries.latest_publication(), **told)
    assert sorted(Rate.objects.values_list("price", "starting_at")) == [
        (20, NOVEMBER),
        (30, NEW_YEAR),
        (30, DECEMBER),
    ]


def test_a_price_to_come_is_named_as_what_takes_over(card, tokens):
    rate(card, tokens, "xl", 20)
    rate(card, tokens, "xl", 40, starting_at=DECEMBER)
    [planned] = plan_prices(card, [wanted(tokens, "xl", 30)])
    assert (planned.ends_at, planned.then.tariff) == (DECEMBER, flat(D(40)))
    [planned] = plan_prices(card, [wanted(tokens, "xl", 30, starting_at=DECEMBER)])
    assert planned.ends_at is None


def test_a_product_keeps_its_custom_unit(card, told):
    tokens = PricingUnitFactory(name="Tokens")
    RateCardConversionFactory(rate_card=card, unit=tokens)
    product = ProductFactory(version__pricing_group_key=["model"])
    rate(card, product, "s", unit=tokens)
    planned = plan_prices(card, [wanted(product, "xl")])
    [new] = publish_prices(card, planned, known_publication=queries.latest_publication(), **told)
    assert new.unit == tokens


def test_what_is_wrong_with_one_is_said_of_it_and_nothing_is_published(card, tokens, told):
    planned = plan_prices(
        card,
        [
            wanted(tokens, "s"),
            wanted(tokens, "m", -1),
            wanted(tokens, "l", starting_at=datetime(2025, 11, 1, 0, 30, tzinfo=UTC)),
            wanted(tokens, "xl", values={"region": "eu"}),
        ],
    )
    assert [each.outcome.value for each in planned] == ["new", "refused", "refused", "refused"]
    assert [[error.field for error in each.errors] for each in planned] == [
        [],
        ["price"],
        ["starting_at"],
        ["pricing_group_values"],
    ]
    with pytest.raises(Refusal, match="price: must not be negative"):
        publish_prices(card, planned, known_publication=queries.latest_publication(), **told)
    assert not Rate.objects.exists()


def test_a_price_that_was_changed_meanwhile_stops_all_of_it(card, tokens, told):
    rate(card, tokens, "s")
    known = queries.latest_publication()
    planned = plan_prices(card, [wanted(tokens, "s", 30), wanted(tokens, "m", 40)])
    rate(card, tokens, "xl", 99)  # another key: nobody's concern
    publish_prices(card, planned[1:], known_publication=known, **told)
    with pytest.raises(services.PriceWasChanged, match="has changed one of these prices meanwhile"):
        publish_prices(card, planned, known_publication=known, **told)
    assert Rate.objects.filter(price=30).count() == 0


def test_a_withdrawal_is_a_change_too(card, tokens, told):
    held = rate(card, tokens, "s")
    known = queries.latest_publication()
    planned = plan_prices(card, [wanted(tokens, "s", 30)])
    RateWithdrawalFactory(rate=held)
    with pytest.raises(services.PriceWasChanged, match=f"publication {Publication.objects.latest('number').number}"):
        publish_prices(card, planned, known_publication=known, **told)


@pytest.mark.parametrize("count", [1, 300])
def test_planning_costs_the_same_queries_however_many_there_are(card, tokens, count):
    for number in range(0, count, 2):
        rate(card, tokens, str(number))
    with CaptureQueriesContext(
        connection,
    ) as queries_made:
        planned = plan_prices(card, [wanted(tokens, str(number), 30) for number in range(count)])
    assert len(planned) == count
    assert len(queries_made) == 6
