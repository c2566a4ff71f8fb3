"""The true-up of a postpaid commit: what is still missing of the commitment, billed on its date.

It exists as a draft from the moment the commit does, and shrinks as usage counts toward the commit. It is computed
from covered amounts as they were billed, so that invoices and true-up add up to the commitment:

    commitment - billed by final documents - drawn by drafts, never below zero

It can be final only after all usage documents that overlap its window.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from billing_site.foundation.money import exact_sum
from contracts.terms import Commit, Contract, ScheduledAmount
from invoicing.engine.calendar import TRUE_UP, draft_id
from invoicing.engine.documents import Document, Entry, Line
from invoicing.engine.inputs import Inputs
from pricing.engine.products import name_at


def true_ups(inputs: Inputs, usage_documents: Sequence[Document]) -> Iterator[Document]:
    """The draft true-up of each postpaid commit that has none that is final. One of zero is among them."""
    for contract in inputs.terms.contracts:
        for commit in contract.commits:
            is_final = (contract.id, TRUE_UP, str(commit.id)) in inputs.posted.documents
            if commit.type == "POSTPAID" and not is_final:
                for item in commit.invoice_items:  # a postpaid commit has exactly one
                    yield _true_up(inputs, contract, commit, item, usage_documents)


def _true_up(
    inputs: Inputs, contract: Contract, commit: Commit, item: ScheduledAmount, usage_documents: Sequence[Document]
) -> Document:
    overlapping = [
        document
        for document in usage_documents
        if document.contract_id == contract.id
        and any(document.period is not None and document.period.overlap(part.period) for part in commit.segments)
    ]
    missing = max(_missing(inputs, commit, usage_documents), Decimal(0))
    name = commit.name or name_at(inputs.catalog.products[commit.product_id], item.issued_at)
    line = Line(
        type="commit_purchase",
        name=f"{name}: true-up",
        total=missing,
        unit=commit.unit,
        product_id=commit.product_id,
        product_type="FIXED",
        quantity=Decimal(1),
        unit_price=missing,
        commit_id=commit.id,
        commit_type=commit.type,
        postpaid_commit_id=commit.id,
    )
    return Document(
        id=draft_id(contract.id, TRUE_UP, str(commit.id)),
        contract_id=contract.id,
        kind=TRUE_UP,
        slot=str(commit.id),
        type="SCHEDULED",
        period=None,
        issued_at=item.issued_at,
        finalizes_at=max([item.issued_at, *(document.finalizes_at for document in overlapping)]),
        unit=commit.unit,
        lines=(line,),
        total=missing,
        entries=(Entry("POSTPAID_COMMIT_TRUEUP", commit.id, None, -missing, item.issued_at),),
        waits_for=tuple(document.id for document in overlapping),
    )


def _missing(inputs: Inputs, commit: Commit, usage_documents: Sequence[Document]) -> Decimal:
    drawn = [entry.amount for document in usage_documents for entry in document.entries if entry.commit_id == commit.id]
    billed = inputs.posted.billed.get(commit.id, Decimal(0))
    return exact_sum([*(segment.amount for segment in commit.segments), -billed, *drawn])
