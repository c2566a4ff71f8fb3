"""Doing what has fallen due, one job for each customer, so that one customer's trouble is nobody else's."""

from collections.abc import Callable
from datetime import datetime

from billing_site.foundation import jobs
from billing_site.foundation.models import Job
from billing_site.foundation.periods import format_instant
from invoicing.queries.due import FINALIZE_DUE, Due, due_customers
from invoicing.queries.summaries import let_go


def queue_due_work(*, at: datetime) -> list[Job]:
    """Ask for a job for each customer with something due that was not asked for already.

    A parked one is tried again when nothing holds a due draft of its customer any more, as the summary says that was
    made since it was parked.
    """
    wanted = {_key(due): due for due in due_customers(at=at)}
    known = {job.key: job for job in Job.objects.filter(kind=FINALIZE_DUE, key__in=wanted)}
    parked = {wanted[job.key].customer_id: job for job in known.values() if job.state == Job.State.FAILED}
    for customer_id in let_go({customer_id: job.heartbeat_at for customer_id, job in parked.items()}, at=at):
        jobs.try_again(parked[customer_id])
    return [jobs.enqueue(FINALIZE_DUE, key, _payload(due)) for key, due in wanted.items() if key not in known]


def do_due_work(*, at: datetime, may_go_on: Callable[[], bool] = lambda: True) -> list[Job]:
    """Do in this process whatever is due at `at`, in order, and return the jobs that were not done before.

    Parked jobs are tried again. Where a worker is at one, wait for it. Once something is done and `may_go_on` says no,
    the rest is left.
    """
    wanted = {_key(due): due for due in due_customers(at=at)}
    done = Job.objects.filter(kind=FINALIZE_DUE, key__in=wanted, state=Job.State.DONE).values_list("key", flat=True)
    settled = set(done)
    tried: list[Job] = []
    for key, due in wanted.items():
        if any(job.state == Job.State.DONE for job in tried) and not may_go_on():
            break
        if key not in settled:
            tried.append(jobs.do_now(FINALIZE_DUE, key, _payload(due), at=at))
    return tried


def _key(due: Due) -> str:
    """One job for each customer and instant: what is added later falls due later."""
    return f"{due.customer_id} {format_instant(due.instant)}"


def _payload(due: Due) -> dict[str, str]:
    return {"customer_id": str(due.customer_id), "due_at": format_instant(due.instant)}
