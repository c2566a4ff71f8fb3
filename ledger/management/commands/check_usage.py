"""`manage.py check_usage`: do days, hours, levels, unique values and late marks still say what the events say?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ledger.queries.checks import usage_differs
from ledger.queries.lateness import marks_missing


class Command(BaseCommand):
    help = "Fold every stored event anew and compare. Prints the differences as JSON; exits with 1 if there are any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--show", type=int, default=20, help="differences to print (20)")

    def handle(self, *args: Any, **options: Any) -> None:
        found = usage_differs()
        unmarked = marks_missing()
        shown = [
            {
                "subject": one.subject,
                "day": str(one.day),
                "hour": str(one.hour),
                "held": str(one.held),
                "events": str(one.events),
            }
            for one in found[: options["show"]]
        ]
        lacking = [{"subject": subject, "hour": str(hour)} for subject, hour in unmarked[: options["show"]]]
        told = {"differences": len(found), "shown": shown, "late_marks_missing": len(unmarked), "lacking": lacking}
        self.stdout.write(json.dumps(told))
        if found or unmarked:
            raise SystemExit(1)
