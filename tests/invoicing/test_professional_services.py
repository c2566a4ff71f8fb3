"""Professional services and their invoices (`docs/professional_services.md`): by the SDK, to the documents."""

from decimal import Decimal as D
from threading import Thread

import metronome
import pytest
from django.db import IntegrityError, connection, transaction

from billing_site.foundation import tokens
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.models import ContractEdit, ProfessionalService, ServiceInvoice, ServiceInvoiceLine
from contracts.queries import agreement, customer_terms
from contracts.service_inputs import ServiceInvoiceInput, ServiceLineInput
from contracts.services.copies import contract_like
from contracts.wording import history_in_words
from invoicing.explanation import line_sentences
from invoicing.models import Invoice
from invoicing.queries import due_customers
from invoicing.queries.explained import explained_document
from invoicing.services import finalize_due, regenerate_invoice, verify_invoice, void_invoice
from tests.factories.contracts import CustomerFactory, ProfessionalServiceFactory, ScheduledChargeFactory
from tests.factories.pricing import FixedProductFactory, ServiceProductFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, contract_for, sdk

pytestmark = pytest.mark.django_db

TODAY = at("2025-11-15T12")


@pytest.fixture
def client(clock_at):
    clock_at("2025-11-15T12")
    return sdk(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def consulting(db):
    return ServiceProductFactory(name="Consulting")


@pytest.fixture
def ids(acme):
    return {"customer_id": str(acme.customer.pk), "contract_id": str(acme.contract.pk)}


def work(product, **more):
    """Ten days of 20, and no more than 250."""
    return {"product_id": str(product.pk), "quantity": 10, "unit_price": 20, "max_amount": 250} | more


@pytest.fixture
def service(client, ids, consulting):
    edit = client.v2.contracts.edit(**ids, add_professional_services=[work(consulting, description="Onboarding")])
    [added] = edit.data.edit.add_pro_services
    return added


def bill(client, ids, *lines, on="2025-12-01T09:30:00Z", **more):
    [invoice] = client.v1.contracts.schedule_pro_services_invoice(**ids, issued_at=on, line_items=lines, **more).data
    return invoice


def refused(client, ids, *lines, **more):
    before = ContractEdit.objects.count()
    with pytest.raises(metronome.BadRequestError) as refusal:
        bill(client, ids, *lines, **more)
    assert ContractEdit.objects.count() == before
    return [(each["field"], each["rule"]) for each in refusal.value.body["errors"]]


def test_it_is_agreed_and_read_field_by_field(client, consulting):
    customer = CustomerFactory()
    full = work(consulting, description="Set-up", netsuite_sales_order_id="SO-1", custom_fields={"crm": "1"})
    made = client.v1.contracts.create(
        customer_id=str(customer.pk), starting_at=OCTOBER, professional_services=[full]
    ).data
    ids = {"customer_id": str(customer.pk), "contract_id": made.id}
    client.v1.contracts.amend(**ids, starting_at=NOVEMBER, professional_services=[work(consulting)])

    first, second = client.v2.contracts.retrieve(**ids).data.professional_services
    assert first.to_dict() == full | {"id": first.id}
    v1 = client.v1.contracts.retrieve(**ids).data
    assert [each.id for each in v1.initial.professional_services] == [first.id]
    assert [[each.id for each in amendment.professional_services] for amendment in v1.amendments] == [[second.id]]
    assert [each.id for each in v1.current.professional_services] == [first.id, second.id]
    [edit] = client.v2.contracts.get_edit_history(**ids).data
    assert [each.id for each in edit.add_pro_services] == [second.id]


def test_work_is_invoiced_on_its_date_by_amount_by_quantity_and_at_another_price(client, acme, ids, service):
    told = {
        "metadata": "Week 48",
        "netsuite_invoice_billing_start": "2025-11-24T00:00:00Z",
        "netsuite_invoice_billing_end": "2025-12-01T00:00:00Z",
    }
    header = {
        "netsuite_invoice_header_start": "2025-11-01T00:00:00Z", "netsuite_invoice_header_end": "2025-12-01T00:00:00Z"
    }  # fmt: skip

    invoice = bill(
        client, ids,
        {"professional_service_id": service.id, "amount": 50, **told},
        {"professional_service_id": service.id, "quantity": 2},
        {"professional_service_id": service.id, "quantity": 3, "unit_price": 15.5},
        **header,
    )  # fmt: skip

    assert (invoice.type, invoice.status, invoice.total) == ("SCHEDULED", "DRAFT", 136.5)
    assert (invoice.issued_at, invoice.start_timestamp) == (at("2025-12-01T09:30"), None)
    assert invoice.to_dict()["netsuite_invoice_header_end"] == "2025-12-01T00:00:00+00:00"
    assert [(each.name, each.quantity, each.unit_price, each.total) for each in invoice.line_items] == [
        ("Consulting", 1, 50, 50), ("Consulting", 2, 20, 40), ("Consulting", 3, 15.5, 46.5)
    ]  # fmt: skip
    line = invoice.line_items[0]
    assert (line.type, line.professional_service_id, line.product_type) == (
        "scheduled", service.id, "ProServiceProductListItem"
    )  # fmt: skip
    assert (line.metadata, line.netsuite_invoice_billing_start) == ("Week 48", at("2025-11-24"))
    assert client.v1.customers.invoices.retrieve(
        customer_id=ids["customer_id"], invoice_id=invoice.id
    ).data.total == 136.5  # fmt: skip
    assert client.v2.contracts.get_edit_history(**ids).data[-1].add_pro_services  # an invoice is no edit of terms


def test_it_becomes_final_by_itself_is_explained_verified_voided_and_made_anew(client, acme, ids, service):
    ScheduledChargeFactory(contract=acme.contract, item__issued_at=at("2025-12-01T09:30"))
    draft = bill(client, ids, {"professional_service_id": service.id, "amount": 50})
    assert [due.instant for due in due_customers(at=at("2025-12-01T09:30"))] == [at("2025-12-01T09:30")]

    finalize_due(acme.customer.pk, at=at("2025-12-01T10"), by=ADA)

    assert due_customers(at=at("2025-12-01T10")) == []
    invoice = Invoice.objects.get(pk=draft.id)
    totals = Invoice.objects.filter(kind="CHARGES").values_list("total", flat=True)
    assert sorted(totals) == [50, 1000]  # a charge of the date is another
    assert verify_invoice(invoice).differences == ()
    told = explained_document(acme.customer.pk, invoice.pk, at=at("2025-12-01T10"))
    assert "Agreed in edit" in "\n".join(line_sentences(told, told.document.lines[0]))
    void_invoice(acme.customer, invoice.pk, reason="Wrong", at=at("2025-12-02"), by=ADA)
    anew = regenerate_invoice(acme.customer, invoice.pk, at=at("2025-12-02"), by=ADA)
    assert (anew.total, anew.slot) == (50, invoice.slot)
    assert refused(client, ids, {"professional_service_id": service.id, "amount": 201})[0][0] == "line_items[0].amount"


def test_no_more_is_ever_invoiced_than_agreed(client, ids, service):
    bill(client, ids, {"professional_service_id": service.id, "amount": 200})
    left = "must not come to more than 50: so much of max_amount, 250, is left"
    more = {"professional_service_id": service.id, "amount": 30}

    assert refused(client, ids, more | {"amount": 51}) == [("line_items[0].amount", left)]
    assert refused(client, ids, more, more) == [("line_items[1].amount", left.replace("50", "20", 1))]
    assert refused(client, ids, {"professional_service_id": service.id, "quantity": 3}) == [
        ("line_items[0].quantity", left)
    ]
    assert bill(client, ids, more | {"amount": 50}).total == 50


def test_the_database_refuses_more_whatever_the_code_does():
    service = ProfessionalServiceFactory()
    edit = service.added_by_edit
    given = {"customer": service.customer, "added_by_edit": edit, "created_at": edit.created_at}
    invoice = ServiceInvoice.objects.create(contract=service.contract, issued_at=DECEMBER, **given)
    line = {"invoice": invoice, "service": service, "unit_price": 1, "quantity": 1, **given}
    ServiceInvoiceLine.objects.create(amount=25_000, **line)

    for wrong, message in (
        ({**line, "amount": D("0.01")}, "no more of professional service"),
        ({**line, "amount": 0}, "work_is_invoiced_above_zero"),
        ({**line, "amount": 1, "service": ProfessionalServiceFactory()}, "by its own contract"),
    ):
        with pytest.raises(IntegrityError, match=message), transaction.atomic():
            ServiceInvoiceLine.objects.create(**wrong)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_only_one_gets_the_rest():
    service = ProfessionalServiceFactory()
    given = ServiceInvoiceInput(DECEMBER, (ServiceLineInput(service.pk, amount=D(20_000)),))
    ends = []

    def invoice():
        try:
            services.schedule_services_invoice(service.customer_id, service.contract_id, given, at=TODAY, by=ADA)
        except Refusal as refusal:
            ends.append(refusal.errors[0].rule)
        else:
            ends.append("made")
        finally:
            connection.close()

    twins = [Thread(target=invoice) for _ in range(2)]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert sorted(ends) == ["made", "must not come to more than 5000: so much of max_amount, 25000, is left"]


@pytest.mark.parametrize(
    ("line", "field", "rule"),
    [
        ({}, "line_items[0].amount", "is required, or a quantity"),
        ({"amount": 0}, "line_items[0].amount", "must be above zero"),
        ({"amount": 5, "quantity": 1}, "line_items[0].quantity", "cannot be combined with amount"),
        ({"quantity": -1}, "line_items[0].quantity", "must not be negative"),
        ({"amount": 5, "amendment_id": "00000000-0000-0000-0000-000000000000"}, "line_items[0].amendment_id", "absent"),
        ({"amount": 5, "professional_service_id": "00000000-0000-0000-0000-000000000000"},
         "line_items[0].professional_service_id", "must be the id of a professional service of the contract"),
        ({"amount": 5, "netsuite_invoice_billing_start": "2025-12-02T00:00:00Z",
          "netsuite_invoice_billing_end": "2025-12-01T00:00:00Z"},
         "line_items[0].netsuite_invoice_billing_end", "must be later than netsuite_invoice_billing_start"),
        ({"amount": 5, "metadata": "x" * 2_001}, "line_items[0].metadata", "2000"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_is_refused_beside_its_field(client, ids, service, line, field, rule):
    [(named, said)] = refused(client, ids, {"professional_service_id": service.id} | line)
    assert named == field
    assert rule in said


def test_an_invoice_of_nothing_and_one_of_another_customer_are_refused(client, ids, service, price_list):
    assert refused(client, ids) == [("line_items", "must be from 1 to 1000")]
    other = contract_for(CustomerFactory(), price_list)
    with pytest.raises(metronome.NotFoundError):
        bill(client, ids | {"contract_id": str(other.pk)}, {"professional_service_id": service.id, "amount": 5})


def test_one_of_an_amendment_is_named_with_it(client, ids, consulting):
    client.v1.contracts.amend(**ids, starting_at=NOVEMBER, professional_services=[work(consulting)])
    [amendment] = client.v1.contracts.retrieve(**ids).data.amendments
    [service] = amendment.professional_services
    line = {"professional_service_id": service.id, "amount": 5}

    assert refused(client, ids, line) == [
        ("line_items[0].amendment_id", f"must be {amendment.id}, the amendment that added the service")
    ]
    assert bill(client, ids, line | {"amendment_id": amendment.id}).total == 5


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"max_amount": -1}, "max_amount", "must not be negative"),
        ({"quantity": -1}, "quantity", "must not be negative"),
        ({"description": "x" * 2_001}, "description", "2000"),
        ({"product_id": "00000000-0000-0000-0000-000000000000"}, "product_id", "must be the id of a product"),
    ],
)
def test_a_service_that_cannot_be_is_refused(client, ids, consulting, given, field, rule):
    with pytest.raises(metronome.BadRequestError) as refusal:
        client.v2.contracts.edit(**ids, add_professional_services=[work(consulting, **given)])
    [error] = refusal.value.body["errors"]
    assert error["field"] == f"add_professional_services[0].{field}"
    assert rule in error["rule"]
    assert not ProfessionalService.objects.exists()


