"""Who comes to the site, and what a visit leaves behind."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client

from billing_site.roles import Role
from tests.site.house import House

STAFF = [role for role in Role if role != Role.CUSTOMER_VIEWER]
EVERYBODY = [*map(str, STAFF), "superuser", "staff without a role", "customer", "nobody"]


def client_of(who: str, house: House) -> Client:
    client = Client(raise_request_exception=False)
    if who == "customer":
        client.force_login(house.viewer)
    elif who != "nobody":
        user = User.objects.create_user(who, is_staff=True, is_superuser=who == "superuser")
        user.groups.set(Group.objects.filter(name=who))
        client.force_login(user)
    return client


@contextmanager
def noted() -> Iterator[list[str]]:
    """What is written inside, besides what a session remembers."""
    written: list[str] = []

    def note(execute, sql, params, many, context):
        if sql.split(" ", 1)[0] in ("INSERT", "UPDATE", "DELETE") and "django_session" not in sql:
            written.append(sql[:60])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield written


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
