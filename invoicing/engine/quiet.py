"""Whether a source of usage has gone quiet: before a period is billed, somebody should know that it has.

A source is a subject together with a metric. It is quiet where it was heard of at the end of each of the contract's
last three usage documents' periods, and is not at the end of this one. The end is the last seven days (a setting), or
the whole of a shorter period. So what comes in bursts, or only at the beginning of months, is never quiet, and neither
is what has begun lately. With ends of seven days:

    heard of in the last days of               Aug      Sep      Oct      Nov is billed
    acme's tokens                              yes      yes      yes      heard of: nothing to say
    acme's tokens                              yes      yes      yes      last on 20 Nov: quiet
    acme's tokens                              yes      no       yes      not since 1 Nov: it comes and goes
    acme's tokens, new in September            -        yes      yes      not since 1 Nov: too new to be missed
    acme's calls, while its tokens go on       yes      yes      yes      not since 1 Nov: calls are quiet
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from billing_site.foundation.periods import Period

DOCUMENTS = 3


class Source(NamedTuple):
    subject: str
    metric_id: UUID


def end_of(period: Period, days: int) -> Period:
    """The last `days` days of a closed period, or all of it where it is shorter."""
    assert period.ending_before is not None
    return Period(max(period.starting_at, period.ending_before - timedelta(days=days)), period.ending_before)


def gone_quiet(now: AbstractSet[Source], before: Sequence[AbstractSet[Source]]) -> list[Source]:
    """Which sources are quiet, in order: `now` was heard of at the end of this period, `before` at the ends of those
    before it, the last one first."""
    recent = before[:DOCUMENTS]
    if len(recent) < DOCUMENTS:
        return []
    return sorted(frozenset.intersection(*map(frozenset, recent)) - now)
