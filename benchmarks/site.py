"""The site under measurement: `manage.py serve` on a data folder of its own, ended and removed afterwards."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Site:
    host: str
    port: int
    data_dir: Path
    token: str

    @property
    def database_url(self) -> str:
        from billing_site.server import embedded

        return embedded.database_url(self.data_dir)


@contextmanager
def serving() -> Iterator[Site]:
    """A fresh site that answers, with a token of scope admin."""
    with tempfile.TemporaryDirectory(prefix="countinghouse-bench-", ignore_cleanup_errors=True) as folder:
        data_dir = Path(folder)
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {"COUNTINGHOUSE_DATA": folder, "PYTHONUNBUFFERED": "1"}
        manage = [sys.executable, str(ROOT / "manage.py")]
        process = subprocess.Popen(
            [*manage, "serve", "--port", "0"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            address = _ready(process)
            token = subprocess.run(
                [*manage, "create_token", "benchmark", "--scope", "admin"],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            host, _, port = address.rpartition("//")[2].rpartition(":")
            yield Site(host, int(port.strip("/")), data_dir, token)
        finally:
            process.terminate()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


@contextmanager
def database_alone() -> Iterator[tuple[str, Path]]:
    """A fresh database in a folder of its own, with nobody at it but this process, and Django set up for it here: its
    address and its folder."""
    with tempfile.TemporaryDirectory(prefix="countinghouse-bench-", ignore_cleanup_errors=True) as folder:
        from billing_site.server import embedded

        data_dir = Path(folder)
        embedded.ensure_running(data_dir)
        try:
            set_up(embedded.database_url(data_dir), folder)
            from django.core.management import call_command
            from django.db import connections

            call_command("migrate", verbosity=0)
            yield embedded.database_url(data_dir), data_dir
            connections.close_all()
        finally:
            embedded.release(data_dir)


def set_up(database_url: str, data_dir: str) -> None:
    """Django, in this process, for this database."""
    os.environ |= {"DATABASE_URL": database_url, "COUNTINGHOUSE_DATA": data_dir}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    import django

    django.setup()


def _ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ready"):
            return line.split()[1]
    raise SystemExit("The site did not start; the lines above say why.")
