"""What a price charges, as it is typed: for a rate of a card, its commit rate, or a contract's price of its own.

    typed                      said to the services
    1 to 100      at 2.00      price 200, size 100       up to 100
    up to 1,000   at 1.00      price 100, size 900       a bound is typed, a width is kept
    the rest      at 0.50      price  50                 the last row has no bound
    20 %                       price 0.2                 a share is typed in percent

Amounts are typed in the major unit. Rows that are left empty are not there. What belongs to another type than the one
that is chosen is hidden, and not sent on.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal, localcontext
from typing import Any

from django import forms

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import plain_text, quantity_text
from billing_site.foundation.money import PRECISION, Unit, exact_sum, major_amount, wire_amount
from contracts.forms.amounts import MajorField, NumberField
from pricing.engine.tariffs import (
    FLAT,
    PACKAGE,
    PERCENTAGE,
    SUBSCRIPTION,
    TIERED,
    TIERED_PERCENTAGE,
    VOLUME,
    Tariff,
)
from pricing.services import TierInput
from pricing.services.tariffs import FRACTIONS, IN_TIERS

# Each type by name, and what it means.
TYPES = {
    FLAT: ("Flat", "A price for each."),
    TIERED: ("Tiered", "Each unit at the price of its tier; a fee once a period, with the tier's first unit."),
    VOLUME: ("Volume", "All units at the price of the tier that the period's total reaches, and its fee."),
    PACKAGE: ("Package", "A price for each package begun."),
    PERCENTAGE: ("Percentage", "A share of what other products came to."),
    TIERED_PERCENTAGE: ("Tiered percentage", "A share of each slice of what other products came to."),
    SUBSCRIPTION: ("Subscription", "A fee a period for each of a quantity; a part of a period is prorated."),
}
ROWS_SHOWN = 3  # at the least, and one that is empty
TIER = re.compile(r"tiers\[(\d+)\]\.(price|size|flat_fee)")
NOT_A_SHARE = "Must be from 0 to 100 percent."


class TierForm(Dressed, forms.Form):
    """One row of tiers."""

    use_required_attribute = False  # a row may be left empty

    up_to = NumberField(label="up to")
    price = MajorField(label="price", required=True)
    flat_fee = MajorField(label="fee")

    def __init__(self, number: int, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.number = number
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = f"Tier {number}, {field.label}"
            if name == "up_to":
                field.widget.attrs["placeholder"] = "the rest"


class TariffForm(Dressed, forms.Form):
    """A tariff of one of `types`; where `is_optional`, or of none.

    `tariff` is the one to begin with, in wire units of `unit`.
    """

    use_required_attribute = False  # what is needed depends on the type

    rate_type = forms.ChoiceField(label="Charged as")
    price = MajorField(label="Price")
    percent = NumberField(label="Percent of the spend")
    package_size = NumberField(label="Units in a package")
    quantity = NumberField(label="Quantity")

    # Which types a field is for; the tiers are rows.
    TYPES_OF: Mapping[str, Sequence[str]] = {
        "price": (FLAT, PACKAGE, SUBSCRIPTION),
        "percent": (PERCENTAGE,),
        "package_size": (PACKAGE,),
        "quantity": (SUBSCRIPTION,),
        "tiers": IN_TIERS,
    }

    def __init__(
        self,
        types: Sequence[str],
        data: Any = None,
        *,
        prefix: str | None = None,
        without: str = "",
        tariff: Tariff | None = None,
        unit: Unit | None = None,
    ) -> None:
        known = _typed(tariff, unit) if tariff is not None and unit is not None else {}
        rows = known.pop("tiers", [])
        super().__init__(data, prefix=prefix, initial={"rate_type": "" if without else types[0], **known})
        choice: Any = self.fields["rate_type"]
        choice.choices = [*([("", without)] if without else []), *((each, TYPES[each][0]) for each in types)]
        choice.required = not without
        self.meanings = [(each, TYPES[each][1]) for each in types]
        self.types_of = {
            name: " ".join(each for each in of_types if each in types) for name, of_types in self.TYPES_OF.items()
        }
        for name, of_types in self.types_of.items():
            if name in self.fields and not of_types:
                del self.fields[name]
        self.filled, self.spare = self._rows(rows)

    def _rows(self, known: Sequence[Mapping[str, str]]) -> tuple[list[TierForm], list[TierForm]]:
        """The rows that say something, and empty ones after them."""
        start = f"{self.prefix}-tiers" if self.prefix else "tiers"
        if self.is_bound:
            named = re.compile(rf"{re.escape(start)}-(\d{{1,4}})-(up_to|price|flat_fee)")
            found = [named.fullmatch(name) for name, value in self.data.items() if str(value).strip()]
            numbers = sorted({int(each[1]) for each in found if each is not None})
            filled = [TierForm(place, self.data, prefix=f"{start}-{number}") for place, number in enumerate(numbers, 1)]
            after = max(numbers, default=-1) + 1
        else:
            filled = [TierForm(place, initial=row, prefix=f"{start}-{place - 1}") for place, row in enumerate(known, 1)]
            after = len(filled)
        spare = max(1, ROWS_SHOWN - len(filled))
        return filled, [TierForm(len(filled) + 1 + more, prefix=f"{start}-{after + more}") for more in range(spare)]

    @property
    def rows(self) -> list[TierForm]:
        return [*self.filled, *self.spare]

    def is_valid(self) -> bool:
        if not super().is_valid():
            return False
        if self.cleaned_data["rate_type"] not in IN_TIERS:
            return True
        are_read = [row.is_valid() for row in self.filled]
        return all(are_read) and self._rows_fit()

    def is_typed(self) -> bool:
        """Whether anything is filled in, or another type chosen than the one that the form begins with."""
        chosen = self["rate_type"].value() or self.initial["rate_type"]
        values = [self[name].value() for name in self.fields if name != "rate_type"]
        return self.is_bound and (chosen != self.initial["rate_type"] or bool(self.filled) or any(values))

    def to_input(self, unit: Unit) -> dict[str, Any] | None:
        """The fields of a valid form, by the names of the services and in wire units of `unit`; None for no tariff."""
        values = self.cleaned_data
        kind = values["rate_type"]
        if not kind:
            return None

        given: dict[str, Any] = {"rate_type": kind}
        if kind == PERCENTAGE:
            given["price"] = None if values["percent"] is None else _share(values["percent"])
        elif kind not in IN_TIERS:
            given["price"] = None if values["price"] is None else wire_amount(values["price"], unit)
        for name in ("package_size", "quantity"):
            if kind in self.TYPES_OF[name]:
                given[name] = values[name]
        if kind == SUBSCRIPTION:
            given["is_prorated"] = True
        if kind in IN_TIERS:
            of_rows = zip(self.filled, self._widths(), strict=True)
            given["tiers"] = tuple(_tier(kind, row.cleaned_data, width, unit) for row, width in of_rows)
        return given

    def show(self, path: str, rule: str) -> None:
        """What a service says of a field of the tariff, beside what was typed for it."""
        tier = TIER.fullmatch(path)
        if tier is not None:
            self.filled[int(tier[1])].add_error("up_to" if tier[2] == "size" else tier[2], rule)
        elif path == "price" and self.cleaned_data.get("rate_type") == PERCENTAGE:
            self.add_error("percent", rule)
        else:
            self.add_error(path if path in self.fields else None, rule)

    def complaints(self) -> Iterator[str]:
        """Every error with what it is about."""
        for field in self:
            yield from (f"{field.label}: {error}" for error in field.errors)
        yield from map(str, self.non_field_errors())
        for row in self.filled:
            yield from (f"Tier {row.number}, {field.label}: {error}" for field in row for error in field.errors)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        percent = values.get("percent")
        if values.get("rate_type") == PERCENTAGE and percent is not None and not 0 <= percent <= 100:
            self.add_error("percent", NOT_A_SHARE)
        return values

    def _rows_fit(self) -> bool:
        """Whether each bound is above the one before, and every share is one."""
        before: Decimal | None = None
        for row in self.filled:
            bound, price = row.cleaned_data["up_to"], row.cleaned_data["price"]
            if bound is not None and bound <= (before or 0):
                row.add_error("up_to", f"Must be above {quantity_text(before or Decimal(0))}, where the tier begins.")
            if self.cleaned_data["rate_type"] in FRACTIONS and not 0 <= price <= 100:
                row.add_error("price", NOT_A_SHARE)
            before = bound if bound is not None else before
        return not any(row.errors for row in self.filled)

    def _widths(self) -> list[Decimal | None]:
        """Of each row, from the bound before up to its own; None where it has none."""
        widths, before = [], Decimal(0)
        for row in self.filled:
            bound = row.cleaned_data["up_to"]
            widths.append(None if bound is None else exact_sum([bound, before.copy_negate()]))
            before = before if bound is None else bound
        return widths


def _typed(tariff: Tariff, unit: Unit) -> dict[str, Any]:
    """A tariff as it would be typed; `tiers` is a mapping for each row."""

    def major(wire: Decimal | None) -> str:
        return "" if wire is None else plain_text(major_amount(wire, unit))

    def percent(share: Decimal | None) -> str:
        return "" if share is None else plain_text(share.scaleb(2))

    in_spend = tariff.type == TIERED_PERCENTAGE
    rows, bound = [], Decimal(0)
    for tier in tariff.tiers:
        bound = exact_sum([bound, tier.size or Decimal(0)])
        up_to = "" if tier.size is None else major(bound) if in_spend else plain_text(bound)
        price = percent(tier.price) if in_spend else major(tier.price)
        rows.append({"up_to": up_to, "price": price, "flat_fee": major(tier.flat_fee) if tier.flat_fee else ""})
    return {
        "rate_type": tariff.type,
        "price": "" if tariff.type == PERCENTAGE else major(tariff.price),
        "percent": percent(tariff.price) if tariff.type == PERCENTAGE else "",
        "package_size": "" if tariff.package_size is None else plain_text(tariff.package_size),
        "quantity": "" if tariff.quantity is None else plain_text(tariff.quantity),
        "tiers": rows,
    }


def _tier(kind: str, row: Mapping[str, Any], width: Decimal | None, unit: Unit) -> TierInput:
    """One row as the services are told it."""
    if kind == TIERED_PERCENTAGE:
        return TierInput(_share(row["price"]), None if width is None else wire_amount(width, unit))
    fee = row["flat_fee"]
    return TierInput(wire_amount(row["price"], unit), width, None if fee is None else wire_amount(fee, unit))


def _share(percent: Decimal) -> Decimal:
    with localcontext(Context(prec=PRECISION)):
        return percent.scaleb(-2).normalize()
