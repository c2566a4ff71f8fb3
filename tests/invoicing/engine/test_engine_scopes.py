"""Metrics that are not additive over series are asked for by scope, and count only where they were asked for."""

from dataclasses import replace

import pytest

from invoicing.engine.sellers import sellers
from invoicing.engine.stretches import Stretch
from invoicing.engine.walk import answered, compute, plan
from ledger.scopes import Scope
from ledger.used import Used, series_of
from pricing.engine.catalog import Metric
from pricing.engine.prices import Price
from pricing.engine.targets import Offer
from tests.invoicing.engine.world import (
    LATE_OCTOBER,
    NOVEMBER,
    OCTOBER,
    D,
    card,
    contract,
    given,
    on,
    product,
    rate,
    uid,
    usage_documents,
)

SEATS = product("Seats", metric="users")
BY_PLAN = product("Seats by plan", metric="users", pricing_group_key=("plan",))
RATES = [rate("Seats", "10"), rate("Seats by plan", "1", values=(("plan", "pro"),))]


def peaks(*versions, at=LATE_OCTOBER):
    """A world whose one metric counts peaks."""
    known = {version.product_id for version in versions}
    rates = [each for each in RATES if each.product_id in known]
    inputs = given(at, [contract()], [card(*rates)], versions)
    metrics = {id_: replace(metric, aggregation="MAX") for id_, metric in inputs.catalog.metrics.items()}
    return replace(inputs, catalog=replace(inputs.catalog, metrics=metrics))


def test_each_set_of_group_keys_of_each_period_is_a_scope():
    scopes = plan(peaks(SEATS, BY_PLAN, at=on(11, 5))).scopes
    assert [(scope.keys, scope.period.starting_at) for scope in scopes] == [
        ((), OCTOBER),
        (("plan",), OCTOBER),
        ((), NOVEMBER),
        (("plan",), NOVEMBER),
    ]


def test_sums_have_no_scope_and_neither_has_what_is_not_metered():
    inputs = given(LATE_OCTOBER, [contract()], [card(*RATES)], (SEATS, BY_PLAN))
    assert plan(inputs).scopes == ()
    later = product("Seats", metric="users", starting_at=on(10, 15), publication=2)
    unmetered = replace(SEATS, metric_id=None)
    assert [scope.keys for scope in plan(peaks(unmetered, later)).scopes] == [()]
    without_metrics = peaks(SEATS)
    unknown = replace(without_metrics, catalog=replace(without_metrics.catalog, metrics={}))
    assert plan(unknown).scopes == ()


def test_usage_of_a_scope_counts_for_the_products_with_its_keys():
    inputs = peaks(SEATS, BY_PLAN)
    planned = plan(inputs)
    whole, by_plan = planned.scopes
    another = replace(whole, period=replace(whole.period, starting_at=on(9, 1)))
    used = Used(
        {
            series_of(whole.metric_id, (), whole): D(7),
            series_of(whole.metric_id, (("plan", "pro"),), by_plan): D(5),
            series_of(whole.metric_id, (), another): D(99),
        }
    )
    asking = compute(inputs, planned, {planned.slices[0]: used})
    (document,) = usage_documents(answered(asking, lambda finer: {}))
    assert [(line.name, line.quantity) for line in document.lines] == [("Seats", 7), ("Seats by plan (plan: pro)", 5)]


def test_a_scope_names_its_metric():
    (scope,) = plan(peaks(SEATS)).scopes
    assert scope == Scope(uid("metric users"), "MAX", (), scope.period)
    assert Metric(scope.metric_id, "a metric", "MAX") in peaks(SEATS).catalog.metrics.values()


def test_nothing_is_taken_where_there_is_no_price():
    with pytest.raises(ValueError, match="no price"):
        Stretch(OCTOBER, NOVEMBER, None, "NO_RATE", {}, None, ()).asked()


def test_a_seller_says_its_price_over_time():
    inputs = given(LATE_OCTOBER, [contract()], [card(*RATES)], (SEATS, BY_PLAN))
    (seller,) = sellers(inputs.terms, inputs.catalog).values()
    before, within = seller.prices(Offer(SEATS.product_id, (), (), ()), [on(9, 1), on(10, 5)])
    assert before == "NOT_ENTITLED"
    assert isinstance(within, Price)
