"""Usage that was invoiced elsewhere, imported by the SDK (`docs/historical_invoices.md`)."""

from decimal import Decimal as D
from threading import Thread

import metronome
import pytest
from django.db import connection

from billing_site.foundation import tokens
from invoicing.explanation import line_sentences
from invoicing.models import Invoice
from invoicing.queries import due_customers
from invoicing.queries.explained import explained_document
from invoicing.services import finalize_due, regenerate_invoice, verify_invoice, void_invoice
from invoicing.services.historical import create_historical_invoices
from invoicing.services.historical_checks import PastInvoiceInput, PastLineInput
from invoicing.services.voiding import NothingToRegenerate
from ledger.models import LedgerEntry
from tests.factories.contracts import CustomerFactory, OverrideFactory
from tests.factories.pricing import FixedProductFactory, RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, contract_for, sdk, use

pytestmark = pytest.mark.django_db

MIDDLE = at("2025-10-15")


@pytest.fixture
def client(clock_at):
    clock_at("2025-11-20")
    return sdk(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def contract(price_list):
    """Usage is invoiced here from December on."""
    return contract_for(CustomerFactory(aliases=["acme"]), price_list, invoicing_starts_at=DECEMBER)


def times(start, end):
    return {"inclusive_start_date": start, "exclusive_end_date": end}


def line(product, quantity=None, start=OCTOBER, end=NOVEMBER, **more):
    told = {} if quantity is None else {"quantity": quantity}
    return {"product_id": str(product.pk), **times(start, end), **told, **more}


def past(contract, *lines, start=OCTOBER, end=NOVEMBER, **more):
    return {
        "customer_id": str(contract.customer_id),
        "contract_id": str(contract.pk),
        "credit_type_id": str(contract.rate_card.fiat_unit_id),
        "issue_date": NOVEMBER,
        "usage_line_items": lines,
        **times(start, end),
        **more,
    }


def imported(client, *invoices, preview=False):
    return client.v1.contracts.create_historical_invoices(invoices=invoices, preview=preview).data


def refused(client, *invoices, kind=metronome.BadRequestError):
    before = Invoice.objects.count()
    for preview in (True, False):
        with pytest.raises(kind) as refusal:
            imported(client, *invoices, preview=preview)
    assert Invoice.objects.count() == before
    return [(each["field"], each["rule"]) for each in refusal.value.body["errors"]]


def test_a_preview_shows_what_would_be_made_and_makes_nothing(client, contract, price_list):
    [shown] = imported(client, past(contract, line(price_list.calls, 100)), preview=True)

    assert (shown.status, shown.type, shown.total) == ("DRAFT", "USAGE", 200)
    assert (shown.start_timestamp, shown.end_timestamp, shown.issued_at) == (OCTOBER, NOVEMBER, NOVEMBER)
    assert not Invoice.objects.exists()


def test_it_is_final_has_a_number_of_its_own_series_and_is_listed_explained_and_verified(client, contract, price_list):
    given = past(contract, line(price_list.calls, 100), custom_fields={"theirs": "R-7"}, billable_status="unbillable")

    [made] = imported(client, given)

    assert (made.status, made.total, made.billable_status, made.custom_fields) == (
        "FINALIZED", 200, "unbillable", {"theirs": "R-7"}
    )  # fmt: skip
    [told] = made.line_items
    assert (told.name, told.type, told.quantity, told.unit_price, told.product_type) == (
        "API calls", "usage", 100, 2, "UsageProductListItem"
    )  # fmt: skip
    invoice = Invoice.objects.get()
    assert (str(made.id), invoice.number, invoice.due_at) == (str(invoice.pk), "HIST-000001", None)
    listed = client.v1.customers.invoices.list(customer_id=str(contract.customer_id), status="FINALIZED").data
    assert [each.to_dict() for each in listed] == [made.to_dict()]
    ids = {"customer_id": str(contract.customer_id), "invoice_id": made.id}
    assert client.v1.customers.invoices.retrieve_pdf(**ids).read()[:4] == b"%PDF"
    assert verify_invoice(invoice).differences == ()
    document = explained_document(contract.customer_id, invoice.pk, at=NOVEMBER)
    assert list(line_sentences(document, document.document.lines[0])) == [
        "It was invoiced elsewhere: 100 of it, as told with the import, and not measured here."
    ]
    assert not LedgerEntry.objects.exists()


def test_each_subtotal_is_at_its_own_price_and_what_costs_the_same_is_one_line(client, contract, price_list):
    OverrideFactory(contract=contract, multiplier=D("0.5"), starting_at=MIDDLE)
    parts = [
        {**times(start, end), "quantity": quantity}
        for start, end, quantity in zip(
            [OCTOBER, at("2025-10-02"), MIDDLE], [at("2025-10-02"), at("2025-10-03"), at("2025-10-16")], (10, 20, 40),
            strict=True,
        )
    ]  # fmt: skip
    [made] = imported(
        client, past(contract, line(price_list.calls, 70, subtotals_with_quantity=parts), breakdown_granularity="DAY")
    )

    assert [(each.quantity, each.unit_price, each.total, each.starting_at) for each in made.line_items] == [
        (30, 2, 60, OCTOBER), (40, 1, 40, MIDDLE)
    ]  # fmt: skip
    assert verify_invoice(Invoice.objects.get()).differences == ()


def test_tiers_are_climbed_by_what_the_line_comes_to(client, contract, price_list):
    tiers = [{"price": "2", "size": "100"}, {"price": "1"}]
    RateFactory(
        rate_card=price_list.card, product=price_list.calls, rate_type="TIERED", price=None, tiers=tiers,
        starting_at=OCTOBER,
    )  # fmt: skip
    [made] = imported(client, past(contract, line(price_list.calls, 130)))
    assert [(each.quantity, each.unit_price, each.tier.level) for each in made.line_items] == [(100, 2, 1), (30, 1, 2)]
    assert verify_invoice(Invoice.objects.get()).differences == ()


def test_group_values_choose_the_price_and_are_on_the_line(client, contract, price_list):
    xl = line(price_list.tokens, 3, pricing_group_values={"model": "xl"}, presentation_group_values={"region": "eu"})
    small = line(price_list.tokens, 4, pricing_group_values={"model": "small"})

    [made] = imported(client, past(contract, xl, small))

    assert [(each.pricing_group_values["model"], each.total) for each in made.line_items] == [("xl", 120), ("small", 2)]
    assert made.line_items[0].presentation_group_values == {"region": "eu"}


def test_the_same_again_is_not_made_twice_and_another_one_is_a_conflict(client, contract, price_list):
    given = past(contract, line(price_list.calls, 100))
    [first] = imported(client, given)

    assert [each.id for each in imported(client, given)] == [first.id]
    assert [each.id for each in imported(client, given, preview=True)] == [first.id]
    other = past(contract, line(price_list.calls, 101))
    [(field, _)] = refused(client, other, kind=metronome.ConflictError)
    assert field == "inclusive_start_date"
    overlapping = past(contract, line(price_list.calls, 1, MIDDLE, NOVEMBER), start=MIDDLE)
    [(field, rule)] = refused(client, overlapping)
    assert (field, rule[:32]) == ("invoices[0].inclusive_start_date", "must not overlap HIST-000001, wh")


def test_a_void_one_is_imported_again_and_not_regenerated(client, contract, price_list):
    given = past(contract, line(price_list.calls, 100))
    imported(client, given)
    invoice = Invoice.objects.get()
    void_invoice(contract.customer, invoice.pk, reason="Wrong", at=at("2025-11-21"), by=ADA)

    with pytest.raises(NothingToRegenerate, match="import it again"):
        regenerate_invoice(contract.customer, invoice.pk, at=at("2025-11-21"), by=ADA)
    [anew] = imported(client, past(contract, line(price_list.calls, 90)))
    assert (anew.total, anew.regenerated_from_invoice_id) == (180, str(invoice.pk))
    assert Invoice.objects.get(pk=anew.id).generation == 2


@pytest.mark.django_db(transaction=True)
def test_what_is_invoiced_here_stays_as_it_is(client, contract, price_list):
    use(price_list.calls_made, "2025-10-20T05", 9, {})
    use(price_list.calls_made, "2025-12-03T05", 7, {})
    imported(client, past(contract, line(price_list.calls, 100)))

    finalize_due(contract.customer_id, at=at("2026-01-02"), by=ADA)

    ours = Invoice.objects.get(kind="USAGE")
    assert (ours.number, ours.total, ours.starting_at) == ("INV-000001", 14, DECEMBER)
    assert due_customers(at=at("2026-01-02")) == []


@pytest.mark.django_db(transaction=True)
def test_twins_make_it_once(contract, price_list):
    given = PastInvoiceInput(
        contract.customer_id, contract.pk, contract.rate_card.fiat_unit_id, OCTOBER, NOVEMBER, NOVEMBER,
        (PastLineInput(price_list.calls.pk, OCTOBER, NOVEMBER, D(100)),),
    )  # fmt: skip
    made = []

    def run():
        try:
            made.extend(each.id for each in create_historical_invoices([given], at=at("2025-11-20"), by=ADA))
        finally:
            connection.close()

    twins = [Thread(target=run) for _ in range(2)]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert made == [Invoice.objects.get().pk] * 2


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"end": JANUARY}, "exclusive_end_date", "from then on usage is invoiced here"),
        ({"start": at("2025-09-01")}, "inclusive_start_date", "must not be before the contract's start"),
        ({"start": NOVEMBER, "end": NOVEMBER}, "exclusive_end_date", "must be later"),
        ({"end": DECEMBER}, "exclusive_end_date", "must not be later than now"),
        ({"issue_date": DECEMBER}, "issue_date", "must not be later than now"),
        ({"credit_type_id": "00000000-0000-0000-0000-000000000000"}, "credit_type_id", "the rate card's unit"),
        ({"contract_id": "00000000-0000-0000-0000-000000000000"}, "contract_id", "must be the id of a contract"),
    ],
)
def test_an_invoice_that_cannot_be_is_refused_beside_its_field(client, contract, price_list, given, field, rule):
    span = {key: given.get(key, usual) for key, usual in (("start", OCTOBER), ("end", NOVEMBER))}
    lines = [line(price_list.calls, 1)] if span["start"] < span["end"] else []
    errors = refused(client, past(contract, *lines, **{**given, **span}))
    assert f"invoices[0].{field}" in [name for name, _ in errors]
    assert rule in dict(errors)[f"invoices[0].{field}"]


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({}, "quantity", "is required, or subtotals_with_quantity"),
        ({"quantity": 0}, "quantity", "must be above zero"),
        ({"quantity": -1}, "quantity", "must not be negative"),
        (times(OCTOBER, DECEMBER) | {"quantity": 1}, "inclusive_start_date", "within that of the invoice"),
        ({"quantity": 1, "pricing_group_values": {"model": "xl"}}, "product_id", "must have a price"),
        ({"quantity": 5, "subtotals_with_quantity": [{**times(OCTOBER, MIDDLE), "quantity": 4}]},
         "quantity", "must be what its subtotals come to, 4"),
        ({"subtotals_with_quantity": [
            {**times(MIDDLE, NOVEMBER), "quantity": 4}, {**times(OCTOBER, MIDDLE), "quantity": 4}]},
         "subtotals_with_quantity[1].inclusive_start_date", "must not be before the end of the one before"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_is_refused_beside_its_field(client, contract, price_list, given, field, rule):
    [(named, said)] = refused(client, past(contract, line(price_list.calls) | given))
    assert named == f"invoices[0].usage_line_items[0].{field}"
    assert rule in said


def test_what_is_no_usage_and_what_is_said_twice_is_refused(client, contract, price_list):
    fixed = FixedProductFactory(name="Support")
    twice = line(price_list.calls, 1)
    errors = refused(client, past(contract, line(fixed, 1), twice, twice))
    assert [rule for _, rule in errors] == [
        "must be a USAGE product; Support is FIXED",
        "must be there only once with these values: say its parts as subtotals_with_quantity",
    ]
    assert refused(client) == [("invoices", "must be from 1 to 100")]


def test_usage_of_a_contract_that_is_invoiced_here_from_its_start_is_refused(client, acme, price_list):
    [(field, rule)] = refused(client, past(acme.contract, line(price_list.calls, 1)))
    assert field == "invoices[0].contract_id"
    assert "it has no invoice_generation_starting_at" in rule


def test_an_altered_line_is_named(client, contract, price_list):
    imported(client, past(contract, line(price_list.calls, 100)))
    invoice = Invoice.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE invoicing_invoiceline SET name = 'Calls'")
        cursor.execute("RESET session_replication_role")
    found = verify_invoice(invoice).differences
    assert "Line 1 (Calls): name is Calls, and comes to API calls." in found
