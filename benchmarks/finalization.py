"""`python -m benchmarks.finalization`: finalizing a month of many customers with two processes.

Each customer has one contract with two products, one of them in six regions, a credit that runs out within the month,
and so about nine lines. Beside it stands, of the same run: the bare INSERT of the very same rows (documents, lines,
entries; the same constraints, triggers and indexes; a transaction for each document) by two connections.

`--lines 1400` then times one document of so many lines: finalized, read, and printed as PDF. `--profile` says where the
time of a finalizer goes.
"""

import argparse
import cProfile
import json
import multiprocessing as mp
import os
import pstats
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from benchmarks.site import database_alone, set_up

# To the site's own workers nothing of this is due.
OCTOBER, NEXT_YEAR = datetime(2075, 10, 1, tzinfo=UTC), datetime(2076, 10, 1, tzinfo=UTC)
DUE = datetime(2075, 11, 2, tzinfo=UTC)
PROCESSES = 2
TABLES = ("invoicing_invoice", "invoicing_invoiceline", "ledger_ledgerentry")
KEYS = {"invoicing_invoice": "id", "invoicing_invoiceline": "invoice_id", "ledger_ledgerentry": "invoice_id"}


def main() -> None:
    options = _options()
    with database_alone() as (url, folder), psycopg.connect(url, autocommit=True) as database:
        began = time.perf_counter()
        customers = _agree(options.customers)
        found = {"set_up_s": round(time.perf_counter() - began, 1)}
        database.execute("ANALYZE")
        found |= _finalized(url, str(folder), customers, options)
        database.execute("ANALYZE")
        found |= _bare(url, database, found["invoices"])
        found["ratio_to_bare"] = round(found["invoices_a_second"] / found["bare_a_second"], 3)
        if options.lines:
            found |= _one_of_many_lines(options.lines)
    for name, value in found.items():
        print(f"{name.replace('_', ' '):32}{value:>12,}")
    print(json.dumps({"benchmark": "finalization", "load": os.getloadavg()[0], **found}))


def _finalized(url: str, folder: str, customers: Sequence[UUID], options: argparse.Namespace) -> dict[str, Any]:
    """All of them, each process its share; then how many statements one takes."""
    shares = [[str(each) for each in customers[number::PROCESSES]] for number in range(PROCESSES)]
    arguments = [(url, folder, share, options.profile) for share in shares]
    outcomes = _at_once(_finalize, arguments)
    seconds = max(outcome[1] for outcome in outcomes) - min(outcome[0] for outcome in outcomes)
    invoices = sum(outcome[2] for outcome in outcomes)
    return {
        "invoices": invoices,
        "invoices_a_second": round(invoices / seconds, 1),
        "statements_an_invoice": round(sum(outcome[3] for outcome in outcomes) / invoices, 2),
    }


def _finalize(database_url: str, data_dir: str, customers: list[str], profiled: int) -> tuple[float, float, int, int]:
    set_up(database_url, data_dir)
    from django.db import connection

    from billing_site.foundation.actor import Actor
    from invoicing.services import finalize_due

    statements = 0

    def counted(execute: Callable[..., Any], *given: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*given)

    def all_of_them() -> int:
        by = Actor.command("benchmark")
        return sum(len(finalize_due(UUID(each), at=DUE, by=by).finalized) for each in customers)

    connection.ensure_connection()
    profile = cProfile.Profile()
    with connection.execute_wrapper(counted):
        began = time.monotonic()
        invoices = profile.runcall(all_of_them) if profiled else all_of_them()
        ended = time.monotonic()
    if profiled:
        pstats.Stats(profile).sort_stats("cumtime").print_stats(profiled)
    return began, ended, invoices, statements


def _bare(url: str, database: psycopg.Connection, invoices: int) -> dict[str, Any]:
    """The rows are taken out and put back: by document, in the order of their numbers."""
    columns = {table: _columns(database, table) for table in TABLES}
    rows: dict[str, dict[str, list[tuple[Any, ...]]]] = {}
    for table in TABLES:
        named = sql.SQL(", ").join(map(sql.Identifier, columns[table]))
        found = database.execute(sql.SQL("SELECT {} FROM {}").format(named, sql.Identifier(table)))
        at = columns[table].index(KEYS[table])
        for row in found:
            rows.setdefault(str(row[at]), {}).setdefault(table, []).append(row)
    database.execute("SET session_replication_role = replica")
    database.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, TABLES))))
    database.execute("SET session_replication_role = origin")
    documents = list(rows.values())
    shares = [(url, columns, documents[number::PROCESSES]) for number in range(PROCESSES)]
    outcomes = _at_once(_insert, shares)
    seconds = max(outcome[1] for outcome in outcomes) - min(outcome[0] for outcome in outcomes)
    return {
        "rows_an_invoice": round(sum(len(each) for document in documents for each in document.values()) / invoices, 1),
        "bare_a_second": round(invoices / seconds, 1),
    }


def _columns(database: psycopg.Connection, table: str) -> list[str]:
    asked = "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position"
    return [name for (name,) in database.execute(asked, [table])]


def _insert(database_url: str, columns: dict[str, list[str]], documents: list[Any]) -> tuple[float, float]:
    from psycopg.types.json import Jsonb

    statements = {
        table: sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join([sql.Placeholder()] * len(names)),
        )
        for table, names in columns.items()
    }
    prepared = [
        {
            table: [[Jsonb(value) if isinstance(value, (dict, list)) else value for value in row] for row in rows]
            for table, rows in document.items()
        }
        for document in documents
    ]
    with psycopg.connect(database_url) as connection:
        connection.execute("SELECT 1")
        connection.commit()
        began = time.monotonic()
        for document in prepared:
            with connection.cursor() as cursor:
                for table, rows in document.items():
                    cursor.executemany(statements[table], rows)
            connection.commit()
        return began, time.monotonic()


