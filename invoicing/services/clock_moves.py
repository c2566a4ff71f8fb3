"""Moving the test clock in the background: a wish that a chain of jobs carries out, each for some seconds."""

import time
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from billing_site.foundation import clock, jobs
from billing_site.foundation.actor import Actor
from billing_site.foundation.display import instant_text
from billing_site.foundation.models import ClockMove, Job
from billing_site.foundation.refusals import Conflict, Refusal
from invoicing.queries.clock import MOVE_CLOCK, job_key, job_of
from invoicing.services.clock import ClockPaused, NotASandbox, check_goal, move_clock

CHUNK_SECONDS = 8.0  # then the next job goes on; with what was begun and a wait for usage it stays below 30


class ClockIsOnItsWay(Conflict):
    """It was asked to go somewhere else before, and has not arrived."""


def ask_to_move_clock(to: datetime, *, by: Actor, waits_for_usage: bool = True) -> tuple[ClockMove, bool]:
    """Let the clock go to `to` in the background. Gives the move, and whether it is new: asked again while the clock
    is on its way there, this is the same one.

    Raises NotASandbox, ClockCannotGoBack, ClockIsOnItsWay.
    """
    if not settings.SANDBOX:
        raise NotASandbox("The clock can only be moved in a sandbox: set COUNTINGHOUSE_SANDBOX=1.")
    check_goal(to)
    try:
        with transaction.atomic():
            under_way = _move_under_way()
            if under_way is None:
                return _begin(to, by=by, waits_for_usage=waits_for_usage), True
    except IntegrityError:  # a twin was faster
        under_way = ClockMove.objects.get(state=ClockMove.State.UNDER_WAY)
    if under_way.goal_at != to:
        raise ClockIsOnItsWay(
            f"The clock is on its way to {instant_text(under_way.goal_at)}: wait until it is there, or stop it."
        )
    return under_way, False


def stop_clock_move(*, by: Actor) -> ClockMove | None:
    """Let the move that is under way end where it has got to. None where there is none."""
    with transaction.atomic():
        move = _move_under_way()
        if move is not None:
            _settle(move, ClockMove.State.STOPPED, f"Stopped by {by.label}.")
        return move


def carry_on_moving(move_id: UUID, chunk: int) -> None:
    """One job's part of a move. Twice is as good as once: a job whose part is done leaves the move alone."""
    move = ClockMove.objects.get(pk=move_id)
    if move.state != ClockMove.State.UNDER_WAY or move.chunk != chunk:
        return
    ends = time.monotonic() + CHUNK_SECONDS

    def may_go_on() -> bool:
        wanted = ClockMove.objects.filter(pk=move.pk, state=ClockMove.State.UNDER_WAY)
        return time.monotonic() < ends and wanted.exists()

    try:
        move_clock(move.goal_at, by=Actor(**move.actor), waits_for_usage=move.waits_for_usage, may_go_on=may_go_on)
    except ClockPaused:
        _pass_on(move)
    except Refusal as refusal:
        _settle(move, ClockMove.State.STOPPED, refusal.message)
    else:
        _settle(move, ClockMove.State.ARRIVED, "")


def _move_under_way() -> ClockMove | None:
    """The move that is being carried out, locked. One whose job was given up is settled and bars nobody."""
    move = ClockMove.objects.select_for_update().filter(state=ClockMove.State.UNDER_WAY).first()
    job = None if move is None else job_of(move)
    if move is None or job is None or job.state != Job.State.FAILED:
        return move
    _settle(move, ClockMove.State.STOPPED, job.error)
    return None


def _begin(to: datetime, *, by: Actor, waits_for_usage: bool) -> ClockMove:
    move = ClockMove.objects.create(
        began_at=clock.now(),
        goal_at=to,
        waits_for_usage=waits_for_usage,
        actor=asdict(by),
        asked_at=clock.wall_time(),
    )
    _queue(move)
    return move


def _pass_on(move: ClockMove) -> None:
    with transaction.atomic():
        again = ClockMove.objects.select_for_update().get(pk=move.pk)
        if again.state == ClockMove.State.UNDER_WAY and again.chunk == move.chunk:
            again.chunk += 1
            again.save(update_fields=["chunk"])
            _queue(again)


def _queue(move: ClockMove) -> None:
    jobs.enqueue(MOVE_CLOCK, job_key(move), {"move_id": str(move.pk), "chunk": move.chunk})


def _settle(move: ClockMove, state: str, reason: str) -> None:
    """Only while it is under way: what a person stopped stays stopped."""
    ClockMove.objects.filter(pk=move.pk, state=ClockMove.State.UNDER_WAY).update(
        state=state, reason=reason, settled_at=clock.wall_time()
    )
