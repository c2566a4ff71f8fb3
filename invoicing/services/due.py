"""Doing what has fallen due: one job for each contract that goes on at its end, and one for each customer's documents,
so that one's trouble is nobody else's."""

from collections.abc import Callable
from datetime import datetime

from billing_site.foundation import jobs
from billing_site.foundation.models import Job
from billing_site.foundation.periods import format_instant
from contracts.models import ContractTerms
from contracts.queries import going_on
from invoicing.queries.due import FINALIZE_DUE, GO_ON, Due, due_customers
from invoicing.queries.summaries import let_go


def queue_due_work(*, at: datetime) -> list[Job]:
    """Ask for a job for each contract that goes on at its end, and for each customer with something due, that was not
    asked for already.

    A parked one is tried again when nothing holds a due draft of its customer any more, as the summary says that was
    made since it was parked.
    """
    ends = {_end_key(terms): terms for terms in going_on(until=at)}
    asked_for = set(Job.objects.filter(kind=GO_ON, key__in=ends).values_list("key", flat=True))
    queued = [jobs.enqueue(GO_ON, key, _end_payload(ends[key])) for key in ends if key not in asked_for]
    wanted = {_key(due): due for due in due_customers(at=at)}
    known = {job.key: job for job in Job.objects.filter(kind=FINALIZE_DUE, key__in=wanted)}
    parked = {wanted[job.key].customer_id: job for job in known.values() if job.state == Job.State.FAILED}
    for customer_id in let_go({customer_id: job.heartbeat_at for customer_id, job in parked.items()}, at=at):
        jobs.try_again(parked[customer_id])
    queued += [jobs.enqueue(FINALIZE_DUE, key, _payload(due)) for key, due in wanted.items() if key not in known]
    return queued


def do_due_work(*, at: datetime, may_go_on: Callable[[], bool] = lambda: True) -> list[Job]:
    """Do in this process whatever is due at `at`, in order, and return the jobs that were not done before.

    Parked jobs are tried again. Where a worker is at one, wait for it. Once something is done and `may_go_on` says no,
    the rest is left.
    """
    tried = [jobs.do_now(GO_ON, _end_key(terms), _end_payload(terms), at=at) for terms in going_on(until=at)]
    wanted = {_key(due): due for due in due_customers(at=at)}
    done = Job.objects.filter(kind=FINALIZE_DUE, key__in=wanted, state=Job.State.DONE).values_list("key", flat=True)
    settled = set(done)
    for key, due in wanted.items():
        if any(job.state == Job.State.DONE for job in tried) and not may_go_on():
            break
        if key not in settled:
            tried.append(jobs.do_now(FINALIZE_DUE, key, _payload(due), at=at))
    return tried


def _end_key(terms: ContractTerms) -> str:
    """One job for each contract and end; another end, another job."""
    assert terms.ending_before is not None
    return f"{terms.contract_id} {format_instant(terms.ending_before)}"


def _end_payload(terms: ContractTerms) -> dict[str, str]:
    return {"customer_id": str(terms.customer_id), "contract_id": str(terms.contract_id)}


def _key(due: Due) -> str:
    """One job for each customer and instant: what is added later falls due later."""
    return f"{due.customer_id} {format_instant(due.instant)}"


def _payload(due: Due) -> dict[str, str]:
    return {"customer_id": str(due.customer_id), "due_at": format_instant(due.instant)}
