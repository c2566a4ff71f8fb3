"""Which metrics measure what a customer buys."""

from uuid import UUID

from billing_site.foundation.transactions import read_snapshot
from contracts.queries import customer_terms
from invoicing.engine.sellers import sellers
from pricing.models import BillableMetric
from pricing.queries import catalog


def metrics_of(customer_id: UUID) -> list[BillableMetric]:
    """Of all products that the customer's contracts sell, or have sold, by name. What others buy is not told."""
    with read_snapshot():
        terms = customer_terms(customer_id)
        prices = catalog(rate_card_ids=[each.rate_card_id for each in terms.contracts if each.rate_card_id is not None])
        sold = {product_id for seller in sellers(terms, prices).values() for product_id in seller.product_ids}
        versions = [version for product_id in sold for version in prices.products[product_id]]
        measured = {version.metric_id for version in versions if version.metric_id is not None}
        return list(BillableMetric.objects.filter(pk__in=measured).order_by("name", "pk"))
