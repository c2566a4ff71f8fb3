import pytest
from django.db import connection
from django.test import Client

from billing_site.server.jobs import APPLICATION_NAME


@pytest.mark.django_db
def test_ready_needs_a_job_cluster_on_this_database(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "checks": {"database": "ok", "migrations": "ok", "jobs": "no cluster seen"},
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a request is a transaction of its own
        cursor.execute("SELECT set_config('application_name', %s, false)", [APPLICATION_NAME])
    try:
        assert client.get("/readyz").json() == {
            "status": "ok",
            "checks": {"database": "ok", "migrations": "ok", "jobs": "ok"},
        }
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET application_name")


def test_living_needs_no_database(client: Client) -> None:
    assert client.get("/livez").json() == {"status": "ok"}
