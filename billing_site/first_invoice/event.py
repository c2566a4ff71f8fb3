"""An event that somebody has pasted: what it says, in words, and what it proposes. All its texts are a stranger's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing_site.foundation.display import count_text, day_text, instant_text, month_text
from billing_site.foundation.periods import DAY, add_months, floor_day
from billing_site.foundation.problems import KEY_BYTES, NAME_LENGTH
from billing_site.foundation.refusals import shown
from ledger.metering import UnreadableValue, as_text, quantity, quantity_text, unique_text
from ledger.services.ingest import Event
from pricing.models import BillableMetric

MOST_SHOWN = 64  # properties
MOST_OFFERED = 24  # of one kind, to choose from
LONGEST_LABEL = 64  # bytes of a value that looks like one of a few
VALUE_SHOWN, NAME_SHOWN = 80, 60

Aggregation = BillableMetric.Aggregation
COUNT = Aggregation.COUNT.value


@dataclass(frozen=True, slots=True)
class PropertyRow:
    name: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class EventInWords:
    event_type: str
    when: str
    customer_id: str
    transaction_id: str
    properties: tuple[PropertyRow, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, event: Event, at: datetime) -> "EventInWords":
        rows = [
            PropertyRow(shown_name(name), *_kind_and_value(value))
            for name, value in list(event.properties.items())[:MOST_SHOWN]
        ]
        return cls(
            event.event_type,
            instant_text(event.timestamp),
            event.subject,
            event.transaction_id,
            tuple(rows),
            tuple(_notes(event, at)),
        )


def measures(event: Event) -> list[tuple[str, list[tuple[str, str]]]]:
    """What of the event can be counted, in groups, each with what the event would count as. A code is an aggregation
    and the property that it reads: "SUM:calls"; of COUNT, "COUNT:"."""
    numbers, others = [], []
    for name, value in _named(event):
        units = _units(value)
        if units is not None:
            numbers.append((name, quantity_text(units)))
        if not isinstance(value, (dict, list)):
            others.append((name, shown(unique_text(value), NAME_SHOWN)))
    groups = [
        ("Events", [(f"{COUNT}:", f"Count of {shown_name(event.event_type)}: this event counts as 1")]),
        ("Add up", [_offer(Aggregation.SUM, "Sum of {}", *each) for each in numbers]),
        ("The highest", [_offer(Aggregation.MAX, "Highest {}", *each) for each in numbers]),
        ("The last", [_offer(Aggregation.LATEST, "Last {}", *each) for each in numbers]),
        (
            "How many different",
            [
                (f"{Aggregation.UNIQUE}:{name}", f"Different {shown_name(name)}: this event brings {value}")
                for name, value in others
            ],
        ),
    ]
    return [(title, offered[:MOST_OFFERED]) for title, offered in groups if offered]


def likeliest_measure(event: Event) -> str:
    """The sum of the number that goes by the name of the event, else of the first; without one, the count."""
    numbers = [name for name, value in _named(event) if _units(value) is not None]
    alike = [name for name in numbers if name.lower() in event.event_type.lower()]
    return f"{Aggregation.SUM}:{[*alike, *numbers][0]}" if numbers else f"{COUNT}:"


def labels(event: Event) -> list[tuple[str, str]]:
    """Properties whose value looks like one of a few: what lines may be split and priced by."""
    found = [
        (name, f"{shown_name(name)} (here {shown(as_text(value), NAME_SHOWN)})")
        for name, value in _named(event)
        if isinstance(value, (str, bool)) and _units(value) is None and len(str(value).encode()) <= LONGEST_LABEL
    ]
    return found[:MOST_OFFERED]


def metric_name(event: Event) -> str:
    return event.event_type[:NAME_LENGTH]


def product_name(event: Event) -> str:
    words = event.event_type.replace("_", " ").replace(".", " ").strip() or event.event_type
    return f"{words[:1].upper()}{words[1:]}"[:NAME_LENGTH]


def month_of(instant: datetime) -> datetime:
    """The beginning of the event's month: from when on it is agreed and priced."""
    return floor_day(instant).replace(day=1)


def shown_name(name: str) -> str:
    return name if len(name) <= NAME_SHOWN else f"{name[: NAME_SHOWN - 1]}…"


def _offer(aggregation: str, words: str, name: str, value: str) -> tuple[str, str]:
    return f"{aggregation}:{name}", f"{words.format(shown_name(name))}: this event counts as {value}"


def _named(event: Event) -> Iterator[tuple[str, Any]]:
    """Properties that a metric can name, with a value."""
    for name, value in event.properties.items():
        if name and len(name.encode()) <= KEY_BYTES and value is not None:
            yield name, value


def _units(value: Any) -> int | None:
    try:
        return quantity(value)
    except UnreadableValue:
        return None


def _kind_and_value(value: Any) -> tuple[str, str]:
    if value is None:
        return "nothing", "null"
    if isinstance(value, bool):
        return "yes or no", "yes" if value else "no"
    if isinstance(value, (int, Decimal)):
        return "a number", shown(as_text(value), VALUE_SHOWN).strip("'")
    if isinstance(value, str):
        return ("a number, as text" if _units(value) is not None else "text"), shown(value, VALUE_SHOWN)
    if isinstance(value, list):
        return f"a list of {len(value):,}", shown(as_text(value), VALUE_SHOWN)
    return f"an object of {count_text(len(value), 'property', 'properties')}", shown(as_text(value), VALUE_SHOWN)


def _notes(event: Event, at: datetime) -> Iterator[str]:
    """What whoever pasted it should know before anything is made of it."""
    if len(event.properties) > MOST_SHOWN:
        yield f"It has {len(event.properties):,} properties; the first {MOST_SHOWN} are shown."
    if any(isinstance(value, (dict, list)) for value in event.properties.values()):
        yield (
            "Lists and objects are kept as they are, and metrics do not look into them: send what is to be counted as "
            "a property of its own."
        )
    if all(_units(value) is None for value in event.properties.values()):
        yield "None of its properties is a number, so there is nothing to add up: events can be counted."
    month = month_of(event.timestamp)
    if add_months(month, 1) <= at:
        yield (
            f"It is of {month_text(event.timestamp)}, which is over. The invoice of a month becomes final by itself "
            "once its grace period has passed; to try things out, paste an event of today."
        )
    elif event.timestamp > at + DAY / 24:
        yield f"It is dated ahead, {day_text(event.timestamp)}; it counts at once, on the invoice of its own month."
