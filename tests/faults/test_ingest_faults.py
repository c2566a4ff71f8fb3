"""Real faults, in short: `make chaos` plays them longer, with a seed."""

import pytest

from benchmarks import chaos


@pytest.fixture(scope="module")
def report():
    return chaos.run(seed=20251001, seconds=20, every=4)


def test_parts_are_killed_while_eight_writers_send_to_hot_keys(report):
    held = report["kills_and_writers"]
    assert {one["victim"] for one in held["kills"]} == {"web", "jobs", "postgres"}
    assert held["events_sent"] > 1_000
    assert held["answers_dropped"] > 0
    assert (held["acknowledged_and_missing"], held["doubled"]) == (0, 0)
    assert (held["hours_that_differ"], held["sums_that_differ"], held["late_marks_missing"]) == (0, 0, 0)
    assert report["deadlocks"] == 0


def test_it_answers_again_without_help(report):
    assert [one for one in report["kills_and_writers"]["kills"] if one["answered_after"] > 15] == []


def test_a_full_disk_refuses_and_loses_nothing(report):
    disk = report["full_disk"]
    if "skipped" in disk:
        pytest.skip(f"LOUDLY: {disk['skipped']}")
    assert disk["passed"], disk
