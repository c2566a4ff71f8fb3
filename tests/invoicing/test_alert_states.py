"""Alerts as the refresher follows them: who is in alarm, and each turn written down once."""

from decimal import Decimal as D

import pytest
from django.db import IntegrityError, connection, transaction

from billing_site.foundation.models import Touched
from invoicing import services
from invoicing.models import Alert, AlertState, AlertTurn
from invoicing.services import AlertInput, finalize_due, summaries
from ledger.models import MetricBackfill
from pricing.models import BillableMetric
from tests.factories.contracts import CustomerFactory
from tests.invoicing.conftest import ADA, OCTOBER, at, commit_of, contract_for

pytestmark = pytest.mark.django_db

NOON = "2025-10-20T12"


@pytest.fixture(autouse=True)
def _noon(clock_at):
    clock_at(NOON)


def settle():
    for _ in range(10):
        if not summaries.refresh_what_is_due():
            return
    raise AssertionError("It never ends.")


def watch(type_="SPEND_THRESHOLD_REACHED", threshold=10, *, when=NOON, **more):
    return services.create_alert(AlertInput("Alert", type_, D(threshold), **more), at=at(when), by=ADA)


def states():
    rows = AlertState.objects.select_related("customer")
    return sorted((row.customer.name, row.status, row.figure) for row in rows)


def turns(alert):
    return [(turn.is_alarm, turn.label, turn.figure) for turn in AlertTurn.objects.filter(alert=alert).order_by("id")]


def test_usage_brings_a_customer_into_alarm_and_a_new_period_out_of_it(acme, clock_at):
    alert = watch()
    settle()
    assert (states(), turns(alert)) == ([(acme.customer.name, "OK", D(0))], [])
    acme.calls("2025-10-07T00", 5)
    settle()
    settle()
    assert states() == [(acme.customer.name, "IN_ALARM", D(10))]
    acme.calls("2025-10-08T00", 1)
    settle()
    assert AlertState.objects.get().since == at(NOON)
    clock_at("2025-11-01")
    settle()
    assert states() == [(acme.customer.name, "OK", D(0))]
    assert turns(alert) == [(True, "", D(10)), (False, "", D(0))]
    assert [turn.created_at for turn in AlertTurn.objects.order_by("id")] == [at(NOON), at("2025-11-01")]


def test_each_of_all_customers_is_watched_and_a_new_alert_is_looked_at_by_itself(acme, price_list):
    globex = contract_for(CustomerFactory(name="Globex", aliases=["globex"]), price_list).customer
    acme.calls("2025-10-07T00", 5)
    settle()
    assert Touched.objects.count() == 0
    watch()
    settle()
    assert states() == sorted([(acme.customer.name, "IN_ALARM", D(10)), ("Globex", "OK", D(0))])
    watch(threshold=0, customer_id=globex.pk)
    settle()
    assert [status for _, status, _ in states()].count("IN_ALARM") == 2


def test_each_value_of_a_group_turns_by_itself(acme):
    alert = watch(threshold=80, group_values=[{"key": "model"}])
    acme.uses_tokens("2025-10-03T05", D(2))
    acme.uses_tokens("2025-10-03T05", D(2), model="small")
    settle()
    acme.uses_tokens("2025-10-04T05", D(200), model="small")
    acme.uses_tokens("2025-10-04T05", D(-1))
    settle()
    assert turns(alert) == [
        (True, "model: xl", D(80)),
        (False, "model: xl", D(40)),
        (True, "model: small", D(101)),
    ]
    [state] = AlertState.objects.all()
    assert (state.status, state.figure, state.label) == ("IN_ALARM", D(101), "model: small")


def test_what_was_past_the_threshold_before_is_not_told_before_it_came_back(acme):
    acme.calls("2025-10-07T00", 5)
    alert = watch(when="2025-10-20T11", evaluate_on_create=False)
    settle()
    assert ([status for _, status, _ in states()], turns(alert)) == (["OK"], [])
    acme.calls("2025-10-07T01", 1)
    settle()
    assert turns(alert) == []
    services.reset_alert(alert.pk, acme.customer.pk)
    settle()
    assert turns(alert) == [(True, "", D(12))]


def test_a_reset_tells_once_more(acme):
    alert = watch(threshold=2)
    acme.calls("2025-10-07T00", 1)
    settle()
    for _ in range(2):
        services.reset_alert(alert.pk, acme.customer.pk)
    settle()
    assert turns(alert) == [(True, "", D(2)), (True, "", D(2))]


def test_a_draft_that_became_final_is_gone(acme, clock_at):
    alert = watch("INVOICE_TOTAL_REACHED", threshold=10)
    acme.calls("2025-10-07T00", 5)
    clock_at("2025-11-03")
    settle()
    finalize_due(acme.customer.pk, at=at("2025-11-03"), by=ADA)
    settle()
    label = "usage from 1 October 2025"
    assert turns(alert) == [(True, label, D(10)), (False, label, None)]
    assert states() == [(acme.customer.name, "OK", D(0))]


def test_archiving_ends_every_alarm_and_turns_stay(acme):
    commit_of(acme, D(1_000))
    alert = watch("LOW_REMAINING_COMMIT_PERCENTAGE_REACHED", threshold=100)
    settle()
    assert states() == [(acme.customer.name, "IN_ALARM", D(100))]
    services.archive_alert(alert.pk, at=at(NOON), by=ADA)
    settle()
    assert (states(), turns(alert)) == ([], [(True, "", D(100))])


def test_usage_of_a_metric_that_is_still_measured_back_is_not_known_yet(acme):
    metric = BillableMetric.objects.get(name="API calls")
    alert = watch("USAGE_THRESHOLD_REACHED", threshold=1, billable_metric_id=metric.pk)
    acme.calls("2025-10-07T00", 5)
    backfill = MetricBackfill.objects.create(metric_id=metric.pk, started_at=OCTOBER, events_before=5)
    settle()
    assert (states(), turns(alert)) == ([], [])
    MetricBackfill.objects.filter(pk=backfill.pk).update(finished_at=OCTOBER)
    summaries.refresh_summary(acme.customer.pk, at=at(NOON))
    assert turns(alert) == [(True, "", D(5))]


def test_the_number_of_queries_does_not_grow_with_the_alerts(acme):
    def cost():
        settle()
        before = len(connection.queries_log)
        connection.force_debug_cursor = True
        assert summaries.refresh_summary(acme.customer.pk, at=at(NOON))
        connection.force_debug_cursor = False
        return len(connection.queries_log) - before

    commit_of(acme, D(1_000))
    metric = BillableMetric.objects.get(name="API calls")
    counted = []
    for _ in range(2):
        watch()
        watch("LOW_REMAINING_COMMIT_BALANCE_REACHED")
        watch("USAGE_THRESHOLD_REACHED", billable_metric_id=metric.pk)
        counted.append(cost())
    assert len(states()) == 6
    assert counted[0] == counted[1]


def test_the_database_refuses_an_alarm_without_a_figure_and_usage_without_a_metric(acme):
    alert = watch()
    for make in (
        lambda: AlertTurn.objects.create(alert=alert, customer=acme.customer, is_alarm=True, created_at=OCTOBER),
        lambda: Alert.objects.create(
            name="x", type="USAGE_THRESHOLD_REACHED", threshold=1, created_at=OCTOBER, created_by="x"
        ),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            make()
