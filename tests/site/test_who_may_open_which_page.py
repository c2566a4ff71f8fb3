"""Every page of the back office, asked for and sent to by everybody: the answer is the one that is declared for it."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from billing_site import roles
from billing_site.policies import ACTIONS, NOBODY, page_named
from billing_site.roles import Role
from tests.site.addresses import MISSING, Address, Ids, addresses
from tests.site.callers import EVERYBODY, STAFF, client_of, noted, undone
from tests.site.house import House, plain

pytestmark = pytest.mark.django_db

OTHERWISE = {"login", "logout", "autocomplete"}  # the way in and out; and what a field is chosen from, see below
THERE_IS_ONE = {"contracts_legalentity_add"}  # more are refused to everybody


@pytest.fixture
def house(settings):
    settings.SANDBOX = True
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.site.unrendered.Unrendered"]
    return House(plain).build()


def pages() -> list[Address]:
    """Those of the back office that have a name; the others only lead to one."""
    return [
        each for each in addresses() if each.name and each.pattern.startswith("admin") and each.name not in OTHERWISE
    ]


def declared(name: str, who: str, method: str) -> str:
    if who in ("customer", "nobody"):
        return "signs in"
    asked = page_named(name).asked(method)
    held = roles.permissions_of(Role(who)) if who in STAFF else set()
    if asked == NOBODY or name in THERE_IS_ONE or not (who == "superuser" or held.issuperset(asked)):
        return "refused"
    return "let in"


def answered(response) -> str:
    if response.status_code == 302 and response["Location"].startswith("/admin/login/"):
        return "signs in"
    if response.status_code >= 500:
        return "fails"
    return "refused" if response.status_code == 403 else "let in"


def test_every_page_has_a_policy():
    assert [each.name for each in pages() if page_named(each.name) is None] == []


@pytest.mark.parametrize("some", [EVERYBODY[::2], EVERYBODY[1::2]], ids="/".join)  # a house for each half
def test_every_page_answers_as_declared(house, some):
    ids = Ids(house)
    differences = [found for who in some for found in differences_for(who, client_of(who, house), ids)]
    assert differences == [], "\n".join(map(str, differences))


def differences_for(who: str, client: Client, ids: Ids) -> Iterator[Any]:
    """Whoever may open a page that takes nothing more to send to does not send to it; but an auditor does, and nothing
    is written."""
    for page in pages():
        path = ids.path(page)
        is_of_nothing = quote(str(MISSING)) in path
        for method in ("GET", "POST"):
            wanted = declared(page.name, who, method)
            is_only_read = page.model and page_named(page.name).sends is None
            if method == "POST" and wanted == "let in" and is_only_read and who != Role.AUDITOR:
                continue
            with undone() if method == "POST" else nullcontext(), noted() as written:
                response = client.generic(method, path, headers={"Accept": "text/plain"})
            found = answered(response)
            if found == "let in" and is_of_nothing and response.status_code in (302, 404):
                found = wanted  # Django says of a row that is not there that it is not, whoever asks
            if found != wanted:
                yield who, page.name, method, wanted, response.status_code
            if written and (found != "let in" or who == Role.AUDITOR):
                yield who, page.name, method, "writes", written


def test_what_a_field_is_chosen_from_asks_to_see_it(house):
    """Each field that is chosen from by typing, on the page of each model."""
    for role in STAFF:
        client, held = client_of(str(role), house), roles.permissions_of(role)
        for model, page in admin.site._registry.items():
            for field in page.autocomplete_fields:
                asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field}
                offered = model._meta.get_field(field).related_model._meta
                answer = client.get(reverse("admin:autocomplete"), {"term": "a", **asked})
                may = f"{offered.app_label}.view_{offered.model_name}" in held
                assert (role, asked, answer.status_code) == (role, asked, 200 if may else 403)


def test_lists_offer_and_do_the_actions_that_are_declared(house):
    """What is asked for by whoever is not offered it writes nothing, also by who may not see the list."""
    for who in EVERYBODY:
        client, held = client_of(who, house), roles.permissions_of(Role(who)) if who in STAFF else set()
        for model in admin.site._registry:
            options, row = model._meta, model._default_manager.first()
            name = f"{options.app_label}_{options.model_name}_changelist"
            if row is None:
                continue
            path, actions = reverse(f"admin:{name}"), ACTIONS.get(options.label_lower, {})
            may = set()
            if declared(name, who, "GET") == "let in":
                form = client.get(path).context_data.get("action_form")
                offered = {choice for choice, _ in form.fields["action"].choices if choice} if form else set()
                may = {action for action, asked in actions.items() if who == "superuser" or asked in held}
                assert (who, name, offered) == (who, name, may)
            for action in actions.keys() - may:
                with undone(), noted() as written:
                    client.post(path, {"action": action, "_selected_action": [row.pk], "reason": "why not"})
                assert (who, name, action, written) == (who, name, action, [])
