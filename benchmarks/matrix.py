"""`python -m benchmarks.matrix`: ingest over HTTP by size of call, number of clients, and uniform or hot subjects.

Ratios are to the best bare insert of the same batches in the same run (`benchmarks.bare`). CPU is what the web workers,
PostgreSQL and this client spent, per event. About six minutes.
"""

import argparse
import json
import os
import random
from typing import Any

import psutil
import psycopg

from benchmarks import bare, load
from benchmarks.__main__ import EMPTY, say
from benchmarks.chaos import post
from benchmarks.site import Site, serving
from benchmarks.workload import METRICS, Workload, wire

GOALS = {100: 0.6, 500: 0.5}


def main() -> None:
    options = _options()
    rows: list[dict[str, Any]] = []
    with serving() as site:
        for metric in METRICS:
            post(site, "/v1/billable-metrics/create", metric)
        post(site, "/v1/ingest", Workload(events_a_call=1).batch(random.Random(0)))
        with psycopg.connect(site.database_url, autocommit=True) as database:
            for size in options.sizes:
                rows += _of_size(site, database, size, options)
    print(json.dumps({"benchmark": "ingest matrix", "load": os.getloadavg()[0], "rows": rows}))


def _of_size(site: Site, database: psycopg.Connection, size: int, options: Any) -> list[dict[str, Any]]:
    best = 0.0
    for form in ("unnest", "copy"):
        for connections in (1, 2):
            database.execute(EMPTY)
            found = bare.measure(form, connections, Workload(size), site.database_url, seconds=options.seconds / 2)
            best = max(best, found.events_a_second)
    say(f"{size:5} a call: bare {best:9,.0f} events/s")
    rows = []
    for subjects, name in ((1_000, "uniform"), (1, "hot")):
        for clients in options.clients if name == "uniform" else options.clients[-1:]:
            database.execute(EMPTY)
            row = measured(site, Workload(size, subjects=subjects), clients, options.seconds)
            row |= {"events_a_call": size, "clients": clients, "subjects": name, "bare": round(best)}
            row["ratio"] = round(row["events_a_second"] / best, 3)
            rows.append(row)
            cpu = ", ".join(f"{part} {spent} µs" for part, spent in row["cpu_us_per_event"].items())
            waits = f"p50 {row['p50_ms']} ms  p99 {row['p99_ms']} ms"
            rate = f"{row['events_a_second']:9,} events/s  ratio {row['ratio']:.2f}"
            say(f"{size:5} a call, {clients} clients, {name:7} {rate}  {waits}  ({cpu})")
    return rows


def measured(site: Site, workload: Workload, clients: int, seconds: float) -> dict[str, Any]:
    source = random.Random(os.getpid() + clients)
    count = int(seconds * 60_000 / workload.events_a_call) + 60
    count = min(count, int(seconds * 3_000) + 60)  # single events: more than could be answered
    bodies = [wire(workload.batch(source)) for _ in range(count)]
    requests = [load.request(site.host, site.port, "/v1/ingest", site.token, body) for body in bodies]
    load.drive(site.host, site.port, requests[:30], connections=clients, seconds=0.5)
    before = _cpu(site)
    answers = load.drive(site.host, site.port, requests[30:], connections=clients, seconds=seconds)
    after = _cpu(site)
    if set(answers.statuses) != {200}:
        raise SystemExit(f"Some calls were refused: {dict(answers.statuses)}; {answers.last_body!r}")
    events = answers.statuses[200] * workload.events_a_call
    waits = sorted(answers.waits)
    return {
        "events_a_second": round(events / answers.seconds),
        "p50_ms": round(waits[len(waits) // 2] * 1000, 1),
        "p99_ms": round(waits[len(waits) * 99 // 100] * 1000, 1),
        "cpu_us_per_event": {part: round((after[part] - before[part]) / events * 1e6, 1) for part in after},
    }


def _cpu(site: Site) -> dict[str, float]:
    """Seconds spent so far, by part."""
    spent = {"web": 0.0, "postgres": 0.0, "client": sum(psutil.Process().cpu_times()[:2])}
    for process in psutil.process_iter(["cmdline", "name"]):
        try:
            command = " ".join(process.info["cmdline"] or [])
            if "billing_site.server.web" in command and process.environ().get("COUNTINGHOUSE_DATA") == str(
                site.data_dir
            ):
                spent["web"] += sum(process.cpu_times()[:2])
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    try:
        postmaster = psutil.Process(int((site.data_dir / "postgres/postmaster.pid").read_text().split()[0]))
        for process in [postmaster, *postmaster.children()]:
            spent["postgres"] += sum(process.cpu_times()[:2])
    except (OSError, psutil.NoSuchProcess):
        pass
    return spent


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matrix", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 100, 500, 5_000])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement (4)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
