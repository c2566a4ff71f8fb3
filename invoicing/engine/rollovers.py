"""What a renewal takes over: the rest of the old contract's balances, as balances of the new one, drawn on first.

A contract that renews another takes its place at its start. Of each commit or credit of the old one with a rollover
fraction, what can still be drawn on then goes over, up to that fraction of what it was for; the rest expires. Segments
that are over, or have not begun, are not part of it. It can be drawn on until the new contract ends; where that is
open, for as long as before. It is for the same products, and does not roll over once more.

    commit                                  left     fraction   goes over   expires
    1,000                                   700      0.5        500         200
    1,000                                   300      0.5        300         0
    400 of March, 600 of the year, in May   600      1          600         0
    1,000, 200 taken off by hand            700      0.9        700         0

The amount is known where the walk arrives at the renewal, when the old contract's last document has drawn what it
draws, and is posted with it. Of a postpaid commit what goes over is owed under the new contract: usage counts there
first, and its true-up is where its time ends; the old true-up asks for the rest alone.

The new contract's documents may be final before the old one's last. What they have drawn is held back from the old
balance, so that nothing is drawn twice.

The old one's last document may be final before anybody knows of the renewal. Then what it has left goes over with the
renewal's first document; so does what a contract without a rate card has left, which has no documents of usage. Where
the renewal has none either, nothing posts it: it follows from the terms, and is told as if it were posted. Of a
commitment whose rest was billed nothing is left to go over.

    100, of which 30 are used in October; all may go over; renewed on 1 November     goes over   posted with
    agreed on 20 October                                                             70          October
    agreed on 5 November, October was final on the 2nd                               70          November
    the same, a postpaid commit whose true-up of 70 was final on the 2nd             0
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.ids import derived_id
from billing_site.foundation.money import QUANTUM, floor_to
from billing_site.foundation.periods import Period
from contracts.terms import AccessSegment, Commit, Contract, ScheduledAmount
from invoicing.engine.balances import Balance
from invoicing.engine.calendar import TRUE_UP, is_billed_to_its_end
from invoicing.engine.inputs import Posted


def rollover(commit: Commit, renewal: Contract) -> Commit | None:
    """What `renewal` takes over of a commit of the contract that it renews, at the most; None where that is nothing."""
    at = renewal.term.starting_at
    standing = [segment for segment in commit.segments if can_go_over(segment, at)]
    limit = floor_to(
        sum((Fraction(segment.amount) for segment in standing), Fraction(0)) * Fraction(commit.rollover_fraction or 0),
        QUANTUM,
    )
    if not limit:
        return None
    key = (commit.id, renewal.id)
    end = renewal.term.ending_before or at + max(_length(segment) for segment in standing)
    owed = ScheduledAmount(derived_id("rollover item", *key), end, limit, limit, Decimal(1))
    return replace(
        commit,
        id=derived_id("rollover", *key),
        contract_id=renewal.id,
        segments=(AccessSegment(derived_id("rollover segment", *key), limit, Period(at, end)),),
        invoice_items=() if commit.pays else (owed,),
        created_at=renewal.created_at,
        rollover_fraction=None,
        rolled_over_from=commit.id,
        recurring_id=None,
    )


@dataclass(slots=True, eq=False)
class Rollover:
    """From the balances of one commit of the old contract into one of the new."""

    renewed: Contract
    renewal: Contract
    into: Balance
    sources: Sequence[Balance]  # in the order in which they are drawn on
    moved: dict[Balance, Decimal] = field(default_factory=dict)

    def hold_back(self) -> None:
        """Leave in the old balances nothing of what documents of the new contract have drawn already."""
        self._move(-self.into.left)

    def settle(self) -> None:
        """Move what is left, now that the old contract has drawn what it draws."""
        self._move(Fraction(self.into.segment.amount - self.into.granted))

    def is_left_to_the_renewal(self, posted: Posted) -> bool:
        commit_id, segments = self.into.commit.rolled_over_from, [source.segment for source in self.sources]
        return commit_id is not None and is_left_to_the_renewal(commit_id, segments, self.renewed, posted)

    def take_posted(self, posted: Posted) -> None:
        """What went over with a document that is final."""
        for source in self.sources:
            self.into.grant(posted.rolled_over.get(source.segment.id, Decimal(0)))

    def _move(self, most: Fraction) -> None:
        for source in self.sources:
            amount = floor_to(max(min(source.left, most), Fraction(0)), QUANTUM)
            if amount:
                most -= Fraction(amount)
                source.roll_over(amount)
                self.into.grant(amount)
                self.moved[source] = self.moved.get(source, Decimal(0)) + amount


def is_left_to_the_renewal(
    commit_id: UUID, segments: Iterable[AccessSegment], renewed: Contract, posted: Posted
) -> bool:
    """Whether no document of the contract that is renewed posts, or has posted, what goes over of the commit."""
    if any(posted.rolled_over.get(segment.id) for segment in segments):
        return False
    is_settled = (renewed.id, TRUE_UP, str(commit_id)) in posted.documents
    return not is_settled and (renewed.rate_card_id is None or is_billed_to_its_end(renewed, posted))


def rollovers(contracts: Sequence[Contract], balances: Sequence[Balance]) -> Iterator[Rollover]:
    """From where into each balance that a renewal takes over."""
    by_id = {contract.id: contract for contract in contracts}
    for into in balances:
        if into.commit.rolled_over_from is not None and into.commit.contract_id is not None:
            renewal = by_id[into.commit.contract_id]
            assert renewal.renews is not None, "what was rolled over belongs to a renewal"
            at, commit_id = into.period.starting_at, into.commit.rolled_over_from
            sources = [each for each in balances if each.commit.id == commit_id and can_go_over(each.segment, at)]
            yield Rollover(by_id[renewal.renews], renewal, into, sources)


def can_go_over(segment: AccessSegment, at: datetime) -> bool:
    """Whether it can be drawn on right before `at`."""
    end = segment.period.ending_before
    return segment.period.starting_at < at and (end is None or at <= end)


def _length(segment: AccessSegment) -> timedelta:
    """As it was agreed: the renewal may have cut it short."""
    period = segment.agreed or segment.period
    assert period.ending_before is not None, "what can be drawn on ends some time"
    return period.ending_before - period.starting_at
