"""One past row changed by SQL, whichever it is, as somebody might who has the keys: the command names it."""

import re
from decimal import Decimal as D

import pytest
from django.core.management import CommandError
from django.db import IntegrityError, connection

from contracts.models import ProductTaxCode
from invoicing.services import finalize_due
from invoicing.services.printing import print_invoice
from tests.factories.contracts import (
    BillingProfileFactory,
    LegalEntityFactory,
    OverrideFactory,
    TaxRateFactory,
)
from tests.invoicing.conftest import ADA, OCTOBER, at
from tests.invoicing.test_verification import altered, credit_of, run

pytestmark = pytest.mark.django_db(transaction=True)

SEAL = "The document: its hash is not that of what is stored."


@pytest.fixture
def number(acme):
    """October of Acme in Berlin: tokens at half price, calls of which a credit of 5 pays, VAT at two rates."""
    LegalEntityFactory(taxes="FIXED_RATES", net_payment_terms_days=30)
    BillingProfileFactory(customer=acme.customer)
    TaxRateFactory()
    TaxRateFactory(tax_code="calls", percent=D(7))
    ProductTaxCode.objects.create(product=acme.prices.calls, tax_code="calls")
    OverrideFactory(contract=acme.contract, multiplier=D("0.5"), starting_at=OCTOBER, product=acme.prices.tokens)
    credit_of(acme, D(5))
    acme.uses_tokens("2025-10-03T05", 10)
    acme.uses_tokens("2025-10-09T11", 30)
    acme.calls("2025-10-02T07", 50)
    [final] = finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA).finalized
    print_invoice(acme.customer.pk, final.pk, at=at("2025-11-02"))
    return final.number


def told(number):
    said, code = run(number)
    assert code == (0 if "equal to the facts" in said else 1)
    return said


