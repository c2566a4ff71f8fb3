"""What billable metrics make of an event: whether they want it, how much it counts, and in which series.

Pure: definitions and properties in, quantities out. Quantities are whole numbers of 10⁻¹² units, so that adding them
up is exact and fast.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

from billing_site.foundation.ids import derived_id

UNIT = 10**12  # of these make one; twelve decimal places are what quantities are kept to
LARGEST_VALUE = 10**20  # a million of these still fit the columns
LONGEST_GROUP_VALUE = 256  # bytes
LONGEST_UNIQUE_VALUE = 256  # characters; a longer one is known by its hash

ADDITIVE = frozenset({"COUNT", "SUM"})  # in time; the others are made so, each in its own way

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
EXACT = Context(prec=200, rounding=ROUND_HALF_UP)

encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode  # a canonical form

# The bytes that stand for a series in an array parameter: four of length, sixteen of id.
SeriesBytes = bytes
GroupTexts = tuple[str | None, ...]


class UnreadableValue(ValueError):
    """A property that a metric adds up is not a number, or not one that it can hold."""


class LongGroupValue(ValueError):
    """A value to group by is longer than what is kept."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(name)
        self.name = name
        self.value = value


@dataclass(frozen=True, slots=True)
class PropertyRule:
    name: str
    exists: bool | None
    in_values: frozenset[str] | None
    not_in_values: frozenset[str] | None

    def holds(self, properties: Mapping[str, Any]) -> bool:
        text = as_text(properties.get(self.name))
        if text is None:
            return self.exists is not True and self.in_values is None
        return (
            self.exists is not False
            and (self.in_values is None or text in self.in_values)
            and (self.not_in_values is None or text not in self.not_in_values)
        )


@dataclass(slots=True, eq=False)
class Measure:
    """A billable metric, ready to be applied. `key` is the property that it reads; None counts events."""

    metric_id: UUID
    aggregation: str
    key: str | None
    in_types: frozenset[str] | None
    not_in_types: frozenset[str] | None
    rules: tuple[PropertyRule, ...]
    group_keys: tuple[str, ...]  # the union of the declared ones, in the order of their names
    series: dict[GroupTexts, SeriesBytes] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        metric_id: UUID,
        aggregation_type: str,
        aggregation_key: str,
        event_type_filter: Mapping[str, Sequence[str]],
        property_filters: Iterable[Mapping[str, Any]],
        group_keys: Iterable[Iterable[str]],
    ) -> "Measure":
        """From a metric's stored definition."""
        return cls(
            metric_id,
            aggregation_type,
            None if aggregation_type == "COUNT" else aggregation_key,
            _values(event_type_filter, "in_values"),
            _values(event_type_filter, "not_in_values"),
            tuple(
                PropertyRule(
                    rule["name"], rule.get("exists"), _values(rule, "in_values"), _values(rule, "not_in_values")
                )
                for rule in property_filters
            ),
            tuple(sorted({key for keys in group_keys for key in keys})),
        )

    def wants_type(self, event_type: str) -> bool:
        return (self.in_types is None or event_type in self.in_types) and (
            self.not_in_types is None or event_type not in self.not_in_types
        )

    def wants(self, properties: Mapping[str, Any]) -> bool:
        """Whether an event of a wanted type counts: the filters hold, and the property to read is there."""
        return all(rule.holds(properties) for rule in self.rules) and (
            self.key is None or properties.get(self.key) is not None
        )

    def group_of(self, properties: Mapping[str, Any]) -> GroupTexts:
        get = properties.get
        return tuple([value if type(value := get(key)) is str else as_text(value) for key in self.group_keys])

    def series_of(self, group: GroupTexts) -> SeriesBytes:
        """The series of these group values. Raises LongGroupValue."""
        known = self.series.get(group)
        if known is None:
            for name, value in zip(self.group_keys, group, strict=True):
                if value is not None and len(value.encode()) > LONGEST_GROUP_VALUE:
                    raise LongGroupValue(name, value)
            known = b"\0\0\0\x10" + series_id(self.metric_id, dict(zip(self.group_keys, group, strict=True))).bytes
            if len(self.series) >= 100_000:
                self.series.clear()
            self.series[group] = known
        return known


OfType = tuple[tuple[Measure, ...], tuple[Measure, ...]]


