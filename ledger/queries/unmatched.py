"""Usage that nobody has claimed: by subject, with what it would come to at list price where that can be known."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from uuid import UUID

from django.db import connection

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
    unit: str


def unmatched_subjects(*, after: str = "", limit: int) -> list[UnmatchedSubject]:
    """Subjects with events whose last claim is nobody's, in the order of their names. A fixed number of queries."""
    with connection.cursor() as cursor:
        cursor.execute(_SUBJECTS, {"after": after, "limit": limit})
        rows = cursor.fetchall()
    card, known = _only_card()
    values = _values({row[0] for row in rows}, card, known) if card is not None and known is not None else {}
    unit = card.fiat.name if card is not None else ""
    return [
        UnmatchedSubject(subject, events, first, last, received, values.get(subject), unit)
        for subject, events, first, last, _, received in rows
    ]


def _only_card() -> tuple[RateCard | None, Catalog | None]:
    """The list is a price list only where there is one."""
    selling = Rate.objects.values("rate_card_id")
    ids = list(RateCardRow.objects.filter(archived_at=None, pk__in=selling).values_list("pk", flat=True)[:2])
    if len(ids) != 1:
        return None, None
    known = catalog(rate_card_ids=ids)
    return known.rate_cards[ids[0]], known


def _values(subjects: Collection[str], card: RateCard, known: Catalog) -> dict[str, Decimal]:
    """What additive usage comes to, day by day at the price of the day's beginning. Other metrics are left out."""
    additive = dict(
        BillableMetric.objects.filter(aggregation_type__in=["COUNT", "SUM"]).values_list("pk", "aggregation_type")
    )
    days = list(
        DailyUsage.objects.filter(subject__in=subjects).values_list("subject", "series_id", "day", "count", "sum")
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
