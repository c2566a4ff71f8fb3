"""A sheet of prices against the price list: what each of its rows wants, and what that would change.

What a column says is told in `pricing.sheets.cells`. Whatever is wrong is said by line and column, all of it at once,
and then nothing is planned.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from billing_site.foundation.money import wire_amount
from billing_site.foundation.periods import parse_instant
from pricing.engine.tariffs import FLAT, PERCENTAGE, RATE_TYPES
from pricing.models import PricingUnit, Product, Rate, RateCard
from pricing.queries import products, version_in_force
from pricing.services.planned_prices import ONE_NUMBER, PlannedPrice, WantedPrice, nothing_withdrawn, plan_prices
from pricing.sheets.cells import (
    ENTITLED,
    FREQUENCY,
    PRICE,
    PRODUCT,
    PRODUCT_ID,
    RATE_TYPE,
    START,
    UNIT,
)
from pricing.sheets.reading import SheetError, SheetRow, Table, read_table

NUMBER = re.compile(r"\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,2})?", re.ASCII)
ANSWERS = {"yes": True, "true": True, "no": False, "false": False, "": None}
COLUMN_OF = {"credit_type_id": UNIT, "product_id": PRODUCT, "entitled": ENTITLED}  # what the services call otherwise


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row of a sheet, and what publishing its price would do."""

    line: int
    product_name: str
    planned: PlannedPrice


@dataclass(frozen=True, slots=True)
class SheetPlan:
    """What a sheet would change, or what is wrong with it. `left_alone` rows are of prices that are more than one
    number, and say none."""

    rows: tuple[PlannedRow, ...]
    left_alone: int
    errors: tuple[SheetError, ...]


def plan_sheet(
    card: RateCard,
    text: str,
    *,
    starting_at: datetime,
    withdraws: Callable[[UUID], bool] = nothing_withdrawn,
) -> SheetPlan:
    """What publishing a sheet's prices would do; nothing is written. Prices without a start of their own begin at
    `starting_at`; `withdraws` is as for `plan_prices`. Ten queries, however many rows there are.

    Raises Refusal for a sheet that cannot be read, and where the card is archived.
    """
    table = read_table(text)
    reader = _Reader(card, table, starting_at)
    wanted = list(reader.read())
    planned = plan_prices(card, [price for _, _, price in wanted], withdraws=withdraws)
    rows = tuple(PlannedRow(row.line, name, each) for (row, name, _), each in zip(wanted, planned, strict=True))
    errors = [*table.errors, *reader.errors]
    for row in rows:
        for error in row.planned.errors:
            column = COLUMN_OF.get(error.field, error.field.removeprefix("pricing_group_values."))
            errors.append(SheetError(row.line, column, str(error.value), error.rule))
    errors.sort(key=lambda error: error.line)
    return SheetPlan(rows, reader.left_alone, tuple(errors))


