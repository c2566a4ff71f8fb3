"""The price list in the admin. Everything that writes is a service behind a form or an action.

The page of a rate card shows who is on it, and so lives with the contracts.
"""

from pricing.admin import aliases, metrics, products, publications, rates
from pricing.admin.base import ARCHIVED, ThroughServices, digits

__all__ = [
    "ARCHIVED",
    "ThroughServices",
    "aliases",
    "digits",
    "metrics",
    "products",
    "publications",
    "rates",
]
