"""`make chaos`: the ledger under every fault that one machine can cause, seeded, with one JSON at the end.

    python -m benchmarks.chaos --seconds 120 --seed 7

Eight writers keep a journal of their own (`benchmarks.journal`) while parts of the site are killed with SIGKILL: a web
worker, the job cluster, PostgreSQL. Then the journal is compared with the database, and every hour with its events.
The last act fills the disk: the month's bodies lie in a tablespace of 8 MB in memory, where that can be made.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.journal import SUBJECTS, Journal, Writer
from benchmarks.site import ROOT, Site, serving
from benchmarks.workload import METRICS

VICTIMS = ("web", "jobs", "postgres")
WRITERS = 8


def main() -> None:
    options = _options()
    report = run(seed=options.seed, seconds=options.seconds, every=options.every, full_disk=not options.no_full_disk)
    print(json.dumps(report, indent=2))
    sys.exit(0 if report["passed"] else 1)


def run(*, seed: int, seconds: float, every: float, full_disk: bool = True) -> dict[str, Any]:
    """All acts on a fresh site; `passed` says whether the ledger held."""
    source = random.Random(seed)
    with serving() as site:
        for metric in METRICS:
            post(site, "/v1/billable-metrics/create", metric)
        killing = _kill_and_write(site, source, seed, seconds, every)
        disk = fill_disk(site, seed) if full_disk else {"skipped": "not asked for"}
        deadlocks = _log(site).count("deadlock detected")
    passed = (
        killing["acknowledged_and_missing"] == 0
        and killing["doubled"] == 0
        and killing["hours_that_differ"] == 0
        and killing["sums_that_differ"] == 0
        and killing["late_marks_missing"] == 0
        and deadlocks == 0
        and all(one["answered_after"] <= 5 for one in killing["kills"])
        and disk.get("passed", True)
    )
    return {
        "seed": seed,
        "commit": _commit(),
        "load": os.getloadavg()[0],
        "passed": passed,
        "deadlocks": deadlocks,
        "kills_and_writers": killing,
        "full_disk": disk,
    }


def _kill_and_write(site: Site, source: random.Random, seed: int, seconds: float, every: float) -> dict[str, Any]:
    journal = Journal()
    writers = [Writer(number, seed, (site.host, site.port), site.token, journal) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    kills: list[dict[str, Any]] = []
    began = time.monotonic()
    turn = 0
    while time.monotonic() - began < seconds:
        time.sleep(source.uniform(0.7, 1.3) * every)
        victim = VICTIMS[turn % len(VICTIMS)]
        turn += 1
        pid = _pid_of(site, victim, source)
        if pid:
            os.kill(pid, signal.SIGKILL)
            kills.append({"victim": victim, "answered_after": _answered_after(site)})
    for writer in writers:
        writer.stopping.set()
    for writer in writers:
        writer.join(90)
    failures = [repr(writer.failure) for writer in writers if writer.failure is not None]
    if failures or any(writer.is_alive() for writer in writers):
        raise SystemExit(f"A writer gave up: {failures or 'it hangs'}")
    return compare(site, journal) | {"kills": kills, "longest_gaps": sorted(journal.gaps)[-5:]}


def compare(site: Site, journal: Journal) -> dict[str, Any]:
    """The journal against keys, bodies and days; every hour against its events."""
    with psycopg.connect(site.database_url) as database:
        keys = database.execute(
            "SELECT subject, transaction_id FROM ledger_eventkey WHERE subject = ANY(%s)", [list(SUBJECTS)]
        ).fetchall()
        bodies = database.execute(
            "SELECT count(*) FROM ledger_eventbody WHERE subject = ANY(%s)", [list(SUBJECTS)]
        ).fetchone()
        held = dict(
            database.execute(
                "SELECT usage.subject, sum(usage.sum) FROM ledger_dailyusage usage "
                "JOIN ledger_series series ON series.id = usage.series_id "
                "JOIN pricing_billablemetric metric ON metric.id = series.metric_id "
                "WHERE metric.aggregation_type = 'SUM' GROUP BY usage.subject"
            ).fetchall()
        )
    stored = set(keys)
    expected: dict[str, int] = {}
    for (subject, transaction_id), tokens in journal.sent.items():
        if (subject, transaction_id) in stored:
            expected[subject] = expected.get(subject, 0) + tokens
    assert bodies is not None
    checked = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check_usage"],
        env={**os.environ, "COUNTINGHOUSE_DATA": str(site.data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(checked.stdout)
    return {
        "events_sent": len(journal.sent),
        "acknowledged": len(journal.acknowledged),
        "stored": len(stored),
        "acknowledged_and_missing": len(journal.acknowledged - stored),
        "doubled": bodies[0] - len(stored),
        "sums_that_differ": sum(held.get(subject, 0) != tokens for subject, tokens in expected.items()),
        "hours_that_differ": told["differences"],
        "late_marks_missing": told["late_marks_missing"],
        "answers": dict(journal.statuses),
        "answers_dropped": journal.dropped_answers,
    }


def fill_disk(site: Site, seed: int) -> dict[str, Any]:
    """Bodies go to 8 MB of memory until nothing fits; then there is room again. Skipped where it cannot be made."""
    with _small_disk(site) as skipped_because, psycopg.connect(site.database_url, autocommit=True) as database:
        if skipped_because:
            return {"skipped": skipped_because}
        folder = _small_disk_of(site)
        database.execute(f"CREATE TABLESPACE tiny LOCATION '{folder}'")
        month = time.strftime("%Y_%m", time.gmtime())
        database.execute(f"ALTER TABLE ledger_eventbody_{month} RENAME TO was_{month}")
        database.execute(f"ALTER TABLE ledger_eventbody DETACH PARTITION was_{month}")
        lower, upper = _bounds_of_month()
        database.execute(f"CREATE TABLE ledger_eventbody_{month} (LIKE ledger_eventbody INCLUDING ALL) TABLESPACE tiny")
        database.execute(
            f"ALTER TABLE ledger_eventbody ATTACH PARTITION ledger_eventbody_{month} "
            f"FOR VALUES FROM ('{lower}') TO ('{upper}')"
        )
        statuses, good = [], 0
        for number in range(400):
            status, reply = _try_ingest(site, _filler(seed, number))
            statuses.append(status)
            if status == 200:
                good += reply["accepted"]
            else:
                break
        stored = database.execute(f"SELECT count(*) FROM ledger_eventbody_{month}").fetchone()
        keys = database.execute("SELECT count(*) FROM ledger_eventkey WHERE subject = 'filler'").fetchone()
        subprocess.run(["mount", "-o", "remount,size=256m", str(folder)], check=True)
        again, reply = _try_ingest(site, _filler(seed, number))
        assert stored is not None
        assert keys is not None
        passed = statuses[-1] == 503 and stored[0] == keys[0] == good and again == 200 and reply["accepted"] == FILLERS
        return {
            "passed": passed,
            "answer_when_full": statuses[-1],
            "acknowledged": good,
            "stored": stored[0],
            "answer_with_room_again": again,
        }


FILLERS = 100


def _filler(seed: int, number: int) -> list[dict[str, Any]]:
    source = random.Random(f"{seed}-{number}")
    return [
        {
            "customer_id": "filler",
            "transaction_id": f"{number}-{index}",
            "event_type": "filler",
            "timestamp": "2025-10-01T00:00:00Z",
            "properties": {"noise": source.randbytes(1_000).hex()},
        }
        for index in range(FILLERS)
    ]


def _try_ingest(site: Site, events: list[dict[str, Any]]) -> tuple[int, Any]:
    try:
        return 200, post(site, "/v1/ingest", events)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"null")


def _small_disk_of(site: Site) -> Path:
    return site.data_dir.parent / f"{site.data_dir.name}-tiny"


@contextmanager
def _small_disk(site: Site) -> Iterator[str]:
    """Mount it for the database's account; gives the reason where that cannot be."""
    folder = _small_disk_of(site)
    folder.mkdir()
    owner = (site.data_dir / "postgres").stat()
    options = f"size=8m,uid={owner.st_uid},gid={owner.st_gid},mode=0700"
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
        )
        error = mounted.stderr.strip() if mounted.returncode else ""
    except OSError as missing:
        error = str(missing)
    if error:
        folder.rmdir()
        yield f"A disk of 8 MB in memory cannot be mounted: {error}"
        return
    try:
        yield ""
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)
        folder.rmdir()


