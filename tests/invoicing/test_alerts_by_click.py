"""Alerts in the back office: made by a form, listed in words, and shown where their customers are looked at."""

from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from invoicing.models import Alert
from invoicing.services import AlertInput, create_alert, summaries
from tests.invoicing.conftest import ADA, at
from tests.pages import words

pytestmark = pytest.mark.django_db

NOON = "2025-10-20T12"
ADD, LIST = reverse("admin:invoicing_alert_add"), reverse("admin:invoicing_alert_changelist")
STATES, TURNS = reverse("admin:invoicing_alertstate_changelist"), reverse("admin:invoicing_alertturn_changelist")


@pytest.fixture
def staff(clock_at):
    clock_at(NOON)
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


def sent(**more):
    return {"name": "Runaway spend", "type": "SPEND_THRESHOLD_REACHED", "threshold": "1,000"} | more


def test_an_alert_is_made_by_a_form_in_dollars_and_read_in_words(staff, acme):
    usd = "2714e483-4ff1-48e4-9e25-ac732e8f24f2"
    given = sent(unit=usd, customer=str(acme.customer.pk), group_key="region", evaluate_on_create="on")
    assert staff.post(ADD, given).status_code == 302
    made = Alert.objects.get()
    assert (made.threshold, made.customer, made.groups) == (D(100_000), acme.customer, (("region", None),))
    assert made.history.get().actor_label == "grace"
    listed = words(staff.get(LIST))
    said = "Runaway spend Spend of the current period (each region) $1,000.00 or more"
    assert f"{said} {acme.customer.name} being looked at" in listed
    while summaries.refresh_what_is_due():
        pass
    assert f"{said} {acme.customer.name} none" in words(staff.get(LIST))
    assert "Who went into alarm and came back" in words(
        staff.get(reverse("admin:invoicing_alert_change", args=[made.pk]))
    )
    assert staff.post(LIST, {"action": "archive", "_selected_action": [made.pk]}).status_code == 302
    assert Alert.objects.get().archived_at == at(NOON)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param({"type": "USAGE_THRESHOLD_REACHED"}, "Choose the metric", id="metric"),
        pytest.param({"threshold": "-1"}, "must not be below zero", id="threshold"),
        pytest.param({"threshold": "much"}, "Write a number", id="no number"),
        pytest.param(
            {"type": "INVOICE_TOTAL_REACHED", "group_key": "region"}, "Is only for spend and for seats.", id="group"
        ),
    ],
)
def test_what_is_refused_is_said_at_its_field(staff, given, says):
    answer = staff.post(ADD, sent(**given))
    assert says in words(answer)
    assert answer.context["adminform"].form.non_field_errors() == []
    assert Alert.objects.count() == 0


def test_who_is_in_alarm_stands_at_home_in_the_lists_and_at_the_customer(staff, acme):
    panel = reverse("admin:invoicing_alerts_of_customer", args=[acme.customer.pk])
    page = reverse("admin:contracts_customer_change", args=[acme.customer.pk])
    assert "No alert watches this customer." in words(staff.get(panel))
    assert "in alarm" not in words(staff.get(reverse("admin:index")))
    made = create_alert(AlertInput("Runaway", "SPEND_THRESHOLD_REACHED", D(10)), at=at(NOON), by=ADA)
    assert "One alert is being looked at" in words(staff.get(panel))
    while summaries.refresh_what_is_due():
        pass
    assert "None of the one alert" in words(staff.get(panel))
    acme.calls("2025-10-07T00", 6)
    while summaries.refresh_what_is_due():
        pass
    assert "1 customer is in alarm" in words(staff.get(reverse("admin:index")))
    assert "Runaway : $0.12; in alarm at $0.10 or more since 20 October 2025" in words(staff.get(panel))
    assert panel in staff.get(page).content.decode()
    query = {"alert__id__exact": str(made.pk)}
    name = acme.customer.name
    said = words(staff.get(STATES, query | {"status__exact": "IN_ALARM"}))
    assert f"{name} Runaway in alarm – $0.12 $0.10 or more 20 October 2025, 12:00 UTC" in said
    assert f"{name} Runaway went into alarm – $0.12 $0.10 or more" in words(staff.get(TURNS, query))
    assert "All customers 1 " in words(staff.get(LIST))


def test_who_may_not_see_alerts_is_not_led_to_them(staff, acme):
    viewer = User.objects.create_user("vera", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client = Client()
    client.force_login(viewer)
    panel = reverse("admin:invoicing_alerts_of_customer", args=[acme.customer.pk])
    assert client.get(panel).status_code == 403
    page = client.get(reverse("admin:contracts_customer_change", args=[acme.customer.pk]))
    assert panel not in page.content.decode()
    assert staff.get(reverse("admin:invoicing_alerts_of_customer", args=[acme.contract.pk])).status_code == 404
