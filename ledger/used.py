"""Quantities of usage, as they are summed here and billed above."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from ledger.scopes import Scope
from pricing.engine.catalog import GroupValues


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What usage is told apart by: one combination of a metric's group values. What is not additive over series has a
    `scope`, and counts only where it is asked for so.

    Get it from `series_of`, which gives one object for one content. So it is found in a dictionary as fast as a number
    is; by content it took four calls, for each hour of each series that the walk looks at.
    """

    metric_id: UUID
    values: GroupValues  # the whole series: all group keys the metric declares; or those of the scope
    scope: Scope | None = None


# The series of what a process looked at last. Of one that was forgotten there may be two objects: it is met twice.
series_of = lru_cache(maxsize=2**14)(Series)


@dataclass(frozen=True, slots=True)
class Used:
    """What was used over some time, of all subjects that are asked about. A series that was not used is absent.

    `has_negative` says that some hour of some subject in it may be below zero, so that it must be looked at by the
    hour.
    """

    # By series: the sum for a SUM metric, the number of events for a COUNT metric, …
    quantities: Mapping[Series, Decimal] = field(default_factory=dict)
    has_negative: bool = False

    @classmethod
    def together(cls, several: Iterable["Used"]) -> "Used":
        """Of different metrics or scopes, over the same time."""
        found: dict[Series, Decimal] = {}
        has_negative = False
        for used in several:
            found |= used.quantities
            has_negative |= used.has_negative
        return cls(found, has_negative)
