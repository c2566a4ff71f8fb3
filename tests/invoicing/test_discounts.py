"""Discounts of fixed amounts (`docs/scheduled_charges.md`): agreed, changed, billed, explained."""

from decimal import Decimal as D

import metronome
import pytest
from django.db import DatabaseError, transaction

from billing_site.foundation import tokens
from billing_site.foundation.models import CustomFieldClaim
from contracts.models import ScheduledCharge
from contracts.queries import agreement
from contracts.services import undo_edit
from contracts.services.copies import contract_like
from contracts.wording import history_in_words
from invoicing.explanation import line_sentences
from invoicing.models import Invoice
from invoicing.queries.explained import explained_document
from invoicing.services import finalize_due, verify_invoice
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, sdk

pytestmark = pytest.mark.django_db

TODAY = at("2025-11-15T12")


@pytest.fixture
def client(clock_at):
    clock_at("2025-11-15T12")
    return sdk(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def fixed(db):
    return FixedProductFactory(name="Platform")


@pytest.fixture
def ids(acme):
    return {"customer_id": str(acme.customer.pk), "contract_id": str(acme.contract.pk)}


def scheduled(fixed, *dates, **more):
    items = [{"timestamp": date.isoformat(), "amount": amount} for date, amount in dates]
    return {"product_id": str(fixed.pk), "schedule": {"schedule_items": items}, **more}


def documents(client, ids, **query):
    return [
        (invoice.issued_at.isoformat()[:10], invoice.status, [(line.name, line.total) for line in invoice.line_items])
        for invoice in client.v1.customers.invoices.list(customer_id=ids["customer_id"], sort="date_asc", **query).data
        if invoice.type == "SCHEDULED"
    ]


def test_a_discount_is_taken_off_on_its_date_and_beside_what_is_charged_then(client, acme, ids, fixed):
    fee = scheduled(fixed, (DECEMBER, 500), name="Fee")
    launch = scheduled(
        fixed, (DECEMBER, 120), name="Launch", netsuite_sales_order_id="SO-7", custom_fields={"crm": "7"}
    )

    edit = client.v2.contracts.edit(**ids, add_scheduled_charges=[fee], add_discounts=[launch]).data.edit

    [discount] = edit.add_discounts
    assert (discount.name, discount.netsuite_sales_order_id, discount.custom_fields) == ("Launch", "SO-7", {"crm": "7"})
    assert (discount.product.name, discount.schedule.schedule_items[0].amount) == ("Platform", 120)
    [charge] = edit.add_scheduled_charges
    assert charge.name == "Fee"
    contract = client.v2.contracts.retrieve(**ids).data
    assert [each.to_dict() for each in contract.discounts] == [discount.to_dict()]
    assert [each.name for each in contract.scheduled_charges] == ["Fee"]
    assert [each.name for each in client.v1.contracts.retrieve(**ids).data.current.discounts] == ["Launch"]
    before = client.v2.contracts.retrieve(**ids, as_of_date="2025-11-15T11:59:00Z").data
    assert (before.discounts, before.scheduled_charges) == ([], [])
    [invoice] = client.v1.customers.invoices.list(customer_id=ids["customer_id"], type="SCHEDULED").data
    assert invoice.total == 380
    _, line = invoice.line_items
    assert (line.type, line.total, line.unit_price, line.quantity) == ("scheduled", -120, -120, 1)
    assert (line.discount_id, line.scheduled_charge_id, line.product_type) == (
        discount.id, None, "FixedProductListItem"
    )  # fmt: skip


def test_one_agreed_at_first_and_one_of_an_amendment_are_told_where_they_were_agreed(client, fixed):
    customer = CustomerFactory()
    made = client.v1.contracts.create(
        customer_id=str(customer.pk), starting_at=OCTOBER, discounts=[scheduled(fixed, (DECEMBER, 5), name="First")]
    ).data
    ids = {"customer_id": str(customer.pk), "contract_id": made.id}
    client.v1.contracts.amend(**ids, starting_at=NOVEMBER, discounts=[scheduled(fixed, (JANUARY, 7), name="More")])

    contract = client.v1.contracts.retrieve(**ids).data
    assert [each.name for each in contract.initial.discounts] == ["First"]
    assert [[each.name for each in amendment.discounts] for amendment in contract.amendments] == [["More"]]
    assert [each.name for each in contract.current.discounts] == ["First", "More"]
    assert documents(client, ids) == [
        ("2025-12-01", "DRAFT", [("First", -5)]), ("2026-01-01", "DRAFT", [("More", -7)])
    ]  # fmt: skip


def test_what_is_final_says_where_it_was_agreed_and_comes_to_the_same_anew(client, acme, ids, fixed):
    client.v2.contracts.edit(**ids, add_discounts=[scheduled(fixed, (TODAY, 120), name="Launch")])

    finalize_due(acme.customer.pk, at=TODAY, by=ADA)

    invoice = Invoice.objects.get(kind="CHARGES")
    assert (invoice.total, invoice.lines.get().details["discount_id"]) == (
        -120, str(ScheduledCharge.objects.get().pk)
    )  # fmt: skip
    assert verify_invoice(invoice).differences == ()
    told = explained_document(acme.customer.pk, invoice.pk, at=TODAY)
    assert "Agreed in edit" in "\n".join(line_sentences(told, told.document.lines[0]))
    assert documents(client, ids) == [("2025-11-15", "FINALIZED", [("Launch", -120)])]


def test_its_dates_change_and_it_is_archived_as_a_charge_is(client, acme, ids, fixed):
    client.v2.contracts.edit(**ids, add_discounts=[scheduled(fixed, (DECEMBER, 5), (JANUARY, 5), name="Loyal")])
    [discount] = client.v2.contracts.retrieve(**ids).data.discounts
    december = discount.schedule.schedule_items[0].id

    change = {"update_schedule_items": [{"id": december, "amount": 6}]}
    updated = client.v2.contracts.edit(
        **ids, update_scheduled_charges=[{"scheduled_charge_id": discount.id, "invoice_schedule": change}]
    ).data.edit
    assert updated.update_scheduled_charges is None
    assert [(each.id, each.name) for each in updated.update_discounts] == [(discount.id, "Loyal")]
    assert documents(client, ids)[0] == ("2025-12-01", "DRAFT", [("Loyal", -6)])

    client.v2.contracts.edit(**ids, archive_scheduled_charges=[{"id": discount.id}])
    assert documents(client, ids) == []
    assert client.v2.contracts.retrieve(**ids).data.discounts == []
    assert [each.changes for each in history_in_words(acme.contract)][:3] == [
        ("Taken out: the discount “Loyal”.",),
        ("Discount “Loyal”: $0.05 off on 1 December 2025 is now $0.06 off on 1 December 2025.",),
        ("Discount “Loyal”: $0.05 off on 1 December 2025, $0.05 off on 1 January 2026.",),
    ]


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"schedule": {"schedule_items": [{"timestamp": "2025-12-01T00:00:00Z", "amount": -5}]}},
         "schedule.schedule_items[0].amount", "must not be negative"),
        ({"schedule": {"schedule_items": []}}, "schedule.schedule_items", "must have an item"),
        ({"schedule": {"do_not_invoice": True, "schedule_items": [{"timestamp": "2025-12-01T00:00:00Z", "amount": 5}]}},
         "schedule.do_not_invoice", "must be false: a discount is always invoiced"),
        ({"product_id": "00000000-0000-0000-0000-000000000000"}, "product_id", "must be the id of a product"),
        ({"name": "x" * 161}, "name", "160"),
    ],
)  # fmt: skip
def test_one_that_cannot_be_is_refused_beside_its_field_and_changes_nothing(client, ids, fixed, given, field, rule):
    with pytest.raises(metronome.BadRequestError) as refused:
        client.v2.contracts.edit(**ids, add_discounts=[scheduled(fixed, (DECEMBER, 5)) | given])
    [error] = refused.value.body["errors"]
    assert error["field"] == f"add_discounts[0].{field}"
    assert rule in error["rule"]
    assert not ScheduledCharge.objects.exists()


