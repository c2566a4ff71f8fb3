"""What NetSuite and Salesforce call the sale of a commit, a credit or a charge: kept, echoed, changed, and told."""

import metronome
import pytest

from billing_site.foundation import tokens
from contracts.models import Commit, Contract, ContractEdit
from contracts.queries import agreement
from contracts.services.copies import contract_like
from contracts.term_lines import term_lines
from contracts.wording import history_in_words
from invoicing.models import Invoice
from invoicing.services import finalize_due, verify_invoice
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.commit_page import Page
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, sdk

pytestmark = pytest.mark.django_db

ACCESS = {"schedule_items": [{"amount": 100, "starting_at": OCTOBER, "ending_before": JANUARY}]}
PLACES = ("commits", "credits", "recurring_commits", "recurring_credits", "scheduled_charges")


@pytest.fixture
def client(clock_at):
    clock_at("2025-10-10")
    return sdk(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])


def terms(prefix=""):
    """One of each kind, each with an order of its own."""
    product = str(FixedProductFactory().pk)
    recurs = {
        "product_id": product,
        "starting_at": NOVEMBER,
        "priority": 1,
        "commit_duration": {"value": 1},
        "access_amount": {"unit_price": 10, "quantity": 1, "credit_type_id": None},
    }
    given = {
        "commits": {"product_id": product, "type": "PREPAID", "access_schedule": ACCESS},
        "credits": {"product_id": product, "access_schedule": ACCESS},
        "recurring_commits": recurs,
        "recurring_credits": recurs,
        "scheduled_charges": {
            "product_id": product,
            "schedule": {"schedule_items": [{"timestamp": NOVEMBER, "amount": 100}]},
        },
    }
    return {f"{prefix}{name}": [{**each, "netsuite_sales_order_id": f"SO-{name}"}] for name, each in given.items()}


def orders(shape, prefix=""):
    return {name: [each.netsuite_sales_order_id for each in getattr(shape, f"{prefix}{name}") or []] for name in PLACES}


ALL = {name: [f"SO-{name}"] for name in PLACES}


def test_terms_of_a_contract_have_orders_that_edits_change(client):
    customer = CustomerFactory()
    made = client.v1.contracts.create(
        customer_id=str(customer.pk), starting_at=OCTOBER, ending_before=JANUARY, **terms()
    )
    ids = {"customer_id": str(customer.pk), "contract_id": made.data.id}
    contract = Contract.objects.get()
    told = [line.text for line in term_lines(agreement(customer.pk, contract.pk))]
    assert [text.partition("; NetSuite sales order ")[2] for text in told] == [f"SO-{name}" for name in PLACES]
    before = client.v2.contracts.retrieve(**ids).data
    assert orders(before) == ALL
    assert orders(client.v1.contracts.retrieve(**ids).data.current) == ALL

    client.v2.contracts.edit(
        **ids,
        update_commits=[{"commit_id": before.commits[0].id, "netsuite_sales_order_id": "SO-2"}],
        update_credits=[{"credit_id": before.credits[0].id, "netsuite_sales_order_id": None}],
        add_scheduled_charges=terms()["scheduled_charges"],
    )

    after = client.v2.contracts.retrieve(**ids).data
    assert orders(after) == ALL | {
        "commits": ["SO-2"],
        "credits": [None],
        "scheduled_charges": ["SO-scheduled_charges", "SO-scheduled_charges"],
    }
    [edit] = client.v2.contracts.get_edit_history(**ids).data[-1:]
    assert edit.update_commits[0].netsuite_sales_order_id == "SO-2"
    assert [each.netsuite_sales_order_id for each in edit.add_scheduled_charges] == ["SO-scheduled_charges"]
    changes = history_in_words(contract)[0].changes
    assert changes[-2:] == (
        "Prepaid commit: NetSuite sales order SO-2.",
        "Credit: its NetSuite sales order taken away.",
    )
    like = contract_like(agreement(customer.pk, contract.pk), JANUARY)  # another deal, by another order
    assert {each.netsuite_sales_order_id for name in PLACES for each in getattr(like, name)} == {""}
    goes_on = contract_like(agreement(customer.pk, contract.pk), JANUARY, keeps_orders=True)  # it was sold with these
    assert orders(goes_on) == {name: [told or "" for told in ids] for name, ids in orders(after).items()}

    count = ContractEdit.objects.count()
    too_long = {"commit_id": before.commits[0].id, "netsuite_sales_order_id": "x" * 161}
    with pytest.raises(metronome.BadRequestError) as refusal:
        client.v2.contracts.edit(**ids, update_commits=[too_long])
    [error] = refusal.value.body["errors"]
    assert error["field"] == "update_commits[0].netsuite_sales_order_id"
    assert "must not be longer than 160 characters" in error["rule"]
    assert ContractEdit.objects.count() == count


