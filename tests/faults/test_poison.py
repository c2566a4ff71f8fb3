"""Thousands of hostile requests to a site that runs: no answer is its fault, no part dies, nothing is half stored."""

import json
import urllib.request
from collections import Counter
from pathlib import Path

import psutil
import psycopg
import pytest

from billing_site.server import embedded
from tests.faults.poison import Sender, answer_to
from tests.site.running import manage, migrated, serving

REQUESTS = 2_200
KINDS = ("COUNT", "SUM", "MAX", "LATEST", "UNIQUE", "WEIGHTED_SUM")
# Said by the site, or by the web server of requests that are not HTTP.
ALLOWED = {200, 400, 401, 405, 411, 413, 431, 0}


def post(address, path, token, body):
    request = urllib.request.Request(
        address + path,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """What became of the site and of every request."""
    data: Path = migrated(tmp_path_factory, "poison")
    with serving(data) as site:
        token = manage(data, "create_token", "hostile", "--scope", "admin").stdout.strip()
        for kind in KINDS:
            metric = {"name": kind, "aggregation_type": kind, "event_type_filter": {"in_values": ["poison"]}}
            metric |= {"group_keys": [["region"]]} | ({} if kind == "COUNT" else {"aggregation_key": "value"})
            post(site.address, "/v1/billable-metrics/create", token, metric)
        host, _, port = site.address.rpartition("//")[2].rpartition(":")
        before = site.noted()
        answers: list[tuple[str, int, bytes]] = []
        sender = Sender(seed=20251001, token=token)
        sizes: list[int] = []
        for number, hostile in enumerate(sender.requests(REQUESTS)):
            status, body = answer_to(hostile, host, int(port))
            answers.append((hostile.name, status, body))
            if number in (REQUESTS // 3, REQUESTS - 1):  # once warm, and at the end
                sizes.append(sum(psutil.Process(before[f"web-{seat}"]).memory_info().rss for seat in (1, 2)))
        good = {"customer_id": "good", "transaction_id": "last", "event_type": "poison", "timestamp": "2025-10-01"}
        last = post(site.address, "/v1/ingest", token, [good | {"properties": {"value": 1}}])
        after = site.noted()
        checked = manage(data, "check_usage")
        with psycopg.connect(embedded.database_url(data)) as database:
            counts = database.execute(
                "SELECT (SELECT count(*) FROM ledger_eventkey), (SELECT count(*) FROM ledger_eventbody), "
                "(SELECT sum(accepted) FROM ledger_ingestcall)"
            ).fetchone()
        yield {
            "answers": answers,
            "sent": sender.made,
            "parts": (before, after),
            "growth": sizes[1] - sizes[0],
            "last": last,
            "counts": counts,
            "checked": checked,
        }


def test_no_answer_is_a_fault_of_the_server(outcome):
    statuses = Counter(status for _, status, _ in outcome["answers"])
    assert [answer for answer in outcome["answers"] if answer[1] not in ALLOWED] == []
    assert outcome["sent"] > 5_000
    assert statuses[200] > 300
    assert statuses[400] > 1_000


def test_every_refusal_of_the_site_says_what_is_wrong(outcome):
    mute = []
    for name, status, body in outcome["answers"]:
        if status == 400 and not name.startswith("request:") and not json.loads(body)["errors"]:
            mute.append(name)
    assert mute == []


def test_every_part_lives_and_good_events_are_taken(outcome):
    before, after = outcome["parts"]
    assert after == before
    assert outcome["last"] == {"accepted": 1, "duplicates": 0, "conflicts": []}


def test_nothing_is_half_stored(outcome):
    """What senders hung up on may have been stored or not; whole it is in either case."""
    keys, bodies, accepted = outcome["counts"]
    told = sum(json.loads(body)["accepted"] for _, status, body in outcome["answers"] if status == 200) + 1
    assert keys == bodies == accepted
    assert told <= keys
    assert outcome["checked"].returncode == 0, outcome["checked"].stdout


def test_memory_is_not_eaten_up(outcome):
    assert outcome["growth"] < 64 * 2**20
