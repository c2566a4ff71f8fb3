"""`manage.py check_sold`: is what finance reads of each month still what the lines of documents come to?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from invoicing.queries.sold_sums import customers_whose_sums_differ
from invoicing.services.sold import add_up_anew


class Command(BaseCommand):
    help = "Add up the lines of all documents and compare. Names the customers that differ, and exits with 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anew", action="store_true", help="write the sums of those that differ anew")

    def handle(self, *args: Any, **options: Any) -> None:
        differing = customers_whose_sums_differ()
        for customer_id in differing:
            self.stdout.write(f"What is kept as sold to customer {customer_id} is not what their documents say.")
        if not differing:
            self.stdout.write("What is kept as sold is what documents say.")
        elif options["anew"]:
            for customer_id in differing:
                add_up_anew(customer_id)
            self.stdout.write("Added up anew.")
        else:
            raise SystemExit(1)
