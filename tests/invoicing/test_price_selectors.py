"""Which prices the three lists of them show, by the official client: every selector, alone and together."""

from decimal import Decimal as D

import metronome
import pytest

from billing_site.foundation import tokens
from tests.factories.contracts import ContractFactory, CustomerFactory, OverrideFactory
from tests.factories.pricing import (
    ProductFactory,
    RateCardFactory,
    RateFactory,
    SubscriptionProductFactory,
    SubscriptionRateFactory,
)
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, sdk

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(clock_at):
    """Tokens at 1 (xl, eu), 2 (xl, us) and 3 (small, eu); calls at 4; seats at 5 a month and 6 a year."""
    clock_at("2025-10-15")
    card = RateCardFactory()
    tokens = ProductFactory(
        name="Tokens", version__pricing_group_key=["model", "region"], version__tags=["ai", "metered"]
    )
    for price, model, region in ((1, "xl", "eu"), (2, "xl", "us"), (3, "small", "eu")):
        values = {"model": model, "region": region}
        RateFactory(rate_card=card, product=tokens, pricing_group_values=values, price=D(price))
    RateFactory(rate_card=card, product=ProductFactory(name="Calls", version__tags=["metered"]), price=D(4))
    seats = SubscriptionProductFactory(name="Seats")
    for price, frequency in ((5, "MONTHLY"), (6, "ANNUAL")):
        SubscriptionRateFactory(rate_card=card, product=seats, billing_frequency=frequency, price=D(price))
    return card


@pytest.fixture
def lists(client, card):
    """The prices that each list shows under the selectors; products are named."""
    contract = ContractFactory(rate_card=card)
    ids = {rate.product.name: str(rate.product_id) for rate in card.rates.select_related("product")}
    whose = {"customer_id": str(contract.customer.pk), "contract_id": str(contract.pk)}

    def read(selectors):
        sent = [
            {**selector, **({"product_id": ids[selector["product_id"]]} if "product_id" in selector else {})}
            for selector in selectors
        ]
        cards = client.v1.contracts.rate_cards
        return {
            "getRates": [
                row.rate.price for row in cards.rates.list(rate_card_id=str(card.pk), at=OCTOBER, selectors=sent)
            ],
            "getRateSchedule": [
                row.rate.price
                for row in cards.retrieve_rate_schedule(
                    rate_card_id=str(card.pk), starting_at=OCTOBER, selectors=sent
                ).data
            ],
            "getContractRateSchedule": [
                row.list_rate.price
                for row in client.v1.contracts.retrieve_rate_schedule(**whose, at=OCTOBER, selectors=sent).data
            ],
        }

    return read


@pytest.mark.parametrize(
    ("selectors", "prices"),
    [
        pytest.param([], {1, 2, 3, 4, 5, 6}, id="none: all"),
        pytest.param([{}], {1, 2, 3, 4, 5, 6}, id="one that asks for nothing: all"),
        pytest.param([{"product_id": "Tokens"}], {1, 2, 3}, id="a product"),
        pytest.param([{"pricing_group_values": {"model": "xl", "region": "eu"}}], {1}, id="all values"),
        pytest.param([{"pricing_group_values": {"model": "xl"}}], set(), id="not all values"),
        pytest.param([{"partial_pricing_group_values": {"model": "xl"}}], {1, 2}, id="some of the values"),
        pytest.param([{"partial_pricing_group_values": {"model": "huge"}}], set(), id="a value of nothing"),
        pytest.param([{"billing_frequency": "ANNUAL"}], {6}, id="a frequency"),
        pytest.param([{"billing_frequency": "monthly"}], {5}, id="a frequency in small letters"),
        pytest.param(
            [{"product_id": "Tokens", "partial_pricing_group_values": {"region": "eu"}}], {1, 3}, id="both must hold"
        ),
        pytest.param([{"product_id": "Calls", "billing_frequency": "ANNUAL"}], set(), id="both cannot hold"),
        pytest.param(
            [{"product_id": "Calls"}, {"partial_pricing_group_values": {"region": "us"}}], {2, 4}, id="any may hold"
        ),
    ],
)
def test_every_list_is_chosen_from_alike(lists, selectors, prices):
    assert {name: set(found) for name, found in lists(selectors).items()} == dict.fromkeys(
        ("getRates", "getRateSchedule", "getContractRateSchedule"), prices
    )


@pytest.mark.parametrize(
    ("tags", "prices"),
    [
        pytest.param(["ai"], {1, 2, 3}, id="a tag"),
        pytest.param(["ai", "metered"], {1, 2, 3, 4}, id="any of two"),
        pytest.param(["none"], set(), id="a tag of nothing"),
    ],
)
def test_two_of_the_lists_are_chosen_from_by_tag(lists, tags, prices):
    found = lists([{"product_tags": tags}])
    assert set(found["getRates"]) == set(found["getContractRateSchedule"]) == prices


def test_a_product_of_another_card_has_no_price_on_this_one(client, card):
    elsewhere = [{"product_id": str(RateFactory(product__name="Elsewhere").product_id)}]
    rates = client.v1.contracts.rate_cards.rates
    assert list(rates.list(rate_card_id=str(card.pk), at=OCTOBER, selectors=elsewhere)) == []


def test_an_override_without_a_frequency_leaves_fees_alone(client, card):
    contract = ContractFactory(rate_card=card)
    OverrideFactory(contract=contract, multiplier=D("0.5"))
    rows = client.v1.contracts.retrieve_rate_schedule(
        customer_id=str(contract.customer.pk), contract_id=str(contract.pk), at=OCTOBER
    ).data
    overridden = {row.list_rate.price for row in rows if row.override_rate}
    assert overridden == {1, 2, 3, 4}


@pytest.fixture
def writer():
    """The official client with a token that may write."""
    return sdk(tokens.create_token("tests", scope="admin", at=OCTOBER, by=ADA)[1])


def test_an_alias_means_what_it_meant_when_the_contract_starts(writer, clock_at):
    clock_at("2025-10-15")
    cards = writer.v1.contracts.rate_cards
    old = cards.create(name="Old", aliases=[{"name": "standard"}]).data.id
    new = cards.create(name="New").data.id

    def card_of(starting_at):
        made = writer.v1.contracts.create(
            customer_id=str(CustomerFactory().pk), starting_at=starting_at, rate_card_alias="standard"
        ).data
        kept = writer.v2.contracts.retrieve(customer_id=made.contract.customer_id, contract_id=made.id).data
        assert kept.rate_card_id == made.contract.rate_card_id
        return kept.rate_card_id

    assert card_of(NOVEMBER) == old
    cards.update(rate_card_id=new, aliases=[{"name": "standard", "starting_at": NOVEMBER}])
    for card_id, bounds in ((old, (None, NOVEMBER)), (new, (NOVEMBER, None))):
        [held] = cards.retrieve(id=card_id).data.aliases
        assert (held.name, held.starting_at, held.ending_before) == ("standard", *bounds)
    assert (card_of(OCTOBER), card_of(NOVEMBER)) == (old, new)
    with pytest.raises(metronome.BadRequestError, match="rate_card_alias"):
        writer.v1.contracts.create(
            customer_id=str(CustomerFactory().pk), starting_at=OCTOBER, rate_card_alias="premium"
        )
