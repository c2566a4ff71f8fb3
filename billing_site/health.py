"""Answers for whoever watches the site: does the process live, and is everything there that it needs."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from billing_site.server.jobs import APPLICATION_NAME

JOBS_SILENT_SECONDS = 120  # the cluster asks for work twice a second, and less often while all its workers are busy


def livez(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers at all; it looks at nothing else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, its schema is ours, and a job cluster works on it; 503 names what is not."""
    try:
        checks = {"database": "ok", "migrations": _migrations(), "jobs": _jobs()}
    except DatabaseError:
        checks = {"database": "does not answer"}
    ready = set(checks.values()) == {"ok"}
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "checks": checks},
        status=200 if ready else 503,
        headers={"Cache-Control": "no-store"},
    )


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return f"{missing} not applied" if missing else "ok"


def _jobs() -> str:
    """Whether any cluster, on whatever machine, has spoken to this database of late."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(state_change) > now() - %s * interval '1 second' FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            [JOBS_SILENT_SECONDS, APPLICATION_NAME],
        )
        (recent,) = cursor.fetchone()
    return "ok" if recent else "no cluster seen"
