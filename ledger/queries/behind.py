"""The events that were measured: which ones a metric counts, of one subject, over some of its hours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from billing_site.foundation.periods import Period
from contracts.terms import ClaimWindow
from ledger.metering import as_text
from ledger.queries.counting import Counting, StoredEvent
from ledger.queries.events import Place, events_of_subject
from ledger.queries.usage import windows_of
from pricing.models import BillableMetric

LOOKED_AT = 2_000  # events at the most for one page, whether or not they count


@dataclass(frozen=True, slots=True)
class Behind:
    """In order of time. `after` is where the next page begins, where there may be one."""

    events: tuple[StoredEvent, ...]
    after: Place | None


def events_behind(
    subject: str,
    metric: BillableMetric,
    period: Period,
    values: Mapping[str, str | None],
    claims: Sequence[ClaimWindow],
    *,
    after: Place | None = None,
    limit: int,
) -> Behind:
    """Up to `limit` events of the closed `period` that the metric counts with these group values, while the subject is
    claimed by `claims`. An event is found while its body is kept; six queries at the most for each stretch of claims.
    """
    own = [claim for claim in claims if claim.subject == subject]
    found: list[StoredEvent] = []
    seen: StoredEvent | None = None
    looked = 0
    for window in windows_of(own, period):
        stretch = Period(window.starting_at, window.ending_before)
        events = list(_stored(subject, stretch, after, LOOKED_AT - looked))
        counting = Counting({event.metric_set_id for event in events})
        for event in events:
            seen, looked = event, looked + 1
            if _counts(counting, event, metric, values):
                found.append(event)
                if len(found) == limit:
                    return Behind(tuple(found), (event.timestamp, event.transaction_id))
        if looked >= LOOKED_AT:
            break
    is_more = seen is not None and looked >= LOOKED_AT
    return Behind(tuple(found), (seen.timestamp, seen.transaction_id) if is_more and seen else None)


def _stored(subject: str, stretch: Period, after: Place | None, limit: int) -> Iterator[StoredEvent]:
    assert stretch.ending_before is not None
    if after is not None and after[0] >= stretch.ending_before:
        return
    yield from events_of_subject(
        subject, starting_at=stretch.starting_at, ending_before=stretch.ending_before, after=after, limit=limit
    )


def _counts(counting: Counting, event: StoredEvent, metric: BillableMetric, values: Mapping[str, str | None]) -> bool:
    if event.is_void or metric.pk not in counting.of(event).wanting(event.event_type, event.properties):
        return False
    return all(as_text(event.properties.get(key)) == value for key, value in values.items())
