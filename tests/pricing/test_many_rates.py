"""Thousands of rates in one request: one publication, all or none, and the row at fault named."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from pricing.models import Publication, Rate
from pricing.services.rates import BATCH
from tests.factories.pricing import ProductFactory, RateCardFactory

pytestmark = pytest.mark.django_db

ADD_RATES = "/v1/contract-pricing/rate-cards/addRates"


@pytest.fixture
def product():
    return ProductFactory(version__pricing_group_key=["model"])


def rows(product, count):
    return [
        {
            "product_id": str(product.pk),
            "rate_type": "FLAT",
            "price": number,
            "starting_at": "2025-10-01T00:00:00Z",
            "entitled": True,
            "pricing_group_values": {"model": f"m{number}"},
        }
        for number in range(count)
    ]


def test_more_rows_cost_no_more_queries(api, product):
    def queries(count):
        """How each begins: a difference says which it is."""
        card = RateCardFactory()
        with CaptureQueriesContext(connection) as captured:
            api.post(ADD_RATES, {"rate_card_id": str(card.pk), "rates": rows(product, count)})
        assert Rate.objects.filter(rate_card=card).count() == count
        assert Rate.objects.filter(rate_card=card).values("publication").distinct().count() == 1
        return [query["sql"].partition(' "s')[0][:40] for query in captured]

    queries(1)  # reads what a process remembers
    assert queries(BATCH) == queries(2)


@pytest.mark.parametrize(
    ("at_fault", "change", "errors"),
    [
        pytest.param([1499], {"price": -1}, [("rates[1499].price", "must not be negative")], id="the last row"),
        pytest.param(
            [700],
            {"product_id": str(uuid7())},
            [("rates[700].product_id", "there is no such product")],
            id="a row in the middle",
        ),
        pytest.param(
            [3, 1200],
            {"pricing_group_values": {"modell": "xl"}, "starting_at": "2025-10-01T00:30:00Z"},
            [(f"rates[{row}].starting_at", "must be on the hour (UTC)") for row in (3, 1200)],
            id="each of two",
        ),
        pytest.param(
            [5, 1001],
            {"pricing_group_values": {"model": "same"}},
            [
                (
                    f"rates[{row}].starting_at",
                    "another rate of this request prices the same product and values from the same instant",
                )
                for row in (5, 1001)
            ],
            id="two of one key",
        ),
    ],
)
def test_one_row_at_fault_stops_all(api, product, at_fault, change, errors):
    card, sent = RateCardFactory(), rows(product, 1500)
    for row in at_fault:
        sent[row] |= change
    before = Publication.objects.count()
    reply = api.post(ADD_RATES, {"rate_card_id": str(card.pk), "rates": sent}, status=400)
    assert [(error["field"], error["rule"]) for error in reply["errors"]] == errors
    assert (Rate.objects.count(), Publication.objects.count()) == (0, before)


def test_a_custom_rate_anywhere_is_not_supported(api, product):
    card, sent = RateCardFactory(), rows(product, 3)
    sent[2] |= {"rate_type": "custom", "custom_rate": {"processor": "ours"}}
    reply = api.post(ADD_RATES, {"rate_card_id": str(card.pk), "rates": sent}, status=501)
    assert reply["errors"] == [
        {
            "field": "rates[2].rate_type",
            "value": "'CUSTOM'",
            "rule": "is not supported: there is no processor to rate it",
        }
    ]
    assert not Rate.objects.exists()
