"""The other customers: a dozen companies with terms of every kind, so that lists and totals are those of a business.

All names are invented. Usage is coarse, an event a day for each good, and exact by the month: in October `units`, in
each later month `growth` more, in each earlier one as much less.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from billing_site.demo.story import GOODS, MILLION, OPENING, Good, event
from billing_site.demo.usage import noise, spread, steps
from billing_site.foundation.periods import Period, add_months

DAY = timedelta(days=1)


def day(year: int, month: int, of_month: int = 1) -> datetime:
    return datetime(year, month, of_month, tzinfo=UTC)


MOVING_IN = datetime(2025, 8, 31, 23, tzinfo=UTC)  # when they sign, those who started earlier too
OCTOBER = day(2025, 10)
LONG_AGO = day(2025, 1)

MORE_GOODS = (
    Good("Embeddings", "embeddings", "", "tokens", Decimal("0.00025")),
    Good("Audio minutes", "transcriptions", "", "minutes", Decimal("0.6")),
    Good("Fine-tuning runs", "fine_tuning", "", "", Decimal(2500)),
)
INFERENCE = Good("Inference", "inference", "", "tokens", Decimal(0), MILLION, ("model", "region"))
_BY_NAME = {good.name: good for good in (*GOODS, *MORE_GOODS, INFERENCE)}


@dataclass(frozen=True, slots=True)
class Price:
    """In the wire unit of its card: cents, or whole euros."""

    good: str
    price: str
    starting_at: datetime = LONG_AGO
    values: Mapping[str, str] = field(default_factory=dict)


LIST_PRICES = (Price("Model small", "45", day(2026, 1)),)  # to come, when Acme's contract has ended
MEDIA = (
    *(Price(good.name, str(good.price)) for good in (GOODS[1], GOODS[3], *MORE_GOODS)),
    Price("Embeddings", "0.0002", day(2026, 1)),  # to come
)
EUROPE = (
    Price("API calls", "0.0019"),
    Price("Model small", "0.48"),
    Price("Model medium", "2.9"),
    Price("Model large", "14.5"),
    Price("Model medium", "2.6", day(2025, 12)),  # to come
)
ENTERPRISE = tuple(
    Price("Inference", price, values={"model": model, "region": region})
    for model, region, price in (
        ("small", "eu", "60"),
        ("small", "us", "50"),
        ("large", "eu", "1700"),
        ("large", "us", "1500"),
    )
)


CARDS = {"List prices 2025": LIST_PRICES, "Media 2025": MEDIA, "Europe 2025": EUROPE, "Enterprise 2025": ENTERPRISE}


@dataclass(frozen=True, slots=True)
class Used:
    good: str
    units: int  # in October 2025
    growth: int = 0  # each month
    values: Mapping[str, str] = field(default_factory=dict)

    def in_month(self, month: datetime) -> int:
        months = (month.year - OCTOBER.year) * 12 + month.month - OCTOBER.month
        return max(self.units + self.growth * months, 0)


@dataclass(frozen=True, slots=True)
class Company:
    """A customer. `terms` are the SDK's arguments for its contract; products and fixed goods go by name there."""

    name: str
    alias: str
    term: Period
    used: tuple[Used, ...] = ()
    card: str = "List prices 2025"  # of its contract; without one it has none
    terms: Mapping[str, Any] = field(default_factory=dict)


def postpaid(name: str, amount: int, term: Period) -> dict[str, Any]:
    """A commitment over the whole term, with its true-up at the end."""
    dates = {"starting_at": term.starting_at, "ending_before": term.ending_before}
    return {
        "type": "POSTPAID",
        "product_id": "Commitment",
        "name": name,
        "priority": 100,
        "access_schedule": {"schedule_items": [{"amount": amount, **dates}]},
        "invoice_schedule": {"schedule_items": [{"amount": amount, "timestamp": term.ending_before}]},
    }


_HALF_YEAR = Period(day(2025, 8), day(2026, 2))
_YEAR = Period(day(2025, 9), day(2026, 9))

