"""`manage.py check_usage`: do the sums that are kept of events and of ledger entries still say what these say?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ledger.queries.checks import usage_differs
from ledger.queries.lateness import marks_missing
from ledger.queries.segment_sums import segment_sums_differ


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
        segments = segment_sums_differ()
        told = {
            "differences": len(found),
            "shown": shown,
            "late_marks_missing": len(unmarked),
            "lacking": lacking,
            "segment_sums_that_differ": [str(segment_id) for segment_id in segments[: options["show"]]],
        }
        self.stdout.write(json.dumps(told))
        if found or unmarked or segments:
            raise SystemExit(1)
