from decimal import Decimal as D

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pricing.models import (
    BillableMetric,
    PriceChange,
    PricingUnit,
    Product,
    ProductVersion,
    Publication,
    Rate,
    RateCard,
    RateCardAlias,
    RateWithdrawal,
)
from pricing.units import USD_ID
from tests.factories.pricing import (
    FixedProductFactory,
    MetricFactory,
    PricingUnitFactory,
    ProductFactory,
    RateCardAliasFactory,
    RateCardFactory,
    RateFactory,
    RateWithdrawalFactory,
)

MODELS = [
    BillableMetric,
    PriceChange,
    PricingUnit,
    Product,
    ProductVersion,
    Publication,
    Rate,
    RateCard,
    RateCardAlias,
    RateWithdrawal,
]


@pytest.fixture
def revops(db, client):
    """A browser in which RevOps are logged in."""
    client.force_login(get_user_model().objects.create_superuser("grace"))
    return client


def list_of(model):
    return reverse(f"admin:pricing_{model._meta.model_name}_changelist")


def add_page(model):
    return reverse(f"admin:pricing_{model._meta.model_name}_add")


def page_of(row):
    return reverse(f"admin:pricing_{row._meta.model_name}_change", args=[row.pk])


def refusals(response):
    """What a page says beside its fields."""
    assert response.status_code == 200, "the form was saved"
    form = response.context["adminform"].form
    return {field: list(errors) for field, errors in form.errors.items()}


def instant(name, date, time="00:00"):
    return {f"{name}_0": date, f"{name}_1": time}


def some_of_everything():
    card = RateCardFactory()
    rate = RateFactory(rate_card=card, price=D("0.000000000001"))
    RateCardAliasFactory(rate_card=card)
    RateWithdrawalFactory(rate__rate_card=card)
    PricingUnitFactory(name=f"Tokens of {card.id}")
    FixedProductFactory()
    return rate


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_with_one_row_and_with_three(revops, model):
    def queries_of_the_page():
        with CaptureQueriesContext(connection) as queries:
            assert revops.get(list_of(model)).status_code == 200
        return len(queries)

    some_of_everything()
    one = queries_of_the_page()
    some_of_everything()
    some_of_everything()
    assert queries_of_the_page() == one


@pytest.mark.parametrize("model", MODELS)
def test_every_row_has_its_page_and_every_configured_row_its_history(revops, model):
    some_of_everything()
    row = model.objects.first()
    assert revops.get(page_of(row)).status_code == 200
    if hasattr(model, "history"):
        assert revops.get(reverse(f"admin:pricing_{model._meta.model_name}_history", args=[row.pk])).status_code == 200


@pytest.mark.parametrize("model", [BillableMetric, PricingUnit, Product, RateCard, RateCardAlias])
def test_what_can_be_made_has_a_form(revops, model):
    assert revops.get(add_page(model)).status_code == 200


@pytest.mark.parametrize("model", [PriceChange, ProductVersion, Publication, Rate, RateWithdrawal])
def test_what_comes_with_something_else_has_none(revops, model):
    assert revops.get(add_page(model)).status_code == 403


def test_nothing_is_deleted_and_no_fact_is_edited(revops):
    rate = some_of_everything()
    for model in MODELS:
        row = model.objects.first()
        delete = reverse(f"admin:pricing_{model._meta.model_name}_delete", args=[row.pk])
        assert revops.post(delete, {"post": "yes"}).status_code == 403
    for fact in (rate, rate.publication, ProductVersion.objects.first(), RateCardAlias.objects.first()):
        assert revops.post(page_of(fact), {"price": "2"}).status_code == 403


def test_a_price_is_shown_to_its_last_digit(revops):
    some_of_everything()
    assert "$0.00000000000001 each" in revops.get(list_of(Rate)).content.decode()


def test_a_metric_is_defined(revops):
    form = {
        "name": "Tokens",
        "aggregation_type": "SUM",
        "aggregation_key": "tokens",
        "event_type_filter": '{"in_values": ["completion"]}',
        "property_filters": '[{"name": "tokens", "exists": true}]',
        "group_keys": '[["model"]]',
    }
    assert revops.post(add_page(BillableMetric), form).status_code == 302
    metric = BillableMetric.objects.get()
    assert (metric.event_type_filter, metric.property_filters, metric.group_keys, metric.created_by) == (
        {"in_values": ["completion"]},
        [{"name": "tokens", "exists": True}],
        [["model"]],
        "grace",
    )
    assert metric.history.get().source == "ADMIN"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"name": ""}, "name", id="no name"),
        pytest.param({"aggregation_key": ""}, "aggregation_key", id="nothing to add up"),
        pytest.param({"event_type_filter": '{"in_values": []}'}, "event_type_filter", id="no event types"),
        pytest.param({"event_type_filter": '["completion"]'}, "event_type_filter", id="a list for an object"),
        pytest.param({"group_keys": '["model"]'}, "group_keys", id="a key that is not a list"),
        pytest.param({"property_filters": '[{"exists": true}]'}, "property_filters", id="a filter without name"),
        pytest.param({"group_keys": '[["a", "a"]]'}, "group_keys", id="a property twice"),
    ],
)
def test_a_metric_is_refused_beside_its_field(revops, changes, field):
    form = {"name": "Tokens", "aggregation_type": "SUM", "aggregation_key": "tokens"} | changes
    assert list(refusals(revops.post(add_page(BillableMetric), form))) == [field]
    assert not BillableMetric.objects.exists()


