"""`make demo` as its first visitor meets it: started, looked at, the deal made, stopped, and started again."""

import signal
import socket
import subprocess
import sys

import pytest

from tests.site.running import ROOT, environment, left_running, manage


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def demo(tmp_path):
    """Starts a demo on one data folder and port, as often as asked, and gives what it printed until it waits."""
    port, started = free_port(), []
    errors = (tmp_path / "stderr").open("w")

    def start():
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "demo", "--port", str(port)],
            env=environment(tmp_path / "data"),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        started.append(process)
        printed = []
        for line in process.stdout:
            printed.append(line.rstrip())
            if "Ctrl+C stops everything" in line:
                return process, printed
        pytest.fail(f"The demo did not come up: {printed}, {(tmp_path / 'stderr').read_text()}")

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)
        process.stdout.close()
    errors.close()


def test_the_demo_tells_its_story(demo, tmp_path):
    process, printed = demo()
    assert "  Usage of 1 October 2025, draft: $51,000.00" in printed
    assert any("Token" in line for line in printed)

    deal = manage(tmp_path / "data", "demo", "--deal")
    before, _, after = deal.stdout.partition("One edit later:")
    assert "Usage of 1 October 2025, draft: $51,000.00" in before
    assert "Usage of 1 October 2025, draft: $36,000.00" in after
    assert "Due on 1 January 2026, draft: $64,000.00" in after

    twice = manage(tmp_path / "data", "demo", "--deal")
    assert (twice.returncode, twice.stderr.splitlines()) == (
        1,
        ["CommandError: The deal is made already; `manage.py demo --reset` begins again."],
    )

    days = manage(tmp_path / "data", "demo", "--advance", "2")
    assert days.returncode == 0, days.stderr
    [october] = [line for line in days.stdout.splitlines() if "Usage of 1 October" in line]
    assert october.endswith(": $36,000.00")
    assert "draft" not in october
    assert "Usage of 1 November 2025, draft" in days.stdout

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert left_running(tmp_path / "data", set()) == {}
    alone = manage(tmp_path / "data", "demo", "--deal")
    assert (alone.returncode, len(alone.stderr.splitlines())) == (1, 1)
    assert "There is no demo to act on" in alone.stderr

    _, again = demo()
    assert any("$36,000.00" in line for line in again)
