"""The statements of an ingest transaction. Rows come as arrays, sorted by key, so that no two writers wait for each
other in a circle."""

# Claims the keys and, where all of them were new, stores the bodies at once. One row says how many were new and
# which metrics and authorities there are; where some were not new, one row more for each key that was.
CLAIM = """
WITH sent AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::timestamptz[], $5::text[], $6::timestamptz[],
                         $7::text[], $8::uuid[])
    AS sent (subject, transaction_id, content_hash, received_at, event_type, timestamp, properties, call_id)
), claimed AS (
    INSERT INTO ledger_eventkey (subject, transaction_id, content_hash, received_at)
    SELECT subject, transaction_id, content_hash, received_at FROM sent
    ON CONFLICT DO NOTHING
    RETURNING subject, transaction_id
), outcome AS (
    SELECT count(*) AS new FROM claimed
), stored AS (
    INSERT INTO ledger_eventbody (subject, transaction_id, received_at, event_type, timestamp, properties, call_id)
    SELECT subject, transaction_id, received_at, event_type, timestamp, properties::jsonb, call_id
    FROM sent WHERE (SELECT new FROM outcome) = $9
)
SELECT outcome.new, metrics.*, authorities.*, claimed.*
FROM outcome
CROSS JOIN (SELECT count(*), bit_xor(uuid_hash_extended(id, 0)) FROM pricing_billablemetric) metrics
CROSS JOIN (SELECT bit_xor(hashtextextended(known::text, 0)) FROM ledger_sourceauthority known) authorities
LEFT JOIN claimed ON outcome.new <> $9
"""

STORE = """
INSERT INTO ledger_eventbody (subject, transaction_id, received_at, event_type, timestamp, properties, call_id)
SELECT subject, transaction_id, received_at, event_type, timestamp, properties::jsonb, call_id
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::text[], $7::uuid[])
AS sent (subject, transaction_id, received_at, event_type, timestamp, properties, call_id)
"""

# What is held under keys that were not new.
HELD = """
SELECT key.subject, key.transaction_id, key.content_hash, key.received_at
FROM unnest($1::text[], $2::text[]) AS sent (subject, transaction_id)
JOIN ledger_eventkey key USING (subject, transaction_id)
"""

HELD_BODIES = """
SELECT body.subject, body.transaction_id, body.event_type, body.timestamp, body.properties::text
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS sent (subject, transaction_id, received_at)
JOIN ledger_eventbody body USING (subject, transaction_id, received_at)
"""

# An array with one element, at the place of its hour, carries both the amount and the hour.
FOLD = """
INSERT INTO ledger_dailyusage AS held
    (subject, series_id, day, count, has_negative, sum, hour_sums, hour_counts)
SELECT subject, series_id, day, count, has_negative, sum,
       array_fill(sum, ARRAY[1], ARRAY[hour]), array_fill(count::bigint, ARRAY[1], ARRAY[hour])
FROM (SELECT subject, series_id, date '0001-01-01' + hour / 24 AS day, hour % 24 AS hour, sum::numeric AS sum, count,
             has_negative
      FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::text[], $5::integer[], $6::boolean[])
      AS used (subject, series_id, hour, sum, count, has_negative)) used
ON CONFLICT (subject, series_id, day) DO UPDATE SET
    count = held.count + excluded.count,
    has_negative = held.has_negative OR excluded.has_negative,
    sum = held.sum + excluded.sum,
    hour_sums[array_lower(excluded.hour_sums, 1)] =
        coalesce(held.hour_sums[array_lower(excluded.hour_sums, 1)], 0) + excluded.sum,
    hour_counts[array_lower(excluded.hour_counts, 1)] =
        coalesce(held.hour_counts[array_lower(excluded.hour_counts, 1)], 0) + excluded.count
"""

# The same for metrics that are not additive: a maximum, the latest value, a change of a level.
_HOUR = "array_lower(excluded.hour_counts, 1)"

_COUNTED = f"""
    count = held.count + excluded.count,
    hour_counts[{_HOUR}] = coalesce(held.hour_counts[{_HOUR}], 0) + excluded.count"""

FOLD_MAX = f"""
INSERT INTO ledger_dailyusage AS held (subject, series_id, day, count, has_negative, sum, hour_counts, hour_maxima)
SELECT subject, series_id, date '0001-01-01' + hour / 24, count, false, 0,
       array_fill(count::bigint, ARRAY[1], ARRAY[hour % 24]), array_fill(value::numeric, ARRAY[1], ARRAY[hour % 24])
FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::integer[], $5::text[])
AS used (subject, series_id, hour, count, value)
ON CONFLICT (subject, series_id, day) DO UPDATE SET {_COUNTED},
    hour_maxima[{_HOUR}] = greatest(held.hour_maxima[{_HOUR}], excluded.hour_maxima[{_HOUR}])
"""

