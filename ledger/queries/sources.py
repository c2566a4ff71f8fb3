"""Who was heard of: which subjects sent something that a metric counts."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from billing_site.foundation.periods import Period, ceil_day, floor_day
from contracts.terms import ClaimWindow
from ledger.queries.usage import spans_of, windows_of

# A level lasts without a word, so WEIGHTED_SUM says nothing of who was heard of.
_HEARD_OF = """
WITH span AS MATERIALIZED (
    SELECT * FROM unnest(%s::int[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::date[], %s::date[])
      AS span (slot, subject, starting_at, ending_before, first_day, end_day)
),
used AS (
    SELECT span.slot, span.subject, part.series_id
    FROM span, LATERAL (
        SELECT DISTINCT usage.series_id FROM ledger_dailyusage usage
        WHERE usage.subject = span.subject AND usage.day >= span.first_day AND usage.day < span.end_day
          AND (usage.count > 0 OR usage.hour_maxima IS NOT NULL OR usage.hour_latest IS NOT NULL)
    ) part
    UNION
    SELECT span.slot, span.subject, part.series_id
    FROM span, LATERAL (
        SELECT DISTINCT found.series_id FROM ledger_uniquevalue found
        WHERE found.subject = span.subject AND found.occurrences > 0
          AND found.hour >= span.starting_at AND found.hour < span.ending_before
    ) part
)
SELECT DISTINCT used.slot, used.subject, series.metric_id
FROM used
JOIN ledger_series series ON series.id = used.series_id
JOIN pricing_billablemetric metric ON metric.id = series.metric_id
WHERE series.metric_id = ANY(%s) AND metric.aggregation_type <> 'WEIGHTED_SUM'
"""


def heard_of(
    claims: Iterable[ClaimWindow], periods: Sequence[Period], *, metric_ids: Collection[UUID]
) -> list[set[tuple[str, UUID]]]:
    """Subjects with the metrics that counted something of them in each closed period, as claimed. One query.

    Days are looked at as wholes: one that a period or a claim begins or ends in counts with all of its hours.
    """
    claims = list(claims)
    spans = spans_of([windows_of(claims, period) for period in periods])
    answers: list[set[tuple[str, UUID]]] = [set() for _ in periods]
    if not spans or not metric_ids:
        return answers
    with connection.cursor() as cursor:
        columns: list[Any] = [
            [span.slot for span in spans],
            [span.subject for span in spans],
            [span.starting_at for span in spans],
            [span.ending_before for span in spans],
            [floor_day(span.starting_at).date() for span in spans],
            [ceil_day(span.ending_before).date() for span in spans],
        ]
        cursor.execute(_HEARD_OF, [*columns, list(metric_ids)])
        for slot, subject, metric_id in cursor.fetchall():
            answers[slot].add((subject, metric_id))
    return answers
