"""What the job cluster does for invoicing."""

from datetime import datetime
from uuid import UUID

from billing_site.foundation import clock, jobs
from billing_site.foundation.actor import Actor
from billing_site.foundation.jobs import Payload, every_minute, job
from invoicing import services
from invoicing.queries.clock import MOVE_CLOCK
from invoicing.queries.due import FINALIZE_DUE


@job(FINALIZE_DUE)
def finalize_due(payload: Payload, at: datetime) -> None:
    """Finalize what is due of one customer. What has to be held parks the job, with the reasons."""
    by = Actor.job("finalization")
    services.finalize_due(UUID(payload["customer_id"]), at=at, by=by, report=jobs.report).raise_if_held()


@job(MOVE_CLOCK)
def move_clock(payload: Payload, at: datetime) -> None:
    """Carry a move of the test clock on for some seconds. What refuses it ends the move, with the reason."""
    services.carry_on_moving(UUID(payload["move_id"]), payload["chunk"])


@every_minute
def queue_due_work() -> None:
    services.queue_due_work(at=clock.now())
