"""The refresher's process: keeps the summaries that lists read within a second of what they summarize."""

import argparse
import logging
import os
import signal
import time
from types import FrameType
from typing import Final

import django

from billing_site.server import processes

APPLICATION_NAME = "countinghouse refresher"
PAUSE_SECONDS: Final = 0.25  # between looks where there was nothing to do
RETRY_SECONDS: Final = 1.0  # after the database did not answer
NICENESS: Final = 5  # requests and jobs come first

logger = logging.getLogger(__name__)


class Loop:
    """Passes, one after the other, until somebody asks for the end."""

    def __init__(self) -> None:
        self.is_asked_to_stop = False

    def stop(self, signum: int, frame: FrameType | None) -> None:
        self.is_asked_to_stop = True

    def run(self) -> None:
        from django.db import DatabaseError, InterfaceError, connection

        from invoicing.services.summaries import refresh_what_is_due

        while not self.is_asked_to_stop:
            began = time.monotonic()
            try:
                has_done_something = refresh_what_is_due() > 0
                # It rests for as long as it took, so that it never has more than half of a core.
                pause = time.monotonic() - began if has_done_something else PAUSE_SECONDS
            except (DatabaseError, InterfaceError) as error:
                logger.warning("The summaries wait for the database: %s", str(error).strip().partition("\n")[0])
                connection.close()
                pause = RETRY_SECONDS
            self._rest(pause)

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.is_asked_to_stop and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, PAUSE_SECONDS))


def main() -> None:
    """Run by `serve`, which passes the pipe that tells of its end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    processes.follow_parent(parser.parse_args().parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop = Loop()
    signal.signal(signal.SIGTERM, loop.stop)
    os.nice(NICENESS)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    os.environ["PGAPPNAME"] = APPLICATION_NAME
    django.setup()
    loop.run()


if __name__ == "__main__":
    main()