def test_a_metric_is_renamed_with_a_reason(revops):
    metric = MetricFactory()
    assert revops.post(page_of(metric), {"name": "Calls", "reason": "Shorter"}).status_code == 302
    latest = metric.history.first()
    assert (latest.name, latest.history_change_reason, latest.actor_label) == ("Calls", "Shorter", "grace")


def test_a_product_is_created(revops):
    metric = MetricFactory(group_keys=[["region", "model"]])
    form = {
        "name": "Model xl",
        "type": "USAGE",
        "billable_metric": str(metric.pk),
        "pricing_group_key": "model",
        "presentation_group_key": "region\n",
        "conversion_operation": "DIVIDE",
        "conversion_factor": "1000000",
        "rounding_method": "ROUND_UP",
        "rounding_decimal_places": "0",
        "tags": "ai\nlarge",
        "reason": "Launch",
    }
    assert revops.post(add_page(Product), form).status_code == 302
    version = Product.objects.get().versions.get()
    assert (version.billable_metric, version.pricing_group_key, version.presentation_group_key) == (
        metric,
        ["model"],
        ["region"],
    )
    assert (version.conversion_factor, version.rounding_decimal_places, version.tags) == (1_000_000, 0, ["ai", "large"])
    assert version.publication.price_change.reason == "Launch"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"billable_metric": ""}, "billable_metric", id="no metric"),
        pytest.param({"pricing_group_key": "zone"}, "pricing_group_key", id="a key that the metric does not have"),
        pytest.param({"conversion_factor": "0", "conversion_operation": "DIVIDE"}, "conversion_factor", id="by zero"),
        pytest.param({"conversion_factor": "10"}, "conversion_factor", id="a factor without operation"),
        pytest.param({"rounding_decimal_places": "2"}, "rounding_decimal_places", id="places without a method"),
    ],
)
def test_a_product_is_refused_beside_its_field(revops, changes, field):
    form = {"name": "Model xl", "type": "USAGE", "billable_metric": str(MetricFactory().pk)} | changes
    assert list(refusals(revops.post(add_page(Product), form))) == [field]
    assert not Product.objects.exists()


def test_a_rate_card_is_created_renamed_and_given_an_alias(revops):
    usd = PricingUnit.objects.get(pk=USD_ID)
    assert revops.post(add_page(RateCard), {"name": "List", "fiat_unit": str(usd.pk)}).status_code == 302
    card = RateCard.objects.get()
    form = {"name": "List prices", "description": "For all", "aliases-TOTAL_FORMS": 0, "aliases-INITIAL_FORMS": 0}
    assert revops.post(page_of(card), form).status_code == 302
    assert RateCard.objects.get().name == "List prices"
    form = {"rate_card": str(card.pk), "name": "standard", **instant("starting_at", "2025-01-01")}
    assert revops.post(add_page(RateCardAlias), form).status_code == 302
    assert card.aliases.get().name == "standard"
    assert "standard" in revops.get(list_of(RateCard)).content.decode()
    form |= instant("starting_at", "2025-01-01", "00:30")
    assert list(refusals(revops.post(add_page(RateCardAlias), form))) == ["starting_at"]


def test_rates_are_withdrawn_with_a_reason(revops):
    rates = [RateFactory(), RateFactory()]
    action = {"action": "withdraw", "reason": "A mistake", "_selected_action": [str(rate.pk) for rate in rates]}
    page = revops.post(list_of(Rate), action, follow=True)
    assert "2 withdrawn by publication" in page.content.decode()
    assert set(RateWithdrawal.objects.values_list("rate", flat=True)) == {rate.pk for rate in rates}
    assert Publication.objects.latest("number").price_change.reason == "A mistake"
    page = revops.post(list_of(Rate), action, follow=True)
    assert "is withdrawn already" in page.content.decode()


@pytest.mark.parametrize("factory", [MetricFactory, ProductFactory, RateCardFactory, PricingUnitFactory])
def test_rows_are_archived_with_a_reason(revops, factory):
    row = factory()
    action = {"action": "archive", "reason": "Retired", "_selected_action": [str(row.pk)]}
    assert "1 archived" in revops.post(list_of(type(row)), action, follow=True).content.decode()
    row.refresh_from_db()
    assert row.archived_at is not None
    assert row.history.first().history_change_reason == "Retired"


def test_a_currency_is_not_archived(revops):
    action = {"action": "archive", "_selected_action": [str(USD_ID)]}
    page = revops.post(list_of(PricingUnit), action, follow=True)
    assert "is a currency and cannot be archived" in page.content.decode()
    assert PricingUnit.objects.get(pk=USD_ID).archived_at is None


def test_a_viewer_looks_and_changes_nothing(db, client):
    viewer = get_user_model().objects.create_user("vera", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    rate = RateFactory()
    assert client.get(list_of(Rate)).status_code == 200
    assert client.get(add_page(Rate)).status_code == 403
    client.post(list_of(Rate), {"action": "withdraw", "_selected_action": [str(rate.pk)]})
    assert not RateWithdrawal.objects.exists()
