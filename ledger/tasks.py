"""What the job cluster does for the ledger."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.jobs import Payload, enqueue, every_minute, in_words, job
from billing_site.foundation.models import Job
from ledger.services.activity import refresh_activity
from ledger.services.backfill import backfill_metric, metrics_to_backfill
from ledger.services.retention import drop_month, months_to_drop
from pricing.queries.names import names_of_metrics
from pricing.services.metrics import MEASURE_BACK

DROP_MONTH = "drop_month"
SECONDS_AT_ONCE = 30.0  # a job that takes longer than the queue allows is ended


@job(MEASURE_BACK)
def measure_back(payload: Payload, at: datetime) -> None:
    """Go on measuring a metric back; what is left goes to another job."""
    metric_id = UUID(payload["metric_id"])
    if not backfill_metric(metric_id, at=at, seconds=SECONDS_AT_ONCE).is_finished:
        enqueue(MEASURE_BACK, f"{metric_id}:{uuid4()}", payload)


@in_words(MEASURE_BACK, "Measure a metric back")
def which_metric(payloads: Sequence[Payload]) -> list[str]:
    names = names_of_metrics({UUID(payload["metric_id"]) for payload in payloads})
    return [names[UUID(payload["metric_id"])] for payload in payloads]


@every_minute
def queue_backfills() -> None:
    """Metrics that came by another way than the service, and those whose job was lost."""
    under_way = set(
        Job.objects.filter(kind=MEASURE_BACK).exclude(state=Job.State.DONE).values_list("payload__metric_id", flat=True)
    )
    for metric_id in metrics_to_backfill():
        if str(metric_id) not in under_way:
            enqueue(MEASURE_BACK, f"{metric_id}:{uuid4()}", {"metric_id": str(metric_id)})


@job(DROP_MONTH)
def drop_old_month(payload: Payload, at: datetime) -> None:
    """Drop the bodies of one month that is older than bodies are kept."""
    month = date.fromisoformat(payload["month"])
    if month in months_to_drop(at=at):
        drop_month(month, at=at, by=Actor.job("retention"))


@in_words(DROP_MONTH, "Drop the bodies of old events")
def which_month(payloads: Sequence[Payload]) -> list[str]:
    return [f"{date.fromisoformat(payload['month']):%B %Y}" for payload in payloads]


@every_minute
def queue_dropping() -> None:
    """The oldest month first; the next one when it is gone."""
    for month in months_to_drop(at=clock.now())[:1]:
        enqueue(DROP_MONTH, month.isoformat(), {"month": month.isoformat()})


@every_minute
def read_source_activity() -> None:
    refresh_activity(at=clock.now())
