from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from billing_site.foundation import tokens
from billing_site.foundation.models import ApiToken
from tests.factories.contracts import CustomerFactory

pytestmark = pytest.mark.django_db


def created(*arguments):
    out = StringIO()
    call_command("create_token", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("scope", ["admin", "ingest", "read"])
def test_the_token_alone_is_printed_and_works(scope):
    printed = created("collector", "--scope", scope)
    assert printed.count("\n") == 1
    token = tokens.token_of(printed.strip())
    assert (token.name, token.source, token.scope, token.customer_id) == ("collector", "collector", scope.upper(), None)
    history = token.history.get()
    assert (history.actor_kind, history.source) == ("COMMAND", "COMMAND")


def test_a_read_token_may_be_bound_to_one_customer():
    customer = CustomerFactory()
    assert tokens.token_of(
        created("portal", "--scope", "read", "--customer", str(customer.pk)).strip()
    ).customer_id == (customer.pk)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x", "--scope", "read", "--customer", "nobody"), "'nobody' is not a customer id"),
        (("x", "--scope", "read", "--customer", str(uuid4())), "there is no customer"),
        ((" ", "--scope", "read"), "must not be empty"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_made(arguments, words):
    with pytest.raises(CommandError, match=words):
        created(*arguments)
    assert not ApiToken.objects.exists()


def test_only_a_read_token_is_bound():
    customer = CustomerFactory()
    with pytest.raises(CommandError, match="only a read token"):
        created("x", "--scope", "admin", "--customer", str(customer.pk))
