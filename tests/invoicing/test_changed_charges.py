"""Scheduled charges whose dates and amounts are changed: `docs/scheduled_charges.md`, by the SDK and by clicks."""

from decimal import Decimal as D

import metronome
import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from billing_site.foundation import tokens
from contracts import services
from contracts.inputs import EditInput, InvoiceItemInput, InvoiceScheduleInput, ScheduledChargeInput
from contracts.models import ContractEdit, ScheduledChargeItem
from contracts.queries import agreement
from contracts.wording import history_in_words
from invoicing.services import finalize_due
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.commit_page import Page
from tests.invoicing.conftest import ADA, DECEMBER, NOVEMBER, OCTOBER, at, sdk

pytestmark = pytest.mark.django_db


@pytest.fixture
def support(acme, clock_at):
    """100 on the first of each month; today is 15 November, and October and November are billed."""
    clock_at("2025-11-15T12")
    dates = tuple(InvoiceItemInput(date, amount=D(100)) for date in (OCTOBER, NOVEMBER, DECEMBER))
    given = ScheduledChargeInput(FixedProductFactory().pk, InvoiceScheduleInput(dates), name="Support")
    edit = EditInput(add_scheduled_charges=(given,))
    services.edit_contract(acme.customer, acme.contract.pk, edit, at=OCTOBER, by=ADA)
    finalize_due(acme.customer.pk, at=at("2025-11-01T00"), by=ADA)
    [charged] = agreement(acme.customer.pk, acme.contract.pk).charges
    return charged


class Desk:
    def __init__(self, acme, charged):
        self.client = sdk(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])
        self.ids = {"customer_id": str(acme.customer.pk), "contract_id": str(acme.contract.pk)}
        self.charge_id = str(charged.charge.pk)
        self.october, self.november, self.december = (str(item.item_id) for item in charged.items)

    def change(self, **schedule):
        update = {"scheduled_charge_id": self.charge_id, "invoice_schedule": schedule}
        return self.client.v2.contracts.edit(**self.ids, update_scheduled_charges=[update]).data.edit

    def refused(self, **schedule):
        with pytest.raises(metronome.BadRequestError) as refusal:
            self.change(**schedule)
        return [
            (each["field"].rpartition("invoice_schedule.")[2], each["rule"]) for each in refusal.value.body["errors"]
        ]

    def items(self, **query):
        [charge] = self.client.v2.contracts.retrieve(**self.ids, **query).data.scheduled_charges
        return [(each.timestamp.isoformat()[:13], each.amount) for each in charge.schedule.schedule_items]

    def drafts(self):
        return [
            (invoice.issued_at.isoformat()[:13], invoice.total)
            for invoice in self.client.v1.customers.invoices.list(
                customer_id=self.ids["customer_id"], status="DRAFT", sort="date_asc"
            ).data
            if invoice.type == "SCHEDULED"
        ]


def test_what_has_not_come_is_changed_moved_added_and_taken_out(acme, support):
    desk = Desk(acme, support)

    edit = desk.change(
        update_schedule_items=[{"id": desk.december, "amount": 120}],
        add_schedule_items=[
            {"timestamp": "2025-12-15T00:00:00Z", "unit_price": 5, "quantity": 3},
            {"timestamp": "2025-11-15T10:00:00Z", "amount": 7},
        ],
    )

    [updated] = edit.update_scheduled_charges
    assert (updated.id, updated.name) == (desk.charge_id, "Support")
    changed = updated.invoice_schedule
    assert [(each.id, each.amount) for each in changed.update_schedule_items] == [(desk.december, 120)]
    later, due = changed.add_schedule_items
    assert (later.amount, later.unit_price, later.quantity, due.amount) == (15, 5, 3, 7)
    assert desk.drafts() == [("2025-11-15T10", 7), ("2025-12-01T00", 120), ("2025-12-15T00", 15)]
    assert [invoice.total for invoice in finalize_due(acme.customer.pk, at=at("2025-11-15T12"), by=ADA).finalized][
        -1
    ] == 7

    desk.change(
        update_schedule_items=[{"id": desk.december, "timestamp": "2025-12-20T00:00:00Z"}],
        remove_schedule_items=[{"id": later.id}],
    )
    assert desk.drafts() == [("2025-12-20T00", 120)]
    assert desk.items()[2:] == [("2025-12-20T00", 120), ("2025-11-15T10", 7)]
    assert desk.items(as_of_date="2025-11-15T11:59:00Z") == [
        ("2025-10-01T00", 100), ("2025-11-01T00", 100), ("2025-12-01T00", 100)
    ]  # fmt: skip
    history = desk.client.v2.contracts.get_edit_history(**desk.ids).data
    assert [len(each.update_scheduled_charges or ()) for each in history] == [0, 1, 1]


