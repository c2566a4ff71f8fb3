"""The parts of lines as traces tell them: why an amount is what it is, decision by decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.periods import Period, parse_instant
from invoicing.engine.documents import Part
from pricing.engine.catalog import GroupValues
from pricing.engine.overrides import LIST_RATE
from pricing.engine.steps import Level
from pricing.engine.tariffs import FLAT

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ShownPart:
    """One decision behind a line. It was measured by `metric_id`, over the series that have these group values."""

    period: Period
    metric_id: UUID | None
    group_values: GroupValues
    metric_quantity: Decimal
    quantity: Decimal
    amount: Decimal
    unit_price: Decimal
    list_price: Decimal | None
    rate_id: UUID
    publication: int
    published_by: str
    override_id: UUID | None
    losing_overrides: tuple[tuple[UUID, str], ...]
    segment_id: UUID | None
    # Traces that were frozen while every price was flat have none of these.
    rate_type: str = FLAT
    charged: str = LIST_RATE
    above: Decimal = ZERO
    upto: Decimal = ZERO
    level: Level | None = None
    fee: Decimal = ZERO
    package_size: Decimal | None = None
    period_quantity: Decimal | None = None
    list_amount: Decimal | None = None
    converted_by: UUID | None = None
    share: Decimal | None = None

    @property
    def is_difference(self) -> bool:
        """Whether it is what a closed period comes to more or less: nothing of the list is said of it."""
        return self.list_price is None and self.list_amount is None


def thawed(part: Mapping[str, Any]) -> ShownPart:
    """From what was frozen with a final document."""
    period = part["period"]
    return ShownPart(
        period=Period(parse_instant(period["starting_at"]), parse_instant(period["ending_before"])),
        metric_id=_id(part["metric_id"]),
        group_values=tuple((key, value) for key, value in part["group_values"]),
        metric_quantity=Decimal(part["metric_quantity"]),
        quantity=Decimal(part["quantity"]),
        amount=Decimal(part["amount"]),
        unit_price=Decimal(part["unit_price"]),
        list_price=_number(part["list_price"]),
        rate_id=UUID(part["rate_id"]),
        publication=part["publication"],
        published_by=part["published_by"],
        override_id=_id(part["override_id"]),
        losing_overrides=tuple((UUID(loser), reason) for loser, reason in part["losing_overrides"]),
        segment_id=_id(part["segment_id"]),
        rate_type=part.get("rate_type", FLAT),
        charged=part.get("charged", LIST_RATE),
        above=Decimal(part.get("above", ZERO)),
        upto=Decimal(part.get("upto", ZERO)),
        level=_level(part.get("level")),
        fee=Decimal(part.get("fee", ZERO)),
        package_size=_number(part.get("package_size")),
        period_quantity=_number(part.get("period_quantity")),
        list_amount=_number(part.get("list_amount")),
        converted_by=_id(part.get("converted_by")),
        share=_number(part.get("share")),
    )


def as_part(part: ShownPart) -> Part:
    """As the engine tells it. What lost against its override is left to the document that was billed."""
    same = {name: getattr(part, name) for name in Part._fields if name != "losing_overrides"}
    return Part(**same, losing_overrides=())


def _level(level: Mapping[str, Any] | None) -> Level | None:
    return None if level is None else Level(level["number"], Decimal(level["above"]), _number(level["size"]))


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
