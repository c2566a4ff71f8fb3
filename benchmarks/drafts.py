"""`python -m benchmarks.drafts`: what the drafts of a customer cost. Takes about two minutes.

The customer has a month of hours in 50 series, 5 price changes and 10 commits, two of which run out. Its rows lie
among those of a thousand other customers. Beside it stand, of the same run: the bare sum over its hours by series, as
rows of an hour each would have it, and over its days, as the ledger keeps them. The goal is 3 times the hours or 20 ms,
whichever is larger. Then one thing at a time is varied: events, series, price changes, commits, commits that run out.

Times are medians in milliseconds, with a process and caches that are warm; the ratio of the best is beside, as it is
what neighbours on the machine disturb least. `--profile` says where the time goes.
"""

import argparse
import cProfile
import json
import os
import pstats
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.chaos import post
from benchmarks.site import Site, serving
from billing_site.foundation.periods import HOUR

OCTOBER, NOVEMBER = datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 11, 1, tzinfo=UTC)
AT = datetime(2025, 10, 31, 23, 30, tzinfo=UTC)
REGIONS = 5
OTHERS = 1_000
GOAL_MS, GOAL_RATIO = 20, 3


@dataclass(frozen=True, slots=True)
class Case:
    """A customer: so many series, price changes, commits, of which so many run out within the month."""

    name: str = "the customer"
    series: int = 50
    changes: int = 5
    commits: int = 10
    exhausted: int = 2
    events_an_hour: int = 1


CASES = (
    Case(),
    *(Case("events", events_an_hour=each) for each in (10, 1_000)),
    *(Case("series", series=each) for each in (5, 25, 100)),
    *(Case("price changes", changes=each) for each in (0, 10, 20)),
    *(Case("commits", commits=each, exhausted=0) for each in (0, 5, 10, 20)),
    *(Case("commits that run out", exhausted=each) for each in (0, 1, 5, 10)),
)

# Rows of the month in the order in which time brings them: each day, each hour, of everybody.
_SERIES = """
INSERT INTO ledger_series (id, metric_id, values)
SELECT md5(%(subject)s || n)::uuid, %(metric)s,
       jsonb_build_object('model', 'm' || (n / %(regions)s), 'region', 'r' || (n %% %(regions)s))
FROM generate_series(0, %(series)s - 1) n
ON CONFLICT DO NOTHING
"""
_WHO = """
WITH who AS (
    SELECT 'other-' || n AS subject, md5(%(subject)s || k)::uuid AS series_id
    FROM generate_series(1, %(others)s) n, generate_series(0, 1) k
    UNION ALL
    SELECT %(subject)s, md5(%(subject)s || n)::uuid FROM generate_series(0, %(series)s - 1) n
)
"""
_DAYS = f"""
{_WHO}
INSERT INTO ledger_dailyusage (subject, series_id, day, count, has_negative, sum, hour_sums, hour_counts)
SELECT subject, series_id, day, 24 * %(events)s, false, 24 * %(events)s,
       array_fill(%(events)s::numeric, ARRAY[24], ARRAY[0]), array_fill(%(events)s::bigint, ARRAY[24], ARRAY[0])
FROM who, generate_series(0, 30) d, LATERAL (SELECT date '2025-10-01' + d AS day) days
ORDER BY day, md5(subject || series_id)
"""
_HOURS = f"""
CREATE TABLE bare_hours AS
{_WHO}
SELECT subject, series_id, hour, %(events)s::numeric AS sum
FROM who, generate_series(timestamptz '2025-10-01 00:00Z', '2025-10-31 23:00Z', '1 hour') hour
ORDER BY hour, md5(subject || series_id)
"""
_SUM_OF_HOURS = "SELECT series_id, sum(sum) FROM bare_hours WHERE subject = %s AND hour < '2025-11-01Z' GROUP BY 1"
_SUM_OF_DAYS = "SELECT series_id, sum(sum) FROM ledger_dailyusage WHERE subject = %s AND day < '2025-11-01' GROUP BY 1"


