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
from functools import cache

from billing_site.demo.usage import noise, spread, steps
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
    """One product: what its events look like, its list price in cents, and how many units a price is for."""

    name: str
    event_type: str
    model: str
    property: str  # what its events say how much of; without one, each event counts
    price: Decimal
    priced_per: int = 1
    dimensions: tuple[str, ...] = ()  # properties whose values choose the price
    tags: tuple[str, ...] = ()


GOODS = (
    Good("API calls", "api_calls", "", "calls", Decimal("0.2")),
    Good("Model small", "tokens", "small", "tokens", Decimal(50), MILLION, tags=("models",)),
    Good("Model medium", "tokens", "medium", "tokens", Decimal(300), MILLION, tags=("models",)),
    Good("Model large", "tokens", "large", "tokens", Decimal(1500), MILLION, tags=("models",)),
    Good("Model xl", "tokens", "xl", "tokens", Decimal(4000), MILLION, tags=("models",)),
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
    """The events that Acme's services send within `period`, hour by hour, ready for the SDK."""
    for stretch, totals in STRETCHES:
        if stretch.overlap(period) is None:
            continue
        for hour, counts in _by_hour(stretch, totals):
            if period.overlap(Period(hour, hour + HOUR)) is None:
                continue
            for good, count in zip(GOODS, counts, strict=True):
                at = hour + timedelta(seconds=noise(_kind(good), hour) % 3600)
                if at in period:
                    yield event(good, ALIAS, at, count, transaction_id=f"{hour:%Y-%m-%dT%H}-{_kind(good)}")


def event(good: Good, subject: str, at: datetime, count: int, *, transaction_id: str, **more: str) -> dict[str, object]:
    """One event as a service sends it; of goods that are counted, one for each unit."""
    properties: dict[str, object] = {good.property: str(count)} if good.property else {}
    if good.model:
        properties["model"] = good.model
    return {
        "transaction_id": transaction_id,
        "customer_id": subject,
        "event_type": good.event_type,
        "timestamp": at.isoformat(),
        "properties": properties | more,
    }


def _kind(good: Good) -> str:
    return good.model or "calls"


@cache
def _by_hour(stretch: Period, totals: tuple[int, ...]) -> list[tuple[datetime, tuple[int, ...]]]:
    """Each hour of the stretch with what is used of each good, more by day than by night."""
    hours = list(steps(stretch, HOUR))
    columns = [
        spread(total, [_weight(hour, good) for hour in hours]) for good, total in zip(GOODS, totals, strict=True)
    ]
    return list(zip(hours, zip(*columns, strict=True), strict=True))


def _weight(hour: datetime, good: Good) -> int:
    by_day = 100 if 8 <= hour.hour < 20 else 35
    on_weekdays = by_day if hour.weekday() < 5 else by_day // 2
    return on_weekdays + noise(good.name, hour) % 20
