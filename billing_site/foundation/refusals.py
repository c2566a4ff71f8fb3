"""What the house says when it will not do something: one family of exceptions, in words one can act on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused field: its path in the request, the value as it was read, and the rule it breaks."""

    field: str
    value: object
    rule: str


class Refusal(Exception):
    """A request that breaks a rule. Nothing was written. Over HTTP: 400."""

    def __init__(self, message: str, *errors: FieldError) -> None:
        super().__init__(message)
        self.message = message
        self.errors = errors

    @classmethod
    def of(cls, field: str, value: object, rule: str) -> Self:
        """A refusal of one field, its message made of the same three parts."""
        return cls(f"{field}: {rule} (got {shown(value)}).", FieldError(field, value, rule))

    def renamed(self, name: Callable[[str], str]) -> Self:
        """The same refusal where another call has other names for the fields."""
        if not self.errors:
            return self
        errors = [replace(error, field=name(error.field)) for error in self.errors]
        said = self.message.removeprefix(f"{self.errors[0].field}: ")
        return type(self)(self.message if said == self.message else f"{errors[0].field}: {said}", *errors)


class NotFound(Refusal):
    """The thing named does not exist, or not for this caller; the two look the same. Over HTTP: 404."""


class Forbidden(Refusal):
    """Who asks may not do this."""


class Conflict(Refusal):
    """The request is well formed but collides with what is already there. Over HTTP: 409, not to be retried."""


class InFlight(Refusal):
    """The very same request is being answered at this moment. Over HTTP: 409, to be tried again."""


class NotSupported(Refusal):
    """Something the compatible API knows and this server does not do. Over HTTP: 501."""


def shown(value: object, limit: int = 80) -> str:
    """`value` for an error message: quoted when it is text, and never longer than `limit` characters."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