class _Reader:
    """Turns rows into wanted prices, and keeps what is wrong with them."""

    def __init__(self, card: RateCard, table: Table, starting_at: datetime) -> None:
        self.card, self.table, self.starting_at = card, table, starting_at
        self.errors: list[SheetError] = []
        self.left_alone = 0
        names = {name for row in table.rows if "\0" not in (name := row.cell(PRODUCT))}
        ids = {id_ for row in table.rows if (id_ := _uuid(row.cell(PRODUCT_ID))) is not None}
        named = Q(pk__in=ids) | Q(name__in=names) | Q(versions__name__in=names)
        found = products(archive_filter="ALL").filter(named).distinct()
        self.products = {product.pk: product for product in found}
        self.by_name: dict[str, set[UUID]] = defaultdict(set)
        for product in self.products.values():
            for name in {product.name, *(version.name for version in product.versions.all())}:
                self.by_name[name].add(product.pk)
        priced = Rate.objects.filter(rate_card=card, product__in=self.products).order_by()
        self.unit_of = dict(priced.values_list("product", "unit").distinct())
        self.units = {unit.pk: unit for unit in PricingUnit.objects.all()}
        self.dimensions = {
            key for product in self.products.values() for v in product.versions.all() for key in v.pricing_group_key
        }

    def read(self) -> Iterator[tuple[SheetRow, str, WantedPrice]]:
        """Every row whose cells can be read, with the name of its product."""
        for column, key in self.table.dimensions.items():
            if self.table.rows and key not in self.dimensions:
                known = ", ".join(sorted(self.dimensions)) or "none"
                rule = f"is neither a column of a sheet of prices nor a dimension of its products ({known})"
                self.errors.append(SheetError(1, column, column, rule))
        lines: dict[object, int] = {}
        for row in self.table.rows:
            before = len(self.errors)
            wanted = self._wanted(row)
            if wanted is None or len(self.errors) > before:
                continue
            name, price = wanted
            first = lines.setdefault((price.key, price.starting_at), row.line)
            if first != row.line:
                rule = f"is a price of the same product and values from the same instant as line {first}"
                self._add(row, PRICE, rule)
            else:
                yield row, name, price

    def _wanted(self, row: SheetRow) -> tuple[str, WantedPrice] | None:
        product = self._product(row)
        starting_at = self._start(row)
        entitled = self._entitled(row)
        if product is None or starting_at is None:
            return None
        version = version_in_force(product, starting_at)
        values = self._values(row, version.name, tuple(version.pricing_group_key))
        rate_type = row.cell(RATE_TYPE).upper()
        if rate_type and rate_type not in RATE_TYPES:
            self._add(row, RATE_TYPE, f"must be one of {', '.join(RATE_TYPES)}")
            return None
        if rate_type and rate_type not in ONE_NUMBER:
            self._leave_alone(row, rate_type)
            return None
        rate_type = rate_type or (PERCENTAGE if product.type == Product.Type.COMPOSITE else FLAT)
        unit = self._unit(row, product)
        number = self._number(row)
        if number is None or unit is None:
            return None
        return version.name, WantedPrice(
            product_id=product.pk,
            price=number if rate_type == PERCENTAGE else wire_amount(number, unit.to_unit()),
            starting_at=starting_at,
            values=values,
            frequency=row.cell(FREQUENCY).upper(),
            rate_type=rate_type,
            entitled=entitled,
            unit_id=unit.pk if row.cell(UNIT) else None,
        )

    def _product(self, row: SheetRow) -> Product | None:
        id_text, name = row.cell(PRODUCT_ID), row.cell(PRODUCT)
        if not id_text and not name:
            self._add(row, PRODUCT, "is required, or product_id")
            return None
        named = self.by_name.get(name, set())
        if not id_text:
            if len(named) == 1:
                return self.products[next(iter(named))]
            self._add(row, PRODUCT, f"names {len(named)} products: give its product_id" if named else NO_PRODUCT)
            return None
        product = self.products.get(_uuid(id_text) or NO_ID)
        if product is None:
            self._add(row, PRODUCT_ID, NO_PRODUCT)
        elif name and product.pk not in named:
            self._add(row, PRODUCT, f"is not what the product of this product_id is called: {product.name}")
        else:
            return product
        return None

    def _values(self, row: SheetRow, name: str, keys: tuple[str, ...]) -> dict[str, str]:
        values = {}
        columns = {key: column for column, key in self.table.dimensions.items()}
        for key in keys:
            if key not in columns:
                self._add(row, key, f"must be a column: {name} is priced by {', '.join(keys)}")
            elif not row.cells[columns[key]].strip():
                self._add(row, columns[key], f"is required for {name}; an empty value is written '")
            else:
                values[key] = row.cell(columns[key])
        for key, column in columns.items():
            if key not in keys and row.cells[column].strip() and key in self.dimensions:
                self._add(row, column, f"must be empty: it is no dimension of {name}")
        return values

    def _number(self, row: SheetRow) -> Decimal | None:
        text = row.cell(PRICE)
        if NUMBER.fullmatch(text):
            return Decimal(text)
        if not text:
            self._add(row, PRICE, "is required; 0 is free")
        elif text.startswith("-") and NUMBER.fullmatch(text[1:]):
            self._add(row, PRICE, "must not be negative")
        elif "," in text:
            self._add(row, PRICE, "must be written with a point, and with nothing between thousands: 1234.5")
        else:
            self._add(row, PRICE, "must be a number such as 30 or 0.0025")
        return None

    def _unit(self, row: SheetRow, product: Product) -> PricingUnit | None:
        text = row.cell(UNIT)
        if not text:
            return self.units[self.unit_of.get(product.pk, self.card.fiat_unit_id)]
        for unit in self.units.values():
            if text == (unit.code or unit.name):
                return unit
        self._add(row, UNIT, "must be a currency's code or the name of a custom pricing unit")
        return None

    def _start(self, row: SheetRow) -> datetime | None:
        text = row.cell(START)
        if not text:
            return self.starting_at
        try:
            return parse_instant(text)
        except ValueError:
            self._add(row, START, "must be an instant such as 2025-12-01 or 2025-12-01T06:00Z")
            return None

    def _entitled(self, row: SheetRow) -> bool | None:
        text = row.cell(ENTITLED).lower()
        if text not in ANSWERS:
            self._add(row, ENTITLED, "must be yes or no, or empty for what it is")
        return ANSWERS.get(text)

    def _leave_alone(self, row: SheetRow, rate_type: str) -> None:
        if row.cell(PRICE):
            rule = f"must be empty: a price of the type {rate_type} is more than one number, and changed on its page"
            self._add(row, PRICE, rule)
        else:
            self.left_alone += 1

    def _add(self, row: SheetRow, column: str, rule: str) -> None:
        self.errors.append(SheetError(row.line, column, row.cells.get(column, "").strip(), rule))


NO_PRODUCT = "there is no such product"
NO_ID = UUID(int=0)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
