"""Moving the test clock of a sandbox: what falls due on the way happens on the way, in order."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.models import Job, TestClock
from billing_site.foundation.periods import format_instant
from billing_site.foundation.refusals import Conflict, FieldError, Refusal
from contracts.models import ContractEdit
from invoicing.models import Invoice
from invoicing.queries.due import next_due
from invoicing.services.due import do_due_work
from ledger.models import IngestCall
from pricing.models import Publication

ATTEMPTS = 600
PAUSE_SECONDS = 0.1


class NotASandbox(Refusal):
    """The clock of a production site is the wall clock."""


class ClockCannotGoBack(Conflict):
    """Something has happened after the instant asked for."""


class ClockIsBeingMoved(Conflict):
    """Somebody else moved the clock meanwhile."""


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The clock stood at `instant`, and this was done there."""

    instant: datetime
    finalized: tuple[Invoice, ...]
    held: tuple[Job, ...]


def move_clock(to: datetime, *, by: Actor, tell: Callable[[ClockStep], None] = lambda step: None) -> list[ClockStep]:
    """Set the test clock to `to`, stopping at each instant at which something falls due and doing it there.

    Returns the steps when all has happened; `tell` hears each as it is done. Backwards it goes only as long as no
    usage, edit, publication or document is later. Safe to run again after it was interrupted, and beside a twin: they
    go on from wherever the other has moved the clock to, and both return when all has happened.

    Raises NotASandbox, ClockCannotGoBack, ClockIsBeingMoved.
    """
    if not settings.SANDBOX:
        raise NotASandbox("The clock can only be moved in a sandbox: set COUNTINGHOUSE_SANDBOX=1.")
    with acting(by):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _walk(to, tell)
            except ClockIsBeingMoved:
                row = TestClock.objects.first()
                if attempt == ATTEMPTS or (row is not None and row.instant > to):
                    raise
                time.sleep(PAUSE_SECONDS)
    raise AssertionError("unreachable")


def _walk(to: datetime, tell: Callable[[ClockStep], None]) -> list[ClockStep]:
    row = TestClock.objects.first()
    stood_at = None if row is None else row.instant
    latest = latest_fact()
    if latest is not None and to < latest:
        raise ClockCannotGoBack(
            f"The clock cannot be set to {format_instant(to)}: something happened at {format_instant(latest)}.",
            FieldError("instant", format_instant(to), f"must not be before {format_instant(latest)}"),
        )
    steps: list[ClockStep] = []

    def stop_at(instant: datetime) -> None:
        nonlocal stood_at
        _set(instant, expected=stood_at)
        stood_at = instant
        step = _do_what_is_due(instant)
        steps.append(step)
        tell(step)

    # Without a test clock the business time was the wall's; the last thing that happened is where to begin.
    here = (latest or to) if stood_at is None else stood_at
    if here < to:
        stop_at(here)
        while (due := next_due(here, to)) is not None and due < to:
            stop_at(due)
            here = due
    stop_at(to)
    return steps


def latest_fact() -> datetime | None:
    """When something last happened by the business clock: usage received, an edit, a publication, a final document."""
    instants = [
        IngestCall.objects.aggregate(last=Max("received_at"))["last"],
        ContractEdit.objects.aggregate(last=Max("created_at"))["last"],
        Publication.objects.aggregate(last=Max("published_at"))["last"],
        Invoice.objects.aggregate(last=Max("finalized_at"))["last"],
    ]
    return max((instant for instant in instants if instant is not None), default=None)


def _set(instant: datetime, *, expected: datetime | None) -> None:
    with transaction.atomic():
        row = TestClock.objects.select_for_update().first()
        if (None if row is None else row.instant) != expected:
            raise ClockIsBeingMoved(
                "The clock was moved by somebody else meanwhile; look where it stands and try again."
            )
        row = row or TestClock()
        if row.instant != instant:
            row.instant = instant
            row.save()


def _do_what_is_due(instant: datetime) -> ClockStep:
    jobs = do_due_work(at=instant)
    finalized = Invoice.objects.filter(
        customer_id__in=[job.payload["customer_id"] for job in jobs], finalized_at=instant
    ).select_related("customer", "unit")
    return ClockStep(
        instant=instant,
        finalized=tuple(finalized.order_by("issued_at", "number")),
        held=tuple(job for job in jobs if job.state != Job.State.DONE),
    )
