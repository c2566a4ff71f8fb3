import pytest

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotFound, Refusal
from pricing import services
from pricing.models import BillableMetric
from tests.factories.pricing import NOW, MetricFactory

pytestmark = pytest.mark.django_db


def test_a_metric_keeps_its_definition_its_time_and_its_author(told):
    metric = services.create_metric(
        " Tokens ",
        aggregation_type="SUM",
        aggregation_key="tokens",
        other_event_types=["test"],
        property_filters=[services.PropertyFilter("region", exists=False)],
        group_keys=[["model"]],
        **told,
    )
    metric.refresh_from_db()
    assert (metric.name, metric.created_at, metric.created_by) == ("Tokens", NOW, "Ada")
    assert metric.event_type_filter == {"not_in_values": ["test"]}
    assert metric.property_filters == [{"name": "region", "exists": False}]
    assert metric.history.get().actor_label == "Ada"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        pytest.param({"name": "x" * 161}, ["name"], id="a name too long"),
        pytest.param({"name": "a\0b"}, ["name"], id="a name that cannot be stored"),
        pytest.param({"aggregation_key": ""}, ["aggregation_key"], id="nothing to add up"),
        pytest.param({"aggregation_key": "ü" * 129}, ["aggregation_key"], id="258 bytes"),
        pytest.param({"group_keys": [[]]}, ["group_keys[0]"], id="an empty group key"),
        pytest.param({"group_keys": [["a", "a"]]}, ["group_keys[0][1]"], id="a property twice"),
        pytest.param({"event_types": [], "other_event_types": [""]}, ["event_type_filter.in_values"], id="no types"),
        pytest.param(
            {"property_filters": [services.PropertyFilter("", in_values=["a\0"])]},
            ["property_filters[0].name", "property_filters[0].in_values[0]"],
            id="two mistakes in a filter",
        ),
        pytest.param(
            {"property_filters": [services.PropertyFilter("a", exists=False, in_values=["b"])]},
            ["property_filters[0].exists"],
            id="a value of what must not be there",
        ),
        pytest.param({"custom_fields": {"team": "x" * 201}}, ["custom_fields.team"], id="a custom field too long"),
    ],
)
def test_a_metric_is_refused_with_every_field_that_breaks_a_rule(told, changes, fields):
    definition = {"name": "Tokens", "aggregation_type": "SUM", "aggregation_key": "tokens"} | changes
    with pytest.raises(Refusal) as refusal:
        services.create_metric(**definition, **told)
    assert [error.field for error in refusal.value.errors] == fields
    assert not BillableMetric.objects.exists()


@pytest.mark.parametrize("aggregation", ["MAX", "LATEST", "UNIQUE", "WEIGHTED_SUM"])
def test_every_aggregation_needs_its_property(told, aggregation):
    made = services.create_metric("Peak", aggregation_type=aggregation, aggregation_key="level", **told)
    assert (made.aggregation_type, made.aggregation_key) == (aggregation, "level")
    with pytest.raises(Refusal, match="aggregation_key"):
        services.create_metric("Peak", aggregation_type=aggregation, **told)


def test_a_metric_is_renamed_once(told):
    metric = MetricFactory(name="Calls")
    for _ in range(2):
        services.rename_metric(metric.id, "API calls", reason="Clearer", **told)
    assert [row.name for row in metric.history.all()] == ["API calls", "Calls"]
    assert metric.history.first().history_change_reason == "Clearer"


def test_a_metric_is_archived_once(told):
    metric = MetricFactory()
    for _ in range(2):
        services.archive_metric(metric.id, **told)
    assert BillableMetric.objects.get().archived_at == NOW
    assert metric.history.count() == 2


def test_what_does_not_exist_is_neither_renamed_nor_archived(told):
    with pytest.raises(NotFound):
        services.rename_metric(uuid7(), "Calls", **told)
    with pytest.raises(NotFound):
        services.archive_metric(uuid7(), **told)
