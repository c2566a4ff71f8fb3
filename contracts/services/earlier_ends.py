"""Ending access to a prepaid commit or credit, and what is invoiced for it, earlier than was agreed.

    access of 1 October to 1 January, ended on 15 November     segments
    October    100                                             stays
    November   100                                             up to the 15th; what is left then expires
    December   100                                             taken out

What final documents have drawn stays drawn, and what has fallen due stays billed. It is a change like any other (see
`commit_changes`), said in two dates.
"""

from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from contracts.inputs import (
    AccessChangeInput,
    CommitChangeInput,
    EarlierEndInput,
    InvoicesChangeInput,
    SegmentChangeInput,
)
from contracts.models import Commit, Customer
from contracts.queries import AgreedCommit
from contracts.services.checks import instant
from contracts.services.commit_changes import plan_changes
from contracts.services.commit_edits import refuse_of_archived_contract, save_change, standing_commit
from contracts.transactions import money_transaction


@money_transaction
def end_commit_earlier(
    customer: Customer, commit_id: UUID, given: EarlierEndInput, *, type_: str, at: datetime, by: Actor
) -> Commit:
    """End a commit of the customer or of a contract, of type PREPAID or CREDIT, by one edit. Ending it where it ends
    already changes nothing.

    Raises NotFound, MoreWasTaken, and Refusal for a later end, and for whatever would reach back into final invoices.
    """
    committed = standing_commit(customer.pk, commit_id, [type_], at=at)
    refuse_of_archived_contract(committed)
    problems = Problems()
    access, invoices = AccessChangeInput(), InvoicesChangeInput()
    if given.access_ending_before is not None:
        access = _cut_access(committed, given.access_ending_before, problems)
    if given.invoices_ending_before is not None:
        invoices = _cut_invoices(committed, given.invoices_ending_before, problems)
    if given == EarlierEndInput():
        problems.add("access_ending_before", None, "is required, or invoices_ending_before")
    problems.refuse()
    found = Problems()
    change = CommitChangeInput(commit_id, access, invoices)
    changes = plan_changes(customer, [("", change, committed)], found, at=at)
    for error in found.errors:
        name = "access_ending_before" if error.field.startswith("access") else "invoices_ending_before"
        problems.add(name, getattr(given, name).isoformat(), error.rule)
    problems.refuse()
    save_change(customer, changes[0], at=at, by=by)
    return committed.commit


def _cut_access(committed: AgreedCommit, end: datetime, problems: Problems) -> AccessChangeInput:
    name = "access_ending_before"
    instant(problems, name, end)
    problems.hour(name, end)
    if not committed.segments:
        problems.add(name, end.isoformat(), "must not be given: the contract ended before there was access")
        return AccessChangeInput()
    first = min(segment.starting_at for segment in committed.segments)
    last = max(segment.ending_before for segment in committed.segments)
    if end > last:
        problems.add(name, end.isoformat(), f"must not be later than the end of access, {format_instant(last)}")
    elif end <= first:
        problems.add(name, end.isoformat(), f"must be later than the start of access, {format_instant(first)}")
    later = [segment for segment in committed.segments if segment.ending_before > end]
    return AccessChangeInput(
        update_schedule_items=tuple(
            SegmentChangeInput(segment.segment_id, ending_before=end) for segment in later if segment.starting_at < end
        ),
        remove_schedule_items=tuple(segment.segment_id for segment in later if segment.starting_at >= end),
    )


def _cut_invoices(committed: AgreedCommit, end: datetime, problems: Problems) -> InvoicesChangeInput:
    instant(problems, "invoices_ending_before", end)
    late = [item.item_id for item in committed.invoice_items if item.issued_at >= end]
    return InvoicesChangeInput(remove_schedule_items=tuple(late))
