"""The story's figures and its usage, hour by hour. Pure: the same on every machine.

| product      | price            | 1-14 Oct | 15-31 Oct | list      |
|--------------|------------------|----------|-----------|-----------|
| API calls    | 0.2 ¢ a call     | 400,000  | 600,000   | $2,000    |
| model small  | 50 ¢ a million   | 1,600 M  | 2,400 M   | $2,000    |
| model medium | 300 ¢            | 1,200 M  | 1,800 M   | $9,000    |
| model large  | 1,500 ¢          | 520 M    | 680 M     | $18,000   |
| model xl     | 4,000 ¢          | 200 M    | 300 M     | $20,000   |

October is $51,000 at list. November comes to $56,000 and December to $52,000.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256

from billing_site.foundation.money import largest_remainder
from billing_site.foundation.periods import HOUR, Period

CUSTOMER = "Acme"
ALIAS = "acme"
OPENING = datetime(2025, 10, 31, 23, tzinfo=UTC)  # where the test clock stands when the curtain rises
YEAR_END = datetime(2026, 1, 1, tzinfo=UTC)
TERM = Period(datetime(2025, 10, 1, tzinfo=UTC), YEAR_END)
DISCOUNT_FROM = datetime(2025, 10, 15, tzinfo=UTC)
COMMITMENT = 10_000_000  # cents
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Good:
    """One product: what its events look like, its price in cents, and how many units a price is for."""

    name: str
    event_type: str
    model: str
    property: str
    price: Decimal
    priced_per: int


GOODS = (
    Good("API calls", "api_calls", "", "calls", Decimal("0.2"), 1),
    Good("Model small", "tokens", "small", "tokens", Decimal(50), MILLION),
    Good("Model medium", "tokens", "medium", "tokens", Decimal(300), MILLION),
    Good("Model large", "tokens", "large", "tokens", Decimal(1500), MILLION),
    Good("Model xl", "tokens", "xl", "tokens", Decimal(4000), MILLION),
)

# What is used in each stretch, in the order of GOODS. October ends an hour early: the curtain rises there.
STRETCHES = (
    (
        Period(TERM.starting_at, DISCOUNT_FROM),
        (400_000, 1_600 * MILLION, 1_200 * MILLION, 520 * MILLION, 200 * MILLION),
    ),
    (Period(DISCOUNT_FROM, OPENING), (600_000, 2_400 * MILLION, 1_800 * MILLION, 680 * MILLION, 300 * MILLION)),
    (
        Period(datetime(2025, 11, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC)),
        (1_100_000, 4_400 * MILLION, 3_400 * MILLION, 1_300 * MILLION, 547_500_000),
    ),
    (
        Period(datetime(2025, 12, 1, tzinfo=UTC), YEAR_END),
        (1_000_000, 4_000 * MILLION, 3_000 * MILLION, 1_200 * MILLION, 525 * MILLION),
    ),
)


def events(period: Period) -> Iterator[dict[str, object]]:
    """The events that Acme's services send for the hours of `period`, in order, ready for the SDK."""
    for stretch, totals in STRETCHES:
        hours = list(_hours(stretch))
        wanted = [stretch.overlap(period) is not None and hour in period for hour in hours]
        if not any(wanted):
            continue
        spread = [_spread(total, hours, good) for good, total in zip(GOODS, totals, strict=True)]
        for index, hour in enumerate(hours):
            if wanted[index]:
                for good, counts in zip(GOODS, spread, strict=True):
                    yield _event(good, hour, counts[index])


def _event(good: Good, hour: datetime, count: int) -> dict[str, object]:
    properties: dict[str, object] = {good.property: str(count)}
    if good.model:
        properties["model"] = good.model
    kind = good.model or "calls"
    return {
        "transaction_id": f"{hour:%Y-%m-%dT%H}-{kind}",
        "customer_id": ALIAS,
        "event_type": good.event_type,
        "timestamp": (hour + timedelta(seconds=_noise(kind, hour) % 3600)).isoformat(),
        "properties": properties,
    }


def _spread(total: int, hours: list[datetime], good: Good) -> list[int]:
    """`total` in whole units over the hours, more by day than by night, exact in sum."""
    weights = [_weight(hour, good) for hour in hours]
    whole = sum(weights)
    shares = [Fraction(total * weight, whole) for weight in weights]
    return [int(part) for part in largest_remainder(shares, Decimal(total), Decimal(1))]


def _weight(hour: datetime, good: Good) -> int:
    by_day = 100 if 8 <= hour.hour < 20 else 35
    on_weekdays = by_day if hour.weekday() < 5 else by_day // 2
    return on_weekdays + _noise(good.name, hour) % 20


def _noise(name: str, hour: datetime) -> int:
    return int.from_bytes(sha256(f"{name}{hour:%Y%m%d%H}".encode()).digest()[:4], "big")


def _hours(period: Period) -> Iterator[datetime]:
    hour = period.starting_at
    while hour in period:
        yield hour
        hour += HOUR
