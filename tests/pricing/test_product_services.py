from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotFound, Refusal
from pricing import services
from pricing.models import PriceChange, Product, Publication
from pricing.queries import products_by_id
from tests.factories.pricing import NOW, FixedProductFactory, MetricFactory, ProductFactory

pytestmark = pytest.mark.django_db

NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
NOWHERE = uuid7()


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


@pytest.mark.parametrize("type", ["SUBSCRIPTION", "PRO_SERVICE", "FIXED"])
def test_products_that_measure_nothing_need_a_name_alone(told, type):
    assert services.create_product("Support", type=type, **told).versions.get().billable_metric is None


def composite(told, name="Support", **definition):
    return services.create_product(name, type="COMPOSITE", **definition, **told)


def test_a_composite_is_a_share_of_products_or_tags(told):
    part = ProductFactory(name="Tokens")
    made = composite(told, composite_product_ids=[part.pk], composite_tags=["ai"], exclude_free_usage=True)
    value = made.versions.get().to_version()
    assert (value.type, value.composite_product_ids, value.composite_tags) == ("COMPOSITE", (part.pk,), ("ai",))
    assert (value.exclude_free_usage, value.include_composite_spend) == (True, False)


def refused(call):
    with pytest.raises(Refusal) as refusal:
        call()
    return [(error.field, error.rule) for error in refusal.value.errors]


def test_what_a_composite_cannot_be_a_share_of(told):
    inner = composite(told, "Inner", composite_tags=["ai"])
    fixed = FixedProductFactory(name="Commitment")
    assert refused(lambda: composite(told)) == [
        ("composite_product_ids", "a COMPOSITE product needs these, or composite_tags")
    ]
    assert refused(lambda: composite(told, composite_product_ids=[NOWHERE, fixed.pk, inner.pk, fixed.pk])) == [
        ("composite_product_ids[0]", "there is no such product"),
        ("composite_product_ids[1]", "Commitment is a FIXED product, of which there is no share"),
        ("composite_product_ids[2]", "Inner is a COMPOSITE product: that needs include_composite_spend"),
        ("composite_product_ids[3]", "is named twice"),
    ]


def test_no_composite_is_a_share_of_itself(told):
    inner = composite(told, "Inner", composite_tags=["ai"])
    outer = composite(told, "Outer", composite_product_ids=[inner.pk], include_composite_spend=True, tags=["shares"])
    rule = "would be a share of itself"
    over = {"starting_at": NOVEMBER, **told}
    by_id = {"composite_product_ids": [outer.pk], "include_composite_spend": True}
    assert refused(lambda: services.update_product(inner.pk, changes=by_id, **over)) == [
        ("composite_product_ids", f"Inner {rule}")
    ]
    by_tag = {"composite_tags": ["shares"], "include_composite_spend": True}
    assert refused(lambda: services.update_product(inner.pk, changes=by_tag, **over)) == [
        ("composite_tags", f"Inner {rule}")
    ]
    assert refused(lambda: composite(told, "Whole", composite_tags=["all"], include_composite_spend=True, tags=["all"]))


def test_an_update_holds_from_its_start_and_names_what_it_changed(told):
    metric = MetricFactory(group_keys=[["model"]])
    made = services.create_product(
        "Tokens",
        type="USAGE",
        billable_metric_id=metric.pk,
        quantity_conversion=services.QuantityConversion(D(1000), "DIVIDE"),
        **told,
    )
    changes = {"name": "Model tokens", "pricing_group_key": ["model"], "quantity_conversion": None}
    services.update_product(made.pk, starting_at=NOVEMBER, changes=changes, **told)
    before, after = products_by_id([made.pk])[made.pk].versions.all()
    assert (before.name, before.pricing_group_key, before.conversion_factor) == ("Tokens", [], 1000)
    assert (after.name, after.pricing_group_key, after.conversion_factor) == ("Model tokens", ["model"], None)
    assert (after.starting_at, after.changed_fields) == (NOVEMBER, sorted(changes))
    made.refresh_from_db()
    assert made.name == "Tokens"  # until November


@pytest.mark.parametrize(
    ("changes", "starting_at", "field"),
    [
        ({}, NOVEMBER, "product_id"),
        ({"name": " "}, NOVEMBER, "name"),
        ({"name": "X"}, NOVEMBER.replace(minute=1), "starting_at"),
        ({"billable_metric_id": None}, NOVEMBER, "billable_metric_id"),
        ({"composite_tags": ["ai"]}, NOVEMBER, "composite_tags"),
    ],
)
def test_an_update_is_refused_by_field(told, changes, starting_at, field):
    made = ProductFactory()
    assert (
        refused(lambda: services.update_product(made.pk, starting_at=starting_at, changes=changes, **told))[0][0]
        == field
    )
    assert made.versions.count() == 1


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


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({"netsuite_internal_item_id": "n" * 201}, "netsuite_internal_item_id: must not be longer than 200 characters"),
        ({"netsuite_overage_item_id": "n" * 201}, "netsuite_overage_item_id: must not be longer than 200 characters"),
        (
            {"quantity_conversion": services.QuantityConversion(D(1000), "DIVIDE")},
            r"quantity_conversion: is for USAGE products only \(got DIVIDE by 1000\)",
        ),
        (
            {"quantity_rounding": services.QuantityRounding(2, "ROUND_UP")},
            r"quantity_rounding: is for USAGE products only \(got ROUND_UP to 2 decimals\)",
        ),
    ],
)
def test_a_refusal_says_what_it_got(told, definition, message):
    with pytest.raises(Refusal, match=message):
        services.create_product("Support", type="FIXED", **definition, **told)


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