class Measures:
    """All metrics that events are measured by."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self.all = tuple(sorted(measures, key=lambda measure: measure.metric_id))
        self.metric_ids = tuple(measure.metric_id for measure in self.all)
        self.id = derived_id("metric set", *self.metric_ids)
        self.recorded: set[SeriesBytes] = set()  # series that are in the dictionary, as far as this process knows
        self.is_recorded = False  # whether the set itself is
        self.series_counts: Counter[UUID] = Counter()  # by metric, as far as this process knows
        self.by_type: dict[str, OfType] = {}
        self.alone: dict[UUID, Measures] = {}

    def only(self, metric: Measure) -> "Measures":
        """One of them, sharing what is known of recorded series."""
        alone = self.alone.get(metric.metric_id)
        if alone is None:
            alone = self.alone[metric.metric_id] = Measures([metric])
            alone.recorded, alone.series_counts = self.recorded, self.series_counts
        return alone

    def of_type(self, event_type: str) -> "OfType":
        """The metrics that want events of this type: those additive in time, and the others."""
        known = self.by_type.get(event_type)
        if known is None:
            if len(self.by_type) >= 10_000:
                self.by_type.clear()
            wanting = [measure for measure in self.all if measure.wants_type(event_type)]
            known = (
                tuple(measure for measure in wanting if measure.aggregation in ADDITIVE),
                tuple(measure for measure in wanting if measure.aggregation not in ADDITIVE),
            )
            self.by_type[event_type] = known
        return known

    def wanting(self, event_type: str, properties: Mapping[str, Any]) -> list[UUID]:
        """The metrics that an event counts for."""
        return [
            measure.metric_id
            for measures in self.of_type(event_type)
            for measure in measures
            if measure.wants(properties)
        ]


def as_text(value: Any) -> str | None:
    """How a property's value is compared and grouped by: numbers in their shortest plain spelling; None is absent."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return plain(value)
    return encode(value).decode()


def plain(number: Decimal) -> str:
    """Without exponent, trailing zeros or a sign of zero."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def is_not_finite(value: Any) -> bool:
    """Whether a text spells NaN or an infinity: no number at all, and refused where a number is added up."""
    return isinstance(value, str) and value.strip().lower().lstrip("+-") in {"nan", "inf", "infinity"}


def quantity(value: Any) -> int:
    """A property's value in 10⁻¹² units; what lies beyond is rounded half away from zero.

    Numbers may be sent as JSON numbers or as text. Raises UnreadableValue.
    """
    if isinstance(value, bool):
        raise UnreadableValue("must be a number")
    if isinstance(value, int):
        number = Decimal(value)
    elif isinstance(value, Decimal):
        number = value
    elif isinstance(value, str) and len(value) <= 100 and NUMBER.fullmatch(value):
        number = Decimal(value)
    else:
        raise UnreadableValue("must be a number")
    if number.adjusted() >= 20 and number:
        raise UnreadableValue("must be less than 10²⁰ in size")
    if number.adjusted() < -13:
        return 0
    return int(EXACT.scaleb(number, 12).to_integral_value(context=EXACT))


def quantity_text(units: int, places: int = 12) -> str:
    """10⁻¹² units as a decimal number; or units of so many places."""
    scale = UNIT if places == 12 else 10**places
    whole, part = divmod(units, scale)
    if not part:
        return str(whole)
    if units > 0:
        return f"{whole}.{part:0{places}d}"
    whole, part = divmod(-units, scale)
    return f"-{whole}.{part:0{places}d}"


def unique_text(value: Any) -> str:
    """What a value of a UNIQUE metric is told from others by."""
    text = as_text(value)
    assert text is not None
    if len(text) <= LONGEST_UNIQUE_VALUE:
        return text
    return f"…{blake2b(text.encode(), digest_size=32).hexdigest()}"


def series_id(metric_id: UUID, values: Mapping[str, str | None]) -> UUID:
    """128 bits of a cryptographic hash, so that no two series meet, by accident or on purpose."""
    return UUID(bytes=blake2b(metric_id.bytes + encode(values), digest_size=16).digest())


def _values(rule: Mapping[str, Any], name: str) -> frozenset[str] | None:
    listed = rule.get(name)
    return None if listed is None else frozenset(listed)
