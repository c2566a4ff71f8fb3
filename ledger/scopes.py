"""Over what a metric that is not additive in time is meant: a period, and the group values that are told apart."""

from dataclasses import dataclass
from uuid import UUID

from billing_site.foundation.periods import Period


@dataclass(frozen=True, slots=True)
class Scope:
    """`aggregation` (MAX, LATEST, UNIQUE) and `keys` are the metric's: one value for each combination of `keys`."""

    metric_id: UUID
    aggregation: str
    keys: tuple[str, ...]  # in the order of their names
    period: Period
