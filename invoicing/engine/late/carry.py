"""Which document carries an adjustment, and what it does to true-ups that are final.

The first usage document of the contract that is still open carries what all its closed periods have missed. Where there
is none, as the contract is over, a document of its own does: issued at the first end of a billing period, counted on
from the contract's own, that no such document has been issued at; so late usage makes one document a period at most.

    contract until 1 January, billed by the month       issued at
    usage of December that comes on 20 January          1 February
    first seen on 3 March                               1 March
    more of it on 9 March, that one being final         1 April

What an adjustment gives back to a balance, others may draw on. Where they need it, they wait for what carries it.

**True-ups.** Once a true-up is final, commitment = billed + trued up. What an adjustment counts toward the commitment
is billed, so the true-up is reversed by as much, and no further than there was; what counts less is trued up again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import Period, boundaries, format_instant, full_period, parse_instant
from contracts.terms import Commit, Contract
from invoicing.engine.balances import Balance
from invoicing.engine.calendar import ADJUSTMENT, TRUE_UP, draft_id
from invoicing.engine.documents import Document, Entry, Finding, Line, Pending, Standing
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.inputs import Inputs, Posted
from invoicing.engine.late.closed import Closed
from invoicing.engine.late.lines import adjustment_lines, adjustment_of, deductions
from invoicing.engine.late.rerate import Rerated, rerate
from pricing.engine.catalog import Catalog
from pricing.engine.products import name_at


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What the closed periods of one contract come to more or less, and the draft that carries it."""

    contract: Contract
    carrier_id: UUID
    issued_at: datetime | None  # of a document of its own; None: a usage document carries it
    rerated: tuple[Rerated, ...]
    lines: tuple[Line, ...]
    entries: tuple[Entry, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for each in self.rerated for finding in each.findings)

    @property
    def pending(self) -> Iterator[tuple[UUID, Pending]]:
        """What it would take, by access segment; below zero where it gives back."""
        for entry in self.entries:
            if entry.segment_id is not None:
                taken = Pending(self.carrier_id, self.contract.id, -entry.amount, entry.timestamp)
                yield entry.segment_id, taken

    @property
    def document(self) -> Document | None:
        """The document of its own, where no usage document carries it."""
        if self.issued_at is None or not self.lines:
            return None
        periods = [each.closed.adjusts.period for each in self.rerated]
        ends = [period.ending_before for period in periods if period.ending_before is not None]
        return Document(
            id=self.carrier_id,
            contract_id=self.contract.id,
            kind=ADJUSTMENT,
            slot=format_instant(self.issued_at),
            type="USAGE",
            period=Period(min(period.starting_at for period in periods), max(ends)),
            issued_at=self.issued_at,
            finalizes_at=self.issued_at + timedelta(hours=self.contract.grace_hours),
            unit=self.rerated[0].closed.now.seller.card.fiat,
            lines=self.lines,
            total=exact_sum([line.total for line in self.lines if line.counts]),
            entries=self.entries,
            findings=self.findings,
        )


def adjustments(
    inputs: Inputs, closed: Sequence[Closed], shared: Sequence[Balance], drafts: Sequence[UsageDraft]
) -> list[Adjustment]:
    """One for each contract that has missed something; the balances have paid. Call it before the drafts are walked.

    Closed periods come by (end, contract), of contracts that are among the terms.
    """
    by_contract: dict[UUID, list[Rerated]] = {}
    for each in rerate(closed, shared):
        by_contract.setdefault(each.closed.contract_id, []).append(each)
    true_ups = TrueUps(inputs.posted, shared)
    return [
        _adjustment(contract, by_contract[contract.id], inputs, drafts, true_ups)
        for contract in inputs.terms.contracts
        if contract.id in by_contract
    ]


def give_back(netted: Sequence[Adjustment], shared: Sequence[Balance]) -> None:
    """What was drawn and is taken off again can be drawn on. Call it before anything else is settled."""
    taken = {balance.segment.id: balance for balance in shared}
    for segment_id, pending in (pair for each in netted for pair in each.pending):
        if segment_id in taken:
            taken[segment_id].pay(Fraction(pending.amount))


def in_turn(documents: Sequence[Document], late: Sequence[Adjustment], standings: Sequence[Standing]) -> list[Document]:
    """The documents; where together they draw more on a balance than was posted leaves, each that draws on it waits for
    those that give back: what is given back is there only when it is posted. Of these, later ones wait for earlier."""
    short = {each.segment.id for each in standings if each.left < _given_back(each)}
    found: list[Document] = []
    giving = [
        (segment_id, each.carrier_id)
        for each in late
        for segment_id, taken in each.pending
        if taken.amount < 0 and segment_id in short
    ]
    passed: set[UUID] = set()
    for document in sorted(documents, key=lambda each: (each.issued_at, each.contract_id)):
        drawn = {entry.segment_id for entry in document.entries if entry.amount < 0}
        awaited = dict.fromkeys(carrier for segment_id, carrier in giving if segment_id in drawn)
        awaited.pop(document.id, None)
        if any(carrier == document.id for _, carrier in giving):
            awaited = dict.fromkeys(carrier for carrier in awaited if carrier in passed)
        found.append(replace(document, waits_for=(*document.waits_for, *awaited)) if awaited else document)
        passed.add(document.id)
    return found


