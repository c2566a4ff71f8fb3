from decimal import Decimal as D

import pytest

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotFound, NotSupported, Refusal
from pricing import services
from pricing.models import PriceChange, Product, Publication
from tests.factories.pricing import NOW, MetricFactory, ProductFactory

pytestmark = pytest.mark.django_db


def test_a_product_begins_with_a_published_definition(told):
    metric = MetricFactory(group_keys=[["model"]])
    product = services.create_product(
        "Model xl",
        type="USAGE",
        billable_metric_id=metric.id,
        pricing_group_key=["model"],
        quantity_conversion=services.QuantityConversion(D(1_000_000), "DIVIDE"),
        reason="Launch",
        **told,
    )
    version = product.versions.select_related("publication__price_change").get()
    assert (version.name, version.starting_at, version.billable_metric_id) == ("Model xl", None, metric.id)
    assert (version.publication.published_at, version.publication.published_by) == (NOW, "Ada")
    change = version.publication.price_change
    assert (change.kind, change.state, change.reason, change.created_by, change.actor_id) == (
        "DIRECT",
        "PUBLISHED",
        "Launch",
        "Ada",
        "7",
    )


def test_publications_are_numbered_one_after_the_other(told):
    for name in ("Commitment", "Support", "Training"):
        services.create_product(name, type="FIXED", **told)
    numbers = list(Publication.objects.order_by("number").values_list("number", flat=True))
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert PriceChange.objects.count() == 3


@pytest.mark.parametrize("type", ["COMPOSITE", "SUBSCRIPTION", "PRO_SERVICE"])
def test_types_to_come_are_refused_by_name(told, type):
    with pytest.raises(NotSupported, match="only USAGE and FIXED"):
        services.create_product("Support", type=type, **told)


@pytest.mark.parametrize(
    "changes",
    [
        {"pricing_group_key": ["model"]},
        {"presentation_group_key": ["region"]},
        {"pricing_group_key": ["region"], "presentation_group_key": ["model"]},
        {},
    ],
    ids=["pricing alone", "presentation alone", "both, in another order", "neither"],
)
def test_both_group_keys_together_are_one_of_the_metric(told, changes):
    metric = MetricFactory(group_keys=[["model"], ["region"], ["model", "region"]])
    services.create_product("Model xl", type="USAGE", billable_metric_id=metric.id, **changes, **told)
    assert Product.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        pytest.param({"billable_metric_id": None}, ["billable_metric_id"], id="no metric"),
        pytest.param({"billable_metric_id": uuid7()}, ["billable_metric_id"], id="an unknown metric"),
        pytest.param({"pricing_group_key": ["model"]}, ["pricing_group_key"], id="half of the compound key"),
        pytest.param({"presentation_group_key": ["zone"]}, ["presentation_group_key"], id="a key unheard of"),
        pytest.param(
            {"pricing_group_key": ["model", "region"], "presentation_group_key": ["region"]},
            ["presentation_group_key[0]"],
            id="a key on both sides",
        ),
        pytest.param(
            {"quantity_conversion": services.QuantityConversion(D("-1"), "TIMES")},
            ["quantity_conversion.conversion_factor", "quantity_conversion.operation"],
            id="a conversion that is none",
        ),
        pytest.param(
            {"quantity_conversion": services.QuantityConversion(D("1e-13"), "MULTIPLY")},
            ["quantity_conversion.conversion_factor"],
            id="a factor of thirteen decimals",
        ),
        pytest.param(
            {"quantity_rounding": services.QuantityRounding(13, "ROUND_TO_EVEN")},
            ["quantity_rounding.decimal_places", "quantity_rounding.rounding_method"],
            id="a rounding that is none",
        ),
        pytest.param({"tags": ["ai", "ai"]}, ["tags[1]"], id="a tag twice"),
    ],
)
def test_a_usage_product_is_refused_with_every_field_that_breaks_a_rule(told, changes, fields):
    metric = MetricFactory(group_keys=[["model", "region"]])
    definition = {"type": "USAGE", "billable_metric_id": metric.id} | changes
    with pytest.raises(Refusal) as refusal:
        services.create_product("Model xl", **definition, **told)
    assert [error.field for error in refusal.value.errors] == fields
    assert not Product.objects.exists()
    assert not Publication.objects.exists()


def test_an_archived_metric_takes_no_new_product(told):
    metric = MetricFactory(archived_at=NOW)
    with pytest.raises(Refusal, match="API calls is archived"):
        services.create_product("Calls", type="USAGE", billable_metric_id=metric.id, **told)


def test_a_fixed_product_measures_nothing(told):
    with pytest.raises(Refusal) as refusal:
        services.create_product(
            "Commitment",
            type="FIXED",
            billable_metric_id=MetricFactory().id,
            quantity_rounding=services.QuantityRounding(0, "ROUND_UP"),
            **told,
        )
    assert [error.field for error in refusal.value.errors] == ["billable_metric_id", "quantity_rounding"]


def test_a_product_is_archived_once(told):
    product = ProductFactory()
    for _ in range(2):
        services.archive_product(product.id, reason="Retired", **told)
    assert product.history.count() == 2
    assert product.history.first().history_change_reason == "Retired"
    with pytest.raises(NotFound):
        services.archive_product(uuid7(), **told)
