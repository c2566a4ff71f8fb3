"""How the columns of a foreign file become the parts of a usage event."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing_site.foundation.periods import parse_instant
from billing_site.foundation.refusals import shown

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICKS = {"epoch": 1_000_000, "epoch-ms": 1_000}  # microseconds in one unit


class BadCell(ValueError):
    """A cell that cannot become a part of an event; says which and why."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of every event: the cell in `column`, or the same `value` in all of them."""

    column: str | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class EventParts:
    """An event as a row tells it, not checked yet."""

    transaction_id: str
    customer_id: str
    event_type: str
    timestamp: datetime
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the parts of an event are.

    `properties` maps the name of a property to its column; None takes the object in the column `properties` where
    there is one, or else every column that is not used otherwise.
    """

    customer: Part
    event_type: Part
    timestamp: str
    read_timestamp: Callable[[Any], datetime]
    transaction_id: str | None = None
    properties: Mapping[str, str] | None = None
    constants: Mapping[str, str] = field(default_factory=dict)

    def named(self) -> set[str]:
        """The columns that options name; a CSV file must have them."""
        parts = {self.timestamp, self.customer.column, self.event_type.column, self.transaction_id}
        return {column for column in parts if column is not None} | set((self.properties or {}).values())

    def to_event(self, cells: Mapping[str, Any], *, default_id: str) -> EventParts:
        """Raises BadCell."""
        return EventParts(
            transaction_id=_text(cells, self.transaction_id) if self.transaction_id is not None else default_id,
            customer_id=self._part(cells, self.customer),
            event_type=self._part(cells, self.event_type),
            timestamp=self._instant(cells),
            properties=self._properties(cells) | dict(self.constants),
        )

    def _part(self, cells: Mapping[str, Any], part: Part) -> str:
        return part.value if part.column is None else _text(cells, part.column)

    def _instant(self, cells: Mapping[str, Any]) -> datetime:
        cell = _cell(cells, self.timestamp)
        try:
            return self.read_timestamp(cell)
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise BadCell(f"{self.timestamp}: is not an instant in the format named (got {shown(cell)})") from error

    def _properties(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        """An empty cell, or a null, is a property that is not there."""
        if self.properties is not None:
            found = {name: cells.get(column) for name, column in self.properties.items()}
        elif isinstance(cells.get("properties"), dict):
            found = cells["properties"]
        else:
            found = {column: cell for column, cell in cells.items() if column not in self.named()}
        return {name: value for name, value in found.items() if value not in ("", None)}


def timestamp_reader(format_name: str) -> Callable[[Any], datetime]:
    """Reads instants as `rfc3339`, `epoch` (seconds), `epoch-ms`, or by a pattern of strptime; UTC where none is
    named."""
    if format_name == "rfc3339":
        return parse_instant
    if format_name in TICKS:
        return lambda cell: EPOCH + timedelta(microseconds=int(Decimal(cell) * TICKS[format_name]))

    def by_pattern(cell: str) -> datetime:
        instant = datetime.strptime(cell, format_name)  # noqa: DTZ007 a missing zone is UTC
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)

    return by_pattern


def _cell(cells: Mapping[str, Any], column: str) -> Any:
    if column not in cells:
        raise BadCell(f"{column}: is not there")
    return cells[column]


def _text(cells: Mapping[str, Any], column: str) -> str:
    """Whole numbers of JSON are taken as their digits."""
    cell = _cell(cells, column)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if not isinstance(cell, str):
        raise BadCell(f"{column}: must be text (got {shown(cell)})")
    return cell
