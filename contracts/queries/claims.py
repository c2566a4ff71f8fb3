"""Whose events are these? Claims of subjects, read in both directions."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db.models import Q

from billing_site.foundation.periods import earliest
from contracts.models import Claim
from contracts.terms import ClaimWindow


def claim_windows(customer_id: UUID, *, at_edit: int | None = None) -> tuple[ClaimWindow, ...]:
    """The hours over which subjects are the customer's, as known at its edit `at_edit`; one query.

    Windows of one subject are disjoint, do not touch, and ascend.
    """
    claimed = Claim.objects.filter(customer_id=customer_id).values("subject")
    rows = Claim.objects.filter(subject__in=claimed).select_related("edit").order_by("subject", "sequence")
    return tuple(
        window
        for subject, claims in groupby(rows, lambda claim: claim.subject)
        for window in _windows(subject, customer_id, _known(claims, customer_id, at_edit))
    )


def owner_of(subjects: Collection[str], at: datetime) -> dict[str, UUID]:
    """Who owns each subject at the instant; subjects that nobody owns are left out. One query."""
    holding = (
        Claim.objects.filter(Q(starting_at__isnull=True) | Q(starting_at__lte=at), subject__in=subjects)
        .order_by("subject", "-sequence")
        .distinct("subject")
    )
    return {claim.subject: claim.customer_id for claim in holding if claim.customer_id is not None}


def holders_of(subjects: Collection[str]) -> dict[str, Claim]:
    """The last claim or release of each subject that was ever claimed. One query."""
    last = Claim.objects.filter(subject__in=subjects).order_by("subject", "-sequence").distinct("subject")
    return {claim.subject: claim for claim in last}


def aliases_of(customer_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The ingest aliases that customers hold, each list in the order of claiming. One query."""
    claimed = Claim.objects.filter(customer_id__in=customer_ids).values("subject")
    last = Claim.objects.filter(subject__in=claimed).order_by("subject", "-sequence").distinct("subject")
    aliases: dict[UUID, list[str]] = {customer_id: [] for customer_id in customer_ids}
    for claim in sorted(last, key=lambda claim: claim.pk):
        if claim.customer_id in aliases and claim.subject != str(claim.customer_id):
            aliases[claim.customer_id].append(claim.subject)
    return aliases


def _known(claims: Iterable[Claim], customer_id: UUID, at_edit: int | None) -> list[Claim]:
    """The claims of one subject up to the first that the customer itself made later than `at_edit`."""
    known = []
    for claim in claims:
        if at_edit is not None and claim.edit.customer_id == customer_id and claim.edit.number > at_edit:
            break
        known.append(claim)
    return known


def _windows(subject: str, customer_id: UUID, claims: list[Claim]) -> list[ClaimWindow]:
    """Each claim holds from its start up to the earliest start of a later one."""
    windows: list[ClaimWindow] = []
    end: datetime | None = None
    for claim in reversed(claims):
        start = claim.starting_at
        if claim.customer_id == customer_id and (start is None or end is None or start < end):
            if windows and windows[-1].starting_at == end and end is not None:
                windows[-1] = ClaimWindow(subject, start, windows[-1].ending_before)
            else:
                windows.append(ClaimWindow(subject, start, end))
        if start is None:
            break
        end = earliest(end, start)
    return windows[::-1]