def _bounds_of_month() -> tuple[str, str]:
    year, month = time.gmtime()[:2]
    following = (year + month // 12, month % 12 + 1)
    return f"{year}-{month:02d}-01T00:00:00Z", f"{following[0]}-{following[1]:02d}-01T00:00:00Z"


def _pid_of(site: Site, victim: str, source: random.Random) -> int:
    if victim == "postgres":
        try:
            return int((site.data_dir / "postgres/postmaster.pid").read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return 0
    parts = json.loads((site.data_dir / "serve.json").read_text())["parts"]
    pids = [part["pid"] for part in parts if part["name"].startswith(victim)]
    return source.choice(pids) if pids else 0


def _answered_after(site: Site) -> float:
    """Seconds until an ingest call of ours is answered well."""
    began = time.monotonic()
    event = {
        "customer_id": "probe",
        "transaction_id": str(time.time_ns()),
        "event_type": "probe",
        "timestamp": "2025-10-01T00:00:00Z",
    }
    time.sleep(0.05)
    while time.monotonic() - began < 60:
        try:
            if _try_ingest(site, [event])[0] == 200:
                break
        except OSError:
            pass
        time.sleep(0.05)
    return round(time.monotonic() - began, 2)


def post(site: Site, path: str, body: Any) -> Any:
    request = urllib.request.Request(
        f"http://{site.host}:{site.port}{path}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {site.token}", "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read() or b"null")


def _log(site: Site) -> str:
    return "".join(path.read_text(errors="replace") for path in (site.data_dir / "log").glob("*"))


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=120, help="of writing and killing (120)")
    parser.add_argument("--every", type=float, default=6, help="seconds from kill to kill, about (6)")
    parser.add_argument("--no-full-disk", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
