"""Products of every type in the admin: how they are made, and what their page says."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pricing.models import Product
from tests.factories.pricing import (
    CompositeProductFactory,
    FixedProductFactory,
    MetricFactory,
    ProductFactory,
    ProductVersionFactory,
)

ADD = "admin:pricing_product_add"


@pytest.fixture
def revops(db, client):
    """A browser in which RevOps are logged in."""
    client.force_login(get_user_model().objects.create_superuser("grace"))
    return client


def page_of(product):
    return reverse("admin:pricing_product_change", args=[product.pk])


@pytest.mark.parametrize("type_", Product.Type.values)
def test_a_product_of_every_type_is_made(revops, type_):
    needed = {
        "USAGE": lambda: {"billable_metric": str(MetricFactory().pk)},
        "COMPOSITE": lambda: {"composite_products": [str(ProductFactory().pk)], "composite_tags": "ai\ngpu"},
    }.get(type_, dict)()
    form = {"name": "New", "type": type_, "tags": "one", **needed}
    assert revops.post(reverse(ADD), form).status_code == 302
    product = Product.objects.get(name="New")
    version = product.versions.get()
    assert (product.type, version.tags, version.composite_product_ids, version.composite_tags) == (
        type_,
        ["one"],
        needed.get("composite_products", []),
        ["ai", "gpu"] if type_ == "COMPOSITE" else [],
    )
    assert revops.get(page_of(product)).status_code == 200


def test_what_belongs_to_another_type_is_refused_beside_its_field(revops):
    form = {"name": "Fee", "type": "FIXED", "billable_metric": str(MetricFactory().pk)}
    errors = revops.post(reverse(ADD), form).context["adminform"].form.errors
    assert list(errors) == ["billable_metric"]
    assert not Product.objects.exists()


def test_a_composite_says_what_it_is_a_share_of(revops):
    parts = [ProductFactory(name=name) for name in ("Tokens", "Calls")]
    share = CompositeProductFactory(
        version__composite_product_ids=[str(part.pk) for part in parts],
        version__composite_tags=["ai"],
        version__exclude_free_usage=True,
    )
    assert "Calls, Tokens, tag ai, free usage excluded" in revops.get(page_of(share)).content.decode()


def test_a_version_says_what_products_of_its_type_have(revops):
    usage = ProductFactory(
        version__billable_metric=MetricFactory(name="Tokens used"),
        version__pricing_group_key=["model", "region"],
        version__conversion_factor=1_000_000,
        version__conversion_operation="DIVIDE",
        version__conversion_name="million tokens",
        version__rounding_decimal_places=2,
        version__rounding_method="ROUND_UP",
    )
    page = revops.get(page_of(usage)).content.decode()
    for said in ("Tokens used", "model, region", "million tokens (measured, ÷ 1,000,000)", "Round Up, 2 decimals"):
        assert said in page
    assert "Share of" not in page
    fee = revops.get(page_of(FixedProductFactory())).content.decode()
    assert "Billable metric" not in fee.partition("Product versions")[2]
    assert ">ever<" in fee


def test_the_page_of_a_composite_costs_the_same_with_one_version_and_with_many(revops):
    share = CompositeProductFactory(version__composite_product_ids=[str(ProductFactory().pk)])

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert revops.get(page_of(share)).status_code == 200
        return len(found)

    one = queries()
    for day in range(1, 5):
        ProductVersionFactory(
            product=share,
            billable_metric=None,
            starting_at=f"2025-02-0{day}T00:00Z",
            composite_product_ids=[str(ProductFactory().pk), str(ProductFactory().pk)],
        )
    assert queries() == one
