"""Whether the sums kept for each segment (`SegmentUse`) still say what its ledger entries say."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from contracts.models import SegmentUse
from ledger.models import LedgerEntry

Sums = tuple[Decimal, Decimal, Decimal]  # posted, drawn, rolled over


def segment_sums_differ() -> list[UUID]:
    """The segments whose sums are not those of their entries, in order of their ids. Two queries."""
    kept = {use.segment_id: (use.posted, use.drawn, use.rolled_over) for use in SegmentUse.objects.iterator()}
    found: dict[UUID, Sums] = {}
    for segment_id, sums in _entries():
        before = found.get(segment_id, (Decimal(0),) * 3)
        found[segment_id] = (before[0] + sums[0], before[1] + sums[1], before[2] + sums[2])
    return sorted(each for each in {*kept, *found} if kept.get(each) != found.get(each))


def _entries() -> Iterator[tuple[UUID, Sums]]:
    """Entries on segments; a true-up is one on its commit."""
    entries = LedgerEntry.objects.exclude(type=LedgerEntry.Type.POSTPAID_COMMIT_TRUEUP)
    for segment_id, type_, amount in entries.values_list("segment_id", "type", "amount").iterator():
        if segment_id is None:
            continue
        drawn = -amount if type_.endswith(("_AUTOMATED_INVOICE_DEDUCTION", "_CREDITED")) else Decimal(0)
        rolled_over = -amount if type_.endswith("_ROLLOVER") else Decimal(0)
        yield segment_id, (amount, drawn, rolled_over)
