"""Customers and contracts from a sheet: `docs/customer_import.md`.

The look before is the import itself, taken back at its end, so that what it says is what will be.
"""

import hashlib
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor
from billing_site.foundation.display import day_text
from billing_site.foundation.periods import parse_instant
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import repeatable_read
from contracts.inputs import ContractInput, StatementScheduleInput
from contracts.models import Contract, Customer, Package
from contracts.queries import holders_of
from contracts.services.contracts import create_contract
from contracts.services.customers import create_customer
from pricing.models import RateCard
from pricing.sheets import SheetError, SheetRow, plain_rows

COLUMNS = (
    "customer",
    "customer_id",
    "aliases",
    "contract",
    "starting_at",
    "ending_before",
    "rate_card",
    "package",
    "frequency",
    "net_payment_terms_days",
    "end_policy",
    "key",
)
OF_A_CONTRACT = COLUMNS[COLUMNS.index("contract") :]
MOST_ROWS = 250  # each is some twenty statements; a page is waited for
BETWEEN_ALIASES = "|"
# What the services call a column.
COLUMN_OF = {
    "rate_card_id": "rate_card",
    "rate_card_alias": "rate_card",
    "package_id": "package",
    "package_alias": "package",
    "usage_statement_schedule.frequency": "frequency",
    "uniqueness_key": "key",
}


@dataclass(frozen=True, slots=True)
class ImportedRow:
    line: int
    customer: str
    made: str  # in words


@dataclass(frozen=True, slots=True)
class Imported:
    """What a sheet makes, or what is wrong with it. `mark` stands for all of it."""

    rows: tuple[ImportedRow, ...]
    errors: tuple[SheetError, ...]
    customers: int
    contracts: int
    is_made: bool

    @property
    def mark(self) -> str:
        return hashlib.sha256(repr(self.rows).encode()).hexdigest()


class _TakenBack(Exception):
    """Ends the transaction of a look, or of a sheet with errors."""


def import_customers(text: str, *, seen: str = "", reason: str = "", at: datetime, by: Actor) -> Imported:
    """Make what a sheet says, if that is what was `seen`: the mark of a look before. Else look, and write nothing.

    Raises Refusal for a sheet that cannot be read.
    """
    rows, errors = plain_rows(text, COLUMNS, needed=("customer",), most=MOST_ROWS)
    if errors:
        return Imported((), errors, 0, 0, is_made=False)
    importer = _Importer(reason, at, by)

    @repeatable_read
    def run() -> None:
        nonlocal importer
        importer = _Importer(reason, at, by)
        for row in rows:
            importer.take(row)
        if importer.errors or importer.outcome(is_made=True).mark != seen:
            raise _TakenBack

    try:
        run()
    except _TakenBack:
        return importer.outcome(is_made=False)
    return importer.outcome(is_made=True)


class _CellError(Exception):
    """A cell that cannot be read."""

    def __init__(self, column: str, rule: str) -> None:
        super().__init__(rule)
        self.column, self.rule = column, rule


