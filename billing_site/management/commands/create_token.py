"""`manage.py create_token NAME --scope admin|ingest|read [--customer ID]`: a new API token, shown once."""

import getpass
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from billing_site.foundation import clock, tokens
from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.refusals import Refusal
from contracts.models import Customer


class Command(BaseCommand):
    help = "Make an API token. The token alone is printed on stdout, and cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="who will use it, e.g. the name of the sending system")
        parser.add_argument("--scope", required=True, choices=["admin", "ingest", "read"])
        parser.add_argument("--customer", metavar="ID", help="bind a read token to this customer alone")

    def handle(self, *, name: str, scope: str, customer: str | None, **options: Any) -> None:
        by = Actor.command(f"create_token by {getpass.getuser()}")
        with acting(by), transaction.atomic():
            try:
                _token, secret = tokens.create_token(
                    name, scope=scope, customer_id=_existing(customer), at=clock.wall_time(), by=by
                )
            except Refusal as refusal:
                raise CommandError(refusal.message) from refusal
        self.stdout.write(secret)


def _existing(customer: str | None) -> UUID | None:
    if customer is None:
        return None
    try:
        customer_id = UUID(customer)
    except ValueError as error:
        raise CommandError(f"--customer: {customer!r} is not a customer id.") from error
    if not Customer.objects.filter(pk=customer_id).exists():
        raise CommandError(f"--customer: there is no customer {customer_id}.")
    return customer_id
