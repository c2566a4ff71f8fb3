"""What the pages of balances show, in finished words: a customer's as a table, and one as it has burnt down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import compress
from uuid import UUID

from billing_site.foundation.display import amount_text, period_text
from contracts.commit_wording import gate_text
from invoicing.portal.ledgers import Chart, LedgerRow, chart_of, ledger_of, name_of, term_of
from invoicing.queries.balances import Balance
from invoicing.queries.burn_down import Point

COLUMNS = ("Granted", "Left", "Used", "Pending", "Expired", "By hand", "Rolled over", "To come")
ALWAYS = ("Granted", "Left")


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One commit or credit. Empty where there is nothing to say."""

    commit_id: UUID
    name: str
    contract_id: UUID | None
    contract: str
    term: str
    amounts: tuple[str, ...]  # as COLUMNS name them, or the columns of its table
    is_over: bool
    payment: str  # that access waits for, or has waited for in vain

    @classmethod
    def of(cls, held: Balance, at: datetime, contract_names: Mapping[UUID, str]) -> "BalanceRow":
        """`contract_names` are those of the customer's contracts."""
        statement, unit = held.statement, held.committed.commit.held_in
        amounts = (
            statement.used,
            statement.pending,
            statement.expired,
            statement.manual,
            statement.rolled_over,
            statement.to_come,
        )
        term, gate = term_of(held), held.committed.gate
        return cls(
            commit_id=held.committed.commit.pk,
            name=name_of(held),
            contract_id=held.contract.pk if held.contract else None,
            contract=contract_names[held.contract.pk] if held.contract else "All of the customer's",
            term=period_text(term) if term else "",
            amounts=(
                amount_text(statement.granted, unit),
                amount_text(statement.left, unit),
                *(amount_text(each, unit) if each else "" for each in amounts),
            ),
            is_over=term is not None and term.ending_before is not None and term.ending_before <= at,
            payment=gate_text(gate) if gate is not None and (gate.is_waiting or gate.has_failed) else "",
        )


@dataclass(frozen=True, slots=True)
class BalanceTable:
    """Rows with the columns in which any of them says anything, so that a table stays as narrow as it can."""

    columns: tuple[str, ...]
    rows: tuple[BalanceRow, ...]

    @classmethod
    def of(cls, rows: Sequence[BalanceRow]) -> "BalanceTable":
        told = [name in ALWAYS or any(row.amounts[place] for row in rows) for place, name in enumerate(COLUMNS)]
        return cls(
            columns=tuple(compress(COLUMNS, told)),
            rows=tuple(replace(row, amounts=tuple(compress(row.amounts, told))) for row in rows),
        )


@dataclass(frozen=True, slots=True)
class BalanceScreen:
    table: BalanceTable
    chart: Chart | None
    ledger: tuple[LedgerRow, ...]

    @property
    def row(self) -> BalanceRow:
        return self.table.rows[0]

    @classmethod
    def of(
        cls,
        held: Balance,
        points: Sequence[Point],
        numbers: Mapping[UUID, str],
        at: datetime,
        contract_names: Mapping[UUID, str],
    ) -> "BalanceScreen":
        """`numbers` are those of final documents, by id."""
        return cls(
            table=BalanceTable.of([BalanceRow.of(held, at, contract_names)]),
            chart=chart_of(points, held.committed.commit.held_in),
            ledger=ledger_of(held, numbers),
        )
