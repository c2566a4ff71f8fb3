"""Late marks: which hours of which subjects changed more than an hour after their time (`ledger.models.LateMark`), or
on a later day.

    event's time   received   late by           mark
    09:59:59       10:59:59   exactly an hour   none
    09:59:59       11:00:00   more than that    09:00
    10:30          10:30      nothing           none
    12:00          11:00      sent ahead        none
    23:59:59       00:00:00   on the next day   23:00

A month may be final as soon as it is over, where a contract gives no grace. So the day's end counts, however near.

A correction marks the hour that an event leaves and the one that it comes to, by the time of the correction.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from ledger.services.ingest import statements
from ledger.services.ingest.binary import InstantArray, TextArray, short_elements
from ledger.services.ingest.calls import Call, Entry
from ledger.services.ingest.events import microseconds_of
from ledger.services.ingest.marking import Statement
from ledger.services.ingest.parameters import HOUR

LATE_AFTER = HOUR  # microseconds
DAY = 24 * HOUR

_Place = tuple[str, int]  # subject, and the hour counted from the year 2000


def late_marks(calls: Sequence[Call], entries: Sequence[Entry]) -> Statement | None:
    """What marks the hours of the late ones among these entries; None where there are none."""
    late_before = [_late_before(call.at) for call in calls]
    return _statement(
        {
            (entry[0], entry[4].microseconds // HOUR)
            for entry in entries
            if entry[4].microseconds < late_before[entry[2]]
        }
    )


def late_marks_of_correction(subject: str, instants: Collection[datetime], *, at: datetime) -> Statement | None:
    """The same for an event that was corrected at `at`, with the times that it had and has."""
    late_before = _late_before(at)
    moments = [microseconds_of(instant) for instant in instants]
    return _statement({(subject, moment // HOUR) for moment in moments if moment < late_before})


def _late_before(received_at: datetime) -> int:
    received = microseconds_of(received_at)
    return max(received - LATE_AFTER, received - received % DAY)


def _statement(places: set[_Place]) -> Statement | None:
    if not places:
        return None
    rows = sorted(places)
    subjects = TextArray.of(short_elements([subject for subject, _ in rows]))
    return statements.LATE, [subjects, InstantArray.of_microseconds([hour * HOUR for _, hour in rows])]
