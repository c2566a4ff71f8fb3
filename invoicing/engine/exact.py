"""The arithmetic of the engine: what could not be exact is an error here, never a rounded number."""

from collections.abc import Generator
from decimal import Context, DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow, localcontext
from typing import TypeVar

from billing_site.foundation.money import PRECISION

EXACT = Context(prec=PRECISION, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, FloatOperation])

Asked = TypeVar("Asked")
Told = TypeVar("Told")
Answer = TypeVar("Answer")


def exactly(steps: Generator[Asked, Told, Answer]) -> Generator[Asked, Told, Answer]:
    """A generator whose own code runs under that arithmetic, and not the code of whoever tells it what it asks for."""
    try:
        with localcontext(EXACT):
            asked = next(steps)
        while True:
            told = yield asked
            with localcontext(EXACT):
                asked = steps.send(told)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
