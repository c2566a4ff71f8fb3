"""How commits and credits stand that were archived, by themselves or with their contract.

Nothing draws on them any more, and the engine is not told of them. Access ended when they were archived:

    100 from 1 October to 1 January, 30 drawn by a final document, archived on 10 November

    1 Oct     +100 start
    1 Nov     -30 by the document of October
    10 Nov    -70 expiration

What is missing of an obligation is not billed any more, unless it was; so it expires in the same way.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from billing_site.foundation.periods import Period, earliest
from contracts import terms
from contracts.queries import AgreedCommit
from invoicing.engine.calendar import TRUE_UP
from invoicing.engine.documents import Standing
from invoicing.queries.compute import Computation


def with_closed(computed: Computation, closed: Iterable[tuple[AgreedCommit, datetime]]) -> Computation:
    """The same, with how each of `closed` stands that ended when it was archived."""
    standings = [
        _standing(computed, commit, segment, archived_at)
        for committed, archived_at in closed
        for commit in [committed.commit.to_commit(committed.segments, committed.invoice_items)]
        for segment in commit.segments
        if segment.period.starting_at < archived_at
    ]
    if not standings:
        return computed
    return replace(computed, result=replace(computed.result, balances=(*computed.result.balances, *standings)))


def _standing(
    computed: Computation, commit: terms.Commit, segment: terms.AccessSegment, archived_at: datetime
) -> Standing:
    posted, zero = computed.inputs.posted, Decimal(0)
    ended = Period(segment.period.starting_at, earliest(segment.period.ending_before, archived_at))
    slot = str(commit.id)
    return Standing(
        commit=replace(commit, invoice_items=()),  # nothing is asked for any more
        segment=replace(segment, period=ended),
        granted=segment.amount,
        manual=posted.manual.get(segment.id, zero),
        drawn=posted.drawn.get(segment.id, zero),
        pending=(),
        rolled_over=posted.rolled_over.get(segment.id, zero),
        is_settled=any(kind == TRUE_UP and which == slot for _, kind, which in posted.documents),
    )
