"""Commits and credits that edits have archived."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from contracts.models import AccessSegment, Commit, CommitVersion, InvoiceScheduleItem, TermQuerySet
from contracts.queries.agreements import AgreedCommit, grouped_by_place, in_order_of_adding, take_versions
from contracts.queries.gates import gates_of


def archived_commits(customer_id: UUID, *, at_edit: int | None = None) -> list[AgreedCommit]:
    """Those that an edit up to and with `at_edit` archived, each with what stood of it then. Four queries, or one."""
    related = ("product", "unit", "invoice_unit", "contract", "added_by_edit", "removed_by_edit", "gate")
    rows = Commit.objects.filter(customer_id=customer_id, removed_by_edit__isnull=False).select_related(*related)
    if at_edit is not None:
        rows = rows.filter(removed_by_edit__number__lte=at_edit)
    commits = in_order_of_adding(rows)
    if not commits:
        return []
    take_versions(commits, CommitVersion.objects.standing().filter(commit__in=commits))
    edits = {commit.pk: commit.removed_by_edit_id for commit in commits}

    def stood(rows: TermQuerySet) -> defaultdict[UUID | None, list[Any]]:
        """By commit: what went with it."""
        found = rows.filter(commit__in=commits, removed_by_edit__in=edits.values()).select_related("added_by_edit")
        return grouped_by_place((row for row in found if row.removed_by_edit_id == edits[row.commit_id]), "commit_id")

    segments, items = stood(AccessSegment.objects.select_related("first_row")), stood(InvoiceScheduleItem.objects.all())
    gates = gates_of(commits)
    return [
        AgreedCommit(commit, tuple(segments[commit.pk]), tuple(items[commit.pk]), gate=gates.get(commit.pk))
        for commit in commits
    ]
