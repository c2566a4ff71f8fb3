"""Formulas as services state them: what is published."""

from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.refusals import Conflict
from pricing import queries, services
from pricing.models import Formula, Publication, Rate
from pricing.services import ChangedNumbers, PriceWasChanged, WholeFormula
from tests.factories.pricing import (
    ProductFactory,
    RateCardConversionFactory,
    RateFactory,
)
from tests.pricing.formulas.tokens import JANUARY, JULY, MARCH, MAY, NODES, REGIONS, TIERS, node, of, priced

pytestmark = pytest.mark.django_db


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