COMPANIES = (
    Company(  # a commitment, ahead of its pace
        "Brindlecove Robotics",
        "brindlecove",
        _HALF_YEAR,
        (Used("Model medium", 1_200 * MILLION, 50 * MILLION), Used("Model large", 160 * MILLION, 10 * MILLION)),
        terms={"commits": [postpaid("$30,000 by February 2026", 3_000_000, _HALF_YEAR)]},
    ),
    Company(  # a commitment, far behind
        "Calderwhistle Insurance Group",
        "calderwhistle",
        _YEAR,
        (
            Used("Model small", 2_000 * MILLION, 100 * MILLION),
            Used("Model large", 200 * MILLION),
            Used("Audio minutes", 80_000, 1_000),
        ),
        card="Media 2025",
        terms={"commits": [postpaid("$120,000 a year", 12_000_000, _YEAR)]},
    ),
    Company(  # prices by model and region, one of them its own
        "Dunmarrow Health",
        "dunmarrow",
        Period(day(2025, 8), day(2026, 8)),
        (
            Used("Inference", 3_000 * MILLION, 200 * MILLION, {"model": "small", "region": "eu"}),
            Used("Inference", 1_000 * MILLION, 0, {"model": "small", "region": "us"}),
            Used("Inference", 400 * MILLION, 20 * MILLION, {"model": "large", "region": "eu"}),
        ),
        card="Enterprise 2025",
        terms={
            "overrides": [
                {
                    "type": "OVERWRITE",
                    "overwrite_rate": {"rate_type": "FLAT", "price": 45},
                    "starting_at": day(2025, 10),
                    "override_specifiers": [
                        {"product_id": "Inference", "pricing_group_values": {"model": "small", "region": "eu"}}
                    ],
                }
            ]
        },
    ),
    Company(
        "Elverstrand Shipping AS",
        "elverstrand",
        Period(day(2025, 9)),
        (Used("API calls", 500_000, 20_000), Used("Model medium", 400 * MILLION)),
        card="Europe 2025",
    ),
    Company(  # billed by the week
        "Fennhollow Games",
        "fennhollow",
        Period(day(2025, 8, 4)),
        (Used("API calls", 900_000, 60_000), Used("Model small", 1_000 * MILLION)),
        terms={"usage_statement_schedule": {"frequency": "WEEKLY", "day": "CONTRACT_START"}},
    ),
    Company(  # billed by the quarter
        "Gladwick & Sons Wholesale Stationery and Office Supplies of Greater Northmoorland Limited",
        "gladwick",
        Period(day(2025, 7)),
        (Used("API calls", 60_000, 1_000),),
        terms={"usage_statement_schedule": {"frequency": "QUARTERLY", "day": "FIRST_OF_MONTH"}},
    ),
    Company(  # billed by the year
        "Hexcombe Orchard Cooperative",
        "hexcombe",
        Period(day(2025, 6), day(2026, 6)),
        (Used("Embeddings", 40 * MILLION),),
        card="Media 2025",
        terms={"usage_statement_schedule": {"frequency": "ANNUAL", "day": "CONTRACT_START"}},
    ),
    Company(  # charges on dates of their own
        "Ilvesmark Software Oy",
        "ilvesmark",
        Period(day(2025, 8, 15)),
        (Used("API calls", 120_000), Used("Model large", 60 * MILLION, 5 * MILLION)),
        card="Europe 2025",
        terms={
            "usage_statement_schedule": {"frequency": "MONTHLY", "day": "CONTRACT_START"},
            "scheduled_charges": [
                {
                    "product_id": "Support plan",
                    "name": "Support plan, by the quarter",
                    "schedule": {
                        "recurring_schedule": {
                            "starting_at": day(2025, 10),
                            "ending_before": day(2026, 10),
                            "frequency": "QUARTERLY",
                            "amount_distribution": "EACH",
                            "amount": 900,
                        }
                    },
                },
                {
                    "product_id": "Onboarding",
                    "name": "Onboarding workshop",
                    "schedule": {"schedule_items": [{"amount": 1500, "timestamp": day(2025, 11, 18)}]},
                },
            ],
        },
    ),
    Company(  # ends soon
        "Juniperfjord Energy AS",
        "juniperfjord",
        Period(day(2025, 9), day(2025, 11, 16)),
        (Used("Model medium", 300 * MILLION),),
    ),
    Company(  # a fifth off everything that is tagged as a model
        "Kestrelbay Savings Bank",
        "kestrelbay",
        Period(day(2025, 9), day(2026, 9)),
        (
            Used("API calls", 200_000, 5_000),
            Used("Model small", 3_000 * MILLION, 150 * MILLION),
            Used("Model large", 300 * MILLION, 10 * MILLION),
        ),
        terms={
            "overrides": [
                {
                    "type": "MULTIPLIER",
                    "multiplier": 0.8,
                    "starting_at": day(2025, 10),
                    "override_specifiers": [{"product_tags": ["models"]}],
                }
            ]
        },
    ),
    Company(  # very many of very little
        "Lumenquay Media",
        "lumenquay",
        Period(day(2025, 9)),
        (
            Used("Embeddings", 2_400 * MILLION, 120 * MILLION),
            Used("Audio minutes", 500_000),
            Used("Fine-tuning runs", 12),
        ),
        card="Media 2025",
    ),
    Company("Marrowby Foods", "marrowby", Period(day(2025, 10)), card=""),  # not signed yet
    Company(  # began in mid-month, with a price of its own for one model
        "Nettlecombe Research Institute",
        "nettlecombe",
        Period(day(2025, 10, 20)),
        (Used("Model medium", 500 * MILLION), Used("Model xl", 20 * MILLION)),
        terms={
            "usage_statement_schedule": {"frequency": "MONTHLY", "day": "CONTRACT_START"},
            "overrides": [
                {
                    "type": "OVERWRITE",
                    "overwrite_rate": {"rate_type": "FLAT", "price": 3500},
                    "starting_at": day(2025, 10, 20),
                    "product_id": "Model xl",
                }
            ],
        },
    ),
)
STRANGERS = (  # subjects that nobody claims
    Company("", "acme-staging", Period(OCTOBER), (Used("API calls", 31_000), Used("Model small", 90 * MILLION))),
    Company("", "fennhollow-beta", Period(day(2025, 10, 13)), (Used("API calls", 12_000),)),
)


