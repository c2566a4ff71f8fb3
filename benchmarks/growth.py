"""`python -m benchmarks.growth`: what ingest and usage queries cost with 1, 10 and 30 million events stored.

The stored events are put there by SQL, with their days; then the same load is measured as on an empty ledger. Thirty
million need about 12 GB of disk and a quarter of an hour.
"""

import argparse
import json
import os
import random
import time
from typing import Any

import psycopg

from benchmarks.__main__ import say
from benchmarks.chaos import post
from benchmarks.matrix import measured
from benchmarks.site import Site, serving
from benchmarks.workload import METRICS, Workload

CHUNK = 500_000
SERIES = 50
HOURS = 31 * 24

# Each event has its own hour and is of one of a thousand subjects. Ids are ordered by time, as those of the load are.
_BODIES = """
WITH made AS (
    SELECT 'stored-' || lpad((n % 1000)::text, 4, '0') AS subject, lpad(to_hex(n), 32, '0') AS transaction_id,
           now() AS received_at, timestamptz '2025-10-01 00:00Z' + (n % {hours}) * interval '1 hour' AS timestamp, n
    FROM generate_series({first}, {last}) n
), keys AS (
    INSERT INTO ledger_eventkey (subject, transaction_id, content_hash, received_at)
    SELECT subject, transaction_id, decode(md5(transaction_id), 'hex'), received_at FROM made
    ORDER BY subject, transaction_id
)
INSERT INTO ledger_eventbody (subject, transaction_id, received_at, event_type, timestamp, properties, call_id)
SELECT subject, transaction_id, received_at, 'completion', timestamp,
       jsonb_build_object('tokens', n % 1000, 'model', 'xl', 'region', 'eu'), '{call}'
FROM made ORDER BY subject, transaction_id
"""

_SERIES = """
INSERT INTO ledger_series (id, metric_id, values)
SELECT md5('series' || n)::uuid, %s, jsonb_build_object('model', 'm' || n, 'region', 'eu')
FROM generate_series(1, %s) n
"""

_DAYS = """
INSERT INTO ledger_dailyusage (subject, series_id, day, count, has_negative, sum, hour_sums, hour_counts)
SELECT 'customer-big', md5('series' || n)::uuid, date '2025-10-01' + d, %s, false, %s,
       array_fill((%s::numeric / 24), ARRAY[24], ARRAY[0]), array_fill((%s / 24)::bigint, ARRAY[24], ARRAY[0])
FROM generate_series(1, %s) n, generate_series(0, 30) d
"""

_BARE = """
CREATE TEMPORARY TABLE bare AS
SELECT n AS series, h AS hour, 5.0::numeric(38,12) AS sum FROM generate_series(1, 50) n, generate_series(0, 743) h
"""


def main() -> None:
    options = _options()
    rows: list[dict[str, Any]] = []
    with serving() as site, psycopg.connect(site.database_url, autocommit=True) as database:
        metric = post(site, "/v1/billable-metrics/create", METRICS[0])["data"]["id"]
        post(site, "/v1/billable-metrics/create", METRICS[1])
        customer = post(site, "/v1/customers", {"name": "Big", "ingest_aliases": ["customer-big"]})["data"]["id"]
        post(site, "/v1/ingest", Workload(events_a_call=1).batch(random.Random(0)))
        database.execute(_SERIES, [metric, SERIES])
        per_day = 10_000_000 // SERIES // 31
        database.execute(_DAYS, [per_day, per_day, per_day, per_day, SERIES])
        database.execute("ANALYZE ledger_dailyusage")
        stored = 0
        for millions in options.millions:
            while stored < millions * 1_000_000:
                _store(database, stored)
                stored += CHUNK
            database.execute("VACUUM (ANALYZE) ledger_eventkey")
            database.execute("CHECKPOINT")
            ingest = measured(site, Workload(100), 8, options.seconds)
            rows.append({"millions_stored": millions, **ingest} | _query(site, database, metric, customer))
            say(json.dumps(rows[-1]))
    first = rows[0]["events_a_second"]
    for row in rows:
        row["ratio_to_first"] = round(row["events_a_second"] / first, 3)
    print(json.dumps({"benchmark": "growth", "load": os.getloadavg()[0], "rows": rows}))


def _store(database: psycopg.Connection, stored: int) -> None:
    call = "00000000-0000-0000-0000-000000000000"
    database.execute(_BODIES.format(first=stored + 1, last=stored + CHUNK, hours=HOURS, call=call).encode())


def _query(site: Site, database: psycopg.Connection, metric: str, customer: str) -> dict[str, Any]:
    """A month of hours in 50 series, ten million events behind them: as a sum by series, and as the API answers."""
    body = {
        "billable_metric_id": metric,
        "customer_id": customer,
        "window_size": "NONE",
        "group_key": ["model", "region"],
        "starting_on": "2025-10-01T00:00:00Z",
        "ending_before": "2025-11-01T00:00:00Z",
    }
    database.execute("DROP TABLE IF EXISTS bare")
    database.execute(_BARE)
    bare = _fastest(lambda: database.execute("SELECT series, sum(sum) FROM bare GROUP BY series").fetchall())
    asked = _fastest(lambda: post(site, "/v1/usage/groups", body))
    return {"bare_grouped_sum_ms": bare, "usage_by_group_ms": asked, "query_ratio": round(bare / asked, 2)}


def _fastest(work: Any) -> float:
    times = []
    for _ in range(7):
        began = time.monotonic()
        work()
        times.append(time.monotonic() - began)
    return round(min(times) * 1000, 1)


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--millions", type=int, nargs="+", default=[1, 10, 30])
    parser.add_argument("--seconds", type=float, default=6, help="of ingest each (6)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
