"""The arithmetic of the engine: what could not be exact is an error here, never a rounded number."""

from decimal import Context, DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow

from billing_site.foundation.money import PRECISION

EXACT = Context(prec=PRECISION, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, FloatOperation])
