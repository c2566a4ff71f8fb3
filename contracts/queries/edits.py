"""The history of a contract: what each edit added."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from contracts.models import (
    AccessSegment,
    Commit,
    ContractEdit,
    InvoiceScheduleItem,
    Override,
    ScheduledCharge,
    ScheduledChargeItem,
    Term,
)
from contracts.queries.agreements import AgreedCharge, AgreedCommit, in_order_of_adding

T = TypeVar("T", bound=Term)


@dataclass(frozen=True, slots=True)
class EditedTerms:
    """One edit and the terms it added, with their schedules as they were added. The rest is in `edit.changes`."""

    edit: ContractEdit
    overrides: tuple[Override, ...]
    commits: tuple[AgreedCommit, ...]
    charges: tuple[AgreedCharge, ...]


def edit_history(customer_id: UUID, contract_id: UUID, *, edit_id: UUID | None = None) -> list[EditedTerms]:
    """The edits of a contract in order, its creation not among them; or only one of them. Seven queries."""
    edits = ContractEdit.objects.filter(customer_id=customer_id, contract_id=contract_id, kind=ContractEdit.Kind.EDIT)
    if edit_id is not None:
        edits = edits.filter(pk=edit_id)
    edits = edits.order_by("number")

    def added(terms: Iterable[T]) -> list[T]:
        rows = terms.filter(customer_id=customer_id, added_by_edit__in=edits)  # type: ignore[attr-defined]
        return in_order_of_adding(rows.select_related("added_by_edit"))

    segments = _by(added(AccessSegment.objects.all()), "commit_id")
    invoice_items = _by(added(InvoiceScheduleItem.objects.all()), "commit_id")
    charge_items = _by(added(ScheduledChargeItem.objects.all()), "charge_id")
    overrides = _by(added(Override.objects.select_related("product", "unit")), "added_by_edit_id")
    commits = _by(added(Commit.objects.select_related("product", "unit", "invoice_unit")), "added_by_edit_id")
    charges = _by(added(ScheduledCharge.objects.select_related("product", "unit")), "added_by_edit_id")

    def with_its_edit(terms: list[T], edit: ContractEdit) -> tuple[T, ...]:
        return tuple(term for term in terms if term.added_by_edit_id == edit.pk)

    return [
        EditedTerms(
            edit,
            tuple(overrides[edit.pk]),
            tuple(
                AgreedCommit(
                    commit,
                    with_its_edit(segments[commit.pk], edit),
                    with_its_edit(invoice_items[commit.pk], edit),
                )
                for commit in commits[edit.pk]
            ),
            tuple(AgreedCharge(charge, with_its_edit(charge_items[charge.pk], edit)) for charge in charges[edit.pk]),
        )
        for edit in edits
    ]


def last_edit_number(customer_id: UUID, contract_id: UUID) -> int:
    """The number of the last edit of a contract; 0 where there is none."""
    edits = ContractEdit.objects.filter(customer_id=customer_id, contract_id=contract_id)
    return edits.order_by("-number").values_list("number", flat=True).first() or 0


def edit_number_at(customer_id: UUID, at: datetime) -> int:
    """The number of the customer's last edit that was made up to and at an instant; 0 before the first."""
    edits = ContractEdit.objects.filter(customer_id=customer_id, created_at__lte=at)
    return edits.order_by("-number").values_list("number", flat=True).first() or 0


def _by(terms: Iterable[T], owner: str) -> defaultdict[UUID, list[T]]:
    grouped: defaultdict[UUID, list[T]] = defaultdict(list)
    for term in terms:
        grouped[getattr(term, owner)].append(term)
    return grouped
