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


def _ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ready"):
            return line.split()[1]
    raise SystemExit("The site did not start; the lines above say why.")
