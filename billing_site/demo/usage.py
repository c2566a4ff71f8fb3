"""Made-up usage that looks like people's: more by day than by night, less at weekends, exact in sum. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256

from billing_site.foundation.money import largest_remainder
from billing_site.foundation.periods import Period


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole units, in proportion to the weights."""
    whole = sum(weights)
    shares = [Fraction(total * weight, whole) for weight in weights]
    return [int(part) for part in largest_remainder(shares, Decimal(total), Decimal(1))]


def noise(name: str, hour: datetime) -> int:
    """A number that depends on the name and the hour alone."""
    return int.from_bytes(sha256(f"{name}{hour:%Y%m%d%H}".encode()).digest()[:4], "big")


def steps(period: Period, step: timedelta) -> Iterator[datetime]:
    """Instants from the period's start on, while they lie in it."""
    instant = period.starting_at
    while instant in period:
        yield instant
        instant += step
