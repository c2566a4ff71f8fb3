"""`manage.py check_usage`: do days, hours, levels and unique values still say what the events say?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ledger.queries.checks import usage_differs


class Command(BaseCommand):
    help = "Fold every stored event anew and compare. Prints the differences as JSON; exits with 1 if there are any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--show", type=int, default=20, help="differences to print (20)")

    def handle(self, *args: Any, **options: Any) -> None:
        found = usage_differs()
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
        self.stdout.write(json.dumps({"differences": len(found), "shown": shown}))
        if found:
            raise SystemExit(1)
