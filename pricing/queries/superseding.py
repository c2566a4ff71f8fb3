"""Ranges of which a later publication takes a part away."""

from collections.abc import Iterable
from datetime import UTC, datetime

EVER = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)

Range = tuple[datetime, datetime]  # half-open, from EVER or up to NEVER where it is open


def remainder(whole: Range, taken: Iterable[Range]) -> list[Range]:
    """What is left of `whole` outside every range in `taken`."""
    left = [whole]
    for start, end in taken:
        left = [
            part
            for first, last in left
            for part in ((first, min(last, start)), (max(first, end), last))
            if part[0] < part[1]
        ]
    return left
