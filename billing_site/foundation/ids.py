"""Identifiers: time-ordered ones for new rows, derived ones for things that are computed, not stored."""

import os
import threading
import time
from uuid import UUID, uuid5

# The root of every derived id; changing it would rename all drafts.
NAMESPACE = UUID("6b0f7a52-7d7e-5c11-9a3b-0c6f5f1f2c10")

_one_at_a_time = threading.Lock()
_latest_tick = 0


def uuid7() -> UUID:
    """A new UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, 12 of their 4,096ths, then 62 random bits.

    Those of one process ascend, so that what is made first comes first where nothing else decides; and rows made one
    after the other lie next to each other in the index.
    """
    ticks = _next_tick()
    value = (ticks >> 12 & 0xFFFFFFFFFFFF) << 80
    value |= 0x7 << 76
    value |= (ticks & 0xFFF) << 64
    value |= 0b10 << 62
    value |= int.from_bytes(os.urandom(8), "big") & 0x3FFFFFFFFFFFFFFF
    return UUID(int=value)


def _next_tick() -> int:
    """The time in 4,096ths of a millisecond, later than any that this process was told before."""
    global _latest_tick
    with _one_at_a_time:
        _latest_tick = max(time.time_ns() * 4096 // 1_000_000, _latest_tick + 1)
        return _latest_tick


def derived_id(*parts: object) -> UUID:
    """The UUID version 5 that belongs to `parts`: the same parts give the same id, always.

    Parts are joined by a separator that may not occur in them.
    """
    texts = [str(part) for part in parts]
    if any("\x1f" in text for text in texts):
        raise ValueError("A part of a derived id may not contain the unit separator U+001F.")
    return uuid5(NAMESPACE, "\x1f".join(texts))