def test_it_is_sold_as_a_product_for_work(client, ids):
    with pytest.raises(metronome.BadRequestError, match="must be a PRO_SERVICE product; Support is FIXED"):
        client.v2.contracts.edit(**ids, add_professional_services=[work(FixedProductFactory(name="Support"))])


def test_an_invoice_is_taken_back_before_its_date_and_not_after(client, acme, ids, service):
    invoice = bill(client, ids, {"professional_service_id": service.id, "amount": 200})
    taken = {"customer_id": ids["customer_id"], "invoice_id": invoice.id, "reason": "Typed twice"}

    answer = client.post("/v1/contracts/takeBackProServicesInvoice", body=taken, cast_to=dict[str, object])

    assert answer == {"data": {"id": invoice.id}}
    assert bill(client, ids, {"professional_service_id": service.id, "amount": 250}).total == 250
    services.take_back_services_invoice(acme.customer, ServiceInvoice.objects.first().pk, at=TODAY, by=ADA)
    due = ServiceInvoice.objects.last()
    with pytest.raises(Refusal, match="it did on 2025-12-01T09:30:00"):
        services.take_back_services_invoice(acme.customer, due.pk, at=JANUARY, by=ADA)
    assert [each.changes for each in history_in_words(acme.contract)][:3] == [
        ("$2.50 of “Onboarding” is invoiced on 1 December 2025, 09:30 UTC.",),
        ("Taken back: $2.00 of “Onboarding” is invoiced on 1 December 2025, 09:30 UTC.",),
        ("$2.00 of “Onboarding” is invoiced on 1 December 2025, 09:30 UTC.",),
    ]


