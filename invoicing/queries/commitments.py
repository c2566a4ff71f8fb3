"""How far a customer has come with what it promised to spend, and where its pace leads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from billing_site.foundation.money import QUANTUM, exact_sum, round_to
from billing_site.foundation.periods import DAY, Period, floor_hour
from contracts.terms import Commit
from invoicing.engine.documents import Document
from invoicing.queries.shown import ShownDocument
from invoicing.queries.spread import Shares
from invoicing.queries.statements import Statement

DAYS_OF_PACE = 14
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """What counted toward a commitment over `window`, and where as much a day leads until its end.

    `used_up_at` is when the whole would be used, where that comes before the end.
    """

    window: Period
    counted: Decimal
    reached: Decimal
    due: Decimal
    used_up_at: datetime | None


@dataclass(frozen=True, slots=True)
class Commitment:
    """A commit or credit whose end, or whose last document, is still to come. `amount` is that of all its segments;
    what is `left` of it can be used now, as the API says:

        used + left + to come + expired + rolled over = amount + by hand, unless more was taken than there was

    `due` is what a true-up would ask for if nothing more were used; None for a balance that was paid before.
    """

    commit: Commit
    period: Period
    amount: Decimal
    used: Decimal
    left: Decimal
    to_come: Decimal  # of segments that have not begun
    expired: Decimal  # of segments that are over
    manual: Decimal  # added by hand, less what was taken
    rolled_over: Decimal
    due: Decimal | None
    due_at: datetime | None
    pace: Pace | None


def commitment(
    commit: Commit,
    statement: Statement,
    true_up: Document | None,
    documents: Iterable[tuple[ShownDocument, Shares]],
    *,
    at: datetime,
) -> Commitment:
    """`documents` are those that count toward the commit within the window of its pace, with their shares by its
    edges; all drafts are among them."""
    period, amount = period_of(commit), exact_sum([segment.amount for segment in commit.segments])
    used = exact_sum([statement.used, statement.pending])
    window = window_of_pace(commit, at=at)
    return Commitment(
        commit=commit,
        period=period,
        amount=amount,
        used=used,
        left=statement.left,
        to_come=statement.to_come,
        expired=statement.expired,
        manual=statement.manual,
        rolled_over=statement.rolled_over,
        due=true_up.total if true_up is not None else None,
        due_at=true_up.issued_at if true_up is not None else None,
        pace=None
        if window is None or true_up is None or used >= amount
        else _pace(commit, window, documents, used=used, amount=amount),
    )


def window_of_pace(commit: Commit, *, at: datetime) -> Period | None:
    """The last 14 days in whole hours, or since the commitment began; None before its first day is over and after
    its end."""
    period, end = period_of(commit), floor_hour(at)
    start = max(period.starting_at, end - DAYS_OF_PACE * DAY)
    return Period(start, end) if end - start >= DAY and at in period else None


def period_of(commit: Commit) -> Period:
    """From the first access to the last."""
    starts = [segment.period.starting_at for segment in commit.segments]
    ends = [segment.period.ending_before for segment in commit.segments]
    return Period(min(starts), None if None in ends else max(end for end in ends if end is not None))


def _pace(
    commit: Commit, window: Period, documents: Iterable[tuple[ShownDocument, Shares]], *, used: Decimal, amount: Decimal
) -> Pace:
    start, end, until = window.starting_at, window.ending_before, period_of(commit).ending_before
    assert end is not None
    assert until is not None
    segments = {segment.id for segment in commit.segments}
    within = later = Fraction(0)
    for document, shares in documents:
        for line in document.lines:
            for part in line.parts:
                if part.segment_id in segments:
                    share = shares[part]
                    within += Fraction(part.amount) * (share[end] - share[start])
                    later += Fraction(part.amount) * (1 - share[end])
    per_microsecond = within / ((end - start) // MICROSECOND)
    used_then = Fraction(used) - later
    reached = max(used_then + per_microsecond * ((until - end) // MICROSECOND), Fraction(used))
    used_up_at = None
    if reached >= amount and per_microsecond > 0:
        used_up_at = end + MICROSECOND * int((Fraction(amount) - used_then) / per_microsecond)
    return Pace(
        window=window,
        counted=round_to(within, QUANTUM),
        reached=round_to(reached, QUANTUM),
        due=round_to(max(Fraction(amount) - reached, Fraction(0)), QUANTUM),
        used_up_at=used_up_at,
    )
