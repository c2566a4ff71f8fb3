"""Products in the admin: changed from an instant on, with the fields that their type has."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing_site.foundation.models import TestClock
from pricing import services
from pricing.models import Product
from pricing.queries import product
from tests.factories.pricing import CompositeProductFactory, FixedProductFactory, MetricFactory, ProductFactory

pytestmark = pytest.mark.django_db

NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (11, 12))


@pytest.fixture
def revops(admin_client, settings):
    settings.SANDBOX = True
    TestClock.objects.update_or_create(id=True, defaults={"instant": datetime(2025, 10, 20, tzinfo=UTC)})
    return admin_client


def page_of(made):
    return reverse("admin:pricing_product_change", args=[made.pk])


def as_shown(client, made):
    """What the page would send if nothing were typed but the start."""
    context = client.get(page_of(made)).context
    sent = {}
    for bound in context["adminform"].form:
        value = bound.value()
        if value not in (None, False, []) and bound.name != "starting_at" and not bound.field.disabled:
            sent[bound.name] = value
    for formset in context["inline_admin_formsets"]:
        sent |= {bound.html_name: bound.value() for bound in formset.formset.management_form}
    return sent | {"starting_at_0": "2025-11-01", "starting_at_1": "00:00"}


def usage_product():
    metric = MetricFactory(group_keys=[["model"]])
    return ProductFactory(
        name="Tokens",
        version__billable_metric=metric,
        version__pricing_group_key=["model"],
        version__conversion_factor=D(1_000_000),
        version__conversion_operation="DIVIDE",
        version__tags=["ai", "text"],
    )


def latest(made):
    return list(product(made.pk).versions.all())[-1]


def errors(response):
    assert response.status_code == 200, "the form was saved"
    return {name: list(each) for name, each in response.context["adminform"].form.errors.items()}


@pytest.mark.parametrize(
    ("typed", "changed", "says"),
    [
        ({"name": "Text tokens"}, ["name"], {"name": "Text tokens", "conversion_factor": 1_000_000}),
        ({"tags": "ai"}, ["tags"], {"tags": ["ai"], "name": "Tokens"}),
        ({"conversion_factor": "1000"}, ["quantity_conversion"], {"conversion_factor": 1000}),
        (
            {"conversion_factor": "", "conversion_operation": ""},
            ["quantity_conversion"],
            {"conversion_factor": None, "conversion_operation": ""},
        ),
        (
            {"rounding_method": "ROUND_UP", "rounding_decimal_places": "0"},
            ["quantity_rounding"],
            {"rounding_method": "ROUND_UP", "rounding_decimal_places": 0, "conversion_factor": 1_000_000},
        ),
        ({"pricing_group_key": ""}, ["pricing_group_key"], {"pricing_group_key": []}),
    ],
)
def test_what_is_typed_holds_from_the_start_on(revops, typed, changed, says):
    made = usage_product()
    sent = as_shown(revops, made) | typed | {"reason": "Says it better"}
    assert revops.post(page_of(made), sent).status_code == 302
    version = latest(made)
    assert (version.starting_at, version.changed_fields) == (NOVEMBER, changed)
    assert {name: getattr(version, name) for name in says} == says
    assert version.publication.price_change.reason == "Says it better"


@pytest.mark.parametrize(
    ("typed", "refused"),
    [
        ({}, {"__all__": ["Nothing is changed: type what is to be otherwise from then on."]}),
        ({"name": "Text", "starting_at_1": "00:30"}, {"starting_at": ["must be on the hour (UTC)"]}),
        ({"name": "Text", "starting_at_0": "", "starting_at_1": ""}, {"starting_at": ["This field is required."]}),
        ({"conversion_factor": "0"}, {"conversion_factor": ["must be greater than 0"]}),
        ({"billable_metric": ""}, {"billable_metric": ["This field is required."]}),
    ],
)
def test_a_change_is_refused_beside_its_field(revops, typed, refused):
    made = usage_product()
    found = errors(revops.post(page_of(made), as_shown(revops, made) | typed))
    assert found == refused
    assert made.versions.count() == 1


def test_each_type_has_its_own_fields(revops):
    calls = ProductFactory(name="Calls")
    share = CompositeProductFactory(
        version__composite_product_ids=[str(calls.pk)], version__exclude_free_usage=True, version__tags=["shares"]
    )
    fixed = FixedProductFactory()
    fields = {
        made.type: {*revops.get(page_of(made)).context["adminform"].form.fields} & {"billable_metric", "tags"}
        for made in (calls, share, fixed)
    }
    assert fields["USAGE"] == {"billable_metric", "tags"}
    for made, there, away in (
        (calls, "conversion_factor", "composite_tags"),
        (share, "composite_tags", "billable_metric"),
        (fixed, "tags", "composite_tags"),
    ):
        page = revops.get(page_of(made)).content.decode()
        assert f'name="{there}"' in page
        assert f'name="{away}"' not in page


def test_a_composite_is_changed(revops):
    calls, files = ProductFactory(name="Calls"), ProductFactory(name="Files")
    share = CompositeProductFactory(
        name="Support", version__composite_product_ids=[str(calls.pk)], version__exclude_free_usage=True
    )
    sent = as_shown(revops, share) | {"composite_products": [str(calls.pk), str(files.pk)]}
    assert revops.post(page_of(share), sent).status_code == 302
    version = latest(share)
    assert version.changed_fields == ["composite_product_ids"]
    assert sorted(version.composite_product_ids) == sorted([str(calls.pk), str(files.pk)])
    assert version.exclude_free_usage
    sent = as_shown(revops, share) | {"starting_at_0": "2025-12-01"}
    del sent["exclude_free_usage"]
    assert revops.post(page_of(share), sent).status_code == 302
    assert (latest(share).starting_at, latest(share).exclude_free_usage) == (DECEMBER, False)


def test_what_is_archived_may_stay(revops, told):
    made = usage_product()
    services.archive_metric(made.versions.get().billable_metric_id, **told)
    assert revops.post(page_of(made), as_shown(revops, made) | {"name": "Text tokens"}).status_code == 302
    assert latest(made).name == "Text tokens"


def test_the_list_has_the_name_of_now(revops, told):
    made = usage_product()
    services.update_product(made.pk, starting_at=NOVEMBER, changes={"name": "Text tokens"}, **told)
    listed = reverse("admin:pricing_product_changelist")
    assert "Text tokens" not in revops.get(listed).content.decode()
    TestClock.objects.update(instant=NOVEMBER)
    assert "Text tokens" in revops.get(listed).content.decode()


def test_the_page_tells_the_definitions_one_after_the_other(revops, told):
    made = usage_product()
    services.update_product(made.pk, starting_at=DECEMBER, changes={"name": "Text tokens"}, **told)
    services.update_product(made.pk, starting_at=NOVEMBER, changes={"tags": ["text"]}, **told)
    page = revops.get(page_of(made)).content.decode()
    told_of = ("ever", "1 December 2025", "1 November 2025", "nothing of its own: an earlier change reaches it")
    assert [text for text in (*told_of, "units (measured, ÷ 1,000,000)", "ai, text") if text not in page] == []


def test_more_definitions_cost_no_more_queries(revops, told):
    calls, files = ProductFactory(name="Calls"), ProductFactory(name="Files")
    share = CompositeProductFactory(version__composite_product_ids=[str(calls.pk)])

    def queries():
        with CaptureQueriesContext(connection) as captured:
            page = revops.get(page_of(share)).content.decode()
        return len(captured), "Calls, Files" in page

    queries()  # what a process remembers is looked up once
    first, _ = queries()
    for starting_at in (NOVEMBER, DECEMBER):
        both = {"composite_product_ids": [calls.pk, files.pk]}
        services.update_product(share.pk, starting_at=starting_at, changes=both, **told)
    assert queries() == (first, True)


def test_who_may_only_look_sees_no_form(revops, django_user_model, client):
    made = usage_product()
    reader = django_user_model.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_product"))
    client.force_login(reader)
    page = client.get(page_of(made))
    assert page.status_code == 200
    assert 'name="starting_at_0"' not in page.content.decode()
    assert Product.objects.count() == 1