def test_balances_of_the_customer_have_both(client):
    customer, product = CustomerFactory(), str(FixedProductFactory().pk)
    deal = {"netsuite_sales_order_id": "SO-1", "salesforce_opportunity_id": "006X"}
    given = {"customer_id": str(customer.pk), "product_id": product, "priority": 1, "access_schedule": ACCESS, **deal}
    client.v1.customers.commits.create(type="PREPAID", **given)
    client.v1.customers.credits.create(**given)

    for [listed] in (
        client.v1.customers.commits.list(customer_id=str(customer.pk)).data,
        client.v1.customers.credits.list(customer_id=str(customer.pk)).data,
    ):
        assert {name: getattr(listed, name) for name in deal} == deal
    with pytest.raises(metronome.BadRequestError) as refusal:
        client.v1.customers.credits.create(**given | {"salesforce_opportunity_id": "x" * 161})
    assert [error["field"] for error in refusal.value.body["errors"]] == ["salesforce_opportunity_id"]
    assert Commit.objects.count() == 2


def test_a_package_names_no_order(client):
    with pytest.raises(metronome.InternalServerError) as refusal:
        client.v1.packages.create(name="Starter", scheduled_charges=[{"netsuite_sales_order_id": "SO-1"}])

    assert refusal.value.status_code == 501
    assert refusal.value.body["errors"][0]["field"] == "scheduled_charges[0].netsuite_sales_order_id"


def test_the_order_of_a_commit_is_changed_by_click(client):
    customer = CustomerFactory()
    client.v1.contracts.create(
        customer_id=str(customer.pk), starting_at=OCTOBER, ending_before=JANUARY, commits=terms()["commits"]
    )
    page = Page(Commit.objects.get())
    assert page.shown()["netsuite_sales_order_id"] == "SO-commits"

    page.save(netsuite_sales_order_id="SO-2")

    [committed] = agreement(customer.pk, Contract.objects.get().pk).commits
    assert committed.commit.netsuite_sales_order_id == "SO-2"


def test_lines_of_a_commit_say_its_order_from_the_draft_to_the_final_document(client, acme):
    acme.calls("2025-10-03T05", 10)
    product = str(FixedProductFactory().pk)
    paid = {"schedule_items": [{"timestamp": "2025-10-09T00:00:00Z", "amount": 50}]}
    commit = {"product_id": product, "type": "PREPAID", "access_schedule": ACCESS, "invoice_schedule": paid}
    bonus = {"product_id": product, "access_schedule": ACCESS, "priority": 200}
    recurs = terms()["recurring_commits"][0] | {
        "starting_at": OCTOBER,
        "priority": 1,
        "invoice_amount": {"unit_price": 5, "quantity": 1, "credit_type_id": str(acme.prices.card.fiat_unit_id)},
    }
    ids = {"customer_id": str(acme.customer.pk), "contract_id": str(acme.contract.pk)}
    client.v2.contracts.edit(
        **ids,
        add_commits=[commit | {"netsuite_sales_order_id": "SO-1"}],
        add_credits=[bonus],
        add_recurring_commits=[recurs],
    )

    def said():
        listed = client.v1.customers.invoices.list(customer_id=ids["customer_id"], sort="date_asc").data
        return {
            (line.type, line.commit_netsuite_sales_order_id)
            for invoice in listed
            for line in invoice.line_items
            if invoice.issued_at < NOVEMBER.replace(day=3)
        }

    expected = {
        ("commit_purchase", "SO-1"),
        ("commit_purchase", "SO-recurring_commits"),
        ("usage", "SO-recurring_commits"),
        ("applied_commit_or_credit", "SO-recurring_commits"),
        ("usage", "SO-1"),
        ("applied_commit_or_credit", "SO-1"),
    }
    drafted = said()
    assert expected <= drafted
    finalize_due(acme.customer.pk, at=NOVEMBER.replace(day=3), by=ADA)
    assert said() == drafted
    for invoice in Invoice.objects.filter(kind="CHARGES"):
        assert verify_invoice(invoice).differences == ()
