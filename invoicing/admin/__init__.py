"""The page of a contract, which shows what it costs now; documents; and the test clock, whose moves make them final."""

from invoicing.admin import (
    alerts,
    contracts,
    documents,
    holds,
    invoices,
    notes,
    packages,
    summaries,
    tax_rates,
    test_clock,
)

__all__ = [
    "alerts",
    "contracts",
    "documents",
    "holds",
    "invoices",
    "notes",
    "packages",
    "summaries",
    "tax_rates",
    "test_clock",
]
