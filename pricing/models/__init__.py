"""What is sold and for how much: pricing units, metrics, products, rate cards, and the facts that price them.

Configured rows (units, metrics, products, rate cards) have history. Facts (publications, product versions, rates,
withdrawals, formulas, aliases, conversions, places,
segments of named schedules) are only inserted; each names the publication that brought it.
"""

from pricing.models.formulas import Formula
from pricing.models.metrics import BillableMetric
from pricing.models.named_schedules import NamedScheduleSegment
from pricing.models.products import Product, ProductVersion
from pricing.models.publications import PriceChange, Publication, PublicationCounter
from pricing.models.rate_cards import RateCard, RateCardAlias, RateCardConversion, RateCardPlace
from pricing.models.rates import Rate, RateWithdrawal
from pricing.models.units import PricingUnit

__all__ = [
    "BillableMetric",
    "Formula",
    "NamedScheduleSegment",
    "PriceChange",
    "PricingUnit",
    "Product",
    "ProductVersion",
    "Publication",
    "PublicationCounter",
    "Rate",
    "RateCard",
    "RateCardAlias",
    "RateCardConversion",
    "RateCardPlace",
    "RateWithdrawal",
]
