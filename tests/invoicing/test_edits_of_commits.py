"""Commits and credits changed after they were agreed, at each door of the official SDK, and what drafts, balances and
the history make of it. API calls cost 2 cents.
"""

from decimal import Decimal as D

import metronome
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from contracts.models import AccessSegment, Commit, CommitVersion, ContractEdit
from contracts.queries import edit_history
from contracts.wording import history_in_words
from invoicing.queries.due import due_customers
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, contract_for
from tests.invoicing.desk import Desk, ids_of, invoiced

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(acme, clock_at):
    return Desk(acme, clock_at)


# --- What it is called, for, and ranked by ---------------------------------------------------------------------------


def test_a_priority_decides_what_is_drawn_since_the_edit_and_did_not_before(acme, desk, clock_at):
    acme.calls("2025-10-05T10", 20)
    first = desk.share((100, OCTOBER, JANUARY), name="First")
    second = desk.share((100, OCTOBER, JANUARY), name="Second", priority=2)
    assert (desk.held(first).balance, desk.held(second).balance) == (60, 100)

    clock_at("2025-10-12")
    answer = desk.v2.contracts.edit_credit(**desk.whose, credit_id=second, priority=0.5, name="Before all")
    assert answer.data.id == second
    held = desk.held(second)
    assert (held.name, held.priority, held.balance, desk.held(first).balance) == ("Before all", 0.5, 60, 100)
    then = {"extra_body": {"as_of": "2025-10-11T00:00:00Z"}}
    assert (desk.held(second, **then).name, desk.held(second, **then).priority) == ("Second", 2)
    assert Commit.objects.get(pk=second).name == "Second"


def test_every_attribute_is_changed_and_cleared_again(desk, acme):
    other = contract_for(acme.customer, acme.prices, starting_at=JANUARY, terms__ending_before=None)
    credit = desk.share((100, OCTOBER, JANUARY))
    calls, renamed = str(acme.prices.calls.pk), FixedProductFactory(name="Goodwill")
    specifier = {"product_id": str(acme.prices.tokens.pk), "pricing_group_values": {"model": "xl"}}

    def change(**given):
        desk.v2.contracts.edit_credit(**desk.whose, credit_id=credit, **given)
        return desk.held(credit)

    held = change(
        name="Bonus",
        description="For the outage",
        product_id=str(renamed.pk),
        rate_type="COMMIT_RATE",
        applicable_product_ids=[calls],
        applicable_product_tags=["new"],
        applicable_contract_ids=[str(other.pk)],
    )
    assert (held.name, held.description, held.product.name, held.rate_type) == (
        "Bonus", "For the outage", "Goodwill", "COMMIT_RATE",
    )  # fmt: skip
    assert (held.applicable_product_ids, held.applicable_product_tags, held.applicable_contract_ids) == (
        [calls], ["new"], [str(other.pk)],
    )  # fmt: skip
    with pytest.raises(metronome.BadRequestError, match="cannot be combined with applicable_product_ids"):
        change(specifiers=[specifier])
    held = change(specifiers=[specifier], applicable_product_ids=None, applicable_product_tags=[])
    assert held.specifiers[0].to_dict() == specifier
    held = change(specifiers=None, applicable_contract_ids=None, priority=None)
    assert (held.specifiers, held.applicable_contract_ids, held.priority) == (None, None, 100)
    assert (held.name, held.rate_type) == ("Bonus", "COMMIT_RATE")
    assert CommitVersion.objects.standing().count() == 1
    assert CommitVersion.objects.count() == 3


