"""The page on which the custom fields of one entity are looked at and changed."""

import json
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from billing_site.foundation.admin import custom_fields_page
from billing_site.foundation.custom_fields import Entity
from billing_site.foundation.ids import uuid7
from contracts import services
from contracts.models import Commit, CustomFieldsChange, Term
from tests.contracts.test_custom_fields import MADE, fields_of
from tests.factories.contracts import CommitFactory, CustomerFactory
from tests.invoicing.conftest import ADA, OCTOBER

pytestmark = pytest.mark.django_db


def page_of(row, entity):
    return custom_fields_page(entity, row.pk)


def sent(row, *values, **more):
    typed = {"based_on": json.dumps(row.custom_fields), "reason": "They moved to another CRM"}
    for place, (key, text) in enumerate(values):
        typed |= {f"value_{place}_key": key, f"value_{place}_text": text}
    return typed | more


@pytest.mark.parametrize("entity", Entity.values)
def test_values_of_every_entity_are_set_changed_and_taken_away(admin_client, entity):
    row = MADE[Entity(entity)]()
    page = page_of(row, entity)
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, sent(row, ("crm", "1"), ("team", "ml"))).status_code == 302
    assert fields_of(row) == {"crm": "1", "team": "ml"}
    shown = admin_client.get(page).context["form"]
    assert [shown[f"value_{place}_{name}"].value() for place in (0, 1) for name in ("key", "text")] == [
        "crm", "1", "team", "ml",
    ]  # fmt: skip
    assert admin_client.post(page, sent(row, ("", ""), ("team", "data"))).status_code == 302
    assert fields_of(row) == {"team": "data"}
    if isinstance(row, Term):
        text = re.sub(r"\s+", " ", admin_client.get(page).content.decode())
        assert "team: data, in place of crm: 1; team: ml" in text
        assert "They moved to another CRM" in text
        assert [each.number for each in CustomFieldsChange.objects.filter(term_id=row.pk).order_by("number")] == [1, 2]
    else:
        latest = row.history.latest()
        assert (latest.history_change_reason, latest.actor_label) == ("They moved to another CRM", "admin")


def test_what_is_wrong_is_said_beside_its_value_and_nothing_is_changed(admin_client):
    services.declare_key("customer", "crm", enforce_uniqueness=True, at=OCTOBER, by=ADA)
    services.declare_key("customer", "team", enforce_uniqueness=False, at=OCTOBER, by=ADA)
    acme, bolt = CustomerFactory(name="Acme"), CustomerFactory(name="Bolt")
    services.set_values("customer", acme.pk, {"crm": "1"}, at=OCTOBER, by=ADA)
    page = page_of(bolt, "customer")

    def errors(*values):
        found = admin_client.post(page, sent(bolt, *values)).context["form"].errors
        assert fields_of(bolt) == {}
        return {name: list(each) for name, each in found.items()}

    assert errors(("team", "ml"), ("crm", "1")) == {
        "value_1_text": [f"must be unique among customers, and is that of {acme.pk}"]
    }
    assert errors(("team", "ml"), ("team", "x")) == {"value_1_key": ["This key is there already."]}
    assert errors(("team", "")) == {"value_0_text": ["Needed."]}
    assert errors(("crn", "2"))["value_0_key"][0].startswith("Select a valid choice")
    assert list(errors(("team", "x" * 201))) == ["value_0_text"]


def test_what_somebody_else_changed_meanwhile_is_looked_at_first(admin_client):
    row = CustomerFactory()
    stale = sent(row, ("crm", "1"))
    services.set_values("customer", row.pk, {"crm": "2"}, at=OCTOBER, by=ADA)
    answer = admin_client.post(page_of(row, "customer"), stale)
    assert "changed these custom fields meanwhile" in answer.content.decode()
    assert fields_of(row) == {"crm": "2"}


def test_values_stand_as_they_were_given_whatever_a_browser_makes_of_them(admin_client):
    row = CustomerFactory()
    given = {"note": " two\nlines\r\nhere ", '<b onclick="x">': "<script>alert(1)</script>"}
    services.set_values("customer", row.pk, given, at=OCTOBER, by=ADA)
    row.refresh_from_db()
    page = page_of(row, "customer")
    assert "<script>alert(1)" not in admin_client.get(page).content.decode()
    record = reverse("admin:contracts_customer_change", args=[row.pk])
    shown = admin_client.get(record).content.decode()
    assert "<script>alert(1)" not in shown
    assert page in shown
    typed = [(key, text.replace("\r\n", "\n").replace("\n", "\r\n")) for key, text in given.items()]
    admin_client.post(page, sent(row, *typed, ("crm", "1")))
    assert fields_of(row) == {**given, "crm": "1"}


def test_who_may_only_look_changes_nothing_and_who_may_not_look_sees_nothing(admin_client):
    row = CommitFactory(custom_fields={"crm": "1"})
    page = page_of(row, "commit")
    browser = Client()
    reader = User.objects.create_user("reader", is_staff=True)
    browser.force_login(reader)
    assert browser.get(page).status_code == 403
    reader.user_permissions.add(Permission.objects.get(codename="view_contract"))
    shown = browser.get(page)
    assert "crm: 1" in shown.content.decode()
    assert "Keep these" not in shown.content.decode()
    assert browser.post(page, sent(row, ("crm", "2"))).status_code == 403
    assert fields_of(row) == {"crm": "1"}


def test_there_is_a_page_for_what_is_there_only(admin_client):
    row = CommitFactory(type=Commit.Type.PREPAID)
    for entity, entity_id in (("commit", uuid7()), ("contract_credit", row.pk), ("plan", row.pk)):
        assert admin_client.get(custom_fields_page(entity, entity_id)).status_code == 404
