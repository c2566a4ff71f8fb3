"""A quantity of usage, as it is summed here and billed above."""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ledger.scopes import Scope
from pricing.engine.catalog import GroupValues


class Used(NamedTuple):  # a tuple, as a month by the hour has thousands
    """The quantity of one series over some time, of all subjects that are asked about.

    `has_negative` says that some hour of some subject in it may be below zero, so that it must be looked at by the
    hour. What is not additive over series has a `scope`, and counts only where it is asked for so.
    """

    metric_id: UUID
    values: GroupValues  # the whole series: all group keys the metric declares; or those of the scope
    quantity: Decimal  # the sum for a SUM metric, the number of events for a COUNT metric, …
    has_negative: bool = False
    scope: Scope | None = None
