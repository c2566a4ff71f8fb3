"""Usage that is invoiced here from a later date on than the contract runs: by the API and by click."""

import metronome
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from billing_site.foundation import tokens
from contracts.models import Contract
from contracts.queries import agreement
from contracts.services.copies import contract_like
from invoicing.models import Invoice
from invoicing.queries import due_customers
from invoicing.services import finalize_due
from ledger.queries.verdicts import explain
from tests.factories.contracts import CustomerFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, OCTOBER, at, sdk, use

pytestmark = pytest.mark.django_db

MIDDLE = at("2025-11-15")


@pytest.fixture
def client(clock_at):
    clock_at("2025-11-20")
    return sdk(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])


def create(client, customer, prices, starts, **more):
    whole = {"starting_at": OCTOBER, "ending_before": JANUARY, "rate_card_id": str(prices.card.pk), **more}
    schedule = {"frequency": "MONTHLY", "invoice_generation_starting_at": starts}
    made = client.v1.contracts.create(customer_id=str(customer.pk), usage_statement_schedule=schedule, **whole)
    return {"customer_id": str(customer.pk), "contract_id": made.data.id}


@pytest.mark.django_db(transaction=True)
def test_no_usage_document_is_made_before_it(client, price_list):
    customer = CustomerFactory(aliases=["acme"])
    ids = create(client, customer, price_list, MIDDLE)
    for hour, calls in (("2025-10-10T00", 3), ("2025-11-14T23", 2), ("2025-11-15T00", 7)):
        use(price_list.calls_made, hour, calls, {})

    [draft] = client.v1.customers.invoices.list(customer_id=str(customer.pk)).data
    assert (draft.start_timestamp, draft.end_timestamp, draft.total) == (MIDDLE, DECEMBER, 14)
    for reply in (client.v2.contracts.retrieve(**ids).data, client.v1.contracts.retrieve(**ids).data.current):
        told = reply.usage_statement_schedule.to_dict()
        assert told["invoice_generation_starting_at"] == "2025-11-15T00:00:00+00:00"

    assert due_customers(at=at("2025-12-01T23:59:59")) == []
    finalize_due(customer.pk, at=at("2025-12-02"), by=ADA)
    [final] = Invoice.objects.all()
    assert (final.starting_at, final.ending_before, final.total) == (MIDDLE, DECEMBER, 14)
    late = {"received_at": at("2025-12-20")}
    use(price_list.calls_made, "2025-10-11T00", 5, {}, **late)
    finalize_due(customer.pk, at=at("2026-03-02"), by=ADA)
    assert list(Invoice.objects.order_by("issued_at").values_list("kind", "total")) == [("USAGE", 14), ("USAGE", 0)]
    assert due_customers(at=at("2026-03-02")) == []
    explanation = explain("acme", price_list.calls_made.event_type_filter["in_values"][0], at("2025-10-10"), {})
    assert explanation.summary == "It is from before usage of its contract is invoiced here, so it is on no document."

    contract = Contract.objects.get()
    like = contract_like(agreement(customer.pk, contract.pk), JANUARY)
    assert like.usage_statement_schedule.invoice_generation_starting_at is None
    for change in ({"invoicing_starts_at": DECEMBER}, {"invoicing_starts_at": None}):
        with pytest.raises(IntegrityError, match="born with never changes"), transaction.atomic():
            Contract.objects.filter(pk=contract.pk).update(**change)


def test_a_package_says_it_by_an_offset(client, price_list):
    schedule = {"frequency": "MONTHLY", "invoice_generation_starting_at_offset": {"unit": "MONTHS", "value": 1}}
    whole = {"name": "Moved here", "rate_card_id": str(price_list.card.pk), "duration": {"unit": "MONTHS", "value": 2}}
    package_id = client.v1.packages.create(usage_statement_schedule=schedule, **whole).data.id

    told = client.v1.packages.retrieve(package_id=package_id).data.usage_statement_schedule
    client.v1.contracts.create(customer_id=str(CustomerFactory().pk), starting_at=OCTOBER, package_id=package_id)

    assert told.to_dict() == schedule
    assert Contract.objects.get().invoicing_starts_at == at("2025-11-01")
    with pytest.raises(metronome.BadRequestError) as refusal:
        client.v1.packages.create(
            usage_statement_schedule=schedule, **whole | {"duration": {"unit": "MONTHS", "value": 1}}
        )
    [error] = refusal.value.body["errors"]
    assert error["field"] == "usage_statement_schedule.invoice_generation_starting_at_offset"
    assert error["rule"] == "must be before the contract's end"


@pytest.mark.parametrize(
    ("starts", "rule"),
    [
        ("2025-09-30", "must not be before the contract's start"),
        ("2026-01-01", "must be before the contract's end"),
        ("2025-11-15T00:30:00Z", "must be on the hour"),
    ],
)
def test_a_start_that_cannot_be_is_refused_by_name(client, price_list, starts, rule):
    with pytest.raises(metronome.BadRequestError) as refusal:
        create(client, CustomerFactory(), price_list, starts)

    [error] = refusal.value.body["errors"]
    assert error["field"] == "usage_statement_schedule.invoice_generation_starting_at"
    assert rule in error["rule"]
    assert not Contract.objects.exists()


def test_it_is_typed_with_a_new_contract_and_read_on_its_page(price_list, clock_at):
    clock_at("2025-10-10")
    browser, customer = Client(), CustomerFactory()
    browser.force_login(User.objects.create_superuser("grace"))
    typed = {
        "customer": customer.pk,
        "rate_card": price_list.card.pk,
        "starting_at_0": "2025-10-01",
        "starting_at_1": "00:00",
        "frequency": "MONTHLY",
        "day": "FIRST_OF_MONTH",
        "multiplier_override_prioritization": "LOWEST_MULTIPLIER",
    }
    add, field = reverse("admin:contracts_contract_add"), "invoice_generation_starting_at"

    refused = browser.post(add, {**typed, f"{field}_0": "2025-09-30", f"{field}_1": "00:00"})
    assert refused.context["adminform"].form.errors == {field: ["must not be before the contract's start"]}
    made = browser.post(add, {**typed, f"{field}_0": "2025-11-15", f"{field}_1": "00:00"})

    assert made.status_code == 302, made.context["adminform"].form.errors
    contract = Contract.objects.get()
    assert contract.invoicing_starts_at == MIDDLE
    page = browser.get(reverse("admin:contracts_contract_change", args=[contract.pk])).content.decode()
    assert "Usage is invoiced from 15 November 2025 on; what is used earlier is on no invoice here." in page
