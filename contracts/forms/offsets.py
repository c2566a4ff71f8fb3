"""Time as packages tell it, as people write it: 3 months, or 14 days."""

import re
from typing import Any

from django import forms

from billing_site.foundation.display import count_text
from contracts.offsets import MOST, UNITS, Offset

WRITTEN = re.compile(r"(?P<value>\d{1,6})\s*(?P<unit>day|week|month|year)s?", re.IGNORECASE)


class OffsetField(forms.CharField):
    """So many days, weeks, months or years; its clean value is an Offset, None where nothing is typed."""

    def __init__(self, *, least: int = 0, **options: Any) -> None:
        self.least = least
        super().__init__(**{"required": False, **options})
        self.widget.attrs |= {"placeholder": "3 months", "autocomplete": "off"}

    def prepare_value(self, value: Any) -> Any:
        return offset_text(value) if isinstance(value, Offset) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        found = WRITTEN.fullmatch(text)
        unit = f"{found['unit'].upper()}S" if found else ""
        if found is None or not self.least <= int(found["value"]) <= MOST[unit]:
            raise forms.ValidationError(
                "Write how long, in days, weeks, months or years: 14 days, 3 months."
                if found is None
                else f"Must be from {self.least} to {MOST[unit]:,} in {unit.lower()}."
            )
        return Offset(unit, int(found["value"]))


def offset_text(offset: Offset) -> str:
    """ "3 months"."""
    assert offset.unit in UNITS
    unit = offset.unit.lower()
    return count_text(offset.value, unit.removesuffix("s"), unit)
