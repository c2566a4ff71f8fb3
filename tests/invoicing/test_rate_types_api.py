"""Every shape of price, published through the API and read off a draft: what so many units of October cost.

Amounts are in cents and computed by hand. Half of the usage is on the 5th and half on the 20th, so that a rate that
counted anew at a cut would be seen; the last row of each shape has a change of price between the two.
"""

from decimal import Decimal as D
from typing import Any

import pytest

from billing_site.foundation import tokens
from pricing.models import Product
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory
from tests.invoicing.conftest import ADA, OCTOBER, at, sdk, use

pytestmark = pytest.mark.django_db

STEPS: list[dict[str, Any]] = [{"price": 10, "size": 100}, {"price": 8, "size": 400}, {"price": 5}]
WITH_FEES: list[dict[str, Any]] = [{"price": 10, "size": 100, "flat_fee": 50}, {"price": 8, "flat_fee": 300}]


def of(rate_type: str, **fields: Any) -> dict[str, Any]:
    return {"rate_type": rate_type, **fields}


@pytest.mark.parametrize(
    ("rate", "later", "quantity", "amount"),
    [
        pytest.param(of("FLAT", price=2), None, 100, 200, id="flat"),
        pytest.param(of("FLAT", price=2), of("FLAT", price=1), 100, 150, id="flat, then half"),
        pytest.param(of("TIERED", tiers=STEPS), None, 100, 1_000, id="graduated: the bound belongs to the lower tier"),
        pytest.param(of("TIERED", tiers=STEPS), None, 102, 1_016, id="graduated: two units of the next tier"),
        pytest.param(of("TIERED", tiers=STEPS), None, 600, 1_000 + 3_200 + 500, id="graduated: three tiers"),
        pytest.param(of("TIERED", tiers=WITH_FEES), None, 100, 50 + 1_000, id="graduated: one entry fee"),
        pytest.param(of("TIERED", tiers=WITH_FEES), None, 200, 350 + 1_000 + 800, id="graduated: two entry fees"),
        # 300 at the old steps: 1,000 + 1,600. The counter goes on at 300: 200 at 16 and 100 at 10.
        pytest.param(
            of("TIERED", tiers=STEPS),
            of("TIERED", tiers=[{"price": 20, "size": 100}, {"price": 16, "size": 400}, {"price": 10}]),
            600,
            1_000 + 1_600 + 3_200 + 1_000,
            id="graduated, then dearer: the counter goes on",
        ),
        pytest.param(of("VOLUME", tiers=STEPS), None, 100, 1_000, id="volume: the bound belongs to the lower tier"),
        pytest.param(of("VOLUME", tiers=STEPS), None, 102, 816, id="volume: all at the tier reached"),
        pytest.param(of("VOLUME", tiers=WITH_FEES), None, 200, 300 + 1_600, id="volume: the fee of the tier reached"),
        pytest.param(of("PACKAGE", price=12, package_size=10), None, 100, 120, id="packages"),
        pytest.param(of("PACKAGE", price=12, package_size=10), None, 102, 132, id="a started package"),
        # 5 of the first package at 12, and then 45 more units at 20: the package is started already, four are new.
        pytest.param(
            of("PACKAGE", price=12, package_size=100),
            of("PACKAGE", price=20, package_size=100),
            500,
            3 * 12 + 2 * 20,
            id="packages, then dearer: a started one is not paid again",
        ),
        pytest.param(of("FLAT", price=2), of("TIERED", tiers=STEPS), 200, 200 + 800, id="flat, then graduated"),
    ],
)
def test_what_a_month_costs(clock_at, rate, later, quantity, amount):
    clock_at("2025-10-25")
    customer, card = CustomerFactory(aliases=["acme"]), RateCardFactory()
    metric = MetricFactory(
        name="Units", aggregation_type="SUM", aggregation_key="units", event_type_filter={"in_values": ["units"]}
    )
    product = ProductFactory(name="Units", version__billable_metric=metric)
    client = sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])
    publish(client, card, product, rate, OCTOBER)
    if later is not None:
        publish(client, card, product, later, at("2025-10-15T00"))
    use(metric, "2025-10-05T05", D(quantity) / 2, {})
    use(metric, "2025-10-20T05", D(quantity) / 2, {})
    client.v1.contracts.create(customer_id=str(customer.pk), rate_card_id=str(card.pk), starting_at=OCTOBER)
    (draft,) = client.v1.customers.invoices.list(customer_id=str(customer.pk), status="DRAFT").data
    assert draft.total == amount
    assert sum(line.total for line in draft.line_items) == amount


