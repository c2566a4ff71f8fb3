"""The true-up of a postpaid commit: what is still missing of the commitment, billed on its date.

It exists as a draft from the moment the commit does, and shrinks as usage counts toward the commit. It is computed
from covered amounts as they were billed, so that invoices and true-up add up to the commitment:

    commitment + entries by hand - rolled over - billed by final documents - drawn by drafts, never below zero

    commitment 1,000, October final and printed at 300, November's draft at 250.4    449.6 is still to be spent
    the same, and 100 taken off by hand                                              349.6

It can be final only after all usage documents that overlap its window, of every contract that it is open to, and not
before the grace of these periods is over: usage that comes within it may still make a document.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from billing_site.foundation.money import exact_sum
from contracts.terms import Commit, Contract, ScheduledAmount
from invoicing.engine.calendar import TRUE_UP, BillingPeriod, draft_id, open_periods
from invoicing.engine.documents import Document, Entry, Line
from invoicing.engine.inputs import Inputs, Posted
from pricing.engine.products import name_at


def true_ups(inputs: Inputs, usage_documents: Sequence[Document]) -> Iterator[Document]:
    """The draft true-up of each postpaid commit that has none that is final. One of zero is among them."""
    periods = open_periods(inputs)
    for contract in inputs.terms.contracts:
        for commit in inputs.terms.all_commits:
            is_final = (contract.id, TRUE_UP, str(commit.id)) in inputs.posted.documents
            if commit.is_billed_by(contract.id) and not commit.pays and not is_final:
                in_window = [period for period in periods if _counts_toward(period, commit)]
                for item in commit.invoice_items:  # a postpaid commit has exactly one
                    yield _true_up(inputs, contract, commit, item, in_window, usage_documents)


def _counts_toward(billing: BillingPeriod, commit: Commit) -> bool:
    overlaps = any(billing.period.overlap(segment.period) for segment in commit.segments)
    return overlaps and commit.is_open_to(billing.contract.id)


def _true_up(
    inputs: Inputs,
    contract: Contract,
    commit: Commit,
    item: ScheduledAmount,
    in_window: Sequence[BillingPeriod],
    usage_documents: Sequence[Document],
) -> Document:
    awaited = {billing.document_id for billing in in_window}
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
        finalizes_at=max([item.issued_at, *(billing.finalizes_at for billing in in_window)]),
        unit=commit.unit,
        lines=(line,),
        total=missing,
        entries=(Entry("POSTPAID_COMMIT_TRUEUP", commit.id, None, -missing, item.issued_at),),
        waits_for=tuple(document.id for document in usage_documents if document.id in awaited),
    )


def _missing(inputs: Inputs, commit: Commit, usage_documents: Sequence[Document]) -> Decimal:
    drawn = [entry.amount for document in usage_documents for entry in document.entries if entry.commit_id == commit.id]
    return exact_sum([owed(commit, inputs.posted), -inputs.posted.billed.get(commit.id, Decimal(0)), *drawn])


def owed(commit: Commit, posted: Posted) -> Decimal:
    """What a commitment came to: as agreed, with what was posted by hand, less what went on to a renewal."""
    return exact_sum(
        [
            amount
            for segment in commit.segments
            for amount in (
                segment.amount,
                posted.manual.get(segment.id, Decimal(0)),
                -posted.rolled_over.get(segment.id, Decimal(0)),
            )
        ]
    )
