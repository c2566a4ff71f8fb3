"""What a call's events come to, metric by metric: decided before the transaction, from values alone.

`docs/metering.md` has the rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from billing_site.foundation.refusals import FieldError, shown
from ledger.metering import (
    UNIT,
    GroupTexts,
    LongGroupValue,
    Measure,
    Measures,
    SeriesBytes,
    UnreadableValue,
    is_not_finite,
    quantity,
    unique_text,
)
from ledger.services.ingest.events import Event
from ledger.services.ingest.reading import BadEvents

FINITE_RULE = "must be a finite number, as usage adds it up"
GROUP_RULE = "must have at most 256 bytes, as usage is grouped by it"

_SMALL = 10**18


@dataclass(slots=True)
class Unread:
    """A value of `event` that `metric_id` should have added up, and why it could not."""

    event: Event
    metric_id: UUID
    value: str
    rule: str


# An aggregation that is not additive, a series, and 10⁻¹² units or, for UNIQUE, the value as text.
Mark = tuple[str, SeriesBytes, Any]


@dataclass(slots=True)
class Measured:
    """`parts` says for each event which series it adds to, and how many 10⁻¹² units; `marks`, by the event's index,
    what it says to metrics that are not additive in time."""

    measures: Measures
    parts: list[list[tuple[SeriesBytes, int]]]
    marks: dict[int, list[Mark]]
    unread: list[Unread]
    new_series: dict[SeriesBytes, tuple[Measure, GroupTexts]]


def remeasure(events: Sequence[Event], measures: Measures) -> Measured:
    """Events that were accepted before: what would be refused today is a value that cannot be read."""
    together = Measured(measures, [], {}, [], {})
    for index, event in enumerate(events):
        parts: list[tuple[SeriesBytes, int]] = []
        marks: list[Mark] = []
        for metric in (metric for metrics in measures.of_type(event.event_type) for metric in metrics):
            try:
                alone = measure([event], measures.only(metric))
            except BadEvents as refusal:
                error = refusal.errors[0]
                together.unread.append(Unread(event, metric.metric_id, shown(error.value, 200), error.rule))
                continue
            parts += alone.parts[0]
            marks += alone.marks.get(0, [])
            together.unread += alone.unread
            together.new_series |= alone.new_series
        together.parts.append(parts)
        if marks:
            together.marks[index] = marks
    return together


def measure(events: Sequence[Event], measures: Measures) -> Measured:
    """Raises BadEvents where a value to group by is too long, or one to measure is NaN or infinite."""
    measured = Measured(measures, [], {}, [], {})
    errors: list[FieldError] = []
    by_type, recorded, new_series, all_parts = (
        measures.by_type,
        measures.recorded,
        measured.new_series,
        measured.parts,
    )
    for index, event in enumerate(events):
        properties = event.properties
        parts: list[tuple[SeriesBytes, int]] = []
        additive, others = by_type.get(event.event_type) or measures.of_type(event.event_type)
        for metric in additive:
            if metric.rules and not metric.wants(properties):
                continue
            units = 0
            if metric.key is not None:
                value = properties.get(metric.key)
                if value is None:
                    continue
                if type(value) is int and -_SMALL < value < _SMALL:
                    units = value * UNIT
                else:
                    try:
                        units = quantity(value)
                    except UnreadableValue as problem:
                        if is_not_finite(value):
                            errors.append(FieldError(f"[{index}].properties.{metric.key}", value, FINITE_RULE))
                            break
                        measured.unread.append(Unread(event, metric.metric_id, shown(value, 200), str(problem)))
                        continue
            group = metric.group_of(properties) if metric.group_keys else ()
            series = metric.series.get(group)
            if series is None:
                try:
                    series = metric.series_of(group)
                except LongGroupValue as problem:
                    errors.append(FieldError(f"[{index}].properties.{problem.name}", problem.value, GROUP_RULE))
                    break
            if series not in recorded:
                new_series[series] = (metric, group)
            parts.append((series, units))
        all_parts.append(parts)
        if others and (marks := _marks(index, event, others, measured, errors)):
            measured.marks[index] = marks
    if errors:
        raise BadEvents.among(errors, len(events))
    return measured


def _marks(
    index: int, event: Event, metrics: Sequence[Measure], measured: Measured, errors: list[FieldError]
) -> list[Mark]:
    """What an event says to metrics that are not additive; what is wrong with it goes to `errors` and `unread`."""
    marks: list[Mark] = []
    for metric in metrics:
        if not metric.wants(event.properties):
            continue
        assert metric.key is not None
        value = event.properties[metric.key]
        said: Any
        if metric.aggregation == "UNIQUE":
            said = unique_text(value)
        else:
            try:
                said = quantity(value)
            except UnreadableValue as problem:
                if is_not_finite(value):
                    errors.append(FieldError(f"[{index}].properties.{metric.key}", value, FINITE_RULE))
                else:
                    measured.unread.append(Unread(event, metric.metric_id, shown(value, 200), str(problem)))
                continue
        group = metric.group_of(event.properties)
        try:
            series = metric.series_of(group)
        except LongGroupValue as problem:
            errors.append(FieldError(f"[{index}].properties.{problem.name}", problem.value, GROUP_RULE))
            continue
        if series not in measured.measures.recorded:
            measured.new_series[series] = (metric, group)
        marks.append((metric.aggregation, series, said))
    return marks
