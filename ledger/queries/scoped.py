"""What metrics that are not additive in time come to, as parts in the hours in which they came about.

The parts of a scope add up to its value; `docs/metering.md` has the rule, with a worked table.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from contracts.terms import ClaimWindow
from ledger.queries.usage import Window, hour_columns, spans_of, windows_of
from ledger.scopes import Scope
from pricing.engine.catalog import GroupValues


@dataclass(frozen=True, slots=True)
class Part:
    """What an hour adds to the value of one combination of group values."""

    values: GroupValues
    hour: datetime
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Slot:
    """A metric that is not additive, over windows that share no hour of a subject, told apart by `keys`."""

    windows: Sequence[Window]
    metric_id: UUID
    aggregation: str
    keys: tuple[str, ...]


# Each scope with its metric and its keys, and each hour of each subject in it.
_SPANS = """
WITH scope AS (
    SELECT * FROM unnest(%s::int[], %s::uuid[], %s::text[]) AS scope (slot, metric_id, keys)
), span AS (
    SELECT * FROM unnest(%s::int[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::date[], %s::date[])
    AS span (slot, subject, starting_at, ending_before, first_day, last_day)
)"""

_GROUP = """
        (SELECT coalesce(jsonb_object_agg(key, series.values -> key), '{}')
         FROM jsonb_array_elements_text(scope.keys::jsonb) AS key) AS group_values"""

_HOURS = f"""{_SPANS}, used AS (
    SELECT span.slot, {_GROUP}, part.*
    FROM span
    JOIN scope USING (slot),
    LATERAL (
        SELECT usage.* FROM ledger_hourlyusage usage
        WHERE usage.subject = span.subject AND usage.hour >= span.starting_at AND usage.hour < span.ending_before
          AND usage.day >= span.first_day AND usage.day <= span.last_day
        OFFSET 0
    ) part
    JOIN ledger_series series ON series.id = part.series_id
    WHERE series.metric_id = scope.metric_id
)"""

_MAX = f"""{_HOURS}, hours AS (
    SELECT slot, group_values, hour, max(maximum) AS maximum FROM used WHERE maximum IS NOT NULL
    GROUP BY slot, group_values, hour
), running AS (
    SELECT *, max(maximum) OVER (PARTITION BY slot, group_values ORDER BY hour
                                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM hours
)
SELECT slot, group_values, hour, maximum - coalesce(before, 0) FROM running
WHERE before IS NULL OR maximum > before
ORDER BY slot, group_values, hour
"""

_LATEST = f"""{_HOURS}
SELECT DISTINCT ON (slot, group_values) slot, group_values, hour, latest FROM used
WHERE latest_at IS NOT NULL
ORDER BY slot, group_values, latest_at DESC, latest_transaction_id COLLATE "C" DESC, subject COLLATE "C" DESC
"""

_UNIQUE = f"""{_SPANS}, used AS (
    SELECT span.slot, {_GROUP}, part.value, part.hour
    FROM span
    JOIN scope USING (slot),
    LATERAL (
        SELECT seen.series_id, seen.value, min(seen.hour) AS hour FROM ledger_uniquevalue seen
        WHERE seen.subject = span.subject AND seen.hour >= span.starting_at AND seen.hour < span.ending_before
          AND seen.occurrences > 0
        GROUP BY seen.series_id, seen.value
        OFFSET 0
    ) part
    JOIN ledger_series series ON series.id = part.series_id
    WHERE series.metric_id = scope.metric_id
), first AS (
    SELECT slot, group_values, min(hour) AS hour FROM used GROUP BY slot, group_values, value
)
SELECT slot, group_values, hour, count(*)::numeric FROM first
GROUP BY slot, group_values, hour
ORDER BY slot, group_values, hour
"""

_STATEMENTS = {"MAX": _MAX, "LATEST": _LATEST, "UNIQUE": _UNIQUE}


def claimed_parts(claims: Iterable[ClaimWindow], scopes: Sequence[Scope]) -> dict[Scope, list[Part]]:
    """The parts of each scope, counting each subject only over the hours for which it is claimed."""
    claims = list(claims)
    asked = list(dict.fromkeys(scopes))
    found = parts_by_slot(
        [Slot(windows_of(claims, one.period), one.metric_id, one.aggregation, one.keys) for one in asked]
    )
    return dict(zip(asked, found, strict=True))


def parts_by_slot(slots: Sequence[Slot]) -> list[list[Part]]:
    """The parts of each slot, in the order of group values and hours. One statement for each aggregation among them."""
    found: list[list[Part]] = [[] for _ in slots]
    by_aggregation: dict[str, list[int]] = defaultdict(list)
    for number, slot in enumerate(slots):
        if slot.windows:
            by_aggregation[slot.aggregation].append(number)
    for aggregation, numbers in by_aggregation.items():
        for place, part in _answers(_STATEMENTS[aggregation], [slots[number] for number in numbers]):
            found[numbers[place]].append(part)
    return found


def _answers(statement: str, slots: Sequence[Slot]) -> Iterator[tuple[int, Part]]:
    parameters: list[Any] = [
        list(range(len(slots))),
        [slot.metric_id for slot in slots],
        [json.dumps(slot.keys) for slot in slots],
        *hour_columns(spans_of([slot.windows for slot in slots])),
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        for place, values, hour, quantity in cursor.fetchall():
            read: dict[str, str | None] = json.loads(values)
            yield place, Part(tuple(sorted(read.items())), hour.astimezone(UTC), quantity)
