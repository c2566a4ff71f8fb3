"""Moving the test clock of a sandbox: what falls due on the way happens on the way, in order."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from billing_site.foundation import clock, followers
from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.display import instant_text
from billing_site.foundation.models import ClockFollower, Job, TestClock
from billing_site.foundation.periods import floor_day, format_instant
from billing_site.foundation.refusals import Conflict, FieldError, Refusal
from contracts.models import ContractEdit
from invoicing.models import Invoice
from invoicing.queries.due import next_due
from invoicing.services.due import do_due_work
from ledger.models import IngestCall
from pricing.models import Publication

ATTEMPTS = 600
PAUSE_SECONDS = 0.1
LOOK_SECONDS = 0.03


class NotASandbox(Refusal):
    """The clock of a production site is the wall clock."""


class ClockCannotGoBack(Conflict):
    """Something has happened after the instant asked for."""


class ClockIsBeingMoved(Conflict):
    """Somebody else moved the clock meanwhile."""


class UsageIsMissing(Conflict):
    """Somebody who posts usage under this clock has gone, and what they owe is not in."""


class ClockPaused(Exception):
    """The caller's time is up. What was done is done; moving the clock to the same goal again goes on from there."""


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The clock stood at `instant`, and this was done there."""

    instant: datetime
    finalized: tuple[Invoice, ...]
    held: tuple[Job, ...]

    @classmethod
    def of(cls, instant: datetime, jobs: Sequence[Job]) -> "ClockStep":
        """What these jobs, done at `instant`, came to."""
        finalized = Invoice.objects.filter(
            customer_id__in=[job.payload["customer_id"] for job in jobs], finalized_at=instant
        ).select_related("customer", "unit")
        return cls(
            instant=instant,
            finalized=tuple(finalized.order_by("issued_at", "number")),
            held=tuple(job for job in jobs if job.state != Job.State.DONE),
        )


def move_clock(
    to: datetime,
    *,
    by: Actor,
    waits_for_usage: bool = True,
    tell: Callable[[ClockStep], None] = lambda step: None,
    may_go_on: Callable[[], bool] = lambda: True,
) -> list[ClockStep]:
    """Set the test clock to `to`, stopping at each instant at which something falls due and doing it there.

    Where somebody follows the clock (see `followers`) it goes by a day at the most, and only once their usage is in.
    Returns the steps when all has happened; `tell` hears each as it is done; `may_go_on` is asked in between. Backwards
    it goes only as long as no usage, edit, publication or document is later. Safe to run again after it was
    interrupted, and beside a twin: they go on from wherever the other has moved the clock to, and both return when all
    has happened.

    Raises NotASandbox, ClockCannotGoBack, ClockIsBeingMoved, UsageIsMissing, ClockPaused.
    """
    if not settings.SANDBOX:
        raise NotASandbox("The clock can only be moved in a sandbox: set COUNTINGHOUSE_SANDBOX=1.")
    with acting(by):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _Walk(to, waits_for_usage, tell, may_go_on).walk()
            except ClockIsBeingMoved:
                row = TestClock.objects.first()
                if attempt == ATTEMPTS or (row is not None and row.instant > to):
                    raise
                time.sleep(PAUSE_SECONDS)
    raise AssertionError("unreachable")


def check_goal(to: datetime) -> datetime | None:
    """When something last happened. Raises ClockCannotGoBack where that is later than `to`."""
    latest = latest_fact()
    if latest is not None and to < latest:
        raise ClockCannotGoBack(
            f"The clock cannot be set to {format_instant(to)}: something happened at {format_instant(latest)}.",
            FieldError("instant", format_instant(to), f"must not be before {format_instant(latest)}"),
        )
    return latest


@dataclass(slots=True)
class _Walk:
    """One way to the goal, for as long as nobody else moves the clock."""

    goal: datetime
    waits_for_usage: bool
    tell: Callable[[ClockStep], None]
    may_go_on: Callable[[], bool]
    has_progressed: bool = False  # before that it does not pause, or the next one would begin where this one did

    def walk(self) -> list[ClockStep]:
        row = TestClock.objects.first()
        stood_at = None if row is None else row.instant
        latest = check_goal(self.goal)
        # Without a test clock the business time was the wall's; the last thing that happened is where to begin.
        here = (latest or self.goal) if stood_at is None else stood_at
        steps = []
        while here < self.goal:
            steps.append(self._stop_at(here, stood_at))
            stood_at = here
            here = self._next_stop(here)
        steps.append(self._stop_at(self.goal, stood_at))
        return steps

    def _next_stop(self, here: datetime) -> datetime:
        no_further = self.goal
        if self.waits_for_usage and followers.exist():
            no_further = min(floor_day(here) + followers.STRIDE, self.goal)
        return next_due(here, no_further) or no_further

    def _stop_at(self, instant: datetime, stood_at: datetime | None) -> ClockStep:
        self._pause_if_time_is_up()
        if self.waits_for_usage and (stood_at is None or stood_at <= instant):
            self._wait_for_usage(instant)
        _set(instant, expected=stood_at)
        jobs = do_due_work(at=instant, may_go_on=self.may_go_on)
        self.has_progressed |= instant != stood_at or any(job.state == Job.State.DONE for job in jobs)
        self._pause_if_time_is_up()
        step = ClockStep.of(instant, jobs)
        self.tell(step)
        return step

    def _pause_if_time_is_up(self) -> None:
        if self.has_progressed and not self.may_go_on():
            raise ClockPaused

    def _wait_for_usage(self, until: datetime) -> None:
        followers.ask(until)
        since = clock.wall_time()
        while owing := followers.owing(until):
            last_seen = max(since, min(follower.seen_at for follower in owing))
            if last_seen < clock.wall_time() - followers.PATIENCE:
                raise _missing(owing[0], until)
            if last_seen > since and not self.may_go_on():
                raise ClockPaused
            time.sleep(LOOK_SECONDS)


def _missing(follower: ClockFollower, until: datetime) -> UsageIsMissing:
    return UsageIsMissing(
        f"{follower.name} posts usage under this clock: it is in up to {instant_text(follower.fed_until)}, the clock "
        f"would go on to {instant_text(until)}, and nothing was heard of it for {followers.PATIENCE.seconds} seconds. "
        "Start it again and move the clock once more, or move it without waiting for usage."
    )


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
