import re
from typing import Any

from django import forms

from billing_site.foundation.money import Unit, wire_amount

GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")


class MajorField(forms.DecimalField):
    """An amount as people write it, "$100,000" or 0.0025, in the major unit; the form says in which (`in_unit`).

    Its clean value is in wire units.
    """

    widget = forms.TextInput

    def __init__(self, **options: Any) -> None:
        self.unit: Unit | None = None
        super().__init__(**{"required": False, **options})
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    def in_unit(self, unit: Unit) -> None:
        self.unit = unit
        self.label = f"{self.label} ({unit.code or unit.name})"

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip().lstrip("$€£¥").strip()
        major = super().to_python(text.replace(",", "") if GROUPED.fullmatch(text) else text)
        if major is None or self.unit is None:
            return major
        return wire_amount(major, self.unit)