def test_on_usage_invoices_it_is_where_the_charges_are(client, acme, fixed):
    customer = CustomerFactory()
    made = client.v1.contracts.create(
        customer_id=str(customer.pk),
        starting_at=OCTOBER,
        rate_card_id=str(acme.prices.card.pk),
        scheduled_charges_on_usage_invoices="ALL",
        discounts=[scheduled(fixed, (NOVEMBER, 5), name="Off")],
    ).data
    invoices = client.v1.customers.invoices.list(customer_id=str(customer.pk), type="USAGE", sort="date_asc").data
    assert [(line.name, line.total) for line in invoices[0].line_items if line.type == "scheduled"] == [("Off", -5)]
    assert documents(client, {"customer_id": str(customer.pk), "contract_id": made.id}) == []


def test_values_of_its_unique_keys_are_of_discounts_alone(client, ids, fixed):
    for entity in ("discount", "scheduled_charge"):
        client.v1.custom_fields.add_key(entity=entity, key="crm", enforce_uniqueness=True)
    one = scheduled(fixed, (DECEMBER, 5), custom_fields={"crm": "7"})
    client.v2.contracts.edit(**ids, add_discounts=[one], add_scheduled_charges=[one])

    assert set(CustomFieldClaim.objects.values_list("entity", "value")) == {
        ("discount", "7"),
        ("scheduled_charge", "7"),
    }
    with pytest.raises(metronome.BadRequestError, match="must be unique among discounts"):
        client.v2.contracts.edit(**ids, add_discounts=[one])
    [discount] = client.v2.contracts.retrieve(**ids).data.discounts
    client.v1.custom_fields.set_values(entity="discount", entity_id=discount.id, custom_fields={"crm": "8"})
    assert client.v2.contracts.retrieve(**ids).data.discounts[0].custom_fields == {"crm": "8"}
    with pytest.raises(metronome.NotFoundError, match="must be the id of one of the scheduled charges"):
        client.v1.custom_fields.set_values(entity="scheduled_charge", entity_id=discount.id, custom_fields={"crm": "9"})


