"""What several inputs of services have in common (`inputs.py`)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, Literal


class _Unchanged(Enum):
    UNCHANGED = "unchanged"


UNCHANGED: Final = _Unchanged.UNCHANGED
Unchanged = Literal[_Unchanged.UNCHANGED]


@dataclass(frozen=True, slots=True)
class RoundingInput:
    decimal_places: Decimal
    rounding_method: str
