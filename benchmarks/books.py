"""`python -m benchmarks.books`: what finance's pages cost with a thousand customers and a hundred thousand documents.

The documents are put there by SQL, four lines each, with a draft and a commitment for every customer; then each page
is opened as a person opens it, in this process. Times are medians in milliseconds. About three minutes.
"""

import argparse
import json
import os
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from benchmarks.__main__ import say
from benchmarks.site import database_alone

GOAL_MS = 1_000
PRODUCTS = 4

_BOOKS = """
SET session_replication_role = replica;
INSERT INTO contracts_customer (id, name, custom_fields, salesforce_account_id, created_at, created_by, updated_at,
    money_version, last_edit_number)
SELECT md5('customer' || n)::uuid, 'Customer ' || lpad(n::text, 4, '0'),
       jsonb_build_object('segment', (ARRAY['enterprise', 'mid-market', 'startup'])[n %% 3 + 1]),
       'sf-' || n, '2024-01-01Z', 'Ada', '2024-01-01Z', 0, 1
FROM generate_series(1, %(customers)s) n;
INSERT INTO contracts_contract (id, customer_id, starting_at, frequency, billing_anchor_at, created_at, created_by,
    multiplier_override_prioritization, scheduled_charges_on_usage_invoices, custom_fields, salesforce_opportunity_id,
    netsuite_sales_order_id)
SELECT md5('contract' || n)::uuid, md5('customer' || n)::uuid, '2023-11-01Z', 'WEEKLY', '2023-11-01Z', '2023-11-01Z',
       'Ada', 'LOWEST_MULTIPLIER', '', '{}', 'opp-' || n, ''
FROM generate_series(1, %(customers)s) n;
INSERT INTO invoicing_customersummary (customer_id, as_of, version, error, refreshed_at, looked_at)
SELECT md5('customer' || n)::uuid, date_trunc('hour', now()), '', '', now(), now()
FROM generate_series(1, %(customers)s) n;
INSERT INTO invoicing_draftsummary (id, customer_id, contract_id, contract_name, kind, starting_at, ending_before,
    issued_at, finalizes_at, waits, total, total_with_tax, unit_id, findings, blocking, holds, sold)
SELECT md5('draft' || n)::uuid, md5('customer' || n)::uuid, md5('contract' || n)::uuid, '', 'USAGE',
       date_trunc('month', now()), date_trunc('month', now()) + interval '1 month',
       date_trunc('month', now()) + interval '1 month', date_trunc('month', now()) + interval '32 days',
       false, n * 100, n * 100, %(usd)s, 0, 0, '[]',
       jsonb_build_array(jsonb_build_object('unit_id', %(usd)s, 'product_id', md5('product1')::uuid,
           'amount', (n * 100)::text, 'by_credits', '0', 'quantity', n::text))
FROM generate_series(1, %(customers)s) n;
INSERT INTO invoicing_commitmentsummary (id, customer_id, contract_id, name, type, starting_at, ending_before, amount,
    used, unit_id)
SELECT md5('commit' || n)::uuid, md5('customer' || n)::uuid, md5('contract' || n)::uuid, 'This year',
       CASE n %% 2 WHEN 0 THEN 'PREPAID' ELSE 'POSTPAID' END, date_trunc('year', now()),
       date_trunc('year', now()) + interval '1 year', 1000000, n * 900, %(usd)s
FROM generate_series(1, %(customers)s) n;
INSERT INTO invoicing_invoice (id, customer_id, contract_id, number, type, kind, slot, generation, starting_at,
    ending_before, issued_at, due_at, finalized_at, finalized_by, unit_id, customer_name, subtotal, total,
    unrounded_total, publication, edit_number, snapshot, terms, details, line_count, document_hash)
SELECT md5('invoice' || n || '-' || k)::uuid, md5('customer' || n)::uuid, md5('contract' || n)::uuid,
       'INV-' || lpad(k::text, 6, '0'), 'USAGE', 'USAGE', k::text, 1, start, start + interval '7 days',
       start + interval '7 days', start + interval '37 days', start + interval '8 days', 'grace', %(usd)s,
       'Customer ' || lpad(n::text, 4, '0'), n * 110, n * 110, n * 110, 1, 1, '1:1:',
       jsonb_build_object('contracts', repeat(md5(n::text), 60)), '{}', 4, '\\x00'
FROM generate_series(1, %(customers)s) n, generate_series(1, %(each)s) k,
     LATERAL (SELECT date_trunc('day', now()) - (%(each)s - k + 1) * interval '7 days' AS start) AS of_week;
INSERT INTO invoicing_invoiceline (id, customer_id, invoice_id, position, type, name, total, unrounded_total,
    counts_toward_total, quantity, unit_price, starting_at, ending_before, details, trace)
SELECT md5(invoice.id::text || p)::uuid, customer_id, invoice.id, p, 'usage', 'Product ' || p, subtotal * p / 10,
       subtotal * p / 10, true, subtotal * p / 10 / (CASE WHEN right(customer_name, 1) = '7' THEN 1 ELSE 2 END),
       CASE WHEN right(customer_name, 1) = '7' THEN 1 ELSE 2 END, starting_at, ending_before,
       jsonb_build_object('product_id', md5('product' || p)::uuid, 'product_type', 'UsageProductListItem',
                          'credit_type', jsonb_build_object('id', %(usd)s, 'name', 'USD (cents)')),
       jsonb_build_array(jsonb_build_object('override_id', CASE WHEN right(customer_name, 1) = '7'
           THEN md5('override' || customer_name) END, 'why', repeat(md5(invoice.id::text || p), 12)))
FROM invoicing_invoice invoice, generate_series(1, {products}) p;
INSERT INTO foundation_customfieldkey (id, entity, key, enforce_uniqueness, created_at, created_by)
VALUES (md5('segment')::uuid, 'customer', 'segment', false, '2024-01-01Z', 'Ada');
INSERT INTO pricing_product (id, name, type, custom_fields, created_at, created_by)
SELECT md5('product' || p)::uuid, 'Product ' || p, 'USAGE', '{}', '2024-01-01Z', 'Ada'
FROM generate_series(1, {products}) p;
SET session_replication_role = origin;
SELECT count(add_up_anew_what_is_sold(id)) FROM contracts_customer;
""".replace("{products}", str(PRODUCTS))

