"""The job cluster's process: django-q2 as it is, with helpers that never outlive it."""

import argparse
import os

import django
from django.core.management import call_command

from billing_site.server import processes

APPLICATION_NAME = "countinghouse jobs"  # how its database sessions are told from others: see health.readyz


def main() -> None:
    """Run by `serve`, which passes the pipe that tells of its end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parent = parser.parse_args().parent
    processes.follow_parent(parent)
    processes.bind_forks(parent)  # a killed django-q2 leaves its sentinel and workers running
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    os.environ["PGAPPNAME"] = APPLICATION_NAME
    django.setup()
    call_command("qcluster")


if __name__ == "__main__":
    main()
