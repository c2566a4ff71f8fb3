"""A line of a document in finished words; whoever shows it adds nothing."""

from dataclasses import dataclass
from decimal import Decimal

from billing_site.foundation.display import exact_text, period_text, quantity_text
from billing_site.foundation.money import Unit
from invoicing.queries.shown import ShownLine
from pricing.engine.tariffs import PERCENTAGE, TIERED_PERCENTAGE
from pricing.wording import percent_text

APPLIED = "applied_commit_or_credit"
KINDS = {
    APPLIED: "applied to the line before",
    "cpu_conversion": "converted",
    "scheduled": "scheduled charge",
    "commit_purchase": "commitment",
}


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """`counts` says whether its amount is in the total; `follows`, whether it is about the line before, and is printed
    on the same page."""

    name: str
    kind: str
    period: str
    quantity: str
    unit_price: str
    amount: str
    counts: bool
    follows: bool

    @classmethod
    def of(cls, line: ShownLine, unit: Unit) -> "PrintedLine":
        """`unit` is that of the line's amounts."""
        return cls(
            name=line.name,
            kind=_kind(line),
            period=period_text(line.period) if line.period else "",
            quantity="" if line.quantity is None else _quantity(line, line.quantity, unit),
            unit_price="" if line.unit_price is None else _unit_price(line, line.unit_price, unit),
            amount=exact_text(line.total, unit),
            counts=line.counts,
            follows=line.type == APPLIED,
        )


def _kind(line: ShownLine) -> str:
    if line.type == "usage":
        words = [f"tier {line.fields['tier']['level']}"] if "tier" in line.fields else []
        if "flat_fee" in line.fields:
            words.append("with the fee for entering it")
        if "package_size" in line.fields:
            words.append(f"packages of {quantity_text(Decimal(line.fields['package_size']))}")
        return " ".join(words)
    if "correction" in line.fields:
        return ""  # its name says what it is for
    if line.type == "subscription":
        return "for a part of its period" if line.fields.get("is_prorated") else ""
    kind = KINDS[line.type]
    if "quantity_consumed" in line.fields:  # of a balance of units, whatever they would have cost
        kind += f": {quantity_text(Decimal(line.fields['quantity_consumed']))} units"
    return kind


def _quantity(line: ShownLine, quantity: Decimal, unit: Unit) -> str:
    return exact_text(quantity, unit) if _is_share(line) else quantity_text(quantity)


def _unit_price(line: ShownLine, price: Decimal, unit: Unit) -> str:
    return percent_text(price) if _is_share(line) else exact_text(price, unit)


def _is_share(line: ShownLine) -> bool:
    """Whether it is a share of other spend: its quantity is money, and its price a fraction."""
    return any(part.rate_type in (PERCENTAGE, TIERED_PERCENTAGE) for part in line.parts)