@pytest.mark.parametrize(
    ("share", "amount"),
    [
        pytest.param(of("PERCENTAGE", price=0.1), 20, id="a tenth"),
        pytest.param(
            of("TIERED_PERCENTAGE", tiers=[{"price": 0.1, "size": 150}, {"price": 0.02}]), 15 + 1, id="of slices"
        ),
    ],
)
def test_a_composite_is_a_share_of_what_the_others_come_to(clock_at, share, amount):
    clock_at("2025-10-25")
    customer, card = CustomerFactory(aliases=["acme"]), RateCardFactory()
    metric = MetricFactory(name="Calls", event_type_filter={"in_values": ["calls"]})
    calls = ProductFactory(name="Calls", version__billable_metric=metric, version__tags=["api"])
    client = sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])
    support = client.v1.contracts.products.create(name="Support", type="COMPOSITE", composite_tags=["api"]).data
    publish(client, card, calls, of("FLAT", price=2), OCTOBER)
    publish(client, card, Product.objects.get(pk=support.id), share, OCTOBER)
    use(metric, "2025-10-05T05", 100, {})
    client.v1.contracts.create(customer_id=str(customer.pk), rate_card_id=str(card.pk), starting_at=OCTOBER)
    (draft,) = client.v1.customers.invoices.list(customer_id=str(customer.pk), status="DRAFT").data
    assert sum(line.total for line in draft.line_items if line.name == "Support") == amount
    assert draft.total == 200 + amount


def test_a_rate_comes_back_as_it_was_published(clock_at):
    clock_at("2025-10-25")
    card, product = RateCardFactory(), ProductFactory(name="Units")
    client = sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])
    commit_rate = {"rate_type": "TIERED", "tiers": [{"price": 4.5, "size": 100}, {"price": 4}]}
    publish(client, card, product, of("TIERED", tiers=STEPS, commit_rate=commit_rate), OCTOBER)
    publish(client, card, product, of("PACKAGE", price=12, package_size=10), at("2025-11-01T00"))
    tiered, package = client.v1.contracts.rate_cards.retrieve_rate_schedule(
        rate_card_id=str(card.pk), starting_at=OCTOBER
    ).data
    assert tiered.rate.rate_type == "TIERED"
    assert [tier.to_dict() for tier in tiered.rate.tiers] == STEPS
    assert tiered.commit_rate.to_dict() == commit_rate
    assert package.rate.to_dict() == {
        "rate_type": "PACKAGE",
        "price": 12,
        "package_size": 10,
        "credit_type": {"id": str(card.fiat_unit_id), "name": "USD (cents)"},
    }


def publish(client: Any, card: Any, product: Any, rate: dict[str, Any], starting_at: Any) -> None:
    """The SDK has no types for our own fields, and sends them all the same."""
    typed = {name: rate[name] for name in ("rate_type", "price", "tiers", "commit_rate") if name in rate}
    own = {name: value for name, value in rate.items() if name not in typed}
    client.v1.contracts.rate_cards.rates.add(
        rate_card_id=str(card.pk),
        product_id=str(product.pk),
        starting_at=starting_at,
        entitled=True,
        extra_body=own or None,
        **typed,
    )
