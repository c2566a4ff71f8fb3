"""The statement of a commit or credit: how it stands at an instant, and what moved it until then.

All numbers are sums over how its segments stand (`invoicing/engine/standings.py`), in the unit that it is held in. What
is left can be used now; what is to come is of segments that have not begun.

    100 in October and 50 from November on; 30 used in October, final; 10 in November, a draft; read on 5 November

    used   pending   left   left by final documents alone   to come
    30     10        40     50                              0

    and 70 of October has expired
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_sum
from invoicing.engine.documents import Standing
from invoicing.queries.compute import Computation
from invoicing.queries.movements import Movement, movements
from invoicing.queries.settled import settled


@dataclass(frozen=True, slots=True)
class Statement:
    """As of `at`: by segment in the order of drawdown, and the movements in order of time."""

    at: datetime
    standings: tuple[Standing, ...]
    movements: tuple[Movement, ...]
    settled: tuple[Standing, ...] = ()  # the same segments by final documents alone

    @property
    def granted(self) -> Decimal:
        """What it was for in all, and for an obligation what was promised."""
        return exact_sum([each.granted for each in self.standings])

    @property
    def manual(self) -> Decimal:
        """Added by hand, less what was taken."""
        return exact_sum([each.manual for each in self.standings])

    @property
    def rolled_over(self) -> Decimal:
        return exact_sum([each.rolled_over for each in self.standings])

    @property
    def expired(self) -> Decimal:
        return exact_sum([each.expired(self.at) for each in self.standings])

    @property
    def used(self) -> Decimal:
        """By final documents."""
        return exact_sum([each.drawn for each in self.standings])

    @property
    def pending(self) -> Decimal:
        return exact_sum([taken.amount for each in self.standings for taken in each.pending])

    @property
    def left(self) -> Decimal:
        """What can be drawn now, or is still to be spent."""
        return exact_sum([each.usable(self.at) for each in self.standings])

    @property
    def settled_left(self) -> Decimal:
        """The same with final documents alone."""
        return exact_sum([each.usable(self.at) for each in self.settled])

    @property
    def to_come(self) -> Decimal:
        return exact_sum([each.to_come(self.at) for each in self.standings])


def statements(computed: Computation, *, at: datetime, as_of: datetime | None = None) -> dict[UUID, Statement]:
    """By commit or credit, those without a row among them. One query."""
    moved = movements(computed, at=at, as_of=as_of)
    standings: dict[UUID, list[Standing]] = {commit.id: [] for commit in computed.result.commits}
    for standing in computed.result.balances:
        standings.setdefault(standing.commit.id, []).append(standing)
    alone = settled(computed)
    return {
        commit_id: Statement(
            at, tuple(of_commit), moved.get(commit_id, ()), tuple(alone[each.segment.id] for each in of_commit)
        )
        for commit_id, of_commit in standings.items()
    }
