"""How commits and credits stand that were archived, by themselves or with their contract.

Nothing draws on them any more, and the engine is not told of them. Access ended when they were archived:

    100 from 1 October to 1 January, 30 drawn by a final document, archived on 10 November

    1 Oct     +100 start
    1 Nov     -30 by the document of October
    10 Nov    -70 expiration

What is missing of an obligation is not billed any more, unless it was; so it expires in the same way. What an archived
renewal had taken over by final documents is told like that, too; what it had not stays with the contract before it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import HOUR, Period, earliest, floor_hour
from contracts import terms
from contracts.queries import AgreedCommit, Agreement, to_terms
from contracts.recurring import instances
from invoicing.engine.calendar import TRUE_UP
from invoicing.engine.documents import Standing
from invoicing.engine.rollovers import rollover
from invoicing.queries.compute import Computation


def with_closed(
    computed: Computation, contracts: Sequence[Agreement], closed: Iterable[AgreedCommit] = ()
) -> Computation:
    """The same, with how each of `closed`, and of the archived ones among all `contracts` of the customer, stands that
    ended when it was archived."""
    ended = [
        *(found for agreed in contracts if agreed.is_archived for found in _of_contract(agreed, contracts, computed)),
        *(
            (committed.to_commit(), committed.commit.removed_by_edit.created_at)
            for committed in closed
            if committed.commit.removed_by_edit is not None
        ),
    ]
    standings = [
        _standing(computed, commit, segment, archived_at)
        for commit, archived_at in ended
        for segment in commit.segments
        if segment.period.starting_at < archived_at
    ]
    if not standings:
        return computed
    return replace(computed, result=replace(computed.result, balances=(*computed.result.balances, *standings)))


def _of_contract(
    agreed: Agreement, contracts: Sequence[Agreement], computed: Computation
) -> Iterator[tuple[terms.Commit, datetime]]:
    """What it was granted, and what it had taken over, each with when it was archived."""
    archived_at = agreed.contract.archived_at
    assert archived_at is not None, "it is archived"
    for commit in _commits(agreed, at=archived_at):
        yield commit, archived_at
    renewed = next((each for each in contracts if each.contract.pk == agreed.contract.renews_id), None)
    if renewed is None:
        return
    renewal, rolled_over = to_terms(agreed), computed.inputs.posted.rolled_over
    for commit in _commits(renewed, at=archived_at):
        into = rollover(commit, renewal)
        gone = [rolled_over[segment.id] for segment in commit.segments if segment.id in rolled_over]
        if into is not None and gone:
            [segment] = into.segments
            yield replace(into, segments=(replace(segment, amount=exact_sum(gone)),)), archived_at


def _commits(agreed: Agreement, *, at: datetime) -> Iterator[terms.Commit]:
    """What was agreed, and what recurs has granted by `at`: with what each part of it is for."""
    contract = to_terms(agreed)
    yield from contract.commits
    for recurring in contract.recurring:
        yield from instances(contract, recurring, until=floor_hour(at) + HOUR)


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
