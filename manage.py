#!/usr/bin/env python
"""Countinghouse's command line."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 (what an older Python must still be able to read)
    sys.exit("Countinghouse needs Python 3.11 or newer, and this is {}.{}.".format(*sys.version_info[:2]))

try:
    from django.conf import settings
    from django.core.management import execute_from_command_line
except ImportError:
    sys.exit("Countinghouse is not set up for this Python: run `make setup`, then use .venv/bin/python.")

from billing_site.server import embedded
from billing_site.server.problems import StartProblem

WITHOUT_DATABASE = {
    "check",
    "collectstatic",
    "demo",  # has a folder of its own
    "help",
    "serve",  # brings its own
    "spectacular",
    "version",
    "--help",
    "--version",
    "-h",
}


def main(arguments: list[str]) -> None:
    """Run one command; if it needs the database and no other is named, see that the embedded one runs."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    try:
        if not WITHOUT_DATABASE.issuperset(arguments[1:2]) and settings.USES_EMBEDDED_DATABASE:
            embedded.ensure_running(settings.DATA_DIR)
        execute_from_command_line(arguments)
    except StartProblem as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)  # what a shell expects of a command ended by Ctrl+C


if __name__ == "__main__":
    main(sys.argv)
