"""The true-up of a postpaid commit: what is still missing of the commitment, billed on its date.

It exists as a draft from the moment the commit does, and shrinks as usage counts toward the commit. It is computed
from covered amounts as they were billed, so that invoices and true-up add up to the commitment:

    commitment + entries by hand - rolled over - billed by final documents - drawn by drafts, never below zero

    commitment 1,000, October final and printed at 300, November's draft at 250.4    449.6 is still to be spent
    the same, and 100 taken off by hand                                              349.6

It can be final only after all usage documents that overlap its window, of every contract that it is open to, and not
before the grace of these periods is over: usage that comes within it may still make a document. It waits for documents
of fees alone that count toward it, too.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_sum
from contracts.terms import Commit, Contract, ScheduledAmount
from invoicing.engine.calendar import CHARGES, TRUE_UP, BillingPeriod, draft_id, open_periods
from invoicing.engine.documents import Document, Entry, Line, Standing
from invoicing.engine.inputs import Inputs
from pricing.engine.products import name_at


def true_ups(inputs: Inputs, standings: Sequence[Standing], documents: Sequence[Document]) -> Iterator[Document]:
    """The draft true-up of each postpaid commit that has none that is final. One of zero is among them.

    A renewal that took nothing over has none.
    """
    periods = open_periods(inputs)
    for contract in inputs.terms.contracts:
        for of_commit in _by_commit(standings):
            commit = of_commit[0].commit
            is_final = (contract.id, TRUE_UP, str(commit.id)) in inputs.posted.documents
            if commit.is_billed_by(contract.id) and not commit.pays and not is_final and _is_owed(of_commit):
                awaited = [period for period in periods if _decides(period, commit, contract)]
                for item in commit.invoice_items:  # a postpaid commit has exactly one
                    yield _true_up(inputs, contract, item, of_commit, awaited, documents)


def _by_commit(standings: Sequence[Standing]) -> Iterable[Sequence[Standing]]:
    found: dict[UUID, list[Standing]] = {}
    for standing in standings:
        found.setdefault(standing.commit.id, []).append(standing)
    return found.values()


def _is_owed(standings: Sequence[Standing]) -> bool:
    return any(standing.granted for standing in standings)


def _decides(billing: BillingPeriod, commit: Commit, contract: Contract) -> bool:
    """Whether usage of the period may count toward the commit, or what of it is left may become the commit."""
    if commit.rolled_over_from is not None and billing.is_last and billing.contract.id == contract.renews:
        return True
    overlaps = any(billing.period.overlap(segment.period) for segment in commit.segments)
    return overlaps and commit.is_open_to(billing.contract.id)


def _true_up(
    inputs: Inputs,
    contract: Contract,
    item: ScheduledAmount,
    standings: Sequence[Standing],
    awaited: Sequence[BillingPeriod],
    documents: Sequence[Document],
) -> Document:
    commit = standings[0].commit
    ids = {billing.document_id for billing in awaited}
    missing = max(_missing(inputs, commit, standings), Decimal(0))
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
        finalizes_at=max([item.issued_at, *(billing.finalizes_at for billing in awaited)]),
        unit=commit.unit,
        lines=(line,),
        total=missing,
        entries=(Entry("POSTPAID_COMMIT_TRUEUP", commit.id, None, -missing, item.issued_at),),
        waits_for=tuple(
            document.id for document in documents if document.id in ids or _is_fee_that_counts(document, commit)
        ),
    )


def _is_fee_that_counts(document: Document, commit: Commit) -> bool:
    return document.kind == CHARGES and any(entry.commit_id == commit.id for entry in document.entries)


def _missing(inputs: Inputs, commit: Commit, standings: Sequence[Standing]) -> Decimal:
    owed = [amount for each in standings for amount in (each.granted, each.manual, -each.rolled_over)]
    pending = [-taken.amount for each in standings for taken in each.pending]
    return exact_sum([*owed, *pending, -inputs.posted.billed.get(commit.id, Decimal(0))])
