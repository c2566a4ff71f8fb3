"""Customers and contracts in the admin: all that the API can do, in a fixed number of queries."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts.models import (
    AccessSegment,
    Claim,
    Commit,
    Contract,
    ContractEdit,
    ContractTerms,
    Customer,
    InvoiceScheduleItem,
    Override,
    ScheduledCharge,
    ScheduledChargeItem,
)
from contracts.queries import agreement, aliases_of
from tests.factories.contracts import (
    CommitFactory,
    ContractFactory,
    CustomerFactory,
    OverrideFactory,
    ScheduledChargeFactory,
)
from tests.factories.pricing import ProductFactory, RateCardFactory

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
MID_OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)
DECEMBER = datetime(2025, 12, 1, tzinfo=UTC)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
MODELS = [
    AccessSegment,
    Claim,
    Commit,
    Contract,
    ContractEdit,
    ContractTerms,
    Customer,
    InvoiceScheduleItem,
    Override,
    ScheduledCharge,
    ScheduledChargeItem,
]
# What a browser sends for the list of contracts on a customer's page, which is only shown.
NO_INLINES = {"contracts-TOTAL_FORMS": "0", "contracts-INITIAL_FORMS": "0"}


@pytest.fixture
def revops(client):
    """A browser in which Grace of RevOps is logged in."""
    client.force_login(get_user_model().objects.create_superuser("grace"))
    return client


def page(model, name, *args):
    return reverse(f"admin:contracts_{model._meta.model_name}_{name}", args=args)


def split(name, instant):
    """The two inputs of an instant."""
    return {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M:%S}"}


def one_of_everything():
    contract = ContractFactory(customer=CustomerFactory(aliases=[f"alias-{Customer.objects.count()}"]))
    OverrideFactory(contract=contract, product=ProductFactory())
    OverrideFactory(contract=contract, type="OVERWRITE", price=3)
    CommitFactory(contract=contract)
    ScheduledChargeFactory(contract=contract)
    return contract


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_list_takes_the_same_queries_with_one_row_and_with_three(revops, model):
    counts = []
    for more in (1, 2):
        for _ in range(more):
            one_of_everything()
        with CaptureQueriesContext(connection) as captured:
            assert revops.get(page(model, "changelist")).status_code == 200
        counts.append(len(captured))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_row_has_a_page_and_can_be_searched(revops, model):
    one_of_everything()

    assert revops.get(page(model, "change", model.objects.first().pk)).status_code == 200
    assert revops.get(page(model, "changelist"), {"q": "acme"}).status_code == 200


@pytest.mark.parametrize("model", [model for model in MODELS if model not in (Customer, Contract)])
def test_facts_and_terms_can_only_be_looked_at(revops, model):
    one_of_everything()
    row = model.objects.first()

    assert revops.get(page(model, "add")).status_code == 403
    assert revops.post(page(model, "change", row.pk), {}).status_code == 403
    assert revops.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_the_list_of_edits_leads_to_what_each_did_in_words(revops):
    contract = ContractFactory()
    listed = revops.get(page(ContractEdit, "changelist"))
    assert f'href="{page(Contract, "change", contract.pk)}#history"' in listed.content.decode()


def test_a_contract_page_says_what_was_agreed(revops):
    shown = revops.get(page(Contract, "record", one_of_everything().pk)).content.decode()

    for agreed in (
        "0.5 × list price from 2025-01-01 00:00 UTC",
        "price 3 from 2025-01-01 00:00 UTC",
        "10000000 from 2025-01-01 00:00 up to 2026-01-01 00:00 UTC",
        "10000000 on 2026-01-01 00:00 UTC",
        "1000 on 2025-01-01 00:00 UTC",
    ):
        assert agreed in shown


def test_a_contract_page_takes_the_same_queries_with_few_terms_and_with_many(revops):
    contract = one_of_everything()
    ContentType.objects.get_for_model(Contract)  # the process asks for it once
    counts = []
    for more in (0, 3):
        for _ in range(more):
            OverrideFactory(contract=contract, product=ProductFactory())
            CommitFactory(contract=contract)
        with CaptureQueriesContext(connection) as captured:
            revops.get(page(Contract, "record", contract.pk))
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_the_page_of_a_customer_asks_for_nothing_twice(revops):
    contract = one_of_everything()
    with CaptureQueriesContext(connection) as asked:
        assert revops.get(page(Customer, "change", contract.customer_id)).status_code == 200
    statements = [query["sql"] for query in asked]
    assert [sql for sql in set(statements) if statements.count(sql) > 1] == []


def test_a_customer_is_added_and_changed(revops):
    added = {"name": "Acme", "ingest_aliases": "acme\n\n b ", "custom_fields": '{"crm": "42"}', "reason": "signed"}
    assert revops.post(page(Customer, "add"), added).status_code == 302
    customer = Customer.objects.get()
    assert (customer.name, customer.custom_fields, customer.created_by) == ("Acme", {"crm": "42"}, "grace")
    assert aliases_of([customer.pk])[customer.pk] == ["acme", "b"]
    assert customer.history.get().history_change_reason == "signed"

    changed = {"name": "Acme GmbH", "ingest_aliases": "b\nc", "reason": "incorporated"}
    assert revops.post(page(Customer, "change", customer.pk), changed | NO_INLINES).status_code == 302
    customer.refresh_from_db()
    assert (customer.name, aliases_of([customer.pk])[customer.pk]) == ("Acme GmbH", ["b", "c"])
    assert ContractEdit.objects.get(number=2).reason == "incorporated"
    newest = customer.history.first()
    assert (newest.history_change_reason, newest.actor_label, newest.source) == ("incorporated", "grace", "ADMIN")


def test_what_a_service_refuses_is_shown_beside_the_field(revops):
    CustomerFactory(aliases=["acme"])

    shown = revops.post(page(Customer, "add"), {"name": "Twin", "ingest_aliases": "acme"})

    assert shown.status_code == 200
    assert "is an alias of customer" in str(shown.context["adminform"].form.errors["ingest_aliases"])
    assert Customer.objects.count() == 1


def test_customers_are_archived_with_a_reason_unless_they_have_contracts(revops):
    gone, kept = CustomerFactory(name="Gone"), ContractFactory().customer
    action = {"action": "archive", "reason": "left", "_selected_action": [gone.pk, kept.pk]}

    shown = revops.post(page(Customer, "changelist"), action, follow=True)

    assert [str(message) for message in shown.context["messages"]] == [
        f"id: has contracts; archiving those is not supported yet (got {kept.pk}).",
        "1 archived.",
    ]
    archived = Customer.objects.exclude(archived_at=None).get()
    assert (archived, archived.history.first().history_change_reason) == (gone, "left")


def test_a_contract_is_added(revops):
    customer, card = CustomerFactory(), RateCardFactory()
    form = {
        "customer": customer.pk,
        "rate_card": card.pk,
        "frequency": "QUARTERLY",
        "multiplier_override_prioritization": "EXPLICIT",
        "scheduled_charges_on_usage_invoices": "ALL",
        "name": "Deal",
        "day": "CUSTOM_DATE",
        "net_payment_terms_days": "30",
        "reason": "signed",
        **split("starting_at", OCTOBER),
        **split("ending_before", JANUARY),
        **split("billing_anchor_date", DECEMBER),
    }

    assert revops.post(page(Contract, "add"), form).status_code == 302
    contract = Contract.objects.get()
    assert (contract.customer, contract.rate_card, contract.starting_at) == (customer, card, OCTOBER)
    assert (contract.frequency, contract.billing_anchor_at) == ("QUARTERLY", DECEMBER)
    assert (contract.uniqueness_key, contract.multiplier_override_prioritization) == (None, "EXPLICIT")
    assert contract.charges_on_usage
    terms = agreement(customer.pk, contract.pk).terms
    assert (terms.name, terms.ending_before, terms.net_payment_terms_days) == ("Deal", JANUARY, 30)
    assert ContractEdit.objects.get(contract=contract).reason == "signed"

    again = revops.post(page(Contract, "add"), form | split("starting_at", MID_OCTOBER.replace(minute=5)))
    assert "must be on the hour (UTC)" in str(again.context["adminform"].form.errors["starting_at"])
