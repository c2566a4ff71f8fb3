"""Alerts in words: what one watches, and the figure that was seen."""

from decimal import Decimal

from billing_site.foundation.display import amount_text, count_text, quantity_text
from contracts.terms import UNITS
from invoicing.engine import alerts as engine
from invoicing.models import Alert
from pricing.models import PricingUnit

BALANCES = {
    frozenset({engine.COMMITS}): "commits",
    frozenset({engine.CREDITS}): "credits",
    frozenset({engine.COMMITS, engine.CREDITS}): "commits and credits",
}
NEVER = {
    "LOW_CREDIT_BALANCE_REACHED": "What is left of credit grants",
    "LOW_REMAINING_CREDIT_PERCENTAGE_REACHED": "What is left of credit grants, in percent",
    "LOW_REMAINING_DAYS_IN_PLAN_REACHED": "Days left of a plan",
    "MONTHLY_INVOICE_TOTAL_SPEND_THRESHOLD_REACHED": "The monthly total of a plan",
}


def measure_text(type_: str) -> str:
    """What a type of alert watches: "What is left of commits"."""
    kind = engine.KINDS[type_]
    if kind.measure == engine.SPEND:
        return "Spend of the current period"
    if kind.measure == engine.METERED:
        return "Usage of a metric in the current period"
    if kind.measure == engine.TOTAL:
        return "The total of a draft"
    if kind.measure == engine.NOTHING:
        return NEVER[type_]
    if kind.measure == engine.OF_SEATS:
        return "What each seat has left of its own"
    of = BALANCES[kind.of]
    if kind.measure == engine.DAYS:
        return f"Days until access to {of} ends"
    return f"What is left of {of}" + (", in percent" if kind.measure == engine.PERCENT else "")


def watches_text(alert: Alert) -> str:
    """The same of one alert, with what it is restricted to: "Spend of the current period (region: eu)"."""
    text = measure_text(alert.type)
    if alert.metric is not None:
        text = f"Usage of {alert.metric.name} in the current period"
    parts = [f"{key}: {value}" if value is not None else f"each {key}" for key, value in alert.groups]
    parts += [each.lower() for each in alert.invoice_types]
    if alert.custom_field_filters or alert.specifiers:
        parts.append("by custom fields")
    return f"{text} ({', '.join(parts)})" if parts else text


def figure_text(alert: Alert, figure: Decimal) -> str:
    """ "$1,000.00", "12 %", "3 days", "1,200 units"."""
    kind = alert.kind
    if kind.measure in (engine.PERCENT, engine.DAYS):
        return (
            f"{quantity_text(figure)} %" if kind.measure == engine.PERCENT else count_text(int(figure), "day", "days")
        )
    unit: PricingUnit | None = alert.unit
    if kind.measure == engine.METERED:
        return quantity_text(figure)
    return amount_text(figure, unit.to_unit() if unit is not None else UNITS)


def threshold_text(alert: Alert) -> str:
    """ "$1,000.00 or more"."""
    return f"{figure_text(alert, alert.threshold)} or {'less' if alert.kind.is_low else 'more'}"


def seen_text(alert: Alert, figure: Decimal, label: str) -> str:
    """Why somebody is in alarm: "region: eu: $1,200.00; in alarm at $1,000.00 or more"."""
    about = f"{label}: " if label else ""
    return f"{about}{figure_text(alert, figure)}; in alarm at {threshold_text(alert)}"
