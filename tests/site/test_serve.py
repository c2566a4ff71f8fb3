"""`manage.py serve` as processes of the operating system: its start, its end, what happens when parts are killed."""

import os
import signal
import socket
import time
from pathlib import Path

import psycopg
import pytest

from billing_site.server import embedded
from tests.site.running import Site, left_of, left_running, manage, migrated, postmaster, serving, until


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data directory for the module: what a test leaves behind is the next one's start."""
    return migrated(tmp_path_factory, "serve")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_it_says_ready_in_one_line_and_a_signal_stops_all_of_it(data: Path, number: signal.Signals) -> None:
    with serving(data) as site:
        assert site.get("/livez") == (200, {"status": "ok"})
        until(lambda: site.answers("/readyz"))
        groups = set(site.noted().values())
        assert left_running(data, groups)

        assert site.send(number) == 0, site.said()
        assert site.rest == ""  # nothing but `ready` on standard output
        assert left_running(data, groups) == {}
        assert "Traceback" not in site.said()


def test_killed_outright_it_leaves_nothing_and_the_next_one_takes_over(data: Path) -> None:
    with serving(data) as site:
        groups = set(site.noted().values())
        with psycopg.connect(embedded.database_url(data)) as database:
            database.execute("INSERT INTO auth_group (name) VALUES ('kept') ON CONFLICT DO NOTHING")
        site.send(signal.SIGKILL)

        with serving(data) as successor:
            until(lambda: successor.answers("/readyz"))
            old = groups - set(successor.noted().values())
            assert left_of(old) == {}
            with psycopg.connect(embedded.database_url(data)) as database:
                assert database.execute("SELECT count(*) FROM auth_group WHERE name = 'kept'").fetchone() == (1,)
            groups |= set(successor.noted().values())
        assert left_running(data, groups) == {}


def test_killed_outright_and_never_started_again_it_ends_its_parts_and_the_database(data: Path) -> None:
    with serving(data) as site:
        groups = set(site.noted().values())
        site.send(signal.SIGKILL)
        until(lambda: left_running(data, groups) == {}, seconds=20)


def test_what_dies_is_started_again(data: Path) -> None:
    with serving(data) as site:
        until(lambda: site.answers("/readyz"))
        before = site.noted()
        for name in ("web-1", "jobs", "refresher", "postgres"):
            os.kill(before[name], signal.SIGKILL)
        killed = ("web-1", "jobs", "refresher", "postgres")
        until(lambda: all(site.noted()[name] not in (0, before[name]) for name in killed))
        until(lambda: site.answers("/readyz"))
        assert left_of({before["jobs"], before["web-1"]}) == {}  # helpers neither
        assert site.noted()["web-2"] == before["web-2"]


def test_a_second_one_on_the_same_folder_is_refused_in_one_line(data: Path) -> None:
    with serving(data) as site:
        second = Site(data.parent / data.name, "--port", "0")
        try:
            assert second.wait() == 1
            assert second.said().strip().splitlines() == [
                f"Another `serve` (process {site.process.pid}, {site.address}) already runs on {data}: "
                "stop it, or name another folder in COUNTINGHOUSE_DATA."
            ]
        finally:
            second.close()
        assert site.get("/livez")[0] == 200


def test_a_port_in_use_is_refused_in_one_line(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        site = Site(data, "--port", port)
        try:
            assert site.wait() == 1
            assert site.said().strip().splitlines() == [
                f"Port {port} of 127.0.0.1 is in use by another program: stop it, or choose another one with --port."
            ]
        finally:
            site.close()


def test_a_folder_that_cannot_be_made_is_refused_in_one_line() -> None:
    refused = manage(Path("/dev/null/data"), "serve", "--port", "0")
    assert refused.returncode == 1
    assert refused.stderr.strip().splitlines() == ["The data directory /dev/null/data cannot be used: Not a directory."]


def test_commands_use_the_running_server_and_leave_it_running(data: Path) -> None:
    with serving(data) as site:
        server = site.noted()["postgres"]
        listed = manage(data, "showmigrations", "sessions")
        assert listed.returncode == 0, listed.stderr
        assert "[X] 0001_initial" in listed.stdout
        assert site.noted()["postgres"] == server
        assert site.answers("/livez")


def test_it_uses_the_database_that_is_named_and_starts_none(tmp_path: Path) -> None:
    elsewhere, data = tmp_path / "elsewhere", tmp_path / "data"
    embedded.ensure_running(elsewhere)
    try:
        with serving(data, DATABASE_URL=embedded.database_url(elsewhere)) as site:
            until(lambda: site.answers("/readyz"))
            assert not (data / "postgres").exists()
            with psycopg.connect(embedded.database_url(elsewhere)) as database:
                assert database.execute("SELECT count(*) > 0 FROM django_migrations").fetchone() == (True,)
            assert site.send(signal.SIGTERM) == 0
        assert postmaster(elsewhere)
    finally:
        embedded.release(elsewhere)


def test_a_named_database_that_does_not_answer_is_refused_in_one_line(tmp_path: Path) -> None:
    refused = manage(tmp_path, "serve", "--port", "0", DATABASE_URL=f"postgres://me@/x?host={tmp_path}")
    assert refused.returncode == 1
    (line,) = refused.stderr.strip().splitlines()
    assert line.startswith("The database that DATABASE_URL names does not answer: ")


SLOW_BEGINNINGS = (
    b"",
    b"POST /v1/ingest HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    b"POST /v1/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n[",
)


def test_two_hundred_slow_clients_stop_nobody_and_are_cut(data: Path) -> None:
    """A third says nothing, a third drips a header, a third drips a body."""
    with serving(data) as site:
        port = int(site.address.rpartition(":")[2])
        slow = [(socket.create_connection(("127.0.0.1", port)), SLOW_BEGINNINGS[n % 3]) for n in range(210)]
        try:
            opened = time.monotonic()
            for client, beginning in slow:
                client.sendall(beginning)
                client.setblocking(False)
            for _ in range(100):
                assert site.get("/livez", seconds=2)[0] == 200
            until(lambda: sum(not _is_cut(*each) for each in slow) == 0, seconds=40)
            assert time.monotonic() - opened > 15  # an honest, slow client has that long
        finally:
            for client, _ in slow:
                client.close()


def _is_cut(client: socket.socket, beginning: bytes) -> bool:
    """Whether the server has closed the connection; if not, one byte more is sent on it."""
    try:
        if client.recv(1000) == b"":
            return True
    except BlockingIOError:
        if beginning:
            client.send(b" ")
    except ConnectionError:
        return True
    return False
