"""Formulas that services or the database refuse."""

from decimal import Decimal as D

import pytest
from django.db import IntegrityError, transaction

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Conflict, NotFound, Refusal
from pricing import services
from pricing.models import Formula, Publication
from pricing.services import WholeFormula
from tests.factories.pricing import (
    CompositeProductFactory,
    FormulaFactory,
    PricingUnitFactory,
    ProductFactory,
    ProductVersionFactory,
    RateCardFactory,
    RateFactory,
)
from tests.pricing.formulas.tokens import JANUARY, JULY, MARCH, MAY, MODELS, NODES, factor, node, of, priced

pytestmark = pytest.mark.django_db


def without(name, **values):
    return [each for each in NODES if (each.name, dict(each.values)) != (name, values)]


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
