"""Ending access to a prepaid commit or credit, and what is invoiced for it, earlier than was agreed.

    access of 1 October to 1 January, ended on 15 November     segments
    October    100                                             stays
    November   100                                             up to the 15th; what is left then expires
    December   100                                             taken out

What final documents have drawn stays drawn, and what has fallen due stays billed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import FieldError, NotFound
from contracts.inputs import EarlierEndInput
from contracts.models import AccessSegment, Commit, Contract, ContractEdit, Customer, InvoiceScheduleItem
from contracts.queries import AgreedCommit, agreements, shared_commits
from contracts.services import access
from contracts.services.checks import instant, reaches_back
from contracts.services.recording import add_terms, record_edit, remove_terms
from contracts.transactions import money_transaction


@dataclass(slots=True)
class _Cut:
    """What an earlier end takes out, and the shorter segments that come instead."""

    segments: list[AccessSegment] = field(default_factory=list)
    shorter: list[AccessSegment] = field(default_factory=list)
    invoice_items: list[InvoiceScheduleItem] = field(default_factory=list)


@money_transaction
def end_commit_earlier(
    customer: Customer, commit_id: UUID, given: EarlierEndInput, *, type_: str, at: datetime, by: Actor
) -> Commit:
    """End a commit of the customer or of a contract, of type PREPAID or CREDIT, by one edit. Ending it where it ends
    already changes nothing.

    Raises NotFound, and Refusal for a later end, and for whatever would reach back into final invoices.
    """
    committed = _standing(customer.pk, commit_id, type_)
    problems, cut = Problems(), _Cut()
    if given.access_ending_before is not None:
        _cut_access(cut, committed, given.access_ending_before, problems)
    if given.invoices_ending_before is not None:
        _cut_invoices(cut, committed.invoice_items, given.invoices_ending_before, at, problems)
    if given == EarlierEndInput():
        problems.add("access_ending_before", None, "is required, or invoices_ending_before")
    problems.refuse()
    commit = committed.commit
    if cut.segments or cut.invoice_items:
        edit = record_edit(
            customer,
            ContractEdit.Kind.EDIT if commit.contract_id else ContractEdit.Kind.BALANCE,
            contract=commit.contract,
            changes={"update_credits" if commit.is_credit else "update_commits": [_told(commit, cut)]},
            at=at,
            by=by,
        )
        remove_terms(edit, cut.segments)
        remove_terms(edit, cut.invoice_items)
        add_terms(edit, cut.shorter)
    return commit


def _standing(customer_id: UUID, commit_id: UUID, type_: str) -> AgreedCommit:
    of_contracts = (committed for agreed in agreements(customer_id) for committed in agreed.commits)
    for committed in (*shared_commits(customer_id), *of_contracts):
        if committed.commit.pk == commit_id and committed.commit.type == type_:
            return committed
    noun, name = ("credit", "credit_id") if type_ == Commit.Type.CREDIT else ("prepaid commit", "commit_id")
    raise NotFound(
        f"There is no such {noun}.", FieldError(name, commit_id, f"must be the id of a {noun} of this customer")
    )


def _cut_access(cut: _Cut, committed: AgreedCommit, end: datetime, problems: Problems) -> None:
    name = "access_ending_before"
    instant(problems, name, end)
    problems.hour(name, end)
    if not committed.segments:
        problems.add(name, end.isoformat(), "must not be given: the contract ended before there was access")
        return
    first = min(segment.starting_at for segment in committed.segments)
    last = max(segment.ending_before for segment in committed.segments)
    cut.segments, cut.shorter = access.cut(committed.segments, end)
    billed_through = _billed_through(committed.commit)
    if end > last:
        problems.add(name, end.isoformat(), f"must not be later than the end of access, {format_instant(last)}")
    elif end <= first:
        problems.add(name, end.isoformat(), f"must be later than the start of access, {format_instant(first)}")
    elif billed_through is not None and end < billed_through and cut.segments:
        problems.add(name, end.isoformat(), reaches_back(billed_through))


def _cut_invoices(
    cut: _Cut, items: Sequence[InvoiceScheduleItem], end: datetime, at: datetime, problems: Problems
) -> None:
    name = "invoices_ending_before"
    instant(problems, name, end)
    cut.invoice_items = [item for item in items if item.issued_at >= end]
    due = [item.issued_at for item in cut.invoice_items if item.issued_at <= at]
    if due:
        rule = f"must be later than {format_instant(max(due))}: what has fallen due is billed"
        problems.add(name, end.isoformat(), rule)


def _billed_through(commit: Commit) -> datetime | None:
    """Up to when usage that may have drawn on the commit is on final documents."""
    contracts = Contract.objects.filter(customer=commit.customer_id)
    named = [commit.contract_id] if commit.contract_id else commit.applicable_contract_ids
    if named:
        contracts = contracts.filter(pk__in=named)
    return contracts.aggregate(latest=Max("billed_through"))["latest"]


def _told(commit: Commit, cut: _Cut) -> dict[str, Any]:
    """The change as it is kept on the edit and echoed."""
    kept = {segment.segment_id for segment in cut.shorter}
    access = {
        "update_schedule_items": [
            {"id": str(segment.segment_id), "ending_before": format_instant(segment.ending_before)}
            for segment in cut.shorter
        ],
        "remove_schedule_items": [
            {"id": str(segment.segment_id)} for segment in cut.segments if segment.segment_id not in kept
        ],
    }
    removed = [{"id": str(item.pk)} for item in cut.invoice_items]
    return {
        "id": str(commit.pk),
        **({"access_schedule": {name: items for name, items in access.items() if items}} if cut.segments else {}),
        **({"invoice_schedule": {"remove_schedule_items": removed}} if removed else {}),
    }
