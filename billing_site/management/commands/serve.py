"""`manage.py serve`: the whole site as one foreground process."""

import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from billing_site.server import serving
from billing_site.server.problems import StartProblem

MIGRATION_LOCK = 0x0C0FFEE5  # one `serve` migrates, the others on the same database wait for it


class Command(BaseCommand):
    help = (
        "Runs PostgreSQL (unless DATABASE_URL is set), web workers, job cluster and refresher; prints `ready …` when "
        "it answers."
    )
    requires_system_checks: list[str] = []  # they are run below, when the database answers

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port, 0 for a free one (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        serving.serve(
            settings.DATA_DIR,
            host=options["host"],
            port=options["port"],
            own_database=settings.USES_EMBEDDED_DATABASE,
            probe_host=_known_host(),
            prepare=self._prepare,
        )

    def _prepare(self) -> None:
        """Check the site and bring the schema up to date."""
        try:
            connection.ensure_connection()
        except OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise StartProblem(f"The database that DATABASE_URL names does not answer: {reason}") from error
        self.check()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
            try:
                executor = MigrationExecutor(connection)
                if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                    call_command("migrate", interactive=False, stdout=sys.stderr)
                    if (
                        settings.USES_EMBEDDED_DATABASE
                    ):  # hundreds of new files, which a crash would leave to be written
                        cursor.execute("CHECKPOINT")
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
        connection.close()


def _known_host() -> str:
    """A host name the site answers to, to ask it whether it does."""
    names = [name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"]
    return names[0] if names else "localhost"