def test_what_has_come_and_what_would_leave_nothing_is_refused(acme, support):
    desk = Desk(acme, support)
    fell_due = "must not be changed: it fell due on 2025-11-01T00:00:00+00:00, and what has fallen due is billed"

    assert desk.refused(update_schedule_items=[{"id": desk.november, "amount": 120}]) == [
        ("update_schedule_items[0].id", fell_due)
    ]
    assert desk.refused(remove_schedule_items=[{"id": desk.november}, {"id": desk.charge_id}]) == [
        ("remove_schedule_items[1].id", "must be the id of an invoice item of the scheduled charge"),
        ("remove_schedule_items[0].id", fell_due),
    ]
    [(field, rule)] = desk.refused(update_schedule_items=[{"id": desk.december, "timestamp": "2025-11-01T00:00:00Z"}])
    assert field == "schedule_items"
    assert "have fallen due" in rule
    twice = [{"scheduled_charge_id": desk.charge_id, "invoice_schedule": {"remove_schedule_items": []}}] * 2
    with pytest.raises(metronome.BadRequestError, match="say what of the schedule changes"):
        desk.client.v2.contracts.edit(**desk.ids, update_scheduled_charges=twice)
    with pytest.raises(metronome.BadRequestError, match="cannot be changed by the edit that archives it"):
        desk.client.v2.contracts.edit(
            **desk.ids, update_scheduled_charges=twice[:1], archive_scheduled_charges=[{"id": desk.charge_id}]
        )
    with pytest.raises(metronome.BadRequestError, match="of a scheduled charge or discount of the contract"):
        desk.client.v2.contracts.edit(
            **desk.ids, update_scheduled_charges=[twice[0] | {"scheduled_charge_id": desk.december}]
        )
    assert ContractEdit.objects.filter(kind="EDIT").count() == 1


def test_a_change_goes_before_what_a_new_end_would_take_out(acme, support):
    desk = Desk(acme, support)
    update = {"update_schedule_items": [{"id": desk.december, "timestamp": "2025-12-31T00:00:00Z"}]}

    desk.client.v2.contracts.edit(
        **desk.ids,
        update_scheduled_charges=[{"scheduled_charge_id": desk.charge_id, "invoice_schedule": update}],
        update_contract_end_date="2025-12-15T00:00:00Z",
    )

    assert desk.drafts() == [("2025-12-31T00", 100)]


def test_an_item_stands_once_whatever_the_code_does(acme, support):
    old = support.items[2]
    edit = ContractEdit.objects.order_by("number").last()
    fields = {"customer": acme.customer, "charge": support.charge, "added_by_edit": edit, "created_at": OCTOBER}
    amount = {"issued_at": DECEMBER, "amount": 1, "unit_price": 1, "quantity": 1, "first_row": old}

    ScheduledChargeItem.objects.create(**fields, **amount)
    with pytest.raises(IntegrityError, match="a_charge_item_stands_once"), transaction.atomic():
        ScheduledChargeItem.objects.create(**fields, **amount)


def test_a_charge_is_changed_by_clicks_after_its_effect_was_seen(acme, support):
    page = Page(support.charge, "charge")
    contract_page = reverse("admin:contracts_contract_change", args=[acme.contract.pk])
    assert page.url in page.browser.get(contract_page).content.decode()
    assert "2 dates of it have fallen due" in page.read()

    wrong = page.errors(item_0_timestamp_0="2025-11-01", new_item_0_amount="5")
    assert wrong == {"new_item_0_timestamp": ["Needed."]}
    [(field, [rule])] = page.errors(item_0_timestamp_0="2025-11-01").items()
    assert field == "item_0_timestamp"
    assert "have fallen due" in rule
    assert page.errors() == {"__all__": ["The edit changes nothing: give something to add, remove, archive or update."]}

    at_midnight = page.preview(item_0_timestamp_0="2025-12-05", item_0_timestamp_1="")[1]
    assert at_midnight.context["preview"], "a date is enough"

    typed = {"item_0_amount": "1.20", "new_item_0_timestamp_0": "2025-12-15", "new_item_0_amount": "0.15"}
    assert "$1.20" in page.preview(**typed)[1].content.decode()
    assert page.save(**typed).status_code == 302

    [edit, *_] = history_in_words(acme.contract)
    assert edit.changes == (
        "Scheduled charge “Support”: $1.00 on 1 December 2025 is now $1.20 on 1 December 2025;"
        " added $0.15 on 15 December 2025.",
    )
    page.save(item_0_gone="on")
    assert history_in_words(acme.contract)[0].changes == (
        "Scheduled charge “Support”: taken out $1.20 on 1 December 2025.",
    )


def test_the_order_that_it_is_sold_by_is_changed_whatever_has_come(acme, support):
    desk = Desk(acme, support)

    def sell(**order):
        update = {"scheduled_charge_id": desk.charge_id, **order}
        [told] = desk.client.v2.contracts.edit(
            **desk.ids, update_scheduled_charges=[update]
        ).data.edit.update_scheduled_charges
        return told.netsuite_sales_order_id

    def sold(**query):
        [charge] = desk.client.v2.contracts.retrieve(**desk.ids, **query).data.scheduled_charges
        return charge.netsuite_sales_order_id

    assert (sell(netsuite_sales_order_id="SO-1"), sold()) == ("SO-1", "SO-1")
    assert (sell(netsuite_sales_order_id="SO-2"), sold()) == ("SO-2", "SO-2")
    assert sold(as_of_date=NOVEMBER) is None
    page = Page(support.charge, "charge")
    assert page.shown()["netsuite_sales_order_id"] == "SO-2"
    page.save(netsuite_sales_order_id="SO-3")
    assert sold() == "SO-3"
    assert (sell(netsuite_sales_order_id=None), sold()) == ("", None)
    taken, third, *_ = history_in_words(acme.contract)
    assert taken.changes == ("Scheduled charge “Support”: its NetSuite sales order taken away.",)
    assert third.changes == ("Scheduled charge “Support”: NetSuite sales order SO-3.",)
    assert desk.items()[0] == ("2025-10-01T00", 100)  # nothing else is changed
    with pytest.raises(metronome.BadRequestError, match="160 characters"):
        sell(netsuite_sales_order_id="x" * 161)
