"""The roles: groups that a migration makes, with what is written of them, and what somebody is told who has none."""

from collections import Counter

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from billing_site import roles
from billing_site.foundation import tokens
from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import ApiToken
from billing_site.roles import Area, Role
from tests.factories.pricing import ADA, NOW
from tests.pages import words
from tests.site.test_house import MODELS


def member(*held, name="grace"):
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=held))
    client = Client()
    client.force_login(user)
    return client


def given(role):
    pairs = Permission.objects.filter(group__name=role).values_list("content_type__app_label", "codename")
    return {f"{room}.{name}" for room, name in pairs}


def test_every_model_is_in_one_area():
    placed = Counter(model for area in Area for model in roles.MODELS[area].split())
    others = {"auth.user", "auth.group", "auth.permission", "invoicing.draftsofcustomer"}  # Django's, and a proxy
    assert placed == Counter({*(model.lower() for model in MODELS), *others})


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_a_group_may_what_is_written_of_its_role(role):
    assert given(role) == roles.permissions_of(role)


def test_nobody_deletes_and_only_superusers_let_people_in():
    for role in Role:
        held = roles.permissions_of(role)
        assert [name for name in held if ".delete_" in name] == []
        assert [
            name for name in held if name.endswith(("_user", "_group", "_customerlogin")) and "view" not in name
        ] == []


def test_who_proposes_does_not_decide():
    deciding = {"invoicing.add_note", "invoicing.add_enterednotedecision", "invoicing.add_notedismissal"}
    for role in Role:
        held = roles.permissions_of(role)
        assert not ("invoicing.add_enterednote" in held and deciding & held)


def test_an_auditor_sees_everything_and_changes_nothing():
    held = roles.permissions_of(Role.AUDITOR)
    assert {name.partition(".")[2].partition("_")[0] for name in held} == {"view"}
    assert held == {name for role in Role for name in roles.permissions_of(role) if ".view_" in name} | {
        "auth.view_user",
        "auth.view_group",
        "auth.view_permission",
        "contracts.view_customerlogin",
    }


@pytest.mark.django_db
def test_what_was_given_beside_is_taken_again_and_a_deleted_group_stays_deleted():
    finance = Group.objects.get(name=Role.FINANCE)
    finance.permissions.set(Permission.objects.filter(codename__in=["delete_user", "add_rate"]))
    own = Group.objects.create(name="Night shift")
    own.permissions.set(Permission.objects.filter(codename="add_rate"))
    Group.objects.get(name=Role.OPERATOR).delete()
    roles.give_permissions()
    roles.give_permissions()
    assert given(Role.FINANCE) == roles.permissions_of(Role.FINANCE)
    assert list(own.permissions.values_list("codename", flat=True)) == ["add_rate"]
    assert not Group.objects.filter(name=Role.OPERATOR).exists()


@pytest.mark.django_db(transaction=True)
def test_the_migration_is_taken_back_and_made_again():
    try:
        call_command("migrate", "billing_site", "zero", verbosity=0)
        assert list(Group.objects.all()) == []
    finally:
        call_command("migrate", "billing_site", verbosity=0)
    assert given(Role.EDITOR) == roles.permissions_of(Role.EDITOR)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("held", "address", "said"),
    [
        ([], "/admin/contracts/customer/", "role RevOps editor or Approver or Finance or Auditor or Operator, which"),
        ([Role.EDITOR], "/admin/contracts/taxrate/add/", "the role Finance, which a superuser gives on the page of"),
        (
            [Role.OPERATOR],
            "/admin/auth/user/",
            "You are signed in as grace, with the role Operator. Nothing was changed.",
        ),
        ([Role.AUDITOR], "/admin/auth/user/add/", "This is for superusers alone. You are signed in as grace, with the"),
        ([Role.FINANCE, Role.EDITOR], "/admin/invoicing/invoice/add/", "Nobody does this by hand"),
    ],
)
def test_a_refusal_names_the_role(held, address, said):
    page = member(*held).get(address)
    assert page.status_code == 403
    assert said in page.content.decode()


@pytest.mark.django_db
def test_who_takes_no_html_is_told_the_same():
    answer = member(Role.EDITOR).get("/admin/contracts/taxrate/add/", headers={"Accept": "text/plain"})
    assert (answer.status_code, answer["Content-Type"]) == (403, "text/plain; charset=utf-8")
    assert answer.content.decode() == (
        "This takes the role Finance, which a superuser gives on the page of a user. "
        "You are signed in as grace, with the role RevOps editor. Nothing was changed."
    )


@pytest.mark.django_db
def test_the_sidebar_shows_what_a_role_may_open():
    operator = words(member(Role.OPERATOR).get("/admin/"))
    assert "Jobs" in operator
    assert "Customers" in operator
    assert "Invoices" not in operator
    assert "Rate cards" not in operator


@pytest.mark.django_db
def test_a_role_that_is_taken_away_is_gone_with_the_next_request():
    client = member(Role.FINANCE)
    assert client.get("/admin/invoicing/invoice/").status_code == 200
    User.objects.get(username="grace").groups.clear()
    assert client.get("/admin/invoicing/invoice/").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR])
def test_no_version_of_the_past_is_brought_back_by_its_page(role):
    """Whoever revokes a token may not bring it back either: what is sent to the page of a version is refused."""
    token, _ = tokens.create_token("desk", scope="admin", at=NOW, by=ADA)
    tokens.revoke_token(token, at=NOW, by=ADA)
    before = token.history.earliest()
    page = reverse("admin:foundation_apitoken_simple_history", args=[token.pk, before.pk])
    client = member(role)
    assert client.get(page).status_code == 200
    assert client.post(page, {"reason": "it was needed"}).status_code == 403
    assert ApiToken.objects.get().revoked_at == NOW
    assert token.history.count() == 2
    assert client.get(page.replace(str(before.pk), str(uuid7()))).status_code == 404
