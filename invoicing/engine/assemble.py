"""From what the walk took to a usage document: its lines (`lines.py`), its total, and the entries it would post.

The total is the sum of the lines that count.
"""

from collections.abc import Iterator, Sequence

from billing_site.foundation.money import exact_sum
from invoicing.engine.calendar import USAGE
from invoicing.engine.documents import Document, Entry, Finding, Line
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.late.carry import Adjustment
from invoicing.engine.lines import usage_lines
from pricing.engine.catalog import Catalog


def usage_document(
    draft: UsageDraft,
    catalog: Catalog,
    findings: tuple[Finding, ...],
    late: Sequence[Adjustment],
    charged: Sequence[Line] = (),
) -> Document | None:
    """The document of a billing period, with what is charged on its last day and the adjustments that it carries, or of
    fees that have one of their own; None where it has neither lines nor a finding that holds it."""
    carried = [each for each in late if each.carrier_id == draft.open.document_id]
    lines = (*usage_lines(draft, catalog), *charged, *(line for each in carried for line in each.lines))
    findings = (*findings, *(finding for each in carried for finding in each.findings))
    if not lines and not any(finding.blocking for finding in findings):
        return None
    open_, fiat = draft.open, draft.seller.card.fiat
    return Document(
        id=open_.document_id,
        contract_id=open_.contract.id,
        kind=open_.kind,
        slot=open_.slot,
        type="USAGE" if open_.kind == USAGE else "SCHEDULED",
        period=open_.period if open_.kind == USAGE else None,
        issued_at=open_.posted_at,
        finalizes_at=open_.finalizes_at,
        unit=fiat,
        lines=lines,
        total=exact_sum([line.total for line in lines if line.counts]),
        entries=(*_entries(draft), *(entry for each in carried for entry in each.entries)),
        findings=findings,
    )


def _entries(draft: UsageDraft) -> Iterator[Entry]:
    for balance, amount in sorted(draft.deductions.items(), key=lambda deduction: deduction[0].rank):
        if amount:
            yield Entry(
                type=f"{balance.commit.ledger_name}_AUTOMATED_INVOICE_DEDUCTION",
                commit_id=balance.commit.id,
                segment_id=balance.segment.id,
                amount=-amount,
                timestamp=draft.open.posted_at,
            )
    for rollover in (*draft.rollovers, *draft.taken_over):
        for balance, amount in rollover.moved.items():
            yield Entry(
                type=f"{balance.commit.ledger_name}_ROLLOVER",
                commit_id=balance.commit.id,
                segment_id=balance.segment.id,
                amount=-amount,
                timestamp=rollover.renewal.term.starting_at,
                new_contract_id=rollover.renewal.id,
            )
