"""`manage.py verify_invoice INV-000001 --customer ID`: is the document what the facts that it saw come to?"""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from invoicing.models import Invoice
from invoicing.services import verify_invoice


class Command(BaseCommand):
    help = "Compute a final document anew from the facts it saw. Says equal, or every difference and exits with 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", help="such as INV-000001")
        parser.add_argument("--customer", type=UUID, help="its id; numbers are given for each customer")

    def handle(self, *args: Any, **options: Any) -> None:
        invoices = Invoice.objects.filter(number=options["number"]).select_related("customer")
        if options["customer"] is not None:
            invoices = invoices.filter(customer=options["customer"])
        found = list(invoices.order_by("customer__name", "customer")[:11])
        if not found:
            raise CommandError(f"There is no document {options['number']}.")
        if len(found) > 1:
            whose = ", ".join(f"{each.customer} ({each.customer_id})" for each in found[:10])
            more = " and others" if len(found) > 10 else ""
            raise CommandError(f"Several customers have a document {found[0]}; name one by --customer: {whose}{more}.")
        verified = verify_invoice(found[0])
        if not verified.differences:
            self.stdout.write(f"{found[0]} of {found[0].customer}: equal to {verified.against}.")
            return
        self.stdout.write(f"{found[0]} of {found[0].customer} differs from {verified.against}.")
        for difference in verified.differences:
            self.stdout.write(f"- {difference}")
        raise SystemExit(1)