def test_as_it_was_made_it_is_equal(number):
    assert told(number) == f"{number} of Acme: equal to the facts that it saw.\n"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        pytest.param(
            "UPDATE ledger_eventbody SET properties = jsonb_set(properties, '{tokens}', '9') "
            "WHERE properties->>'tokens' = '10'",
            r"Event \S+ of acme: it is not what was received\.",
            id="the quantity in an event",
        ),
        pytest.param(
            "UPDATE ledger_eventbody SET event_type = 'other' WHERE properties->>'tokens' = '10'",
            r"Event \S+ of acme: it is not what was received\.",
            id="the type of an event",
        ),
        pytest.param(
            "UPDATE ledger_eventkey SET content_hash = '\\x00' WHERE transaction_id IN "
            "(SELECT transaction_id FROM ledger_eventbody WHERE properties->>'tokens' = '10')",
            r"Event \S+ of acme: it is not what was received\.",
            id="the key of an event",
        ),
        pytest.param(
            "UPDATE ledger_dailyusage SET sum = 11 WHERE sum = 10",
            r"Usage of acme on 2025-10-03, series \S+: 11 is held, and the events come to 10\.",
            id="a day",
        ),
        pytest.param(
            "UPDATE ledger_dailyusage SET hour_sums[5] = 11 WHERE sum = 10",
            r"Usage of acme on 2025-10-03, hour 5, series \S+: 11 is held, and the events come to 10\.",
            id="an hour",
        ),
        pytest.param(
            "UPDATE pricing_rate SET price = 41 WHERE price = 40",
            r"Line \d \(Tokens \(model: xl\)\): unit_price is 20, and comes to 20\.5\.",
            id="a rate",
        ),
        pytest.param(
            "UPDATE pricing_rate SET starting_at = '2025-10-20' WHERE price = 40",
            r"The document: subtotal is \d+, and comes to \d+\.",
            id="when a rate begins",
        ),
        pytest.param(
            "UPDATE contracts_override SET multiplier = 0.6",
            r"terms\.contracts\[0\]\.overrides\[0\]\.multiplier is 0\.5, and comes to 0\.6\.",
            id="an override",
        ),
        pytest.param(
            "UPDATE contracts_contractterms SET name = 'Another deal'",
            r"terms\.contracts\[0\]\.name is , and comes to Another deal\.",
            id="what a contract is called",
        ),
        pytest.param(
            "UPDATE contracts_claim SET created_at = created_at, subject = 'somebody' WHERE subject = 'acme'",
            r"The document: subtotal is 895, and comes to 0\.",
            id="whose usage it is",
        ),
        pytest.param(
            "UPDATE pricing_productversion SET name = 'Other tokens' WHERE name = 'Tokens'",
            r"Line \d \(.*\): name is Tokens \(model: xl\), and comes to Other tokens \(model: xl\)\.",
            id="a product's definition",
        ),
        pytest.param(
            "UPDATE pricing_billablemetric SET event_type_filter = '{\"in_values\": [\"none\"]}' WHERE name = 'Tokens'",
            r"Usage of acme on 2025-10-03, hour 5, series \S+: 10 is held, and the events come to nothing\.",
            id="a metric's definition",
        ),
        pytest.param(
            "UPDATE contracts_commit SET priority = 1",
            r"terms\.contracts\[0\]\.commits\[0\]\.priority is \S+, and comes to 1\.",
            id="in which order a balance pays",
        ),
        pytest.param(
            "UPDATE ledger_ledgerentry SET amount = -4",
            r"Ledger entry \S+: amount is -4, and comes to -5\.",
            id="an entry of the ledger",
        ),
        pytest.param(
            "UPDATE invoicing_invoiceline SET quantity = 41 WHERE quantity = 40",
            rf"{SEAL}\n(.*\n)*- Line \d \(Tokens \(model: xl\)\): quantity is 41, and comes to 40\.",
            id="the quantity of a line",
        ),
        pytest.param(
            "UPDATE invoicing_invoiceline SET total = 801, unrounded_total = 801 WHERE total = 800",
            r"Line \d \(Tokens \(model: xl\)\): total is 801, and comes to 800\.",
            id="the amount of a line",
        ),
        pytest.param(
            "UPDATE invoicing_invoiceline SET trace = '[]' WHERE total = 800",
            SEAL,
            id="the trace of a line",
        ),
        pytest.param(
            "DELETE FROM invoicing_invoiceline WHERE total = 800",
            r"The document: it has \d lines, and comes to \d\.",
            id="a line that is gone",
        ),
        pytest.param(
            "UPDATE invoicing_invoice SET total = 1",
            r"The document: total is 1, and comes to \d+\.",
            id="the total",
        ),
        pytest.param(
            "UPDATE invoicing_invoice SET due_at = '2026-12-01'",
            SEAL,
            id="when it is due",
        ),
        pytest.param(
            "UPDATE invoicing_invoice SET details = jsonb_set(details, '{tax_lines,0,amount}', '\"1\"')",
            r"The document: tax VAT 19 % is 1, and comes to 152\.",
            id="a tax line",
        ),
        pytest.param(
            "UPDATE invoicing_invoice SET details = jsonb_set(details, '{tax_lines,0,percent}', '\"20\"')",
            r"The document: tax VAT 20 % is 152, and comes to 160\.",
            id="the rate of a tax line",
        ),
        pytest.param(
            'UPDATE invoicing_invoiceline SET details = details || \'{"tax_amount": "1"}\' WHERE total = 800',
            r"The document: the tax of its lines is \d+, and comes to \d+\.",
            id="the tax of a line",
        ),
        pytest.param(
            "UPDATE invoicing_invoice SET details = jsonb_set(details, '{issuer,name}', '\"Somebody Else\"')",
            SEAL,
            id="who sold",
        ),
        pytest.param(
            "UPDATE invoicing_invoice SET details = jsonb_set(details, '{bill_to,address,0}', '\"Elsewhere\"')",
            SEAL,
            id="who was billed",
        ),
        pytest.param(
            "UPDATE invoicing_invoice SET edit_number = 99",
            rf"{SEAL}\n- The document: it leads to no facts any more: at_edit: must be an edit of the customer",
            id="what was known of its terms",
        ),
        pytest.param(
            "UPDATE invoicing_invoicepdf SET content = content || '\\x00'",
            r"The PDF of the document: its hash is not that of its bytes\.",
            id="what was printed",
        ),
    ],
)
def test_a_row_that_was_altered_is_named(number, statement, named):
    altered(statement)
    found = told(number)
    assert re.search(named, found), found


OTHER = {
    "character varying": "{} || 'x'",
    "text": "{} || 'x'",
    "numeric": "coalesce({}, 0) + 1",
    "integer": "coalesce({}, 0) + 1",
    "smallint": "coalesce({}, 0) + 1",
    "bigint": "coalesce({}, 0) + 1",
    "timestamp with time zone": "coalesce({}, now()) + interval '1 hour'",
    "boolean": "NOT {}",
    "jsonb": "'{{\"x\": 1}}'",
    "uuid": "gen_random_uuid()",
    "bytea": "'\\x00'",
    "pg_snapshot": "'1:1:'",
}


@pytest.mark.parametrize("table", ["invoicing_invoice", "invoicing_invoiceline"])
def test_no_column_can_be_altered_in_silence(number, table):
    silent = {}
    for column, kind in columns_of(table):
        altered(f"CREATE TEMPORARY TABLE held AS SELECT * FROM {table}")
        try:
            altered(f"UPDATE {table} SET {column} = {OTHER[kind].format(column)}")
            found = told(number)
        except (CommandError, IntegrityError) as refused:
            found = str(refused)
        if "equal to the facts" in found:
            silent[column] = found
        altered(f"DELETE FROM {table}")
        altered(f"INSERT INTO {table} SELECT * FROM held")
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE held")
    assert silent == {}


def columns_of(table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_name = %s AND table_schema = 'public' ORDER BY 1",
            [table],
        )
        return cursor.fetchall()
