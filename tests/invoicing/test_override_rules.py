"""Which override wins (`api_map` 4.3), rule by rule: agreed through the API, read off the draft of October.

What is used, all on the 10th, and what it costs by the list:

    product                 tags     used   list price   amount
    Calls                   api       100        2         200
    Tokens, xl in eu        ai, gpu    10       40         400
    Tokens, xl in us        ai, gpu    10       40         400
    Tokens, small in eu     ai, gpu   100        1         100

The model chooses the price of tokens, the region only splits their lines. Each row of a table below names the
amounts of these four in this order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal as D
from typing import Any

import pytest

from billing_site.foundation import tokens
from contracts.models import Customer
from pricing.models import BillableMetric, Product, RateCard
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import FixedProductFactory, MetricFactory, ProductFactory, RateCardFactory, RateFactory
from tests.invoicing.conftest import ADA, OCTOBER, at, sdk, use

pytestmark = pytest.mark.django_db

LIST = (200, 400, 400, 100)
SCHEMES = ("LOWEST_MULTIPLIER", "EXPLICIT")
ORDER = (
    "Calls",
    "Tokens (model: xl, region: eu)",
    "Tokens (model: xl, region: us)",
    "Tokens (model: small, region: eu)",
)


@dataclass(frozen=True, slots=True)
class Town:
    """What is sold, and Acme, which uses it."""

    customer: Customer
    card: RateCard
    calls: Product
    tokens: Product
    calls_made: BillableMetric

    def named(self, given: Any) -> Any:
        """The same with the ids of the products instead of their names."""
        ids = {"Calls": str(self.calls.pk), "Tokens": str(self.tokens.pk)}
        if isinstance(given, dict):
            return {key: ids[v] if key == "product_id" else self.named(v) for key, v in given.items()}
        return [self.named(each) for each in given] if isinstance(given, list) else given


@pytest.fixture
def town(clock_at) -> Town:
    clock_at("2025-10-20")
    customer, card, calls_made = CustomerFactory(aliases=["acme"]), RateCardFactory(), MetricFactory(name="Calls")
    tokens_used = MetricFactory(
        name="Tokens",
        aggregation_type="SUM",
        aggregation_key="tokens",
        event_type_filter={"in_values": ["tokens"]},
        group_keys=[["model", "region"]],
    )
    calls = ProductFactory(name="Calls", version__billable_metric=calls_made, version__tags=["api"])
    sold = ProductFactory(
        name="Tokens",
        version__billable_metric=tokens_used,
        version__pricing_group_key=["model"],
        version__presentation_group_key=["region"],
        version__tags=["ai", "gpu"],
    )
    RateFactory(rate_card=card, product=calls, price=D(2))
    for model, price in (("xl", 40), ("small", 1)):
        RateFactory(rate_card=card, product=sold, pricing_group_values={"model": model}, price=D(price))
    use(calls_made, "2025-10-10T05", 100, {})
    for model, region, quantity in (("xl", "eu", 10), ("xl", "us", 10), ("small", "eu", 100)):
        use(tokens_used, "2025-10-10T05", quantity, {"model": model, "region": region})
    return Town(customer, card, calls, sold, calls_made)


@pytest.fixture
def admin(town):
    return sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def amounts(town, admin) -> Callable[..., tuple[int, ...]]:
    """Agree on overrides, then in an edit each on further ones, and read what October comes to."""

    def agreed(overrides: Sequence[Any], scheme: str = "LOWEST_MULTIPLIER", *, then: Sequence[Any] = ()) -> Any:
        contract = admin.v1.contracts.create(
            customer_id=str(town.customer.pk),
            rate_card_id=str(town.card.pk),
            starting_at=OCTOBER,
            multiplier_override_prioritization=scheme,
            overrides=[dated(town.named(each)) for each in overrides],
        ).data
        for further in then:
            admin.v2.contracts.edit(
                customer_id=str(town.customer.pk),
                contract_id=contract.id,
                add_overrides=[dated(town.named(further))],
            )
        return october(admin, town)

    return agreed


def dated(override: dict[str, Any]) -> dict[str, Any]:
    return {"starting_at": OCTOBER, **override}


def october(admin: Any, town: Town) -> tuple[int, ...]:
    drafts = admin.v1.customers.invoices.list(customer_id=str(town.customer.pk), status="DRAFT").data
    lines = [line for draft in drafts for line in draft.line_items]  # none where nothing is part of the deal
    assert {line.name for line in lines} <= {*ORDER}
    return tuple(sum(line.total for line in lines if line.name == name) for name in ORDER)


def times(multiplier: float, priority: float | None = None, **target: Any) -> dict[str, Any]:
    ranked = {} if priority is None else {"priority": priority}
    return {"type": "MULTIPLIER", "multiplier": multiplier, **ranked, **target}


def price(amount: float, product: str = "Calls", **values: str) -> dict[str, Any]:
    return {
        "type": "OVERWRITE",
        "overwrite_rate": {"rate_type": "FLAT", "price": amount},
        "override_specifiers": [{"product_id": product, "pricing_group_values": values}],
    }


def on(*specifiers: dict[str, Any]) -> dict[str, Any]:
    return {"override_specifiers": list(specifiers)}


CALLS = on({"product_id": "Calls"})


@pytest.mark.parametrize(
    ("overrides", "calls"),
    [
        pytest.param([], 200, id="the list price"),
        pytest.param([times(0.5)], 100, id="one multiplier"),
        pytest.param([times(0.9), times(0.5), times(0.7)], 100, id="the smallest of several"),
        pytest.param([times(0.5), times(0.5)], 100, id="two that are equal do not stack"),
        pytest.param([times(1.5), times(1.2)], 240, id="above the list price too the smallest"),
        pytest.param([times(0), times(0.5)], 0, id="free"),
        pytest.param([times(0.5, 9), times(0.9, 1)], 100, id="priorities do not matter"),
        pytest.param([price(3), times(0.1)], 300, id="an overwritten price goes before a smaller multiplier"),
        pytest.param([times(0.1), price(3)], 300, id="and before one that was added earlier"),
        pytest.param([price(3), price(1)], 100, id="of overwritten prices the last one added"),
        pytest.param([price(1), price(3)], 300, id="even if it is higher"),
    ],
)
def test_the_lowest_multiplier_wins_by_default(amounts, overrides, calls):
    assert amounts(overrides)[0] == calls


@pytest.mark.parametrize(
    ("overrides", "calls"),
    [
        pytest.param([], 200, id="the list price"),
        pytest.param([times(0.9, 1), times(0.5, 2)], 180, id="the lowest number, whatever the multiplier"),
        pytest.param([times(0.5, 2), times(0.9, 1)], 180, id="in whatever order"),
        pytest.param([times(0.9, 0.5), times(0.5, 1)], 180, id="numbers with decimals"),
        pytest.param([times(0.9, 10), times(0.5, 9)], 100, id="numbers are not text"),
        pytest.param([times(0.5, 1), times(0.9, 1)], 180, id="of two that are equal the last one added"),
        pytest.param([times(0.9, 1), times(0.5, 1)], 100, id="and it may be the smaller one"),
        pytest.param([price(3), times(0.1, 1)], 300, id="an overwritten price needs no number and goes first"),
        pytest.param([price(3), price(1)], 100, id="of overwritten prices the last one added"),
        pytest.param([price(1) | {"priority": 1}, price(3) | {"priority": 9}], 300, id="whatever their numbers"),
    ],
)
def test_the_lowest_priority_wins_where_multipliers_are_ranked_explicitly(amounts, overrides, calls):
    assert amounts(overrides, "EXPLICIT")[0] == calls


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("first", "then", "calls"),
    [
        pytest.param(times(0.5, 2), times(0.9, 2), {"LOWEST_MULTIPLIER": 100, "EXPLICIT": 180}, id="multipliers"),
        pytest.param(price(1), price(3), {"LOWEST_MULTIPLIER": 300, "EXPLICIT": 300}, id="overwritten prices"),
        pytest.param(price(1), times(0.1, 1), {"LOWEST_MULTIPLIER": 100, "EXPLICIT": 100}, id="one of each"),
    ],
)
def test_a_later_edit_adds_after_an_earlier_one(amounts, scheme, first, then, calls):
    assert amounts([first], scheme, then=[then])[0] == calls[scheme]


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        pytest.param({}, (100, 200, 200, 50), id="no target: all products"),
        pytest.param({"product_id": "Calls"}, (100, 400, 400, 100), id="a product"),
        pytest.param({"applicable_product_tags": ["api"]}, (100, 400, 400, 100), id="a tag"),
        pytest.param({"applicable_product_tags": ["api", "ai"]}, (100, 200, 200, 50), id="any of the tags"),
        pytest.param({"applicable_product_tags": ["none"]}, LIST, id="a tag of no product"),
        pytest.param(on({"product_tags": ["ai", "gpu"]}), (200, 200, 200, 50), id="all of a specifier's tags"),
        pytest.param(on({"product_tags": ["ai", "api"]}), LIST, id="which no product has"),
        pytest.param(
            on({"product_tags": ["api"]}, {"product_id": "Tokens"}), (100, 200, 200, 50), id="any of the specifiers"
        ),
        pytest.param(
            on({"product_id": "Tokens", "pricing_group_values": {"model": "xl"}}), (200, 200, 200, 100), id="a model"
        ),
        pytest.param(
            on({"product_id": "Tokens", "presentation_group_values": {"region": "eu"}}),
            (200, 200, 400, 50),
            id="a region",
        ),
        pytest.param(
            on({"pricing_group_values": {"model": "xl"}, "presentation_group_values": {"region": "us"}}),
            (200, 400, 200, 100),
            id="a model in a region, of whatever product",
        ),
        pytest.param(
            on({"product_id": "Calls", "pricing_group_values": {}}, {"product_tags": ["ai"], "product_id": "Calls"}),
            (100, 400, 400, 100),
            id="what is given in one specifier must all hold",
        ),
    ],
)
def test_what_an_override_is_on(amounts, target, shown):
    assert amounts([times(0.5, **target)]) == shown


def test_each_line_has_a_winner_of_its_own(amounts):
    overrides = [
        times(0.9),
        times(0.5, product_id="Tokens"),
        price(30, "Tokens", model="xl"),
        times(0.25, **on({"product_id": "Tokens", "presentation_group_values": {"region": "eu"}})),
    ]
    assert amounts(overrides) == (180, 300, 300, 25)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("overrides", "calls"),
    [
        pytest.param([{"entitled": True}], 200, id="entitled anyway"),
        pytest.param([{"entitled": False, "product_id": "Calls"}], 0, id="taken out of the deal"),
        pytest.param([{"entitled": False}, {"entitled": True, **CALLS}], 200, id="the one added last decides"),
        pytest.param([{"entitled": True, **CALLS}, {"entitled": False}], 0, id="either way"),
        pytest.param([{"entitled": True}, times(0.5, 1)], 100, id="it leaves the price to others"),
        pytest.param([times(0.5, 1), {"entitled": True}], 100, id="added before or after it"),
        pytest.param([{"entitled": False}, times(0.5, 1)], 0, id="a price alone entitles to nothing"),
        pytest.param([{"entitled": False}, times(0.5, 1, entitled=True)], 100, id="a price may say so too"),
        pytest.param(
            [times(0.5, 1), times(0.9, 2, entitled=False)], 0, id="one that loses by its price decides all the same"
        ),
    ],
)
def test_entitlement_is_decided_apart_from_the_price(amounts, scheme, overrides, calls):
    assert amounts(overrides, scheme)[0] == calls


def test_an_override_may_put_a_product_into_the_deal(amounts, town):
    RateFactory(rate_card=town.card, product=town.calls, price=D(2), starting_at=OCTOBER, entitled=False)

    assert amounts([{"entitled": True, "product_id": "Calls", "ending_before": at("2025-10-11")}])[0] == 200


MIDDLE, LAST = at("2025-10-10T05"), at("2025-10-10T06")


@pytest.mark.parametrize(
    ("overrides", "calls"),
    [
        pytest.param([times(0.5) | {"starting_at": at("2025-11-01")}], 1_000, id="a future start"),
        pytest.param([times(0.5) | {"ending_before": MIDDLE}], 900, id="up to an hour and not including it"),
        pytest.param([times(0.5) | {"ending_before": LAST}], 800, id="up to the next hour"),
        pytest.param([times(0.5) | {"starting_at": MIDDLE, "ending_before": LAST}], 900, id="over one hour"),
        pytest.param([times(0.5) | {"starting_at": LAST}], 700, id="from the next hour on"),
        pytest.param(
            [times(0.5) | {"ending_before": LAST}, times(0.8) | {"starting_at": MIDDLE}],
            # 200 and 200 at half, 600 at 0.8: in the hour that both cover the smaller one holds
            100 + 100 + 480,
            id="ranges that overlap",
        ),
        pytest.param(
            [price(1) | {"ending_before": LAST}, price(4) | {"ending_before": MIDDLE}, times(0.5)],
            # 200 twice the list, then 200 at half by price, then 600 at half by multiplier
            400 + 100 + 300,
            id="what ends uncovers what it covered",
        ),
        pytest.param(
            [{"entitled": False, "ending_before": LAST}, {"entitled": True, "ending_before": MIDDLE}],
            200 + 0 + 600,
            id="in and out of the deal",
        ),
    ],
)
def test_an_override_holds_from_its_start_up_to_its_end(amounts, town, overrides, calls):
    use(town.calls_made, "2025-10-02T00", 100, {})
    use(town.calls_made, "2025-10-10T06", 300, {})

    # 100 calls before the middle, 100 in its hour, 300 after it: 200, 200 and 600 by the list.
    assert amounts(overrides)[0] == calls


def test_an_overwritten_price_outlives_a_change_of_the_list(amounts, town):
    RateFactory(rate_card=town.card, product=town.calls, price=D(50), starting_at=OCTOBER)

    assert amounts([price(3)])[0] == 300


def test_a_multiplier_follows_the_list(amounts, town):
    RateFactory(rate_card=town.card, product=town.calls, price=D(50), starting_at=OCTOBER)

    assert amounts([times(0.5)])[0] == 2_500


def test_an_override_that_is_taken_out_was_never_there(amounts, town, admin):
    assert amounts([times(0.5), times(0.1)])[0] == 20
    [contract] = admin.v2.contracts.list(customer_id=str(town.customer.pk)).data
    smaller = next(override for override in contract.overrides if override.multiplier == 0.1)

    admin.v2.contracts.edit(
        customer_id=str(town.customer.pk), contract_id=contract.id, remove_overrides=[{"id": smaller.id}]
    )

    assert october(admin, town)[0] == 100


def tiered(*tiers: tuple[float, float | None], priority: float = 1, **target: Any) -> dict[str, Any]:
    """Multipliers with the quantity that each is for; None for the rest."""
    steps = [{"multiplier": each} | ({} if size is None else {"size": size}) for each, size in tiers]
    return {"type": "TIERED", "tiers": steps, "priority": priority, **target}


@pytest.mark.parametrize(
    ("overrides", "shown"),
    [
        pytest.param([tiered((0.5, 50))], (50 + 100, 200, 200, 25 + 50), id="half for 50, then list"),
        pytest.param([tiered((0.5, 100))], (100, 200, 200, 50), id="a unit at the end of a tier is within it"),
        pytest.param([tiered((0.5, 50), (0.1, None))], (50 + 10, 200, 200, 25 + 5), id="half for 50, then a tenth"),
        pytest.param([tiered((1, 50), (0.5, 25))], (100 + 25 + 50, 400, 400, 50 + 12.5 + 25), id="list, half, list"),
        pytest.param([tiered((0.5, None))], (100, 200, 200, 50), id="half of everything"),
        pytest.param([tiered((0, 10))], (180, 0, 0, 90), id="the first ten are free; each region counts for itself"),
        pytest.param([tiered((0.5, 50)), times(0.9, 2)], (150, 200, 200, 75), id="goes before a multiplier by rank"),
        pytest.param([tiered((0.5, 50), priority=2), times(0.9, 1)], (180, 360, 360, 90), id="or after it"),
        pytest.param([tiered((0.5, 50)), times(0.1, 1)], (20, 40, 40, 10), id="of equal ranks the last one added"),
        pytest.param([price(3), tiered((0.5, 50))], (300, 200, 200, 75), id="an overwritten price goes first"),
    ],
)
def test_tiers_of_multipliers_apply_to_the_periods_quantity(amounts, overrides, shown):
    assert amounts(overrides, "EXPLICIT") == shown


def test_the_quantity_of_tiers_runs_on_over_hours_and_cuts(amounts, town):
    use(town.calls_made, "2025-10-02T00", 30, {})
    use(town.calls_made, "2025-10-15T00", 10, {})
    idle = times(0.9, 9) | {"starting_at": at("2025-10-05")}

    # 140 calls: 30, then 100, then 10. The first 50 at half, whichever hours they are in.
    assert amounts([tiered((0.5, 50)), idle], "EXPLICIT")[0] == 50 + 180


def own_price(rate: dict[str, Any]) -> dict[str, Any]:
    return {"type": "OVERWRITE", "overwrite_rate": rate, "product_id": "Calls"}


@pytest.mark.parametrize(
    ("rate", "calls"),
    [
        pytest.param({"rate_type": "TIERED", "tiers": [{"price": 3, "size": 40}, {"price": 1}]}, 180, id="graduated"),
        pytest.param({"rate_type": "VOLUME", "tiers": [{"price": 3, "size": 40}, {"price": 1}]}, 100, id="by volume"),
        pytest.param({"rate_type": "PACKAGE", "price": 7, "package_size": 30}, 28, id="started packages"),
    ],
)
def test_an_overwritten_price_may_be_of_any_type(amounts, rate, calls):
    assert amounts([own_price(rate), times(0.1)])[0] == calls


def commit(amount: float, name: str = "pack") -> dict[str, Any]:
    """A postpaid commit over the last quarter, which says nothing of what it may pay for."""
    return {"name": name, "temporary_id": name, "amount": amount}


def while_paying(override: dict[str, Any], *names: str) -> dict[str, Any]:
    """The same override of calls, held only while one of these commits pays; any where none is named."""
    paid = {"commit_ids": list(names)} if names else {}
    return override | {"is_commit_specific": True, "override_specifiers": [{"product_id": "Calls", **paid}]}


@pytest.mark.parametrize(
    ("amount", "overrides", "covered", "rest"),
    [
        pytest.param(100, [], 100, 100, id="at the list price"),
        pytest.param(50, [while_paying(times(0.5), "pack")], 50, 100, id="half while it pays, then list"),
        pytest.param(500, [while_paying(times(0.5), "pack")], 100, 0, id="half of everything"),
        pytest.param(50, [while_paying(times(0.5))], 50, 100, id="while any commit pays"),
        pytest.param(50, [while_paying(times(0.5), "other")], 50, 150, id="while another pays, which has nothing to"),
        pytest.param(50, [while_paying(times(0.5), "pack"), times(0.1)], 50, 10, id="before an ordinary one"),
        pytest.param(50, [while_paying(times(0.5), "pack"), price(4)], 50, 200, id="before an overwritten price"),
        pytest.param(
            50, [while_paying(times(0.1), "pack"), while_paying(price(0.5), "pack")], 50, 0, id="after one while paying"
        ),
        pytest.param(
            50, [while_paying(times(0.5), "pack"), while_paying(times(0.25), "pack")], 50, 0, id="by the scheme"
        ),
        pytest.param(
            100,
            [while_paying(times(0.5), "pack") | {"target": "COMMIT_RATE"}],
            100,
            100,
            id="of a commit rate that is not there",
        ),
    ],
)
def test_what_holds_while_a_balance_pays(admin, town, amount, overrides, covered, rest):
    end = at("2026-01-01")
    fixed = FixedProductFactory()

    def as_sent(given):
        schedule = {"amount": given.pop("amount")}
        return {
            **given,
            "type": "POSTPAID",
            "product_id": str(fixed.pk),
            "applicable_product_ids": [str((town.tokens if given["name"] == "other" else town.calls).pk)],
            "access_schedule": {"schedule_items": [{**schedule, "starting_at": OCTOBER, "ending_before": end}]},
            "invoice_schedule": {"schedule_items": [{**schedule, "timestamp": end}]},
        }

    contract = admin.v1.contracts.create(
        customer_id=str(town.customer.pk),
        rate_card_id=str(town.card.pk),
        starting_at=OCTOBER,
        ending_before=end,
        commits=[as_sent(commit(amount)), as_sent(commit(1_000_000, "other"))],
        overrides=[dated(town.named(each)) for each in overrides],
    ).data.contract

    [draft] = admin.v1.customers.invoices.list(customer_id=contract.customer_id, status="DRAFT", type="USAGE").data
    lines = [line for line in draft.line_items if line.name == "Calls" and line.type == "usage"]
    assert sum(line.total for line in lines if line.commit_id) == covered
    assert sum(line.total for line in lines if not line.commit_id) == rest
    ids = {each.name: each.id for each in contract.commits}
    named = [spec.commit_ids for each in contract.overrides for spec in each.override_specifiers or []]
    assert all(names is None or {*names} <= {*ids.values()} for names in named)
