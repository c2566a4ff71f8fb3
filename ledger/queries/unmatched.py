"""Usage that nobody has claimed: by subject, with what it would come to at the prices of the usual rate card, the one
that most contracts are on."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, OuterRef

from billing_site.foundation.money import Unit
from ledger.models import DailyUsage, Series
from pricing.engine.catalog import Catalog, RateCard
from pricing.engine.products import version_in_force
from pricing.engine.quantities import converted
from pricing.models import BillableMetric, Rate
from pricing.models import RateCard as RateCardRow
from pricing.queries import catalog

# Subjects are found by jumping from one to the next in the keys' index, so it costs as many steps as there are
# subjects, however many events they sent. The claims' index has another collation, so it is named: else each step would
# read all claims.
_SUBJECTS = """
WITH RECURSIVE subjects AS (
    (SELECT subject FROM ledger_eventkey WHERE subject > %(after)s ORDER BY subject LIMIT 1)
    UNION ALL
    SELECT (SELECT key.subject FROM ledger_eventkey key WHERE key.subject > subjects.subject
            ORDER BY key.subject LIMIT 1)
    FROM subjects WHERE subjects.subject IS NOT NULL
), unclaimed AS (
    SELECT subject FROM subjects
    WHERE subject IS NOT NULL AND (
        SELECT claim.customer_id FROM contracts_claim claim WHERE claim.subject = subjects.subject COLLATE "default"
        ORDER BY claim.sequence DESC LIMIT 1
    ) IS NULL
    LIMIT %(limit)s
)
SELECT unclaimed.subject, keys.number, bodies.first_at, bodies.last_at, keys.first_at, keys.last_at
FROM unclaimed,
LATERAL (SELECT count(*) AS number, min(received_at) AS first_at, max(received_at) AS last_at
         FROM ledger_eventkey key WHERE key.subject = unclaimed.subject) keys,
LATERAL (SELECT min(timestamp) AS first_at, max(timestamp) AS last_at
         FROM ledger_eventbody body WHERE body.subject = unclaimed.subject) bodies
ORDER BY unclaimed.subject
"""


@dataclass(frozen=True, slots=True)
class UnmatchedSubject:
    """`first_at` and `last_at` are times of events, as far as bodies are kept. `value` is in `unit`; None: unknown."""

    subject: str
    events: int
    first_at: datetime | None
    last_at: datetime | None
    last_received_at: datetime
    value: Decimal | None
    unit: Unit | None
    card: str  # the rate card that the value is of; empty where none has prices


@dataclass(frozen=True, slots=True)
class Worth:
    """What additive usage of subjects would come to at flat prices of a rate card, by subject; others are left out."""

    card: str
    unit: Unit
    by_subject: Mapping[str, Decimal]


def unmatched_subjects(*, after: str = "", limit: int) -> list[UnmatchedSubject]:
    """Subjects with events whose last claim is nobody's, in the order of their names. A fixed number of queries."""
    with connection.cursor() as cursor:
        cursor.execute(_SUBJECTS, {"after": after, "limit": limit})
        rows = cursor.fetchall()
    found = worth({row[0] for row in rows})
    card, unit, values = (found.card, found.unit, found.by_subject) if found else ("", None, {})
    return [
        UnmatchedSubject(subject, events, first, last, received, values.get(subject), unit, card)
        for subject, events, first, last, _, received in rows
    ]


def worth(subjects: Collection[str], *, since: date = date.min) -> Worth | None:
    """What the subjects have used since that day. None where no rate card has prices. A fixed number of queries."""
    selling = RateCardRow.objects.filter(Exists(Rate.objects.filter(rate_card=OuterRef("pk"))), archived_at=None)
    row = selling.annotate(used=Count("contracts")).order_by("-used", "created_at", "pk").first()
    if row is None:
        return None
    known = catalog(rate_card_ids=[row.pk])
    card = known.rate_cards[row.pk]
    return Worth(row.name, card.fiat, _values(subjects, since, card, known))


def _values(subjects: Collection[str], since: date, card: RateCard, known: Catalog) -> dict[str, Decimal]:
    """What additive usage comes to, day by day at the price of the day's beginning. Other metrics are left out."""
    additive = dict(
        BillableMetric.objects.filter(aggregation_type__in=["COUNT", "SUM"]).values_list("pk", "aggregation_type")
    )
    days = list(
        DailyUsage.objects.filter(subject__in=subjects, day__gte=since).values_list(
            "subject", "series_id", "day", "count", "sum"
        )
    )
    series = Series.objects.in_bulk({series_id for _, series_id, *_ in days})
    found: dict[str, Decimal] = defaultdict(Decimal)
    for subject, series_id, day, count, total in days:
        of = series[series_id]
        if of.metric_id not in additive:
            continue
        metered = Decimal(count) if additive[of.metric_id] == "COUNT" else total
        for charge in _charges(of.metric_id, of.values, datetime.combine(day, time(), UTC), metered, card, known):
            found[subject] += charge
    return dict(found)


def _charges(
    metric_id: UUID, values: dict[str, str | None], at: datetime, metered: Decimal, card: RateCard, known: Catalog
) -> Iterator[Decimal]:
    for product_id in card.product_order:
        version = version_in_force(known.products[product_id], at)
        if version is None or version.metric_id != metric_id:
            continue
        group = tuple((key, values.get(key)) for key in sorted(version.pricing_group_key))
        rate = card.over_time((product_id, group, "")).at(at)
        if rate is not None and rate.entitled and rate.unit == card.fiat:
            sold = converted(metered, version.conversion)
            yield (rate.tariff.price or Decimal(0)) * Decimal(sold.numerator) / Decimal(sold.denominator)
