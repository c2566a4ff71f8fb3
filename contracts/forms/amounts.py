import re
from decimal import Decimal
from typing import Any

from django import forms

from billing_site.foundation.display import plain_text
from billing_site.foundation.money import Unit, major_amount, wire_amount

GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
MOST_DIGITS = 40  # more than any column keeps, and few enough to count with


class NumberField(forms.DecimalField):
    """A number as people write it: 1,000 or 0.0025."""

    widget = forms.TextInput  # a number field of the browser would hide what it cannot read

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{"required": False, "error_messages": {"invalid": "Write a number, such as 30 or 0.0025."}, **options}
        )
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    def to_python(self, value: Any) -> Any:
        text = "" if value is None else str(value).strip()
        number = super().to_python(text.replace(",", "") if GROUPED.fullmatch(text) else text)
        if number is not None and not (number.is_finite() and abs(number.adjusted()) < MOST_DIGITS):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return number


class MajorField(NumberField):
    """An amount as people write it, "$100,000" or 0.0025, in the major unit; the form says in which (`in_unit`).

    Its clean value is in wire units; as it was written, where the form names no unit.
    """

    def __init__(self, **options: Any) -> None:
        self.unit: Unit | None = None
        super().__init__(**options)

    def in_unit(self, unit: Unit) -> None:
        self.unit = unit
        self.label = f"{self.label} ({unit.code or unit.name})"

    def prepare_value(self, value: Any) -> Any:
        """An amount in wire units as a person would write it; what was typed as it was typed."""
        if isinstance(value, Decimal) and self.unit is not None:
            return plain_text(major_amount(value, self.unit))
        return value

    def to_python(self, value: Any) -> Any:
        text = "" if value is None else str(value).strip().lstrip("$€£¥")
        major = super().to_python(text)
        if major is None or self.unit is None:
            return major
        return wire_amount(major, self.unit)


class PercentField(NumberField):
    """Percent as people write them, 50; the clean value is the fraction, 0.5."""

    def prepare_value(self, value: Any) -> Any:
        return plain_text(value.scaleb(2)) if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Any:
        percent = super().to_python(value)
        return None if percent is None else percent.scaleb(-2)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and not 0 <= value <= 1:
            raise forms.ValidationError("Must be from 0 to 100, in percent.")
