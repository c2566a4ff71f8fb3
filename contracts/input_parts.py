"""What several inputs of services have in common (`inputs.py`)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Final, Literal


class _Unchanged(Enum):
    UNCHANGED = "unchanged"


UNCHANGED: Final = _Unchanged.UNCHANGED
Unchanged = Literal[_Unchanged.UNCHANGED]

# Under these names an edit says by id what it takes out.
ARCHIVED = (
    "remove_overrides",
    "archive_commits",
    "archive_credits",
    "archive_scheduled_charges",
    "archive_professional_services",
)


@dataclass(frozen=True, slots=True)
class RoundingInput:
    decimal_places: Decimal
    rounding_method: str


@dataclass(frozen=True, slots=True)
class UsageFilterInput:
    """Which usage is the contract's from `starting_at` on; None: from its start."""

    group_key: str
    group_values: tuple[str, ...]
    starting_at: datetime | None = None
