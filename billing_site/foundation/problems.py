"""What services check alike, and the list of whatever broke a rule, so that one answer names all of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing_site.foundation.periods import format_instant, is_on_the_hour
from billing_site.foundation.refusals import FieldError, Refusal

NAME_LENGTH = 160
REASON_LENGTH = 1_000
KEY_BYTES = 256  # the longest group value that the ledger takes
CUSTOM_VALUE_LENGTH = 200
DECIMAL_PLACES = 12
WHOLE_DIGITS = 16


class Problems:
    """Collects what is wrong with a request."""

    def __init__(self, path: str = "") -> None:
        self.path = path
        self.errors: list[FieldError] = []
        self.claimed: set[tuple[str, str, str]] = set()  # what one request gives to two of its own, see `custom_fields`

    def add(self, field: str, value: object, rule: str) -> None:
        self.errors.append(FieldError(f"{self.path}{field}", value, rule))

    def within(self, path: str) -> "Problems":
        """The same list of problems, for fields under `path`."""
        inner = Problems(f"{self.path}{path}.")
        inner.errors, inner.claimed = self.errors, self.claimed
        return inner

    def refuse(self, kind: type[Refusal] = Refusal) -> None:
        """Raises a refusal with everything that was added; does nothing where nothing was."""
        if not self.errors:
            return
        first = self.errors[0]
        refusal = Refusal.of(first.field, first.value, first.rule)
        more = f" And {len(self.errors) - 1} more." if len(self.errors) > 1 else ""
        raise kind(refusal.message + more, *self.errors)

    def name(self, field: str, value: str) -> None:
        if not value.strip():
            self.add(field, value, "must not be empty")
        elif len(value) > NAME_LENGTH:
            self.add(field, value, f"must not be longer than {NAME_LENGTH} characters")
        elif "\0" in value:
            self.add(field, value, "must not contain the character U+0000")

    def reason(self, field: str, value: str) -> None:
        """Why somebody did what stays on record."""
        if not value.strip():
            self.add(field, value, "must say why")
        elif len(value) > REASON_LENGTH:
            self.add(field, value, f"must not be longer than {REASON_LENGTH} characters")
        elif "\0" in value:
            self.add(field, value, "must not contain the character U+0000")

    def key(self, field: str, value: object, *, may_be_empty: bool = False) -> None:
        """The name or value of a property."""
        if not isinstance(value, str):
            self.add(field, value, "must be text")
        elif not value and not may_be_empty:
            self.add(field, value, "must not be empty")
        elif len(value.encode()) > KEY_BYTES:
            self.add(field, value, f"must not be longer than {KEY_BYTES} bytes")
        elif "\0" in value:
            self.add(field, value, "must not contain the character U+0000")

    def keys(self, field: str, values: Sequence[object]) -> None:
        """A list of names, each once."""
        for index, value in enumerate(values):
            self.key(f"{field}[{index}]", value)
            if value in values[:index]:
                self.add(f"{field}[{index}]", value, "must be there only once")

    def custom_fields(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            self.key("custom_fields", name)
            if not isinstance(value, str):
                self.add(f"custom_fields.{name}", value, "must be text")
            elif len(value) > CUSTOM_VALUE_LENGTH:
                self.add(f"custom_fields.{name}", value, f"must not be longer than {CUSTOM_VALUE_LENGTH} characters")
            elif "\0" in value:
                self.add(f"custom_fields.{name}", value, "must not contain the character U+0000")

    def number(self, field: str, value: Decimal) -> bool:
        """Whether the database can keep every digit of `value`."""
        if not value.is_finite():
            self.add(field, value, "must be a finite number")
        elif value.adjusted() >= WHOLE_DIGITS:
            self.add(field, value, f"must not have more than {WHOLE_DIGITS} digits before the point")
        elif value != 0 and decimal_places(value) > DECIMAL_PLACES:
            self.add(field, value, f"must not have more than {DECIMAL_PLACES} decimals")
        else:
            return True
        return False

    def hour(self, field: str, instant: datetime | None) -> None:
        if instant is not None and not is_on_the_hour(instant):
            self.add(field, instant.isoformat(), "must be on the hour (UTC)")

    def range(self, starting_at: datetime | None, ending_before: datetime | None) -> None:
        """A half-open range on the hour; None on either side leaves it open."""
        self.hour("starting_at", starting_at)
        self.hour("ending_before", ending_before)
        if starting_at is not None and ending_before is not None and ending_before <= starting_at:
            self.add("ending_before", ending_before.isoformat(), "must be later than starting_at")


def checked_reason(value: str) -> str:
    """`value` without space around it. Raises Refusal where it does not say why."""
    problems = Problems()
    problems.reason("reason", value)
    problems.refuse()
    return value.strip()


def refuse_future(as_of: datetime | None, *, at: datetime) -> None:
    """`at` is now, and what comes after it is not known. Raises Refusal."""
    if as_of is not None and as_of > at:
        raise Refusal.of("as_of", as_of.isoformat(), f"must not be later than now, {format_instant(at)}")


def save(row: Any, *, reason: str) -> None:
    """Save a configured row; its history says why."""
    row._change_reason = reason or None
    row.save()


def decimal_places(value: Decimal) -> int:
    """How many decimals `value` needs: 0.200 needs one."""
    digits, exponent = value.as_tuple().digits, value.as_tuple().exponent
    assert isinstance(exponent, int)
    zeros = 0
    for digit in reversed(digits):
        if digit:
            break
        zeros += 1
    return max(0, -(exponent + zeros))
