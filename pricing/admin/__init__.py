"""The price list in the admin. Everything that writes is a service behind a form or an action."""

from pricing.admin import metrics, products, publications, rate_cards, rates
from pricing.admin.base import ARCHIVED, ThroughServices, digits

__all__ = [
    "ARCHIVED",
    "ThroughServices",
    "digits",
    "metrics",
    "products",
    "publications",
    "rate_cards",
    "rates",
]