def _given_back(standing: Standing) -> Decimal:
    return exact_sum([-taken.amount for taken in standing.pending if taken.amount < 0])


@dataclass(slots=True)
class TrueUps:
    """What final true-ups have asked for, as adjustments go on."""

    posted: Posted
    shared: Sequence[Balance]
    counted: dict[UUID, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    reversed: dict[UUID, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def reversal(self, commit: Commit, counts: Decimal) -> Decimal:
        """How much of the true-up is reversed where so much more counts toward the commitment."""
        final = self.posted.documents - self.posted.waiting
        if not any(kind == TRUE_UP and slot == str(commit.id) for _, kind, slot in final):
            return Decimal(0)
        self.counted[commit.id] += counts
        asked = self.posted.trued_up.get(commit.id, Decimal(0)) - self.reversed[commit.id]
        missing = self._owed(commit) - self.posted.billed.get(commit.id, Decimal(0)) - self.counted[commit.id]
        found = asked - max(missing, Decimal(0))
        self.reversed[commit.id] += found
        return found

    def _owed(self, commit: Commit) -> Decimal:
        none = Decimal(0)
        segments = [balance for balance in self.shared if balance.commit.id == commit.id]
        granted = [balance.granted + self.posted.manual.get(balance.segment.id, none) for balance in segments]
        return exact_sum([*granted, *(-balance.rolled_over for balance in segments)])


def _adjustment(
    contract: Contract, rerated: Sequence[Rerated], inputs: Inputs, drafts: Sequence[UsageDraft], true_ups: TrueUps
) -> Adjustment:
    carrier = next((draft for draft in drafts if draft.open.contract.id == contract.id), None)
    issued_at = _issued_at(contract, inputs) if carrier is None else None
    slot = "" if issued_at is None else format_instant(issued_at)
    lines: list[Line] = []
    entries: list[Entry] = []
    for each in rerated:
        lines += adjustment_lines(each, inputs.catalog)
        entries += deductions(each)
        for line, entry in reversals(each, true_ups, inputs.catalog):
            lines.append(line)
            entries.append(entry)
    return Adjustment(
        contract=contract,
        carrier_id=draft_id(contract.id, ADJUSTMENT, slot) if carrier is None else carrier.open.document_id,
        issued_at=issued_at,
        rerated=tuple(rerated),
        lines=tuple(lines),
        entries=tuple(entries),
    )


def reversals(rerated: Rerated, true_ups: TrueUps, catalog: Catalog) -> Iterator[tuple[Line, Entry]]:
    adjusts, end = rerated.closed.adjusts, rerated.closed.now.open.ending_before
    counts: dict[UUID, list[Decimal]] = {}
    commits: dict[UUID, Commit] = {}
    for balance, amount in rerated.deductions.items():
        if not balance.commit.pays:
            commits[balance.commit.id] = balance.commit
            counts.setdefault(balance.commit.id, []).append(amount)
    for commit in commits.values():
        amount = true_ups.reversal(commit, exact_sum(counts[commit.id]))
        if amount:
            name = commit.name or name_at(catalog.products[commit.product_id], end)
            line = Line(
                type="commit_purchase",
                name=adjustment_of(f"{name}: true-up", adjusts),
                total=-amount,
                unit=commit.unit,
                counts=commit.unit == rerated.closed.now.seller.card.fiat,
                product_id=commit.product_id,
                product_type="FIXED",
                quantity=Decimal(1),
                unit_price=-amount,
                commit_id=commit.id,
                commit_type=commit.type,
                postpaid_commit_id=commit.id,
                adjusts=adjusts,
            )
            yield line, Entry("POSTPAID_COMMIT_TRUEUP", commit.id, None, amount, end, adjusts=adjusts)


def _issued_at(contract: Contract, inputs: Inputs) -> datetime:
    """When a document of its own is issued."""
    issued = [
        parse_instant(slot)
        for contract_id, kind, slot in inputs.posted.documents
        if contract_id == contract.id and kind == ADJUSTMENT
    ]
    assert contract.term.ending_before is not None, "a contract without an end has an open period"
    last = max([contract.term.ending_before, *issued])
    graceful = inputs.at - timedelta(hours=contract.grace_hours)
    over = full_period(contract.billing_anchor_at, contract.frequency, at=graceful).starting_at
    return over if over > last else next(boundaries(contract.billing_anchor_at, contract.frequency, after=last))