def test_another_contract_bills_it_until_a_payment_has_come(desk, acme):
    other = contract_for(acme.customer, acme.prices, starting_at=JANUARY, terms__ending_before=None)
    given = {"type": "PREPAID", "invoice_contract_id": str(acme.contract.pk)}
    later = desk.share((100, OCTOBER, JANUARY), **given, invoice_schedule=invoiced((90, DECEMBER)))
    due = desk.share((100, OCTOBER, JANUARY), **given, invoice_schedule=invoiced((80, OCTOBER), (70, DECEMBER)))

    desk.v2.contracts.edit_commit(**desk.whose, commit_id=later, invoice_contract_id=str(other.pk))
    assert desk.held(later).invoice_contract.id == str(other.pk)
    with pytest.raises(metronome.BadRequestError, match="what has fallen due was billed by another contract"):
        desk.v2.contracts.edit_commit(**desk.whose, commit_id=due, invoice_contract_id=str(other.pk))
    billed = {
        (invoice.contract_id, invoice.total)
        for invoice in desk.v1.customers.invoices.list(**desk.whose, type="SCHEDULED")
    }
    assert billed == {(str(other.pk), 90), (str(acme.contract.pk), 80), (str(acme.contract.pk), 70)}
    assert acme.customer.pk in {due.customer_id for due in due_customers(at=at("2025-12-02"))}
    desk.finalized("2025-12-02")
    assert acme.customer.pk not in {due.customer_id for due in due_customers(at=at("2025-12-02"))}
    assert sorted(desk.totals(status="FINALIZED", type="SCHEDULED")) == [70, 80, 90]


# --- What breaks a rule ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({}, None, "The edit changes nothing"),
        ({"name": "x" * 161}, "name", "must not be longer than 160"),
        ({"priority": "1.1234567890123"}, "priority", "must not have more than 12 decimals"),
        ({"product_id": str(uuid7())}, "product_id", "must be the id of a product"),
        ({"applicable_product_ids": [str(uuid7())]}, "applicable_product_ids[0]", "must be the id of a product"),
        ({"applicable_contract_ids": []}, "applicable_contract_ids", "of the customer only"),
        (
            {"access_schedule": {"update_schedule_items": [{"id": str(uuid7()), "amount": 1}]}},
            "access_schedule.update_schedule_items[0].id",
            "must be the id of a segment of the commit or credit",
        ),
        (
            {"access_schedule": {"remove_schedule_items": [{"id": "SEGMENT"}, {"id": "SEGMENT"}]}},
            "access_schedule.remove_schedule_items[1].id",
            "must be there only once",
        ),
        (
            {"access_schedule": {"remove_schedule_items": [{"id": "SEGMENT"}]}},
            "access_schedule.schedule_items",
            "archive the commit or credit to end all of it",
        ),
        (
            {"access_schedule": {"update_schedule_items": [{"id": "SEGMENT", "amount": 0}]}},
            "access_schedule.update_schedule_items[0].amount",
            "must be greater than 0",
        ),
        (
            {"access_schedule": {"update_schedule_items": [{"id": "SEGMENT", "amount": "0.1234567890123"}]}},
            "access_schedule.update_schedule_items[0].amount",
            "must not have more than 12 decimals",
        ),
        (
            {"access_schedule": {"update_schedule_items": [{"id": "SEGMENT", "ending_before": OCTOBER}]}},
            "access_schedule.update_schedule_items[0].ending_before",
            "must be later than starting_at",
        ),
        (
            {"access_schedule": {"add_schedule_items": [{"amount": 1, "starting_at": at("2025-10-01T00:30"),
                                                         "ending_before": JANUARY}]}},
            "access_schedule.add_schedule_items[0].starting_at",
            "must be on the hour",
        ),
    ],
)  # fmt: skip
def test_a_change_that_breaks_a_rule_is_refused(desk, given, field, rule):
    credit = desk.add()
    [segment] = ids_of(credit.access_schedule)
    schedule = given.get("access_schedule", {})
    changed = {
        name: [{**item, **({"id": segment} if item.get("id") == "SEGMENT" else {})} for item in items]
        for name, items in schedule.items()
    }
    with pytest.raises(metronome.BadRequestError, match=rule) as refused:
        desk.v2.contracts.edit_credit(
            **desk.whose, credit_id=credit.id, **given | ({"access_schedule": changed} if changed else {})
        )
    errors = refused.value.body.get("errors") or [{"field": None}]
    assert field in {error["field"] for error in errors}
    assert ContractEdit.objects.filter(kind="EDIT").count() == 1


def test_hierarchies_are_not_supported(desk):
    credit = desk.add()
    for call in (
        lambda **given: desk.v2.contracts.edit_credit(**desk.whose, credit_id=credit.id, **given),
        lambda **given: desk.v2.contracts.edit(**desk.ids, update_credits=[{"credit_id": credit.id, **given}]),
    ):
        with pytest.raises(metronome.APIStatusError) as refused:
            call(hierarchy_configuration={"child_access": {"type": "ALL"}})
        assert refused.value.status_code == 501


