"""The embedded PostgreSQL: shared by whoever needs it, sound after crashes, plain about what is wrong."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from billing_site.server import embedded
from billing_site.server.folder import DataFolder
from billing_site.server.problems import StartProblem
from billing_site.server.secret import secret_key
from tests.site.running import ROOT, environment, left_running, postmaster, until

USE_IT = """
import sys, psycopg
from pathlib import Path
from billing_site.server import embedded
data = Path(sys.argv[1])
embedded.ensure_running(data)
with psycopg.connect(embedded.database_url(data)) as database:
    print(database.execute("SELECT 1").fetchone()[0], flush=True)
sys.stdin.read()
"""


def user_of(data: Path) -> subprocess.Popen[str]:
    """A process that uses the server until its standard input is closed."""
    command = [sys.executable, "-c", USE_IT, str(data)]
    return subprocess.Popen(
        command, env=environment(data), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@contextmanager
def running(data: Path) -> Iterator[str]:
    said: list[str] = []
    embedded.ensure_running(data, said.append)
    try:
        yield embedded.database_url(data)
    finally:
        embedded.release(data)


def test_three_that_race_share_one_server_and_the_last_stops_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    users = [user_of(data) for _ in range(3)]
    try:
        for user in users:
            assert user.stdout is not None
            assert user.stdout.readline() == "1\n"
        assert len([line for line in left_running(data, set()).values() if "postgres -D" in line]) == 1
        users[0].kill()
        users[1].communicate("")
        with psycopg.connect(embedded.database_url(data)) as database:
            assert database.execute("SELECT 1").fetchone() == (1,)
    finally:
        for user in users:
            user.communicate()
    until(lambda: left_running(data, set()) == {}, seconds=20)


def test_what_was_committed_survives_a_killed_server(tmp_path: Path) -> None:
    with running(tmp_path) as url:
        with psycopg.connect(url) as database:
            database.execute("CREATE TABLE kept (n int)")
            database.execute("INSERT INTO kept VALUES (7)")
        first = postmaster(tmp_path)
        os.kill(first, signal.SIGKILL)
        until(lambda: postmaster(tmp_path) not in (0, first))
        embedded.ensure_running(tmp_path)  # waits until it answers again
        with psycopg.connect(url) as database:
            assert database.execute("SELECT n FROM kept").fetchone() == (7,)


def test_its_server_is_replaced_when_the_keeper_is_killed(tmp_path: Path) -> None:
    with running(tmp_path) as url:
        (keeper,) = [pid for pid, line in left_running(tmp_path, set()).items() if "billing_site.server.keeper" in line]
        os.kill(keeper, signal.SIGKILL)
        until(lambda: not embedded.is_kept(tmp_path))
        embedded.ensure_running(tmp_path)
        with psycopg.connect(url) as database:
            assert database.execute("SELECT 1").fetchone() == (1,)
    until(lambda: left_running(tmp_path, set()) == {}, seconds=20)


def test_it_is_durable_and_speaks_utf8_in_utc(tmp_path: Path) -> None:
    with running(tmp_path) as url, psycopg.connect(url) as database:
        for setting, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
            "listen_addresses": "",
        }.items():
            assert database.execute("SELECT current_setting(%s)", [setting]).fetchone() == (value,), setting


def test_only_the_account_enters_the_socket_directory(tmp_path: Path) -> None:
    with running(tmp_path):
        assert stat.S_IMODE(DataFolder.at(tmp_path).sockets.stat().st_mode) == 0o700


def test_a_long_path_gets_a_short_socket_directory_that_goes_with_the_server(tmp_path: Path) -> None:
    data = tmp_path / ("long " * 30)
    with running(data) as url:
        sockets = DataFolder.at(data).sockets
        assert len(str(sockets)) < 60
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        with psycopg.connect(url) as database:
            assert database.execute("SELECT current_database()").fetchone() == ("countinghouse",)
    assert not sockets.exists()


def test_a_making_that_was_cut_short_is_begun_again(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    with running(tmp_path) as url, psycopg.connect(url) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)
    assert not unfinished.exists()


def test_a_stale_pid_file_that_names_another_program_is_no_obstacle(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    with subprocess.Popen(["sleep", "60"]) as bystander:
        lines = [str(bystander.pid), str(tmp_path / "postgres"), "1", "5432", "", "", "0 0", "ready"]
        (tmp_path / "postgres/postmaster.pid").write_text("\n".join(lines) + "\n")
        with running(tmp_path) as url, psycopg.connect(url) as database:
            assert database.execute("SELECT 1").fetchone() == (1,)
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        pytest.param("PG_VERSION", "16\n", "was made by PostgreSQL 16, and this is 18", id="another major version"),
        pytest.param("notes.txt", "mine", "is not a database folder", id="something else"),
    ],
)
def test_a_folder_it_cannot_use_is_named(tmp_path: Path, file: str, content: str, problem: str) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / file).write_text(content)
    with pytest.raises(StartProblem, match=problem):
        embedded.ensure_running(tmp_path)
    embedded.release(tmp_path)
    assert (tmp_path / "postgres" / file).read_text() == content


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    (tmp_path / "postgres/postgresql.conf").write_text("shared_preload_libraries = 'nowhere'\n")
    with pytest.raises(StartProblem, match='PostgreSQL did not start: could not access file "nowhere"'):
        embedded.ensure_running(tmp_path)
    embedded.release(tmp_path)


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from billing_site.server.secret import secret_key as key; "
    command = [sys.executable, "-c", code + "print(key(Path(sys.argv[1])))", str(tmp_path / "data")]
    racers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    keys = {racer.communicate()[0].strip() for racer in racers}
    assert keys == {secret_key(tmp_path / "data")}
    assert len(keys.pop()) > 50
    assert stat.S_IMODE((tmp_path / "data/secret_key").stat().st_mode) == 0o600
