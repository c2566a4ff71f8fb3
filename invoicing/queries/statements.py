"""The statement of a commit or credit: how it stands at an instant, and what moved it until then.

All numbers are sums over its segments, in the unit that it is held in, and for every statement

    granted + by hand = used by final documents + pending in drafts + rolled over + expired + left + to come

What is left can be used now; what is to come is of segments that have not begun. An obligation does not expire: what is
missing of it is billed, and `billed` from then on.

    100 in October and 50 in November; 30 used in October, final; 10 in November, a draft; read on 5 November

    granted   by hand   used   pending   rolled over   expired   left   to come
    150       0         30     10        0             70        40     0
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_sum
from invoicing.engine.documents import Standing
from invoicing.queries.compute import Computation
from invoicing.queries.movements import Movement, movements


@dataclass(frozen=True, slots=True)
class Statement:
    """As of `at`: by segment in the order of drawdown, and the movements in order of time."""

    at: datetime
    standings: tuple[Standing, ...]
    movements: tuple[Movement, ...]

    @property
    def granted(self) -> Decimal:
        return exact_sum([each.granted for each in self.standings])

    @property
    def manual(self) -> Decimal:
        return exact_sum([each.manual for each in self.standings])

    @property
    def used(self) -> Decimal:
        """By final documents."""
        return exact_sum([each.drawn for each in self.standings])

    @property
    def pending(self) -> Decimal:
        return exact_sum([taken.amount for each in self.standings for taken in each.pending])

    @property
    def rolled_over(self) -> Decimal:
        return exact_sum([each.rolled_over for each in self.standings])

    @property
    def expired(self) -> Decimal:
        return exact_sum([each.expired(self.at) for each in self.standings])

    @property
    def billed(self) -> Decimal:
        """What was missing of an obligation, and is settled."""
        return exact_sum([max(each.left, Decimal(0)) for each in self.standings if each.is_settled])

    @property
    def left(self) -> Decimal:
        """What can be drawn now, or is still to be spent."""
        return exact_sum([each.usable(self.at) for each in self.standings])

    @property
    def settled_left(self) -> Decimal:
        """The same with final documents alone."""
        return exact_sum([replace(each, pending=()).usable(self.at) for each in self.standings])

    @property
    def to_come(self) -> Decimal:
        return exact_sum([each.to_come(self.at) for each in self.standings])


def statements(computed: Computation, *, at: datetime, as_of: datetime | None = None) -> dict[UUID, Statement]:
    """By commit or credit, those without a row among them. One query."""
    moved = movements(computed, at=at, as_of=as_of)
    standings: dict[UUID, list[Standing]] = {commit.id: [] for commit in computed.result.commits}
    for standing in computed.result.balances:
        standings.setdefault(standing.commit.id, []).append(standing)
    return {
        commit_id: Statement(at, tuple(of_commit), moved.get(commit_id, ()))
        for commit_id, of_commit in standings.items()
    }
