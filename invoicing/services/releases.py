"""Many held drafts released together, each as it was seen and in a transaction of its own."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billing_site.foundation import jobs
from billing_site.foundation.actor import Actor
from billing_site.foundation.display import count_text
from billing_site.foundation.models import Job
from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import checked_reason
from billing_site.foundation.refusals import Refusal
from invoicing.models import HoldDecision
from invoicing.services.holds import release_draft
from invoicing.services.summaries import refresh_summary

RELEASE_DRAFTS = "release_drafts"


@dataclass(frozen=True, slots=True)
class Held:
    """A draft with the keys of the reasons that somebody has seen."""

    customer_id: UUID
    draft_id: UUID
    seen: tuple[str, ...]

    def to_payload(self) -> dict[str, Any]:
        return {"customer_id": str(self.customer_id), "draft_id": str(self.draft_id), "seen": list(self.seen)}

    @classmethod
    def of_payload(cls, payload: dict[str, Any]) -> "Held":
        return cls(UUID(payload["customer_id"]), UUID(payload["draft_id"]), tuple(payload["seen"]))


@dataclass(frozen=True, slots=True)
class Released:
    """What came of it: `left` says of each draft that stays held why it does."""

    count: int
    left: tuple[str, ...]

    @property
    def text(self) -> str:
        """ "48 drafts released, 2 left as they are"."""
        count = count_text(self.count, "draft", "drafts")
        said = f"{count[:1].upper()}{count[1:]} released"
        return f"{said}, {len(self.left):,} left as they are" if self.left else said


def release_drafts(
    wanted: Sequence[Held],
    *,
    reason: str,
    asked_at: datetime,
    at: datetime,
    by: Actor,
    report: Callable[[str], None] = lambda text: None,
) -> Released:
    """Those that are no longer held as they were seen are left as they are. Safe to run twice: what was released with
    this reason since `asked_at` counts as done.

    Raises Refusal where the reason is no reason.
    """
    reason = checked_reason(reason)
    done = HoldDecision.objects.filter(
        document_id__in=[each.draft_id for each in wanted],
        kind=HoldDecision.Kind.RELEASED,
        reason=reason,
        actor_id=by.id,
        created_at__gte=asked_at,
    )
    before = set(done.values_list("document_id", flat=True))
    count, left = 0, []
    released: dict[UUID, None] = {}  # customers
    for place, each in enumerate(wanted, 1):
        if each.draft_id in before:
            count += 1
            released[each.customer_id] = None  # whoever was stopped here may not have come to it
            continue
        try:
            release_draft(each.customer_id, each.draft_id, seen=each.seen, reason=reason, at=at, by=by)
        except Refusal as refusal:
            left.append(refusal.message)
        else:
            count += 1
            released[each.customer_id] = None
        report(f"{place:,} of {len(wanted):,}")
    for customer_id in released:
        refresh_summary(customer_id, at=at)  # so that the queue says the same
    return Released(count, tuple(left))


def queue_release(job_id: UUID, drafts: Sequence[Held], *, reason: str, at: datetime, by: Actor) -> Job:
    """Let the job cluster release them; `job_id` makes a repeat harmless. Raises Refusal where the reason is no
    reason."""
    payload = {
        "drafts": [each.to_payload() for each in drafts],
        "reason": checked_reason(reason),
        "asked_at": format_instant(at),
        "by": asdict(by),
    }
    return jobs.enqueue(RELEASE_DRAFTS, str(job_id), payload)
