"""Page cursors: where the next page begins, as opaque text that only this server makes."""

import base64
import binascii
import json
from typing import Any

from billing_site.foundation.refusals import Refusal


def encode(*position: object) -> str:
    """A cursor for `position`, a tuple of texts, numbers, instants or ids; instants and ids come back as text."""
    return base64.urlsafe_b64encode(json.dumps(position, default=str).encode()).decode().rstrip("=")


def decode(cursor: str, *, length: int, field: str = "next_page") -> list[Any]:
    """The position that `encode` was given. Raises Refusal naming `field` for anything else."""
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(position, list) and len(position) == length:
            return position
    except (binascii.Error, ValueError, RecursionError):
        pass
    raise foreign(cursor, field)


def foreign(cursor: str, field: str = "next_page") -> Refusal:
    """The refusal of a cursor that this list never gave."""
    return Refusal.of(field, cursor, "must be a cursor from an earlier page of the same list")
