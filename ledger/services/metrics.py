"""The metrics that events are measured by, as this process knows them.

Every ingest transaction asks which metrics there are (their number and a digest of their ids, in the statement that
claims the keys) and measures anew when that is not what this process knows. So a metric counts every event whose call
began after the metric was committed, and none whose call began before; `IngestCall.metric_set_id` says which. A
metric made later does not look back: what came before it is in the bodies of the calls whose set it is not in.
"""

from dataclasses import dataclass

from django.db.models import BigIntegerField, Count, F, Func, Value

from ledger.metering import Measure, Measures
from ledger.models import Series
from pricing.models import BillableMetric

Digest = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class KnownMetrics:
    """`digest` is what `count(*), bit_xor(uuid_hash_extended(id, 0))` gives over all metrics."""

    digest: Digest
    measures: Measures


_known: KnownMetrics | None = None


def known_metrics() -> KnownMetrics:
    """As of the last look, which may have been a while ago."""
    return _known or look_again()


def look_again() -> KnownMetrics:
    """As of now."""
    global _known
    rows = list(
        BillableMetric.objects.values_list(
            Func(F("id"), Value(0), function="uuid_hash_extended", output_field=BigIntegerField()),
            "id",
            "aggregation_type",
            "aggregation_key",
            "event_type_filter",
            "property_filters",
            "group_keys",
        )
    )
    mixed = 0
    for hashed, *_ in rows:
        mixed ^= hashed
    measures = Measures([Measure.of(*definition) for _, *definition in rows])
    counted = Series.objects.values("metric_id").annotate(number=Count("pk")).values_list("metric_id", "number")
    measures.series_counts.update(dict(counted))
    _known = KnownMetrics((len(rows), mixed if rows else None), measures)
    return _known
