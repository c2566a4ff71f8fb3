"""How far a move of the test clock is: the clock says it, and the documents; the row says whence and where to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from billing_site.foundation import clock
from billing_site.foundation.jobs.queue import LEASE
from billing_site.foundation.models import ClockMove, Job
from invoicing.models import Invoice
from invoicing.queries.due import FINALIZE_DUE, due_customers

MOVE_CLOCK = "move_clock"
WAIT_FOR_A_WORKER = timedelta(seconds=10)  # after that somebody would want to know


@dataclass(frozen=True, slots=True)
class Progress:
    """A move as it is now. `state` is UNDER_WAY, ARRIVED or STOPPED; `reason` says why it stopped."""

    move: ClockMove
    state: str
    reason: str
    awaits_worker: bool
    finalized: int
    last_finalized: tuple[Invoice, ...]  # the latest first
    held: tuple[Job, ...]

    @property
    def is_under_way(self) -> bool:
        return self.state == ClockMove.State.UNDER_WAY


def job_key(move: ClockMove) -> str:
    return f"{move.pk} {move.chunk}"


def goals_of_moves(ids: Collection[UUID]) -> dict[UUID, datetime]:
    return dict(ClockMove.objects.filter(pk__in=ids).values_list("pk", "goal_at"))


def job_of(move: ClockMove) -> Job | None:
    """The job that is at the move, or was at it last."""
    return Job.objects.filter(kind=MOVE_CLOCK, key=job_key(move)).first()


def last_move_of_clock(*, at: datetime, shown: int) -> Progress | None:
    """The move that is under way, or else the last one, with the latest `shown` documents that became final on it."""
    moves = ClockMove.objects.order_by("-asked_at")
    move = moves.filter(state=ClockMove.State.UNDER_WAY).first() or moves.first()
    if move is None:
        return None
    job = job_of(move)
    state, reason, awaits = move.state, move.reason, False
    if state == ClockMove.State.UNDER_WAY and job is not None:
        unheard = clock.wall_time() - (job.heartbeat_at or job.created_at)
        awaits = unheard > (LEASE if job.state == Job.State.RUNNING else WAIT_FOR_A_WORKER)
        if job.state == Job.State.FAILED:  # given up: nobody carries it on
            state, reason = ClockMove.State.STOPPED, job.error
    finalized = Invoice.objects.filter(finalized_at__gt=move.began_at, finalized_at__lte=min(at, move.goal_at))
    return Progress(
        move=move,
        state=state,
        reason=reason,
        awaits_worker=awaits,
        finalized=finalized.count(),
        last_finalized=tuple(
            finalized.select_related("customer", "unit").order_by("-finalized_at", "customer__name", "number")[:shown]
        ),
        held=_held(at=at),
    )


def _held(*, at: datetime) -> tuple[Job, ...]:
    """The parked jobs of customers for whom something is due and is not final."""
    due = [str(falling.customer_id) for falling in due_customers(at=at)]
    parked = Q(kind=FINALIZE_DUE, state=Job.State.FAILED, payload__customer_id__in=due)
    latest = {job.payload["customer_id"]: job for job in Job.objects.filter(parked).order_by("created_at")}
    return tuple(latest.values())