def test_it_goes_with_the_edit_that_agreed_it(client, acme, ids, fixed):
    edit = client.v2.contracts.edit(**ids, add_discounts=[scheduled(fixed, (DECEMBER, 5), name="Off")]).data.edit

    undo_edit(acme.customer, acme.contract.pk, edit.id, at=TODAY, by=ADA)

    assert documents(client, ids) == []
    _, said = history_in_words(acme.contract)[0].changes
    assert said == "Taken out: the discount “Off”."


def test_a_copy_of_the_contract_takes_it_off_as_far_after_its_start(client, acme, ids, fixed):
    client.v2.contracts.edit(**ids, add_discounts=[scheduled(fixed, (DECEMBER, 5), name="Off")])

    copy = contract_like(agreement(acme.customer.pk, acme.contract.pk), JANUARY)

    assert (copy.scheduled_charges, len(copy.discounts)) == ((), 1)
    [item] = copy.discounts[0].schedule.schedule_items
    assert (item.timestamp, item.unit_price) == (at("2026-03-01T00"), D(5))


def test_what_it_is_never_changes_in_the_database(client, ids, fixed):
    client.v2.contracts.edit(**ids, add_discounts=[scheduled(fixed, (DECEMBER, 5))])
    with pytest.raises(DatabaseError, match="never overwritten"), transaction.atomic():
        ScheduledCharge.objects.update(is_discount=False)
