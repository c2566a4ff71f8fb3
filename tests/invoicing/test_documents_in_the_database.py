"""What the database itself refuses: final documents that change, have gaps, or do not add up."""

from decimal import Decimal as D

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories.invoicing import InvoiceFactory, InvoiceLineFactory

pytestmark = pytest.mark.django_db


def at_commit():
    """What would be checked when the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def committed(make):
    with transaction.atomic():
        make()
        at_commit()


def test_a_document_whose_lines_add_up_is_taken():
    InvoiceFactory(amounts=[D(100), D("0.5")], lines=[D(100), D("0.5")])
    at_commit()


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        pytest.param({"amounts": [D(100)]}, [D("99.999999999999")], id="a line too low"),
        pytest.param({"amounts": [D(100), D(5)]}, [D(105)], id="a line too few"),
        pytest.param({"amounts": [D(100)], "unrounded_total": D("100.4")}, [D(100)], id="another sum before rounding"),
        pytest.param({"amounts": [D(100)], "subtotal": D(99)}, [D(100)], id="another subtotal"),
        pytest.param({"amounts": [D(100)]}, [], id="no lines"),
        pytest.param({"amounts": [D(100)], "total": D(119), "subtotal": D(100)}, [D(100)], id="more, but no tax"),
        pytest.param(
            {"amounts": [D(100)], "details": {"tax_lines": [{"amount": "19"}]}}, [D(100)], id="tax that is not in it"
        ),
    ],
)
def test_a_document_that_does_not_add_up_is_refused(fields, lines):
    with pytest.raises(IntegrityError, match="add up to"):
        committed(lambda: InvoiceFactory(**fields, lines=lines))


def test_the_total_is_that_of_the_lines_and_of_the_tax_lines():
    taxes = [{"amount": "19"}, {"amount": "0.07"}]
    InvoiceFactory(
        subtotal=D(101),
        total=D("120.07"),
        unrounded_total=D(101),
        amounts=[D(101)],
        lines=[D(101)],
        details={"tax_lines": taxes},
    )
    at_commit()


def test_lines_that_do_not_count_are_left_out_of_the_sum():
    invoice = InvoiceFactory(amounts=[D(100)], line_count=2)
    InvoiceLineFactory(invoice=invoice, position=2, total=D(-100), counts_toward_total=False)
    at_commit()


def test_no_line_can_join_a_final_document_not_even_one_of_zero():
    invoice = InvoiceFactory()
    at_commit()
    with pytest.raises(IntegrityError, match="the lines it was finalized with"):
        committed(lambda: InvoiceLineFactory(invoice=invoice, position=2, total=D(0)))


@pytest.mark.parametrize("table", ["invoicing_invoice", "invoicing_invoiceline"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET total = 0", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_documents_and_lines_never_change(table, statement):
    InvoiceFactory()
    at_commit()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        pytest.param({"number": "INV-000002"}, "one_document_per_contract_and_slot", id="a period billed twice"),
        pytest.param({"slot": "2025-11-01T00:00:00+00:00"}, "one_number_per_customer", id="a number given twice"),
        pytest.param({"number": "2", "slot": "b", "ending_before": None}, "a_usage_invoice_has_a_period", id="no end"),
    ],
)
def test_what_a_document_may_not_be(fields, rule):
    first = InvoiceFactory()
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        InvoiceFactory(contract=first.contract, lines=[], **fields)
