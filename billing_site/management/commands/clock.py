"""`manage.py clock show|set ISO|advance 2d`: the test clock of a sandbox."""

import getpass
import re
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import format_instant, parse_instant
from billing_site.foundation.refusals import Refusal
from invoicing.services.clock import ClockStep, move_clock

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DURATION = re.compile(r"(?:\d{1,6}[smhdw])+")


class Command(BaseCommand):
    help = (
        "Show or move the test clock of a sandbox (COUNTINGHOUSE_SANDBOX=1). Moving it does what falls due on the "
        "way, in order, and returns when that has happened; the instant reached is printed on stdout."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="show|set|advance")
        verbs.add_parser("show", help="print the instant")
        to = verbs.add_parser("set", help="move it to an instant")
        to.add_argument("instant", metavar="ISO", help="2025-11-02T00:00:00Z; without a zone it is UTC")
        by = verbs.add_parser("advance", help="move it on by a duration")
        by.add_argument("duration", help="2d, 12h, 1w, 30m, 1d12h")
        for verb in (to, by):
            verb.add_argument(
                "--without-usage", action="store_true", help="do not wait for those who post usage under this clock"
            )

    def handle(
        self, *, verb: str, instant: str = "", duration: str = "", without_usage: bool = False, **_: Any
    ) -> None:
        if not settings.SANDBOX:
            raise CommandError("The test clock exists only in a sandbox: set COUNTINGHOUSE_SANDBOX=1.")
        if verb != "show":
            to = _instant(instant) if verb == "set" else _later(clock.now(), duration)
            try:
                by = Actor.command(f"clock by {getpass.getuser()}")
                move_clock(to, by=by, waits_for_usage=not without_usage, tell=self._tell)
            except Refusal as refusal:
                raise CommandError(refusal.message) from refusal
        self.stdout.write(format_instant(clock.now()))

    def _tell(self, step: ClockStep) -> None:
        """On stderr: stdout is for the instant alone."""
        at = format_instant(step.instant)
        for invoice in step.finalized:
            total = f"{invoice.total.normalize():f} {invoice.unit.name}"
            self.stderr.write(f"{at} finalized {invoice.number} of {invoice.customer_name}: {total}")
        for job in step.held:
            self.stderr.write(f"{at} held for customer {job.payload['customer_id']}: {job.error}")


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is not an instant such as 2025-11-02T00:00:00Z.") from error


def _later(start: datetime, text: str) -> datetime:
    if not DURATION.fullmatch(text):
        raise CommandError(f"{text!r} is not a duration such as 2d, 12h, 1w or 30m.")
    parts = re.findall(r"(\d+)([smhdw])", text)
    try:
        return start + sum((timedelta(**{UNITS[unit]: int(count)}) for count, unit in parts), timedelta())
    except OverflowError as error:
        raise CommandError(f"{text!r} leads beyond the year 9999.") from error
