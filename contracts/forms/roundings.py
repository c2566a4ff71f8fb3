"""How parts are rounded, as it is typed: in decimals of the major unit, 2 are whole cents, where services are told of
decimals of the wire unit."""

from decimal import Decimal

from django import forms

from billing_site.foundation.money import Unit
from contracts.inputs import RoundingInput
from contracts.recurring_wording import ROUNDING_TEXTS

USUAL = next(iter(ROUNDING_TEXTS))


class RoundingMethodField(forms.ChoiceField):
    def __init__(self) -> None:
        super().__init__(required=False, label="rounded", choices=tuple(ROUNDING_TEXTS.items()))


def rounding_of(decimals: Decimal | None, method: str, unit: Unit) -> RoundingInput | None:
    """What is typed, as services are told of it; None where nothing is rounded."""
    return None if decimals is None else RoundingInput(decimals - unit.wire_exponent, method or USUAL)


def decimals_shown(wire_places: int | None, unit: Unit) -> int | None:
    return None if wire_places is None else wire_places + unit.wire_exponent
