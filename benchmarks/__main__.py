"""`python -m benchmarks`: how much of bare PostgreSQL's speed ingest over HTTP keeps. Takes two minutes."""

import argparse
import json
import os
import random
import sys
import urllib.request
from typing import Any

import psycopg

from benchmarks import bare, load
from benchmarks.site import Site, serving
from benchmarks.workload import METRICS, Workload, wire

EMPTY = """
SET session_replication_role = replica;
TRUNCATE ledger_ingestcall, ledger_metricset, ledger_eventkey, ledger_eventbody, ledger_series, ledger_unreadvalue,
         ledger_dailyusage;
SET session_replication_role = origin;
CHECKPOINT;
"""


def main() -> None:
    options = _options()
    workload = Workload(events_a_call=options.events)
    with serving() as site:
        for metric in METRICS:
            _post(site, "/v1/billable-metrics/create", metric)
        _post(site, "/v1/ingest", Workload(events_a_call=1).batch(random.Random(0)))  # makes the month's partition
        with psycopg.connect(site.database_url, autocommit=True) as database:
            durable = database.execute("SELECT current_setting('fsync') || current_setting('synchronous_commit')")
            assert durable.fetchone() == ("onon",)
            results = _measure(site, workload, database, options)
    print(json.dumps(results))


def _measure(site: Site, workload: Workload, database: psycopg.Connection, options: Any) -> dict[str, Any]:
    bares: list[bare.Measured] = []
    rates: list[float] = []
    waits: list[float] = []
    for round_number in range(options.rounds):
        for form in bare.FORMS:
            for connections in range(1, 5):
                if form == "executemany" and (connections != 2 or round_number):
                    continue  # far behind, on any number
                database.execute(EMPTY)
                found = bare.measure(form, connections, workload, site.database_url, seconds=options.bare_seconds)
                bares.append(found)
                say(f"bare {form:12} {connections} connections {found.events_a_second:9,.0f} events/s")
        database.execute(EMPTY)
        answers = _drive(site, workload, options)
        rates.append(answers.statuses[200] * workload.events_a_call / answers.seconds)
        waits += answers.waits
        say(f"HTTP {options.connections} connections {rates[-1]:9,.0f} events/s")
        _check(database, answers, workload)
    best = max(bares, key=lambda found: found.events_a_second)
    alone = max((found for found in bares if found.connections == 1), key=lambda found: found.events_a_second)
    rate = sorted(rates)[len(rates) // 2]
    waits.sort()
    say("")
    say(f"best bare insert: {best.events_a_second:,.0f} events/s ({best.form}, {best.connections} connections)")
    say(f"ingest over HTTP: {rate:,.0f} events/s ({options.connections} connections, {options.events} events a call)")
    say(f"ratio:            {rate / best.events_a_second:.3f}")
    say(f"ratio to the best on one connection ({alone.form}): {rate / alone.events_a_second:.3f}")
    return {
        "benchmark": "ingest",
        "events_a_call": workload.events_a_call,
        "bare_events_a_second": round(best.events_a_second),
        "bare_form": best.form,
        "bare_connections": best.connections,
        "http_events_a_second": round(rate),
        "http_connections": options.connections,
        "wait_ms_p50": round(waits[len(waits) // 2] * 1000, 1),
        "wait_ms_p99": round(waits[len(waits) * 99 // 100] * 1000, 1),
        "ratio": round(rate / best.events_a_second, 3),
        "ratio_to_one_connection": round(rate / alone.events_a_second, 3),
    }


def _drive(site: Site, workload: Workload, options: Any) -> load.Answers:
    source = random.Random(os.getpid())
    bodies = [wire(workload.batch(source)) for _ in range(int(options.seconds * 80_000 / workload.events_a_call) + 100)]
    requests = [load.request(site.host, site.port, "/v1/ingest", site.token, body) for body in bodies]
    load.drive(site.host, site.port, requests[:50], connections=options.connections, seconds=1)
    return load.drive(site.host, site.port, requests[50:], connections=options.connections, seconds=options.seconds)


def _check(database: psycopg.Connection, answers: load.Answers, workload: Workload) -> None:
    """Everything that was acknowledged is there, and in the days as often."""
    if set(answers.statuses) != {200}:
        raise SystemExit(f"Some calls were refused: {dict(answers.statuses)}; the last answer: {answers.last_body!r}")
    row = database.execute(
        "SELECT (SELECT count(*) FROM ledger_eventkey), (SELECT count(*) FROM ledger_eventbody), "
        "(SELECT sum(accepted) FROM ledger_ingestcall), (SELECT sum(count) FROM ledger_dailyusage)"
    ).fetchone()
    assert row is not None
    keys, bodies, accepted, counted = row
    if not keys == bodies == accepted == counted / len(METRICS):
        raise SystemExit(f"Events went astray: {keys} keys, {bodies} bodies, {accepted} accepted, {counted} counted.")


def _post(site: Site, path: str, body: Any) -> Any:
    request = urllib.request.Request(
        f"http://{site.host}:{site.port}{path}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {site.token}", "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read() or b"null")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=100, help="events a call (100)")
    parser.add_argument("--connections", type=int, default=16, help="of the load generator (16)")
    parser.add_argument("--seconds", type=float, default=8, help="of HTTP load in each round (8)")
    parser.add_argument("--bare-seconds", type=float, default=1.5, help="of each bare form (1.5)")
    parser.add_argument("--rounds", type=int, default=2, help="how often all of it is done (2)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
