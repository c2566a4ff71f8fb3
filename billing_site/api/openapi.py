"""The OpenAPI document: what each view says of itself, grouped by the noun of its URL."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from billing_site.foundation import idempotency

# The first words of a URL, and the chapter of the reference page that it belongs to.
CHAPTERS = (
    ("ingest", "Usage"),
    ("usage", "Usage"),
    ("events", "Usage"),
    ("billable-metrics", "Billable metrics"),
    ("contract-pricing/products", "Products"),
    ("contract-pricing/rate-cards", "Rate cards"),
    ("credit-types", "Pricing units"),
    ("contracts/customerBalances", "Balances"),
    ("contracts", "Contracts"),
    ("customers", "Customers"),
)

IDEMPOTENCY_KEY = OpenApiParameter(
    idempotency.HEADER,
    {"type": "string", "minLength": 1, "maxLength": idempotency.LONGEST_KEY},
    OpenApiParameter.HEADER,
    description="Makes a repeat harmless: sent again with the same key and body, the request is not carried out again, "
    "and the first reply comes back, an error (4xx) too. With another address or body, or while the first is being "
    "answered: 409. Keys belong to a token and are kept for at least 24 hours; 401, 403, 429 and 5xx are not.",
)


class Schema(AutoSchema):
    def get_tags(self) -> list[str]:
        path = self.path.lstrip("/").partition("/")[2]
        if "/invoices" in path:
            return ["Invoices"]
        return [next((chapter for start, chapter in CHAPTERS if path.startswith(start)), "Other")]

    def get_override_parameters(self) -> list[Any]:
        return [IDEMPOTENCY_KEY] if self.method == "POST" else []

    def get_operation_id(self) -> str:
        words = [word for word in self.path.strip("/").split("/") if not word.startswith("{")]
        suffix = "_by_id" if self.path.endswith("}") else ""
        return "_".join([self.method.lower(), *words]).replace("-", "_") + suffix
