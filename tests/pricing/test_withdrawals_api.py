"""Prices taken back over HTTP."""

import pytest

from pricing import queries
from pricing.models import RateWithdrawal
from tests.factories.pricing import ProductFactory, RateCardFactory, RateFactory

pytestmark = pytest.mark.django_db

RATE_CARDS = "/v1/contract-pricing/rate-cards"
NOWHERE = "00000000-0000-0000-0000-000000000000"


def priced_at(api, card, at):
    rows = api.post(f"{RATE_CARDS}/getRates", {"rate_card_id": str(card.pk), "at": at})["data"]
    return [(row["rate"]["price"], row["rate_id"]) for row in rows]


def test_a_price_that_was_a_mistake_is_taken_back_by_the_id_that_lists_give(api):
    card, product = RateCardFactory(), ProductFactory()
    told = {"rate_card_id": str(card.pk), "product_id": str(product.pk), "entitled": True, "rate_type": "FLAT"}
    first = api.post(f"{RATE_CARDS}/addRate", {**told, "price": 10, "starting_at": "2025-01-01"})["data"]["rate_id"]
    second = api.post(f"{RATE_CARDS}/addRate", {**told, "price": 99, "starting_at": "2025-07-01"})["data"]["rate_id"]
    assert priced_at(api, card, "2025-08-01") == [(99, second)]
    body = {"rate_card_id": str(card.pk), "rate_ids": [second], "reason": "A mistake"}
    reply = api.post(f"{RATE_CARDS}/withdrawRates", body)
    assert reply == {"data": {"id": str(card.pk), "publication": queries.latest_publication()}}
    assert priced_at(api, card, "2025-08-01") == [(10, first)]
    assert RateWithdrawal.objects.get().publication.price_change.reason == "A mistake"
    again = api.post(f"{RATE_CARDS}/withdrawRates", body, status=409)
    assert again["errors"] == [{"field": "rate_ids", "value": second, "rule": "is withdrawn already"}]


@pytest.mark.parametrize(
    ("ids", "rule"),
    [
        pytest.param(lambda card: [], "must name at least one rate", id="none"),
        pytest.param(lambda card: [NOWHERE], "there is no such rate", id="an unknown one"),
        pytest.param(
            lambda card: [str(RateFactory(rate_card=card).pk), str(RateFactory().pk)],
            "there is no such rate on the rate card List prices",
            id="one of another card",
        ),
        pytest.param(lambda card: ["xl"], "must be a valid UUID", id="a name"),
    ],
)
def test_a_withdrawal_is_refused_as_a_whole(api, ids, rule):
    card = RateCardFactory()
    reply = api.post(f"{RATE_CARDS}/withdrawRates", {"rate_card_id": str(card.pk), "rate_ids": ids(card)}, status=400)
    assert rule.lower() in reply["errors"][0]["rule"].lower()
    assert not RateWithdrawal.objects.exists()


def test_a_reader_takes_nothing_back(api_for):
    rate = RateFactory()
    body = {"rate_card_id": str(rate.rate_card_id), "rate_ids": [str(rate.pk)]}
    api_for("read").post(f"{RATE_CARDS}/withdrawRates", body, status=403)
    assert not RateWithdrawal.objects.exists()
