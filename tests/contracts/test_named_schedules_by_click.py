"""Named schedules of customers and contracts, written by click; and contracts reached from their customer's page."""

import pytest
from django.urls import reverse

from contracts.models import CustomerScheduleSegment
from contracts.queries import named_schedule
from tests.factories.contracts import ContractFactory, CustomerFactory

pytestmark = pytest.mark.django_db

ADD = reverse("admin:contracts_customerschedulesegment_add")


def sent(of, **typed):
    given = {
        "customer": str(of.customer_id), "contract": str(of.pk), "schedule_name": "discount",
        "value": "0.1250", "starting_at_0": "2025-10-01", "starting_at_1": "00:00", "reason": "As agreed",
    }  # fmt: skip
    return given | typed


def test_one_of_a_contract_and_one_of_the_customer_are_written_with_every_digit(admin_client):
    contract = ContractFactory()
    for _ in range(2):  # what was written last is not written again
        assert admin_client.post(ADD, sent(contract, properties='{"region": "eu"}')).status_code == 302
    assert admin_client.post(ADD, sent(contract, contract="", value='"gold"')).status_code == 302
    [own] = named_schedule(contract.customer_id, "discount", contract_id=contract.pk, properties={"region": "eu"})
    [theirs] = named_schedule(contract.customer_id, "discount")
    assert (str(own.value), theirs.value) == ("0.1250", "gold")
    edits = [each.edit for each in CustomerScheduleSegment.objects.order_by("edit__number")]
    assert [(each.kind, each.reason, each.created_by) for each in edits] == [
        ("NAMED_SCHEDULE", "As agreed", "admin")
    ] * 2
    page = reverse("admin:contracts_contract_change", args=[contract.pk])
    listed = f"{reverse('admin:contracts_customerschedulesegment_changelist')}?contract__id__exact={contract.pk}"
    assert listed in admin_client.get(page).content.decode()
    assert "discount" in admin_client.get(listed).content.decode()
    offered = admin_client.get(ADD, {"_changelist_filters": listed.partition("?")[2]}).context["adminform"].form
    assert offered["contract"].value() == contract.pk
    assert offered["customer"].value() == contract.customer_id


@pytest.mark.parametrize(
    ("typed", "field", "rule"),
    [
        ({"value": "gold"}, "value", "Write JSON"),
        ({"value": "NaN"}, "value", "Write JSON"),
        ({"value": "[" * 100_000}, "value", "Write JSON"),
        ({"value": "[" * 60 + "]" * 60}, "value", "nested"),
        ({"starting_at_1": "00:30"}, "starting_at", "on the hour"),
        ({"ending_before_0": "2025-09-01"}, "ending_before", "must be later than starting_at"),
        ({"contract": "", "properties": '{"region": "eu"}'}, "properties", "must only be given for a schedule"),
        ({"schedule_name": ""}, "schedule_name", "required"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(admin_client, typed, field, rule):
    errors = admin_client.post(ADD, sent(ContractFactory(), **typed)).context["adminform"].form.errors
    assert rule in errors[field][0], errors
    assert not CustomerScheduleSegment.objects.exists()


def test_a_contract_of_somebody_else_is_refused(admin_client):
    answer = admin_client.post(ADD, sent(ContractFactory(), customer=str(CustomerFactory().pk)))
    assert answer.context["adminform"].form.errors
    assert not CustomerScheduleSegment.objects.exists()


def test_the_page_of_a_customer_leads_to_its_contracts(admin_client):
    contract = ContractFactory(terms__name="Acme <2025>")
    page = admin_client.get(reverse("admin:contracts_customer_change", args=[contract.customer_id])).content.decode()
    link = reverse("admin:contracts_contract_change", args=[contract.pk])
    assert f'<a href="{link}">Acme &lt;2025&gt;</a>' in page
