"""The verbs of the price list: everything that writes it."""

from pricing.services.definitions import QuantityConversion, QuantityRounding
from pricing.services.formula_checks import NewNode
from pricing.services.formulas import (
    ChangedNumbers,
    Stated,
    WholeFormula,
    planned_formula,
    rates_of_formula,
    state_formula,
)
from pricing.services.metrics import PropertyFilter, archive_metric, create_metric, rename_metric
from pricing.services.named_schedules import named_value_text, update_named_schedule
from pricing.services.planned_prices import (
    Held,
    LaterPrice,
    NothingToPublish,
    Outcome,
    PlannedPrice,
    WantedPrice,
    plan_prices,
    publish_prices,
)
from pricing.services.price_raises import Raise, RaisePlan, plan_raise
from pricing.services.price_sheets import PlannedRow, SheetPlan, plan_sheet
from pricing.services.product_orders import ProductMove, move_products, set_product_order
from pricing.services.products import archive_product, create_product, name_product, update_product
from pricing.services.publishing import publish
from pricing.services.rate_cards import (
    Alias,
    CreditTypeConversion,
    add_aliases,
    archive_rate_card,
    create_rate_card,
    update_rate_card,
)
from pricing.services.rate_checks import CommitRate, NewRate
from pricing.services.rates import PriceWasChanged, add_rate, add_rates, planned_rate, planned_rates, withdraw_rates
from pricing.services.tariffs import TierInput
from pricing.services.units import archive_pricing_unit, create_pricing_unit

__all__ = [
    "Alias",
    "ChangedNumbers",
    "CommitRate",
    "CreditTypeConversion",
    "Held",
    "LaterPrice",
    "NewNode",
    "NewRate",
    "NothingToPublish",
    "Outcome",
    "PlannedPrice",
    "PlannedRow",
    "PriceWasChanged",
    "ProductMove",
    "PropertyFilter",
    "QuantityConversion",
    "QuantityRounding",
    "Raise",
    "RaisePlan",
    "SheetPlan",
    "Stated",
    "TierInput",
    "WantedPrice",
    "WholeFormula",
    "add_aliases",
    "add_rate",
    "add_rates",
    "archive_metric",
    "archive_pricing_unit",
    "archive_product",
    "archive_rate_card",
    "create_metric",
    "create_pricing_unit",
    "create_product",
    "create_rate_card",
    "move_products",
    "name_product",
    "named_value_text",
    "plan_prices",
    "plan_raise",
    "plan_sheet",
    "planned_formula",
    "planned_rate",
    "planned_rates",
    "publish",
    "publish_prices",
    "rates_of_formula",
    "rename_metric",
    "set_product_order",
    "state_formula",
    "update_named_schedule",
    "update_product",
    "update_rate_card",
    "withdraw_rates",
]
