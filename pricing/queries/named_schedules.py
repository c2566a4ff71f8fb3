"""What the named schedules of a rate card say."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from django.db.models import QuerySet

from pricing.models import NamedScheduleSegment, RateCard
from pricing.queries.superseding import NEVER, remainder


@dataclass(frozen=True, slots=True)
class NamedValue:
    """`value` is any JSON value, its fractions decimals; it holds up to `ending_before` (None: for good)."""

    value: Any
    starting_at: datetime
    ending_before: datetime | None


class Written(Protocol):
    """A row that says what a schedule says over a range; `value` is the text of a JSON value."""

    value: Any
    starting_at: Any
    ending_before: Any


def named_schedule(
    card: RateCard, schedule_name: str, *, covering: datetime | None = None, at_publication: int | None = None
) -> list[NamedValue]:
    """The values of a schedule in the order of time, or the one that holds at `covering`; none where nobody wrote
    any. `at_publication` is what was known of it (default: everything). One query."""
    written = _written(card, schedule_name)
    if at_publication is not None:
        written = written.filter(publication_id__lte=at_publication)
    return values_over_time(written, covering=covering)


def values_over_time(written: Iterable[Written], *, covering: datetime | None = None) -> list[NamedValue]:
    """What holds of a schedule in the order of time, or at `covering`. Rows come in the order of writing, and each
    supersedes the ones before it where it says something."""
    ranges = [(segment.value, (segment.starting_at, segment.ending_before or NEVER)) for segment in written]
    held = [
        NamedValue(json.loads(text, parse_float=Decimal), start, None if end == NEVER else end)
        for position, (text, whole) in enumerate(ranges)
        for start, end in remainder(whole, (later for _, later in ranges[position + 1 :]))
        if covering is None or start <= covering < end
    ]
    return sorted(held, key=lambda value: value.starting_at)


def last_segment(card: RateCard, schedule_name: str) -> NamedScheduleSegment | None:
    """The one published last."""
    return _written(card, schedule_name).last()


def _written(card: RateCard, schedule_name: str) -> QuerySet[NamedScheduleSegment]:
    """What was written, in that order."""
    segments = NamedScheduleSegment.objects.filter(rate_card=card, schedule_name=schedule_name)
    return segments.order_by("publication_id")