def test_a_service_goes_again_while_nothing_of_it_is_invoiced(client, acme, ids, consulting, service):
    edit = client.v2.contracts.edit(**ids, add_professional_services=[work(consulting)]).data.edit
    services.undo_edit(acme.customer, acme.contract.pk, edit.id, at=TODAY, by=ADA)
    assert [each.id for each in client.v2.contracts.retrieve(**ids).data.professional_services] == [service.id]
    bill(client, ids, {"professional_service_id": service.id, "amount": 5})

    with pytest.raises(metronome.BadRequestError, match="of which nothing is invoiced"):
        client.v2.contracts.edit(**ids, extra_body={"archive_professional_services": [{"id": service.id}]})


def test_what_was_known_before_an_invoice_has_none_and_a_copy_has_the_service(client, acme, ids, service):
    before = customer_terms(acme.customer.pk).edit_number
    bill(client, ids, {"professional_service_id": service.id, "amount": 5})

    invoices = [
        len(customer_terms(acme.customer.pk, at_edit=number).contracts[0].service_invoices)
        for number in (before, before + 1)
    ]
    assert invoices == [0, 1]
    copy = contract_like(agreement(acme.customer.pk, acme.contract.pk), JANUARY)
    assert [(each.description, each.max_amount) for each in copy.professional_services] == [("Onboarding", 250)]