def _at_once(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Each in a process of its own."""
    with mp.get_context("spawn").Pool(len(arguments)) as pool:
        return pool.starmap(work, arguments, chunksize=1)


def _agree(customers: int) -> list[UUID]:
    """What is sold, to whom, and a month of usage: six events of tokens and one of storage for each."""
    from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory, RateFactory

    keys = {"aggregation_type": "SUM", "aggregation_key": "units"}
    card = RateCardFactory()
    for name, grouped in (("Tokens", ["region"]), ("Storage", [])):
        metric = MetricFactory(
            name=name, event_type_filter={"in_values": [name]}, group_keys=[grouped] if grouped else [], **keys
        )
        product = ProductFactory(name=name, version__billable_metric=metric, version__presentation_group_key=grouped)
        RateFactory(rate_card=card, product=product, starting_at=OCTOBER, price=2)
    return _customers(card, [f"customer {number}" for number in range(customers)], regions=6)


def _customers(card: Any, names: Sequence[str], *, regions: int) -> list[UUID]:
    """The first is agreed with row by row, the others are copies of its rows under ids and names of their own; usage
    comes in few calls. With a commit and a call of ingest for each, two thousand took longer than to finalize them."""
    from django.db import transaction

    from ledger.services.ingest.reading import MAX_EVENTS
    from tests.factories.contracts import AccessSegmentFactory, CommitFactory, ContractFactory, CustomerFactory
    from tests.factories.ledger import post

    with transaction.atomic():
        first = CustomerFactory(name=names[0], aliases=[names[0]])
        contract = ContractFactory(customer=first, rate_card=card, starting_at=OCTOBER, created_at=OCTOBER)
        credit = CommitFactory(contract=contract, type="CREDIT", segment=None, invoice_item=None)
        AccessSegmentFactory(commit=credit, amount=500, starting_at=OCTOBER, ending_before=NEXT_YEAR)
    with transaction.atomic():
        made = [first.pk, *_copied(first, names[1:])]
    events = [each for name in names for each in _usage(name, regions)]
    for start in range(0, len(events), MAX_EVENTS):
        post(*events[start : start + MAX_EVENTS], at=datetime(2075, 10, 30, tzinfo=UTC))
    return made


def _copied(like: Any, names: Sequence[str]) -> list[UUID]:
    """As many customers with everything that was agreed with `like`."""
    from billing_site.foundation.ids import uuid7
    from contracts.models import AccessSegment, Claim, Commit, Contract, ContractEdit, ContractTerms

    rows = [like.__class__.objects.get(pk=like.pk)]
    for model in (ContractEdit, Claim, Contract, ContractTerms, Commit, AccessSegment):
        rows += model._default_manager.filter(customer=like)
    copies: dict[Any, list[Any]] = {}
    made = []
    for name in names:
        told: dict[Any, Any] = {like.name: name} | {row.pk: uuid7() for row in rows}
        told[str(like.pk)] = str(told[like.pk])  # a customer's id is a subject, too
        made.append(told[like.pk])
        for row in rows:
            values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
            copies.setdefault(type(row), []).append(
                type(row)(**{at: told.get(value, value) if _is_name(value) else value for at, value in values.items()})
            )
    for model, found in copies.items():
        model._default_manager.bulk_create(found, batch_size=1_000)
    return made


def _is_name(value: Any) -> bool:
    return isinstance(value, (str, UUID))


def _usage(name: str, regions: int) -> list[dict[str, Any]]:
    from tests.factories.ledger import event

    used = [("Tokens", {"region": f"region {region}"}) for region in range(regions)] + [("Storage", {})]
    return [
        event(
            customer_id=name,
            event_type=event_type,
            timestamp=f"2075-10-{number % 28 + 1:02}T12:00:00Z",
            properties={"units": "60", **values},
        )
        for number, (event_type, values) in enumerate(used)
    ]


def _one_of_many_lines(lines: int) -> dict[str, Any]:
    from billing_site.foundation.actor import Actor
    from contracts.models import Contract
    from invoicing.services import finalize_due
    from invoicing.services.printing import print_invoice

    card = Contract.objects.select_related("rate_card").first().rate_card  # type: ignore[union-attr]
    [customer] = _customers(card, ["many lines"], regions=lines)
    began = time.perf_counter()
    [invoice] = finalize_due(customer, at=DUE, by=Actor.command("benchmark")).finalized
    finalized = time.perf_counter()
    pdf = print_invoice(customer, invoice.pk, at=DUE)
    printed = time.perf_counter()
    print_invoice(customer, invoice.pk, at=DUE)
    return {
        "lines_of_the_long_one": invoice.line_count,
        "long_one_finalized_ms": round((finalized - began) * 1000),
        "long_one_printed_ms": round((printed - finalized) * 1000),
        "long_one_printed_again_ms": round((time.perf_counter() - printed) * 1000),
        "long_one_pdf_bytes": len(pdf.content),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.finalization", description=__doc__)
    parser.add_argument("--customers", type=int, default=2_000, help="each with one document that is due (2000)")
    parser.add_argument("--lines", type=int, default=1_400, help="of one long document; 0: none (1400)")
    parser.add_argument(
        "--profile", type=int, nargs="?", const=40, default=0, help="print where a finalizer's time goes"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