def stops() -> list[datetime]:
    """Where the clock stops on its way to the opening, for usage to come in before it is billed: weeks and months."""
    mondays = steps(Period(day(2025, 9, 1), OPENING), 7 * DAY)
    return sorted({*mondays, OCTOBER, OPENING})


def events(period: Period) -> Iterator[dict[str, object]]:
    """What the services of all of them send within `period`, ready for the SDK."""
    for company in (*COMPANIES, *STRANGERS):
        for used in company.used:
            yield from _events(company, used, period)


def _events(company: Company, used: Used, period: Period) -> Iterator[dict[str, object]]:
    within = period.overlap(company.term)
    if within is None:
        return
    good = _BY_NAME[used.good]
    name = "-".join([used.good.lower().replace(" ", "-"), *used.values.values()])
    month = within.starting_at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while within.overlap(whole := Period(month, add_months(month, 1))) is not None:
        for date, units in _by_day(company.alias + name, used.in_month(month), whole):
            if within.overlap(Period(date, date + DAY)) is None:
                continue
            at = date + timedelta(hours=8, seconds=noise(company.alias + name, date) % (12 * 3600))
            if at not in within:
                continue
            key = f"{date:%Y-%m-%d}-{name}"
            if good.property:
                yield event(good, company.alias, at, units, transaction_id=key, **used.values)
            for run in range(0 if good.property else units):
                yield event(good, company.alias, at, 1, transaction_id=f"{key}-{run}", **used.values)
        month = add_months(month, 1)


@cache
def _by_day(name: str, total: int, month: Period) -> list[tuple[datetime, int]]:
    days = list(steps(month, DAY))
    weights = [(100 if date.weekday() < 5 else 45) + noise(name, date) % 20 for date in days]
    return list(zip(days, spread(total, weights), strict=True))
