"""`make demo` as its first visitor meets it: started, looked at, the deal made, stopped, and started again."""

import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from metronome import Metronome

from tests.site.running import ROOT, environment, left_running, manage, until

CLOCK = "/admin/foundation/testclock/"

# Everybody's final documents on 2 January 2026, in the order of their numbers: cents, or euros where the card says so.
BOOKS = {
    "Acme": [3_600_000, 2_800_000, 2_600_000, 1_000_000],  # $36,000, $28,000, $26,000 and the $10,000 left of $100,000
    "Brindlecove Robotics": [540_000, 570_000, 600_000, 630_000, 660_000],
    "Calderwhistle Insurance Group": [442_400, 448_000, 453_600, 459_200],
    "Dunmarrow Health": [818_000, 864_000, 865_000, 908_000, 951_000],
    "Elverstrand Shipping AS": [2_072, 2_110, 2_148, 2_066],
    "Fennhollow Games": [
        *(46_551, 49_288, 48_240, 45_963),  # four weeks of August
        *(49_537, 52_442, 50_232, 47_925, 51_816),
        *(49_100, 52_702, 51_055, 53_262),
        *(58_690, 57_496, 58_172, 57_572),
        *(56_692, 56_192, 57_373, 55_901),
    ],
    "Gladwick & Sons Wholesale Stationery and Office Supplies of Greater Northmoorland Limited": [34_800, 36_600],
    "Hexcombe Orchard Cooperative": [],
    "Ilvesmark Software Oy": [
        984.88,
        900,
        958.92,
        1_261.91,
        1_500,
        1_145.72,
        900,
    ],  # 81.66 of it late, for the month before
    "Juniperfjord Energy AS": [90_000, 90_000, 45_989],
    "Kestrelbay Savings Bank": [616_500, 520_000, 539_000, 558_000],
    "Lumenquay Media": [900_000, 930_000, 960_000, 990_000],
    "Marrowby Foods": [],
    "Nettlecombe Research Institute": [231_286, 216_161],
}


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

    start.address = f"http://127.0.0.1:{port}"
    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)
        process.stdout.close()
    errors.close()


class Browser:
    """Somebody logged in to the back office."""

    def __init__(self, address):
        self.client = httpx.Client(base_url=address, follow_redirects=True, timeout=30)
        self.post("/admin/login/?next=/admin/", username="admin", password="admin")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def arrives_at(self, goal):
        """Asked as often as the page asks."""
        time.sleep(1)
        return f"Arrived at {goal}" in self.get(f"{CLOCK}panel/")

    def get(self, page):
        return " ".join(self.client.get(page).raise_for_status().text.split())

    def post(self, page, **fields):
        self.client.get(page if "login" in page else CLOCK).raise_for_status()
        token = self.client.cookies["csrftoken"]
        sent = self.client.post(page, data={**fields, "csrfmiddlewaretoken": token}).raise_for_status()
        return " ".join(sent.text.split())


def test_the_demo_tells_its_story(demo, tmp_path):
    process, printed = demo()
    assert "  Usage of 1 October 2025, draft: $51,000.00" in printed
    [token] = [line.split()[1] for line in printed if "Token" in line]

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
    assert "  Usage of 1 October 2025, INV-000001: $36,000.00" in days.stdout
    assert "Usage of 1 November 2025, draft" in days.stdout

    goal = "2 January 2026, 00:00 UTC"
    with Browser(demo.address) as browser:
        page = browser.post(f"{CLOCK}move/", to="2026-01-02T00:00:00+00:00")
        assert f"On the way to {goal}" in page
        twin = browser.post(f"{CLOCK}move/", to="2026-01-02T00:00:00+00:00")
        assert f"on its way to {goal} already" in twin
        until(lambda: browser.arrives_at(goal), 180)
    with Metronome(bearer_token=token, base_url=demo.address) as client:
        assert books(client) == BOOKS

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert left_running(tmp_path / "data", set()) == {}
    alone = manage(tmp_path / "data", "demo", "--deal")
    assert (alone.returncode, len(alone.stderr.splitlines())) == (1, 1)
    assert "There is no demo to act on" in alone.stderr

    _, again = demo()
    assert "  Due on 1 January 2026, INV-000004: $10,000.00" in again


def books(client):
    """The totals of everybody's final documents, in the order of their numbers."""
    return {
        customer.name: [
            invoice.total
            for invoice in sorted(
                client.v1.customers.invoices.list(customer_id=customer.id, status="FINALIZED"),
                key=lambda invoice: invoice.model_dump()["number"],
            )
        ]
        for customer in client.v1.customers.list()
    }