def main() -> None:
    options = _options()
    with serving() as site, psycopg.connect(site.database_url, autocommit=True) as database:
        os.environ["DATABASE_URL"] = site.database_url
        os.environ["COUNTINGHOUSE_DATA"] = str(site.data_dir)
        import django

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
        django.setup()
        rows = [_measured(site, database, case, options) for case in CASES[: options.cases]]
    _say(rows)
    print(json.dumps({"benchmark": "drafts", "load": os.getloadavg()[0], "rows": rows}))


def _measured(site: Site, database: psycopg.Connection, case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """One case, beside the bare sums over the same rows."""
    subject = f"subject {case}"
    customer = _agree(site, database, case, subject)
    for table in ("bare_hours", "ledger_dailyusage"):
        database.execute(f"VACUUM (ANALYZE) {table}".encode())
    sums = {
        name: partial(_fetched, database, statement, subject)
        for name, statement in (("hours_ms", _SUM_OF_HOURS), ("days_ms", _SUM_OF_DAYS))
    }
    found: dict[str, Any] = {"case": case.name, "varied": _varied(case), **_draft(UUID(customer), sums, options)}
    found["ratio_to_hours"] = round(found["draft_ms"] / found["hours_ms"], 2)
    found["ratio_of_best"] = round(found["draft_ms_best"] / found["hours_ms_best"], 2)
    found["ratio_to_days"] = round(found["draft_ms"] / found["days_ms"], 2)
    found["goal_ms"] = round(max(GOAL_MS, GOAL_RATIO * found["hours_ms"]), 1)
    return found


def _fetched(database: psycopg.Connection, statement: str, subject: str) -> list[Any]:
    return database.execute(statement.encode(), [subject]).fetchall()


def _draft(customer_id: UUID, sums: dict[str, Callable[[], object]], options: argparse.Namespace) -> dict[str, Any]:
    """All drafts and the bare sums, and how much of the drafts' time goes to statements, that is to the database."""
    from django.db import connection

    from invoicing.queries.compute import computation

    in_statements: list[float] = []

    def timed(execute: Callable[..., Any], *given: Any) -> Any:
        began = time.perf_counter()
        answer = execute(*given)
        in_statements.append(time.perf_counter() - began)
        return answer

    def draft() -> Any:
        return computation(customer_id, at=AT)

    found: dict[str, Any] = _timed({"draft_ms": draft, **sums}, options.rounds)
    result = draft().result
    found["lines"] = sum(len(document.lines) for document in result.documents)
    with connection.execute_wrapper(timed):
        draft()
    found |= {"statements": len(in_statements), "statements_ms": round(sum(in_statements) * 1000, 1)}
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(draft)
        pstats.Stats(profile).sort_stats("tottime").print_stats(options.profile)
    return found


def _agree(site: Site, database: psycopg.Connection, case: Case, subject: str) -> str:
    """Prices, a contract with its commits, and the usage of a month: of the customer, among that of others."""
    metric = post(
        site,
        "/v1/billable-metrics/create",
        {
            "name": subject,
            "aggregation_type": "SUM",
            "aggregation_key": "tokens",
            "event_type_filter": {"in_values": [subject]},
            "group_keys": [["model", "region"]],
        },
    )["data"]["id"]
    names = {"pricing_group_key": ["model"], "presentation_group_key": ["region"]}
    product, fixed = (
        post(site, "/v1/contract-pricing/products/create", body)["data"]["id"]
        for body in (
            {"name": subject, "type": "USAGE", "billable_metric_id": metric, **names},
            {"name": "Commitment", "type": "FIXED"},
        )
    )
    card = post(site, "/v1/contract-pricing/rate-cards/create", {"name": subject})["data"]["id"]
    rates = [
        {
            "product_id": product,
            "pricing_group_values": {"model": f"m{model}"},
            "starting_at": (OCTOBER + change * (30 * 24 // (case.changes + 1)) * HOUR).isoformat(),
            "entitled": True,
            "rate_type": "FLAT",
            "price": 10 + model + change,
        }
        for change in range(case.changes + 1)
        for model in range(max(case.series // REGIONS, 1))
    ]
    post(site, "/v1/contract-pricing/rate-cards/addRates", {"rate_card_id": card, "rates": rates})
    customer = post(site, "/v1/customers", {"name": subject, "ingest_aliases": [subject]})["data"]["id"]
    post(
        site,
        "/v1/contracts/create",
        {
            "customer_id": customer,
            "rate_card_id": card,
            "starting_at": OCTOBER.isoformat(),
            "commits": [_commit(case, number, fixed) for number in range(case.commits)],
        },
    )
    seeds = {
        "subject": subject,
        "metric": metric,
        "series": case.series,
        "others": OTHERS,
        "regions": REGIONS,
        "events": case.events_an_hour,
    }
    database.execute("DROP TABLE IF EXISTS bare_hours")
    database.execute("TRUNCATE ledger_dailyusage")
    for statement in (_SERIES, _DAYS, _HOURS):
        database.execute(statement.encode(), seeds)
    database.execute("ALTER TABLE bare_hours ADD PRIMARY KEY (subject, series_id, hour)")
    return str(customer)


def _commit(case: Case, number: int, product: str) -> dict[str, Any]:
    """Those that run out do so one after the other within the month."""
    half = case.series * 24 * 31 * case.events_an_hour * 7  # cents: about half of the month's usage
    amount = half // case.exhausted if number < case.exhausted else 10 * half
    return {
        "type": "PREPAID",
        "product_id": product,
        "name": f"Commit {number}",
        "priority": number + 1,
        "access_schedule": {
            "schedule_items": [
                {"amount": amount, "starting_at": OCTOBER.isoformat(), "ending_before": NOVEMBER.isoformat()}
            ]
        },
        "invoice_schedule": {"schedule_items": [{"amount": amount, "timestamp": OCTOBER.isoformat()}]},
    }


def _varied(case: Case) -> int | None:
    """What is varied, where something is."""
    of = {
        "events": case.events_an_hour * case.series * 24 * 31,
        "series": case.series,
        "price changes": case.changes,
        "commits": case.commits,
        "commits that run out": case.exhausted,
    }
    return of.get(case.name)


def _timed(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Milliseconds of each in the median and at best, the first time not counted. They take turns, so that whatever
    else the machine does is in all of them."""
    waits: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            waits[name].append(time.perf_counter() - began)
    found = {}
    for name, (_, *counted) in waits.items():
        found[name] = round(statistics.median(counted) * 1000, 1)
        found[f"{name}_best"] = round(min(counted) * 1000, 1)
    return found


def _say(rows: list[dict[str, Any]]) -> None:
    print("A month of hours. Milliseconds; a draft is read whole, from the tables on.")
    columns = ("draft_ms", "goal_ms", "hours_ms", "days_ms", "ratio_to_hours", "ratio_of_best", "ratio_to_days")
    columns += ("statements_ms", "statements", "lines")
    print(f"{'':24}{'':>10}" + "".join(f"{name.replace('_', ' '):>15}" for name in columns))
    for row in rows:
        varied = "" if row["varied"] is None else f"{row['varied']:,}"
        print(f"{row['case']:24}{varied:>10}" + "".join(f"{row[name]:>15}" for name in columns))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drafts", description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="the median of so many (21)")
    parser.add_argument("--cases", type=int, default=len(CASES), help="only the first so many")
    parser.add_argument("--profile", type=int, nargs="?", const=30, default=0, help="print where the time of each goes")
    return parser.parse_args()


if __name__ == "__main__":
    main()
