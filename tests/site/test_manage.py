"""The command line where it is not set up yet: one line that says what to do."""

import ast
import subprocess
import sys

from tests.site.running import ROOT


def test_an_old_python_can_read_the_file_that_refuses_it() -> None:
    ast.parse((ROOT / "manage.py").read_text(), feature_version=(3, 6))


def test_without_its_packages_it_names_the_command_that_installs_them() -> None:
    bare = subprocess.run(
        [sys.executable, "-S", str(ROOT / "manage.py"), "check"], capture_output=True, text=True, check=False
    )
    assert bare.returncode == 1
    assert bare.stderr.splitlines() == [
        "Countinghouse is not set up for this Python: run `make setup`, then use .venv/bin/python."
    ]
