"""The note as a document: its lines, what it posts, and what it does to true-ups that are final."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billing_site.foundation.money import Unit, exact_sum
from invoicing.engine.balances import Balance
from invoicing.engine.calendar import draft_id
from invoicing.engine.documents import Document, Entry, Line
from invoicing.engine.inputs import Inputs
from invoicing.engine.late.carry import TrueUps, reversals
from invoicing.engine.late.lines import adjustment_lines, deductions
from invoicing.engine.notes.correct import Correction

NOTE = "NOTE"


def note_of(correction: Correction, inputs: Inputs, shared: Sequence[Balance], *, slot: str) -> Document:
    """The difference as a document that is final at once; `shared` are the balances as the ledger has left them."""
    rerated = correction.rerated
    now = rerated.closed.now
    entries: list[Entry] = list(deductions(rerated))
    lines: list[Line] = list(adjustment_lines(rerated, inputs.catalog))
    for line, entry in reversals(rerated, TrueUps(inputs.posted, shared), inputs.catalog):
        lines.append(line)
        entries.append(entry)
    return note_document(
        lines, entries, contract_id=now.open.contract.id, slot=slot, unit=now.seller.card.fiat, at=inputs.at
    )


def note_document(
    lines: Sequence[Line], entries: Sequence[Entry], *, contract_id: UUID, slot: str, unit: Unit, at: datetime
) -> Document:
    """Final at once, for no period of its own."""
    return Document(
        id=draft_id(contract_id, NOTE, slot),
        contract_id=contract_id,
        kind=NOTE,
        slot=slot,
        type="SCHEDULED",
        period=None,
        issued_at=at,
        finalizes_at=at,
        unit=unit,
        lines=tuple(lines),
        total=exact_sum([line.total for line in lines if line.counts]),
        entries=tuple(entries),
    )