def test_each_kind_is_changed_by_its_own_name(desk):
    credit, commit = desk.add(), desk.add(type="PREPAID")
    with pytest.raises(metronome.NotFoundError, match="There is no such commit"):
        desk.v2.contracts.edit_commit(**desk.whose, commit_id=credit.id, name="x")
    with pytest.raises(metronome.NotFoundError, match="There is no such credit"):
        desk.v2.contracts.edit_credit(**desk.whose, credit_id=commit.id, name="x")
    with pytest.raises(metronome.BadRequestError, match="must be the id of a credit of the contract"):
        desk.v2.contracts.edit(**desk.ids, update_credits=[{"credit_id": commit.id, "name": "x"}])
    with pytest.raises(metronome.BadRequestError, match="by the edit that archives it"):
        desk.v2.contracts.edit(
            **desk.ids, update_credits=[{"credit_id": credit.id, "name": "x"}], archive_credits=[{"id": credit.id}]
        )


# --- History ---------------------------------------------------------------------------------------------------------


def test_the_history_says_it_in_words(acme, desk):
    credit = desk.add(name="Bonus")
    [segment] = ids_of(credit.access_schedule)
    desk.v2.contracts.edit_credit(
        **desk.whose,
        credit_id=credit.id,
        priority=1,
        name="Welcome",
        applicable_product_ids=[str(acme.prices.calls.pk)],
        access_schedule={"update_schedule_items": [{"id": segment, "amount": 60}]},
    )
    desk.v1.customers.credits.update_end_date(**desk.whose, credit_id=credit.id, access_ending_before=NOVEMBER)

    later, earlier, *_ = history_in_words(acme.contract)
    assert earlier.changes == (
        "Credit “Bonus”: $1.00 (1 October – 31 December 2025) is now $0.60; priority 100 is now 1; named “Welcome”; "
        "for API calls.",
    )
    assert later.changes == ("Credit “Welcome”: $0.60 (1 October – 31 December 2025) is now (1–31 October 2025).",)


def test_a_history_costs_the_same_however_much_was_changed(acme, desk):
    def cost():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            edit_history(acme.customer.pk, acme.contract.pk)
        return len(queries)

    first = desk.add()
    desk.v2.contracts.edit_credit(**desk.whose, credit_id=first.id, name="One")
    once = cost()
    for name in ("Two", "Three"):
        desk.v2.contracts.edit_credit(**desk.whose, credit_id=desk.add().id, name=name)
    assert cost() == once


# --- The database ----------------------------------------------------------------------------------------------------


def test_the_database_keeps_what_was_taken_and_versions_as_they_are(acme, desk, clock_at):
    acme.calls("2025-10-05T10", 15)
    credit = desk.add()
    clock_at("2025-11-02")
    desk.finalized()
    desk.v2.contracts.edit_credit(**desk.whose, credit_id=credit.id, name="Bonus")
    [segment], [version] = AccessSegment.objects.all(), CommitVersion.objects.all()
    less = {"customer": acme.customer, "commit_id": segment.commit_id, "first_row": segment, "amount": D(29),
            "starting_at": OCTOBER, "ending_before": JANUARY, "created_at": OCTOBER,
            "added_by_edit": version.added_by_edit}  # fmt: skip
    with pytest.raises(IntegrityError, match="more has been taken from the segment"), transaction.atomic():
        AccessSegment.objects.create(**less)
    with pytest.raises(IntegrityError, match="is never overwritten"), transaction.atomic():
        CommitVersion.objects.update(name="Other")
    again = {**version.attributes(), "customer": acme.customer, "commit_id": segment.commit_id,
             "created_at": OCTOBER, "added_by_edit": version.added_by_edit}  # fmt: skip
    with pytest.raises(IntegrityError, match="a_commit_has_one_version_at_a_time"), transaction.atomic():
        CommitVersion.objects.create(**again)
    with pytest.raises(IntegrityError, match="only a commit of the customer names contracts"), transaction.atomic():
        CommitVersion.objects.create(
            **again | {"removed_by_edit": version.added_by_edit, "invoice_contract_id": acme.contract.pk}
        )