_IS_LATER = f"""CASE WHEN held.hour_latest_at[{_HOUR}] IS NULL
              OR (excluded.hour_latest_at[{_HOUR}], excluded.hour_latest_transaction_ids[{_HOUR}] COLLATE "C")
               > (held.hour_latest_at[{_HOUR}], held.hour_latest_transaction_ids[{_HOUR}] COLLATE "C") THEN"""

FOLD_LATEST = f"""
INSERT INTO ledger_dailyusage AS held (subject, series_id, day, count, has_negative, sum, hour_counts, hour_latest,
                                       hour_latest_at, hour_latest_transaction_ids)
SELECT subject, series_id, date '0001-01-01' + hour / 24, count, false, 0,
       array_fill(count::bigint, ARRAY[1], ARRAY[hour % 24]), array_fill(value::numeric, ARRAY[1], ARRAY[hour % 24]),
       array_fill(at, ARRAY[1], ARRAY[hour % 24]), array_fill(transaction_id, ARRAY[1], ARRAY[hour % 24])
FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::integer[], $5::text[], $6::timestamptz[], $7::text[])
AS used (subject, series_id, hour, count, value, at, transaction_id)
ON CONFLICT (subject, series_id, day) DO UPDATE SET {_COUNTED},
    hour_latest[{_HOUR}] = {_IS_LATER} excluded.hour_latest[{_HOUR}] ELSE held.hour_latest[{_HOUR}] END,
    hour_latest_at[{_HOUR}] = {_IS_LATER} excluded.hour_latest_at[{_HOUR}] ELSE held.hour_latest_at[{_HOUR}] END,
    hour_latest_transaction_ids[{_HOUR}] = {_IS_LATER} excluded.hour_latest_transaction_ids[{_HOUR}]
                                           ELSE held.hour_latest_transaction_ids[{_HOUR}] END
"""

FOLD_LEVEL = f"""
INSERT INTO ledger_dailyusage AS held
    (subject, series_id, day, count, has_negative, sum, hour_counts, hour_sums, hour_levels)
SELECT subject, series_id, date '0001-01-01' + hour / 24, count, has_negative, sum::numeric,
       array_fill(count::bigint, ARRAY[1], ARRAY[hour % 24]), array_fill(sum::numeric, ARRAY[1], ARRAY[hour % 24]),
       array_fill(level::numeric, ARRAY[1], ARRAY[hour % 24])
FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::boolean[])
AS used (subject, series_id, hour, count, sum, level, has_negative)
ON CONFLICT (subject, series_id, day) DO UPDATE SET {_COUNTED},
    has_negative = held.has_negative OR excluded.has_negative,
    sum = held.sum + excluded.sum,
    hour_sums[{_HOUR}] = coalesce(held.hour_sums[{_HOUR}], 0) + excluded.sum,
    hour_levels[{_HOUR}] = coalesce(held.hour_levels[{_HOUR}], 0) + excluded.hour_levels[{_HOUR}]
"""

CARRY = """
INSERT INTO ledger_carriedlevel AS held (subject, series_id, month, change, level_seconds)
SELECT subject, series_id, date '0001-01-01' + month, change::numeric, level::numeric
FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::text[], $5::text[])
AS used (subject, series_id, month, change, level)
ON CONFLICT (subject, series_id, month) DO UPDATE SET
    change = held.change + excluded.change, level_seconds = held.level_seconds + excluded.level_seconds
"""

UNIQUE = """
INSERT INTO ledger_uniquevalue AS held (subject, series_id, hour, value, occurrences)
SELECT subject, series_id, hour, value, occurrences
FROM unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::text[], $5::integer[])
AS used (subject, series_id, hour, value, occurrences)
ON CONFLICT (subject, series_id, hour, value) DO UPDATE SET occurrences = held.occurrences + excluded.occurrences
"""

LATE = """
INSERT INTO ledger_latemark AS held (subject, hour, xid)
SELECT subject, hour, pg_current_xact_id() FROM unnest($1::text[], $2::timestamptz[]) AS late (subject, hour)
ON CONFLICT (subject, hour) DO UPDATE SET xid = excluded.xid
"""

CALL = """
INSERT INTO ledger_ingestcall
    (id, token_id, source, received_at, accepted, duplicates, conflicts, metric_set_id, event_types, xid)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, pg_current_xact_id())
"""

METRIC_SET = "INSERT INTO ledger_metricset (id, metric_ids) VALUES ($1, $2::jsonb) ON CONFLICT DO NOTHING"

SERIES = """
INSERT INTO ledger_series (id, metric_id, values)
SELECT id, metric_id, values::jsonb FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS new (id, metric_id, values)
ON CONFLICT DO NOTHING
"""

UNREAD = """
INSERT INTO ledger_unreadvalue (subject, metric_id, hour, transaction_id, value, rule)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
"""