PAGES = {
    "invoices": "/admin/invoicing/invoice/",
    "invoices, the last page": "/admin/invoicing/invoice/?p={last}",
    "invoices by total": "/admin/invoicing/invoice/?o=-6",
    "invoices by customer": "/admin/invoicing/invoice/?o=2",
    "invoices of a name": "/admin/invoicing/invoice/?q=customer+0777",
    "invoice by number": "/admin/invoicing/invoice/?q=INV-000077",
    "invoices past due": "/admin/invoicing/invoice/?standing=overdue",
    "invoices with late usage": "/admin/invoicing/invoice/?late=yes",
    "invoices without notes": "/admin/invoicing/invoice/?notes=no",
    "invoices of an amount": "/admin/invoicing/invoice/?total_from=1099&total_to=1100",
    "invoices of a month": "/admin/invoicing/invoice/?issued_at_from={since}",
    "invoices as CSV": "/admin/invoicing/invoice/csv/?issued_at_from={since}",
    "finance": "/admin/invoicing/commitmentsummary/finance/",
    "finance, 24 months": "/admin/invoicing/commitmentsummary/finance/?months=24&by=segment",
    "like customers as CSV": "/admin/invoicing/commitmentsummary/finance/similar.csv",
    "search": "/admin/search/?extended=1&s=customer+0777",
    "home": "/admin/",
}


def main() -> None:
    options = _options()
    with database_alone() as (url, _):
        with psycopg.connect(url, autocommit=True) as database:
            usd = database.execute("SELECT id::text FROM pricing_pricingunit WHERE code = 'USD'").fetchone()
            assert usd is not None
            _fill(database, {"customers": options.customers, "each": options.each, "usd": usd[0]})
        rows = _measured(options.rounds, last=options.customers * options.each // 50)
    print(json.dumps({"benchmark": "books", "load": os.getloadavg()[0], "goal_ms": GOAL_MS, "pages_ms": rows}))


def _fill(database: psycopg.Connection, numbers: dict[str, Any]) -> None:
    with psycopg.ClientCursor(database) as cursor:
        cursor.execute(_BOOKS.encode(), numbers)
    filled = "contracts_customer invoicing_invoice invoicing_invoiceline invoicing_draftsummary invoicing_soldinmonth"
    for table in filled.split():
        database.execute(f"VACUUM (ANALYZE) {table}".encode())
    say(f"{numbers['customers'] * numbers['each']:,} documents of {numbers['customers']:,} customers")


def _measured(rounds: int, *, last: int) -> dict[str, float]:
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(User.objects.create_superuser("finance"))
    found = {}
    since = f"{datetime.now(UTC) - timedelta(days=31):%Y-%m-%d}"
    for name, asked in PAGES.items():
        page, times = asked.format(since=since, last=last), []
        for _ in range(rounds):
            began = time.monotonic()
            answer = client.get(page)
            size = len(b"".join(answer.streaming_content) if answer.streaming else answer.content)
            times.append((time.monotonic() - began) * 1000)
            assert answer.status_code == 200, (page, answer.status_code)
        found[name] = round(statistics.median(times), 1)
        say(f"{name:28} {found[name]:8.1f} ms {size:12,} bytes")
    return found


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.books", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000)
    parser.add_argument("--each", type=int, default=100, help="documents of each (100)")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
