"""The OpenAPI document: what each view says of itself, grouped by the noun of its URL."""

from drf_spectacular.openapi import AutoSchema

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


class Schema(AutoSchema):
    def get_tags(self) -> list[str]:
        path = self.path.lstrip("/").partition("/")[2]
        if "/invoices" in path:
            return ["Invoices"]
        return [next((chapter for start, chapter in CHAPTERS if path.startswith(start)), "Other")]

    def get_operation_id(self) -> str:
        words = [word for word in self.path.strip("/").split("/") if not word.startswith("{")]
        suffix = "_by_id" if self.path.endswith("}") else ""
        return "_".join([self.method.lower(), *words]).replace("-", "_") + suffix
