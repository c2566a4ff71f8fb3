"""Formulas as services state them: what is published, what is refused, and what the database holds."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Conflict, NotFound, Refusal
from pricing import queries, services
from pricing.models import Formula, Publication, Rate
from pricing.services import ChangedNumbers, NewNode, PriceWasChanged, WholeFormula
from tests.factories.pricing import (
    CompositeProductFactory,
    FormulaFactory,
    PricingUnitFactory,
    ProductFactory,
    ProductVersionFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateFactory,
)

pytestmark = pytest.mark.django_db

JANUARY, MARCH, MAY, JULY = (datetime(2025, month, 1, tzinfo=UTC) for month in (1, 3, 5, 7))

MODELS = {"small": "0.5", "medium": "1", "xl": "4"}
REGIONS = {"eu": "1.1", "us": "1", "asia": "1.2", "africa": "0.9"}
TIERS = {"basic": "1", "plus": "1.25", "pro": "1.5"}


def node(name, number, **values):
    return NewNode(name, D(number), values)


def factor(name, numbers):
    """A node for each value of the key that the factor is named after."""
    return [node(name, number, **{name: value}) for value, number in numbers.items()]


NODES = [node("base", "100"), *factor("model", MODELS), *factor("region", REGIONS), *factor("tier", TIERS)]


@pytest.fixture
def card():
    return RateCardFactory()


@pytest.fixture
def product():
    """3 models × 4 regions × 3 tiers."""
    return ProductFactory(name="Tokens", version__pricing_group_key=["model", "region", "tier"])


@pytest.fixture
def state(card, product, told):
    def state(nodes=NODES, starting_at=JANUARY, entitled=True, credit_type_id=None, **options):
        said = WholeFormula(nodes, entitled, credit_type_id)
        return services.state_formula(card.pk, product.pk, said, starting_at=starting_at, **told | options)

    return state


@pytest.fixture
def change(card, product, told):
    def change(*nodes, starting_at=JULY, **options):
        said = ChangedNumbers(nodes)
        return services.state_formula(card.pk, product.pk, said, starting_at=starting_at, **told | options)

    return change


def priced(card, product, at):
    """The price of each combination, by its values."""
    rates = queries.rates_of_product(card, product.pk).by_values
    found = {values: timeline.at(at) for values, timeline in rates.items()}
    return {values: rate.tariff.price for values, rate in found.items() if rate}


def of(model, region, tier):
    return (("model", model), ("region", region), ("tier", tier))


def test_36_prices_from_11_numbers_in_one_publication(card, product, state):
    stated = state(reason="Launch")
    prices = priced(card, product, JANUARY)
    assert len(prices) == Rate.objects.count() == 36
    assert prices[of("xl", "eu", "pro")] == D("660")  # 100 × 4 × 1.1 × 1.5
    assert prices[of("small", "africa", "plus")] == D("56.25")  # 100 × 0.5 × 0.9 × 1.25
    formula = Formula.objects.get()
    assert set(Rate.objects.values_list("publication", "formula")) == {(stated.publication.number, formula.pk)}
    assert (formula.publication, formula.publication.price_change.reason) == (stated.publication, "Launch")


def test_one_of_three_models_moves_exactly_12_of_36(card, product, state, change):
    state()
    before = priced(card, product, JULY)
    stated = change(node("model", "3", model="xl"))
    added = Rate.objects.filter(publication=stated.publication)
    assert added.count() == len(stated.moves.moved) == 12
    assert stated.moves.unmoved == 24
    assert {rate.pricing_group_values["model"] for rate in added} == {"xl"}
    after = priced(card, product, JULY)
    assert {values for values in after if after[values] != before[values]} == {
        of("xl", region, tier) for region in REGIONS for tier in TIERS
    }
    assert after[of("xl", "eu", "pro")] == 495
    assert priced(card, product, MAY) == before


def test_cost_times_markup(card, told):
    product = ProductFactory(version__pricing_group_key=["model"])
    nodes = [node("cost", "30", model="xl"), node("cost", "2", model="small"), node("markup", "1.5")]
    told |= {"starting_at": JANUARY}
    services.state_formula(card.pk, product.pk, WholeFormula(nodes, True), **told)
    assert priced(card, product, JANUARY) == {(("model", "small"),): 3, (("model", "xl"),): 45}
    stated = services.state_formula(card.pk, product.pk, ChangedNumbers([node("markup", "2")]), **told)
    assert len(stated.moves.moved) == 2
    assert priced(card, product, JANUARY) == {(("model", "small"),): 4, (("model", "xl"),): 60}


def test_what_is_said_already_is_not_said_again(state, change):
    state()
    count = Publication.objects.count()
    for again in (state(), state(starting_at=MARCH), change(node("base", "100.0"))):
        assert (again.is_news, again.publication) == (False, None)
    assert Publication.objects.count() == count
    assert Formula.objects.count() == 1


def test_a_scheduled_change_is_restated_by_an_earlier_one(card, product, state, change):
    state()
    change(node("base", "200"), starting_at=JULY)
    stated = change(node("model", "3", model="xl"), starting_at=MAY)
    assert [statement.starting_at for statement in stated.statements] == [MAY, JULY]
    assert Rate.objects.filter(publication=stated.publication).count() == 24
    xl = of("xl", "us", "basic")
    assert [priced(card, product, at)[xl] for at in (MARCH, MAY, JULY)] == [400, 300, 600]
    formulas = Formula.objects.filter(publication=stated.publication).order_by("starting_at")
    assert [formula.rates.count() for formula in formulas] == [12, 12]
    assert formulas[1].changed_nodes == [{"name": "base", "values": {}}]


def test_a_later_whole_formula_prices_again_what_would_not_hold(card, product, state, change):
    state()
    state([node("base", "100"), *NODES[1:], node("fee", "1")], starting_at=JULY)
    stated = change(node("model", "3", model="xl"), starting_at=MAY)
    assert [statement.starting_at for statement in stated.statements] == [MAY]
    assert [priced(card, product, at)[of("xl", "us", "basic")] for at in (MAY, JULY)] == [300, 400]
    later = Rate.objects.filter(publication=stated.publication, starting_at=JULY)
    assert {rate.formula.nodes[-1]["name"] for rate in later} == {"fee"}


def test_typed_prices_are_refused_by_name_kept_or_replaced(card, product, state, change, told):
    state()
    values = dict(of("xl", "us", "basic"))
    typed = services.NewRate(product.pk, MARCH, True, "FLAT", D(444), pricing_group_values=values)
    services.add_rate(card.pk, typed, **told)
    with pytest.raises(Conflict) as refused:
        change(node("model", "3", model="xl"))
    (error,) = refused.value.errors
    assert (error.field, error.value) == ("exceptions", "model: xl, region: us, tier: basic")
    assert error.rule == "costs $4.44 a unit then, which is not the formula's price: say KEEP or REPLACE"
    assert Formula.objects.count() == 1
    kept = change(node("model", "3", model="xl"), exceptions="KEEP")
    assert (len(kept.moves.moved), [dict(move.values) for move in kept.moves.kept]) == (11, [values])
    assert priced(card, product, JULY)[of("xl", "us", "basic")] == 444
    change(node("model", "2", model="xl"), exceptions="REPLACE")
    assert priced(card, product, JULY)[of("xl", "us", "basic")] == 200
    assert len(change(node("model", "4", model="xl")).moves.moved) == 12


def test_a_list_that_was_typed_is_taken_over_where_that_is_said(card, product, state):
    for model, price in {"small": 50, "medium": 100, "xl": 444}.items():
        RateFactory(
            rate_card=card,
            product=product,
            price=D(price),
            pricing_group_values={"model": model, "region": "us", "tier": "basic"},
        )
    with pytest.raises(Conflict, match="model: xl, region: us, tier: basic costs"):
        state()
    stated = state(exceptions="REPLACE")
    assert len(stated.moves.moved) == 36
    assert Rate.objects.filter(formula__isnull=False).count() == 36


def test_a_formula_in_a_custom_unit(card, product, state):
    conversion = RateCardConversionFactory(rate_card=card)
    state(credit_type_id=conversion.unit_id)
    assert set(Rate.objects.values_list("unit", flat=True)) == {conversion.unit_id}
    assert Formula.objects.get().unit_id == conversion.unit_id


def test_a_change_keeps_the_unit_and_the_entitlement(card, state, change):
    conversion = RateCardConversionFactory(rate_card=card)
    state(credit_type_id=conversion.unit_id, entitled=False)
    change(node("base", "200"))
    assert set(Rate.objects.values_list("unit", "entitled")) == {(conversion.unit_id, False)}


def without(name, **values):
    return [each for each in NODES if (each.name, dict(each.values)) != (name, values)]


@pytest.mark.parametrize(
    ("nodes", "field", "value", "rule"),
    [
        pytest.param([], "nodes", [], "must not be empty", id="nothing"),
        pytest.param([*NODES, node(" ", "1")], "nodes[11].name", " ", "must not be empty", id="no name"),
        pytest.param([node("base", "-1"), *NODES[1:]], "nodes[0].number", D(-1), "must not be negative", id="negative"),
        pytest.param([node("base", "NaN"), *NODES[1:]], "nodes[0].number", None, "must be a finite number", id="NaN"),
        pytest.param(
            [node("base", "0.0000000000001"), *NODES[1:]],
            "nodes[0].number",
            D("0.0000000000001"),
            "must not have more than 12 decimals",
            id="too many decimals in a node",
        ),
        pytest.param(
            [*NODES, node("base", "1")],
            "nodes[11].name",
            "base",
            "is there already, as nodes[0] with the same values",
            id="a node twice",
        ),
        pytest.param(
            [*NODES, node("model", "1", region="eu")],
            "nodes[11].values",
            {"region": "eu"},
            "must have values of model, as the node before it of the same name",
            id="a factor by two keys",
        ),
        pytest.param(
            [*NODES, node("base", "1", model="xl")],
            "nodes[11].values",
            {"model": "xl"},
            "must have no values, as the node before it of the same name",
            id="a base by model",
        ),
        pytest.param(
            [*NODES, node("quality", "1", model="xl")],
            "nodes",
            "quality (model: small)",
            "is missing: each factor needs a number for each combination",
            id="a hole",
        ),
        pytest.param(
            NODES[:8],
            "nodes",
            "model, region",
            "must have values of just model, region, tier: the product's pricing group key",
            id="a key of the product is not there",
        ),
        pytest.param(
            [*NODES, node("day", "1", day="sunday")],
            "nodes",
            "day, model, region, tier",
            "must have values of just model, region, tier: the product's pricing group key",
            id="a key that the product does not have",
        ),
        pytest.param(
            [node("base", "0.000000000001"), *NODES[1:]],
            "nodes",
            "0.00000000000055",
            "the price of model: small, region: eu, tier: basic must not have more than 12 decimals: "
            "a price is not rounded",
            id="a price that would have to be rounded",
        ),
        pytest.param(
            [node("base", "9999999999999999"), *NODES[1:]],
            "nodes",
            "10999999999999998.9",
            "the price of model: medium, region: eu, tier: basic must not have more than 16 digits before the point",
            id="a price too large",
        ),
        pytest.param(
            [node("m", "1", model=f"{i}") for i in range(101)]
            + [node("r", "1", region=f"{i}") for i in range(100)]
            + [node("t", "1", tier="basic")],
            "nodes",
            10_100,
            "must not make more than 10,000 prices",
            id="too many prices",
        ),
    ],
)
def test_a_formula_is_refused_by_field_and_rule(state, nodes, field, value, rule):
    with pytest.raises(Refusal) as refused:
        state(nodes)
    error = refused.value.errors[0]
    assert (error.field, error.rule) == (field, rule)
    assert value is None or error.value == value
    assert not Formula.objects.exists()
    assert not Publication.objects.filter(formulas__isnull=False).exists()


@pytest.mark.parametrize(
    ("options", "field", "rule"),
    [
        pytest.param({"starting_at": MARCH.replace(minute=30)}, "starting_at", "must be on the hour (UTC)", id="hour"),
        pytest.param({"exceptions": "MAYBE"}, "exceptions", "must be one of KEEP, REPLACE", id="exceptions"),
        pytest.param({"credit_type_id": uuid7()}, "credit_type_id", "there is no such pricing unit", id="unit"),
    ],
)
def test_a_statement_is_refused_by_field_and_rule(state, options, field, rule):
    with pytest.raises(Refusal) as refused:
        state(**options)
    assert (refused.value.errors[0].field, refused.value.errors[0].rule) == (field, rule)
    assert not Formula.objects.exists()


def test_a_custom_unit_needs_a_conversion(state):
    with pytest.raises(Refusal, match="the rate card has no conversion of Tokens to USD"):
        state(credit_type_id=PricingUnitFactory().pk)


def test_a_formula_is_of_a_usage_product_on_a_card_that_is_there(card, told):
    said = WholeFormula([node("base", "1")], True)
    told |= {"starting_at": JANUARY}
    with pytest.raises(NotFound, match="There is no rate card"):
        services.state_formula(uuid7(), uuid7(), said, **told)
    with pytest.raises(Refusal, match="there is no such product"):
        services.state_formula(card.pk, uuid7(), said, **told)
    composite = CompositeProductFactory()
    with pytest.raises(Refusal, match="must be a USAGE product; Support is a COMPOSITE product"):
        services.state_formula(card.pk, composite.pk, said, **told)
    gone = ProductFactory(archived_at=JANUARY)
    with pytest.raises(Refusal, match="the product API calls is archived"):
        services.state_formula(card.pk, gone.pk, said, **told)
    archived = RateCardFactory(archived_at=JANUARY)
    with pytest.raises(Refusal, match="the rate card List prices is archived"):
        services.state_formula(archived.pk, ProductFactory().pk, said, **told)


def test_a_change_is_of_a_node_that_is_there(state, change):
    with pytest.raises(Refusal, match="there is no formula of this product on the card then"):
        change(node("base", "1"))
    state(starting_at=MAY)
    with pytest.raises(Refusal, match="there is no formula of this product on the card then"):
        change(node("base", "1"), starting_at=MARCH)
    with pytest.raises(Refusal) as refused:
        change(node("base", "1"), node("model", "1", model="xxl"), node("modle", "1"))
    assert [(error.field, error.value) for error in refused.value.errors] == [
        ("nodes[1].name", "model xxl"),
        ("nodes[2].name", "modle"),
    ]
    assert Formula.objects.count() == 1


def test_a_whole_formula_does_not_lose_what_is_scheduled(state, change):
    state()
    change(node("tier", "2", tier="pro"), starting_at=JULY)
    with pytest.raises(Refusal) as refused:
        state([*without("tier", tier="pro")], starting_at=MAY)
    (error,) = refused.value.errors
    assert (error.field, error.value) == ("nodes", "tier pro")
    assert error.rule == (
        "is changed from 2025-07-01T00:00:00+00:00 on already, and is not in this formula: "
        "state it from then on, or with the node"
    )


def test_a_product_with_other_keys_needs_another_formula(card, product, state, change):
    state()
    ProductVersionFactory(product=product, starting_at=MAY, pricing_group_key=["model"])
    with pytest.raises(Refusal, match="must have values of just model: the product's pricing group key"):
        change(node("base", "200"))
    stated = state([node("base", "100"), *factor("model", MODELS)], starting_at=MAY)
    assert len(stated.moves.moved) == 3


def test_nothing_is_published_where_prices_were_changed_since_it_was_looked_at(card, product, state, change, told):
    state()
    known = queries.latest_publication()
    rate = Rate.objects.first()
    services.withdraw_rates([rate.pk], **told)
    with pytest.raises(PriceWasChanged, match="Ada has changed prices of this product meanwhile"):
        change(node("base", "200"), known_publication=known, exceptions="KEEP")
    known = queries.latest_publication()
    change(node("base", "200"), known_publication=known, exceptions="KEEP")
    with pytest.raises(PriceWasChanged):
        change(node("base", "300"), known_publication=known, exceptions="KEEP")


def test_a_plan_writes_nothing_and_names_exceptions(card, product, state):
    RateFactory(rate_card=card, product=product, pricing_group_values=dict(of("xl", "us", "basic")))
    planned = services.planned_formula(card.pk, product.pk, WholeFormula(NODES, True), starting_at=JANUARY)
    assert (len(planned.moves.moved), len(planned.moves.kept)) == (35, 1)
    assert not Formula.objects.exists()


def test_what_a_formula_says_beside_what_is_in_force(card, product, state, told):
    state()
    values = dict(of("xl", "us", "basic"))
    typed = services.NewRate(product.pk, MARCH, True, "FLAT", D(444), pricing_group_values=values)
    services.add_rate(card.pk, typed, **told)
    (formula,) = queries.formulas_of(card, product.pk)
    rows = {row.values: row for row in queries.prices_of_formula(formula, at=JULY)}
    odd = rows[of("xl", "us", "basic")]
    assert (odd.price, odd.rate.tariff.price, odd.is_exception) == (400, 444, True)
    assert [row for row in rows.values() if row.is_exception] == [odd]
    assert [each.name for each in odd.nodes] == ["base", "model", "region", "tier"]
    earlier = queries.prices_of_formula(formula, at=JULY, at_publication=formula.publication_id)
    assert not any(row.is_exception for row in earlier)


def test_as_many_queries_for_many_prices_as_for_few(card, told):
    counts = set()
    for size in (3, 30):
        product = ProductFactory(version__pricing_group_key=["model", "region"])
        nodes = [node("m", "2", model=f"m{i}") for i in range(size)] + [
            node("r", "3", region=f"r{i}") for i in range(30)
        ]
        change = ChangedNumbers([node("m", "1", model="m0")])
        for said, starting_at in ((WholeFormula(nodes, True), JANUARY), (change, MAY)):
            with CaptureQueriesContext(connection) as queries_made:
                services.state_formula(card.pk, product.pk, said, starting_at=starting_at, **told)
            counts.add(len(queries_made))
    assert len(counts) == 1


def test_the_database_refuses_a_rate_of_another_formula():
    formula = FormulaFactory()
    fits = {"rate_card": formula.rate_card, "product": formula.product, "formula": formula}
    fits |= {"publication": formula.publication}
    for odd in (
        {"product": ProductFactory()},
        {"starting_at": MAY},
        {"entitled": False},
        {"ending_before": MAY},
        {"commit_rate": {"rate_type": "FLAT", "price": "1"}},
        {"rate_type": "PACKAGE", "package_size": D(10)},
    ):
        with pytest.raises(IntegrityError, match="a_rate_is_of_its_formula"), transaction.atomic():
            RateFactory(**fits | odd)
    RateFactory(**fits)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        pytest.param({"nodes": []}, "a_formula_has_nodes", id="none"),
        pytest.param({"nodes": [{"name": "base", "number": "1"}]}, "a_formula_has_nodes", id="no values"),
        pytest.param(
            {"nodes": [{"name": "base", "values": {}, "number": 1}]}, "nodes_keep_numbers_as_text", id="a bare number"
        ),
        pytest.param({"starting_at": MARCH.replace(minute=30)}, "starting_at_is_on_the_hour", id="off the hour"),
    ],
)
def test_the_database_refuses_what_no_formula_says(changes, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        FormulaFactory(**changes)


def test_the_database_refuses_two_formulas_from_one_instant_in_one_publication_and_any_change():
    formula = FormulaFactory()
    same = {"rate_card": formula.rate_card, "product": formula.product, "publication": formula.publication}
    with pytest.raises(IntegrityError, match="a_publication_states_a_formula_once"), transaction.atomic():
        FormulaFactory(**same)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Formula.objects.update(entitled=False)