@dataclass
class _Importer:
    reason: str
    at: datetime
    by: Actor
    rows: list[ImportedRow] = field(default_factory=list)
    errors: list[SheetError] = field(default_factory=list)
    by_name: dict[str, Customer] = field(default_factory=dict)  # made here without an alias
    customers: int = 0
    contracts: int = 0

    def outcome(self, *, is_made: bool) -> Imported:
        return Imported(tuple(self.rows), tuple(self.errors), self.customers, self.contracts, is_made)

    def take(self, row: SheetRow) -> None:
        """Make what one row says; what is refused is taken back alone, and the next row is tried."""
        customer, made = None, ""
        with self._refusals_of(row, name="customer"), transaction.atomic():
            customer, made = self._customer(row)
        if customer is None:
            return
        with self._refusals_of(row, name="contract"), transaction.atomic():
            more = self._contract(row, customer)
            self.rows.append(ImportedRow(row.line, customer.name, "; ".join(filter(None, [made, more])) or "Nothing."))

    @contextmanager
    def _refusals_of(self, row: SheetRow, *, name: str) -> Any:
        try:
            yield
        except _CellError as unread:
            self._add(row, unread.column, unread.rule)
        except Refusal as refusal:
            for error in refusal.errors:
                called = {**COLUMN_OF, "name": name, "ingest_aliases": "aliases"}
                field_ = error.field.partition("[")[0]
                column = called.get(field_, field_)
                rule = error.rule if column in COLUMNS else f"{error.field}: {error.rule}"
                rule = rule.replace("must be an alias", "must be a name or an alias")
                self._add(row, column if column in COLUMNS else name, rule)
            if not refusal.errors:
                self._add(row, name, refusal.message)

    def _add(self, row: SheetRow, column: str, rule: str) -> None:
        self.errors.append(SheetError(row.line, column, row.cell(column), rule))

    def _customer(self, row: SheetRow) -> tuple[Customer, str]:
        """Whose row it is, and in words whether it is a new one."""
        name, told = row.cell("customer"), row.cell("customer_id")
        aliases = [part.strip() for part in row.cell("aliases").split(BETWEEN_ALIASES) if part.strip()]
        owners = {claim.customer_id for claim in holders_of(aliases).values() if claim.customer_id is not None}
        if told:
            owners.add(_id(told))
        if len(owners) > 1:
            raise _CellError("aliases", "belong to several customers")
        if owners:
            return self._standing(owners.pop(), name, aliases), ""
        if not aliases and name in self.by_name:
            return self.by_name[name], ""
        if not aliases and Customer.objects.filter(name=name).exists():
            raise _CellError("customer", "is the name of a customer that is there: give its customer_id, or an alias")
        made = create_customer(name, ingest_aliases=aliases, reason=self.reason, at=self.at, by=self.by)
        self.customers += 1
        if not aliases:
            self.by_name[name] = made
        return made, "New customer" + (f", known as {', '.join(aliases)}" if aliases else "")

    def _standing(self, customer_id: UUID, name: str, aliases: Sequence[str]) -> Customer:
        customer = Customer.objects.filter(pk=customer_id).first()
        if customer is None:
            raise _CellError("customer_id", "must be the id of a customer")
        if customer.name != name:
            raise _CellError("customer", f"must be what the customer is called: {customer.name}")
        held = {alias for alias, claim in holders_of(aliases).items() if claim.customer_id == customer.pk}
        for alias in aliases:
            if alias not in held:
                raise _CellError("aliases", f"{alias} is none of the customer’s: it is added on the customer’s page")
        return customer

    def _contract(self, row: SheetRow, customer: Customer) -> str:
        if not row.cell("starting_at"):
            for column in OF_A_CONTRACT:
                if row.cell(column):
                    raise _CellError("starting_at", f"is required: {column} is told of a contract")
            return ""
        key = row.cell("key") or None
        if key and Contract.objects.filter(customer=customer, uniqueness_key=key).exists():
            return "Its contract with this key is there already and is left alone"
        start, end = _instant(row, "starting_at"), _instant(row, "ending_before")
        assert start is not None
        given: dict[str, Any] = {
            "starting_at": start,
            "ending_before": end,
            "name": row.cell("contract"),
            "net_payment_terms_days": _number(row, "net_payment_terms_days"),
            "end_policy": row.cell("end_policy").upper() or "STOP",
            "uniqueness_key": key,
            **_named(row, "rate_card", RateCard),
            **_named(row, "package", Package),
        }
        if row.cell("frequency"):
            given["usage_statement_schedule"] = StatementScheduleInput(row.cell("frequency").upper())
        create_contract(customer, ContractInput(**given), reason=self.reason, at=self.at, by=self.by)
        self.contracts += 1
        named = f" “{row.cell('contract')}”" if row.cell("contract") else ""
        source = row.cell("package") or row.cell("rate_card")
        until = f" up to {day_text(end)}" if end else ""
        return f"New contract{named} on {source} from {day_text(start)}{until}"


def _named(row: SheetRow, column: str, model: type[RateCard] | type[Package]) -> dict[str, Any]:
    """By its name where one is called so, else by its alias."""
    told = row.cell(column)
    if not told:
        return {}
    found = list(model.objects.filter(name=told, archived_at=None).values_list("pk", flat=True)[:2])
    if len(found) > 1:
        raise _CellError(column, "is the name of several: give an alias")
    return {f"{column}_id": found[0]} if found else {f"{column}_alias": told}


def _instant(row: SheetRow, column: str) -> datetime | None:
    told = row.cell(column)
    try:
        return parse_instant(told) if told else None
    except ValueError as error:
        raise _CellError(column, "must be an instant such as 2026-01-01 or 2026-01-01T06:00Z") from error


def _number(row: SheetRow, column: str) -> Decimal | None:
    told = row.cell(column)
    try:
        return Decimal(told) if told else None
    except InvalidOperation as error:
        raise _CellError(column, "must be a number") from error


def _id(told: str) -> UUID:
    try:
        return UUID(told)
    except ValueError as error:
        raise _CellError("customer_id", "must be the id of a customer") from error
