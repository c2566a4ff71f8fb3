"""What is listed about usage and holds nobody's bill: what may be a mistake, found by looking now and then."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from contracts.models import Customer
from ledger.models import SourceActivity
from ledger.queries.counting import measure_of
from pricing.models import BillableMetric, ProductVersion

SHOWN = 20  # of a kind for one customer


@dataclass(frozen=True, slots=True)
class UnwantedType:
    """Events of a type that no metric wants: they are billed nowhere."""

    event_type: str
    source: str
    events: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class RepeatedId:
    """One transaction id under two subjects of one customer: the same event may have been sent twice."""

    customer: Customer
    transaction_id: str
    subjects: tuple[str, ...]


def unwanted_types() -> list[UnwantedType]:
    """By source, as of the last look at calls. Two queries."""
    measures = [measure_of(metric) for metric in BillableMetric.objects.all()]
    return [
        UnwantedType(one.event_type, one.source, one.events, one.last_at)
        for one in SourceActivity.objects.order_by("event_type", "source")
        if not any(measure.wants_type(one.event_type) for measure in measures)
    ]


def unused_metrics() -> list[BillableMetric]:
    """Metrics that are not archived and that no version of any product uses."""
    used = ProductVersion.objects.filter(billable_metric__isnull=False).values("billable_metric_id")
    return list(BillableMetric.objects.filter(archived_at=None).exclude(pk__in=used).order_by("name", "pk"))


# The last claim of a subject says whose it is now. Whoever has one subject cannot have sent twice under two.
_OWNERS = """
SELECT customer_id, array_agg(subject ORDER BY subject) FROM (
    SELECT DISTINCT ON (subject) subject, customer_id FROM contracts_claim ORDER BY subject, sequence DESC
) last WHERE customer_id IS NOT NULL
GROUP BY customer_id HAVING count(*) > 1
"""

_REPEATED = """
SELECT transaction_id, array_agg(subject ORDER BY subject) FROM ledger_eventkey
WHERE subject = ANY(%s) GROUP BY transaction_id HAVING count(*) > 1 ORDER BY transaction_id LIMIT %s
"""


def repeated_ids() -> Iterator[RepeatedId]:
    """It reads the keys of every customer with several subjects: for a page that is opened seldom, and for a job."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS)
        subjects: dict[UUID, list[str]] = defaultdict(list, cursor.fetchall())
        customers = Customer.objects.in_bulk(subjects)
        for customer_id, of_one in sorted(subjects.items()):
            cursor.execute(_REPEATED, [of_one, SHOWN])
            for transaction_id, repeated in cursor.fetchall():
                yield RepeatedId(customers[customer_id], transaction_id, tuple(repeated))
