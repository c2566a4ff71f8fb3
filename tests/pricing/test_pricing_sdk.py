"""The official client, unmodified, against a running server."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from metronome import BadRequestError, ConflictError, Metronome, NotFoundError, PermissionDeniedError

from billing_site.foundation import tokens
from pricing import queries
from tests.factories.pricing import ADA, NOW

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
YEAR = datetime(2025, 1, 1, tzinfo=UTC)
NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def client_for(live_server):
    """The SDK with a token of that scope."""

    def make(scope):
        secret = tokens.create_token("SDK", scope=scope, at=NOW, by=ADA)[1]
        return Metronome(bearer_token=secret, base_url=live_server.url)

    return make


@pytest.fixture
def client(client_for):
    with client_for("admin") as client:
        yield client


def test_the_price_list_of_the_demo(client):
    v1 = client.v1
    metric_id = v1.billable_metrics.create(
        name="Tokens",
        aggregation_type="SUM",
        aggregation_key="tokens",
        event_type_filter={"in_values": ["completion"]},
        property_filters=[{"name": "tokens", "exists": True}, {"name": "model", "exists": True}],
        group_keys=[["model"]],
    ).data.id
    metric = v1.billable_metrics.retrieve(billable_metric_id=metric_id).data
    assert (metric.name, metric.aggregation_type, metric.group_keys) == ("Tokens", "SUM", [["model"]])
    assert metric.property_filters[1].name == "model"
    assert [row.id for row in v1.billable_metrics.list(limit=1)] == [metric_id]

    usage = v1.contracts.products.create(
        name="Model tokens",
        type="USAGE",
        billable_metric_id=metric_id,
        pricing_group_key=["model"],
        quantity_conversion={"conversion_factor": 1_000_000, "operation": "DIVIDE"},
    ).data.id
    fixed = v1.contracts.products.create(name="Commitment", type="FIXED").data.id
    product = v1.contracts.products.retrieve(id=usage).data
    assert (product.type, product.current.billable_metric_id) == ("USAGE", metric_id)
    assert product.initial.quantity_conversion.conversion_factor == 1_000_000
    assert {row.id for row in v1.contracts.products.list(limit=1)} == {usage, fixed}

    card_id = v1.contracts.rate_cards.create(
        name="List prices", aliases=[{"name": "standard", "starting_at": YEAR}]
    ).data.id
    card = v1.contracts.rate_cards.retrieve(id=card_id).data
    assert (card.name, card.fiat_credit_type.name, card.aliases[0].starting_at) == ("List prices", "USD (cents)", YEAR)
    assert [row.id for row in v1.contracts.rate_cards.list(body={})] == [card_id]

    prices = {"small": 50, "medium": 300, "large": 1500, "xl": 4000}
    rates = v1.contracts.rate_cards.rates
    added = rates.add_many(
        rate_card_id=card_id,
        rates=[
            {
                "product_id": usage,
                "entitled": True,
                "rate_type": "FLAT",
                "price": price,
                "starting_at": YEAR,
                "pricing_group_values": {"model": model},
            }
            for model, price in prices.items()
        ],
    )
    assert added.data.id == card_id
    added = rates.add(
        rate_card_id=card_id,
        product_id=usage,
        entitled=True,
        rate_type="FLAT",
        price=44.4,
        starting_at=OCTOBER,
        pricing_group_values={"model": "small"},
    )
    assert (added.data.price, added.data.credit_type.name) == (44.4, "USD (cents)")

    in_october = list(rates.list(rate_card_id=card_id, at=OCTOBER, limit=3))
    assert {row.pricing_group_values["model"]: row.rate.price for row in in_october} == prices | {"small": 44.4}
    assert {row.product_name for row in in_october} == {"Model tokens"}
    before = rates.list(
        rate_card_id=card_id,
        at=datetime(2025, 9, 30, 23, 59),
        selectors=[{"product_id": usage, "pricing_group_values": {"model": "small"}}],
    )
    assert [(row.rate.price, row.ending_before) for row in before] == [(50, OCTOBER)]

    schedule = v1.contracts.rate_cards.retrieve_rate_schedule(
        rate_card_id=card_id, starting_at=YEAR, selectors=[{"partial_pricing_group_values": {"model": "small"}}]
    )
    assert [(row.rate.price, row.starting_at) for row in schedule.data] == [(50, YEAR), (44.4, OCTOBER)]

    assert v1.contracts.products.archive(product_id=fixed).data.id == fixed
    assert [row.id for row in v1.contracts.products.list(archive_filter="ARCHIVED")] == [fixed]


def test_refusals_reach_the_caller_as_the_client_types_them(client, client_for):
    with pytest.raises(BadRequestError) as refused:
        client.v1.contracts.rate_cards.rates.add_many(
            rate_card_id=NOWHERE,
            rates=[
                {
                    "product_id": NOWHERE,
                    "entitled": True,
                    "rate_type": "FLAT",
                    "price": -1,
                    "starting_at": OCTOBER.replace(minute=30),
                }
            ],
        )
    assert refused.value.body["errors"] == [
        {"field": "rates[0].price", "value": "-1", "rule": "must not be negative"},
        {"field": "rates[0].starting_at", "value": "'2025-10-01T00:30:00+00:00'", "rule": "must be on the hour (UTC)"},
    ]
    with pytest.raises(NotFoundError):
        client.v1.contracts.rate_cards.retrieve(id=NOWHERE)
    client.v1.pricing_units.create(name="Tokens")
    with pytest.raises(ConflictError) as conflict:
        client.v1.pricing_units.create(name="Tokens")
    assert conflict.value.response.headers["x-should-retry"] == "false"
    with client_for("read") as reader, pytest.raises(PermissionDeniedError):
        reader.v1.contracts.rate_cards.create(name="List prices")


def test_currencies_and_custom_units(client):
    created = client.v1.pricing_units.create(name="Tokens").data.id
    units = {unit.name: unit for unit in client.v1.pricing_units.list(limit=10)}
    assert units["Tokens"].id == created
    assert (units["USD (cents)"].id, units["USD (cents)"].is_currency) == ("2714e483-4ff1-48e4-9e25-ac732e8f24f2", True)
    client.v1.pricing_units.archive(id=created)
    assert created not in {unit.id for unit in client.v1.pricing_units.list()}


def test_a_rate_card_is_changed_converts_units_and_orders_its_products(client):
    v1, cards = client.v1, client.v1.contracts.rate_cards
    tokens, seats = (v1.pricing_units.create(name=name).data.id for name in ("Tokens", "Seats"))
    card_id = cards.create(
        name="Prices", credit_type_conversions=[{"custom_credit_type_id": tokens, "fiat_per_custom_credit": 0.25}]
    ).data.id
    updated = cards.update(
        rate_card_id=card_id,
        name="List prices",
        description="For all",
        aliases=[{"name": "standard", "starting_at": YEAR}],
        add_credit_type_conversions=[{"custom_credit_type_id": seats, "fiat_per_custom_credit": 200}],
    )
    assert updated.data.id == card_id
    card = cards.retrieve(id=card_id).data
    assert (card.name, card.description, card.aliases[0].name) == ("List prices", "For all", "standard")
    assert [(one.custom_credit_type.name, one.fiat_per_custom_credit) for one in card.credit_type_conversions] == [
        ("Tokens", "0.25"),
        ("Seats", "200"),
    ]
    [listed] = cards.list(body={})
    assert [one.fiat_per_custom_credit for one in listed.credit_type_conversions] == ["0.25", "200"]
    with pytest.raises(ConflictError, match="never changes"):
        cards.update(
            rate_card_id=card_id,
            add_credit_type_conversions=[{"custom_credit_type_id": tokens, "fiat_per_custom_credit": 0.5}],
        )

    metric = v1.billable_metrics.create(
        name="Calls", aggregation_type="COUNT", event_type_filter={"in_values": ["call"]}
    ).data.id
    products = [
        v1.contracts.products.create(name=name, type="USAGE", billable_metric_id=metric).data.id for name in "ABC"
    ]
    price = {"entitled": True, "rate_type": "FLAT", "price": 1, "starting_at": YEAR}
    cards.rates.add_many(rate_card_id=card_id, rates=[{"product_id": one, **price} for one in products])
    orders = cards.product_orders
    assert orders.set(rate_card_id=card_id, product_order=products[::-1]).data.id == card_id
    moved = orders.update(rate_card_id=card_id, product_moves=[{"product_id": products[0], "position": 0}])
    assert moved.data.id == card_id
    expected = [UUID(products[number]) for number in (0, 2, 1)]
    assert queries.product_order(queries.rate_card(card_id)) == expected
    with pytest.raises(BadRequestError, match="must name each product"):
        orders.set(rate_card_id=card_id, product_order=products[:1])


def test_a_named_schedule_of_a_rate_card(client):
    card_id = client.v1.contracts.rate_cards.create(name="List prices").data.id
    schedules = client.v1.contracts.named_schedules
    of_card = {"rate_card_id": card_id, "schedule_name": "regions"}
    assert schedules.retrieve(**of_card).data == []
    schedules.update(**of_card, starting_at=YEAR, value={"eu": 1.5})
    schedules.update(**of_card, starting_at=OCTOBER, value={"eu": 2})
    written = schedules.retrieve(**of_card).data
    assert [(one.starting_at, one.ending_before, one.value) for one in written] == [
        (YEAR, OCTOBER, {"eu": 1.5}),
        (OCTOBER, None, {"eu": 2}),
    ]
    [holding] = schedules.retrieve(**of_card, covering_date=OCTOBER).data
    assert holding.value == {"eu": 2}
    with pytest.raises(BadRequestError, match="on the hour"):
        schedules.update(**of_card, starting_at=OCTOBER.replace(minute=1), value=1)
    with pytest.raises(NotFoundError):
        schedules.retrieve(rate_card_id=NOWHERE, schedule_name="regions")
