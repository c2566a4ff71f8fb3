"""Sources that have gone quiet: nothing of an event type for three times as long as there usually is between two calls,
and no less than five minutes."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.functions import Greatest

from ledger.models import SourceActivity

GAPS = 3
SHORTEST = timedelta(minutes=5)


def quiet_sources(*, at: datetime) -> QuerySet[Any]:
    """Each with its `silence`, the one that was heard last first. A source that has called once is never among them."""
    usual = ExpressionWrapper(F("usual_gap_seconds") * Value(timedelta(seconds=GAPS)), output_field=DurationField())
    silence = ExpressionWrapper(Value(at) - F("last_at"), output_field=DurationField())
    return (
        SourceActivity.objects.filter(usual_gap_seconds__isnull=False)
        .annotate(silence=silence)
        .filter(silence__gt=Greatest(usual, Value(SHORTEST)))
        .order_by("-last_at", "source", "event_type")
    )
