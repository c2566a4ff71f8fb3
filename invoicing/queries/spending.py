"""What a customer spends: by product with each price it was sold at, by day, and beside what the list prices ask."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from operator import attrgetter
from uuid import UUID

from billing_site.foundation.money import QUANTUM, Unit, exact_sum, round_to
from billing_site.foundation.periods import DAY, Period, floor_day
from invoicing.frozen import PRODUCT_TYPES
from invoicing.queries.shown import ShownDocument, ShownLine
from invoicing.queries.spread import Share, Shares
from invoicing.queries.traces import ShownPart
from pricing.engine.catalog import Catalog
from pricing.engine.products import version_in_force

LONGEST_BY_DAY = 62  # of windows; a longer time is shown by the week


@dataclass(frozen=True, slots=True)
class PriceSpan:
    """So much was sold at one price, over `period`; `amount` includes the fee for entering a tier."""

    period: Period
    unit_price: Decimal
    quantity: Decimal
    amount: Decimal
    tier: int | None = None  # its number, where the price has several
    package_size: Decimal | None = None  # of the packages that `quantity` counts

    def continues(self, other: "PriceSpan") -> bool:
        """Whether it is more of the same, as the customer reads it."""
        return (self.unit_price, self.tier, self.package_size) == (other.unit_price, other.tier, other.package_size)


@dataclass(frozen=True, slots=True)
class ProductSpend:
    """What a document asks for one product (and one combination of its values), whoever pays it."""

    product_id: UUID | None
    name: str
    unit_name: str  # what one sold unit is called, where it has a name: "million tokens"
    quantity: Decimal | None
    amount: Decimal
    unit: Unit  # of amounts: the document's, or a custom one
    spans: tuple[PriceSpan, ...]  # in order of time, then tier; neighbours differ in price
    is_share: bool = False  # whether quantities are a spend, and prices fractions of it


@dataclass(frozen=True, slots=True)
class Saving:
    """List price less price paid, and since when anything was sold for less."""

    amount: Decimal
    since: datetime


@dataclass(frozen=True, slots=True)
class Series:
    """What was spent on one product (or whatever else spend is told apart by) in each window."""

    name: str
    amounts: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Spending:
    """Spend by window. `list_amounts` is what all of it would have cost without a contract's own prices."""

    unit: Unit
    windows: tuple[Period, ...]
    series: tuple[Series, ...]
    list_amounts: tuple[Decimal, ...]


def products_of(document: ShownDocument, catalog: Catalog, units: Mapping[UUID, Unit]) -> tuple[ProductSpend, ...]:
    """The document's lines that count toward its total or are usage, one entry for each product and its values."""
    by_product: dict[tuple[str, str, str, UUID], list[ShownLine]] = {}
    for line in document.lines:
        if (key := row_key(line)) is not None:
            by_product.setdefault(key, []).append(line)
    return tuple(_product_spend(lines, catalog, units) for lines in by_product.values())


def row_key(line: ShownLine) -> tuple[str, str, str, UUID] | None:
    """What lines of one row share; None for a balance that was applied, which belongs to the line before it."""
    if line.type == "applied_commit_or_credit":
        return None
    return line.type, str(line.fields.get("product_id", "")), line.name, line.unit_id


def saving(document: ShownDocument, list_prices_in: Mapping[UUID, UUID]) -> Saving | None:
    """What the contract's own prices save on the document; None where that is nothing.

    `list_prices_in` is the unit of each rate: one in another unit than the document's has nothing to compare.
    """
    parts = [part for part in _parts(document) if list_prices_in.get(part.rate_id) == document.unit_id]
    amount = sum((_saved(part) for part in parts), Fraction(0))
    discounted = [part.period.starting_at for part in parts if _saved(part) > 0]
    return Saving(round_to(amount, QUANTUM), min(discounted)) if amount > 0 and discounted else None


def windows_of(documents: Sequence[ShownDocument], *, at: datetime) -> tuple[Period, ...]:
    """The UTC days that the usage documents are about, up to the end of the last; weeks where days are too many."""
    periods = [document.period for document in documents if document.period is not None]
    if not periods:
        return ()
    start = floor_day(min(period.starting_at for period in periods))
    return windows_between(start, max(period.ending_before or at for period in periods))


def windows_between(start: datetime, end: datetime) -> tuple[Period, ...]:
    """The UTC days from one midnight on; weeks where days are too many."""
    step = DAY if end - start <= LONGEST_BY_DAY * DAY else 7 * DAY
    return tuple(_windows(start, end, step))


def spending(
    documents: Sequence[tuple[ShownDocument, Shares]],
    windows: Sequence[Period],
    unit: Unit,
    list_prices_in: Mapping[UUID, UUID],
    called: Callable[[ShownLine], str] = attrgetter("name"),
) -> Spending:
    """Usage documents, all in `unit`, cut into windows; lines that are `called` the same are one series."""
    instants = instants_of(windows)
    by_name: dict[str, list[tuple[Fraction, Share]]] = {}
    listed: list[tuple[Fraction, Share]] = []
    for document, shares in documents:
        for line in document.lines:
            if line.type in ("usage", "cpu_conversion") and line.unit_id == document.unit_id:
                paid = by_name.setdefault(called(line), [])
                for part in line.parts:
                    paid.append((Fraction(part.amount), shares[part]))
                    has_list = list_prices_in.get(part.rate_id) == document.unit_id
                    listed.append((_list_amount(part) if has_list else Fraction(part.amount), shares[part]))
    return Spending(
        unit,
        tuple(windows),
        tuple(Series(name, _by_window(paid, instants)) for name, paid in by_name.items()),
        _by_window(listed, instants),
    )


def instants_of(windows: Sequence[Period]) -> tuple[datetime, ...]:
    """The edges of neighbouring windows."""
    return (*(window.starting_at for window in windows), *(end for w in windows[-1:] if (end := w.ending_before)))


def _windows(start: datetime, end: datetime, step: timedelta) -> Iterator[Period]:
    while start < end:
        yield Period(start, start + step)
        start += step


def _by_window(paid: Sequence[tuple[Fraction, Share]], instants: Sequence[datetime]) -> tuple[Decimal, ...]:
    by = [sum((amount * share[instant] for amount, share in paid), Fraction(0)) for instant in instants]
    return tuple(round_to(later - earlier, QUANTUM) for earlier, later in pairwise(by))


def _product_spend(lines: Sequence[ShownLine], catalog: Catalog, units: Mapping[UUID, Unit]) -> ProductSpend:
    first = lines[0]
    product_id = UUID(first.fields["product_id"]) if "product_id" in first.fields else None
    quantities = [line.quantity for line in lines if line.quantity is not None]
    return ProductSpend(
        product_id=product_id,
        name=first.name,
        unit_name=unit_name(catalog, product_id, first.period.starting_at) if first.period else "",
        quantity=exact_sum(quantities) if quantities else None,
        amount=exact_sum([line.total for line in lines]),
        unit=units[first.unit_id],
        spans=tuple(_spans(lines)),
        is_share=first.fields.get("product_type") == PRODUCT_TYPES["COMPOSITE"],
    )


def unit_name(catalog: Catalog, product_id: UUID | None, at: datetime) -> str:
    """What one sold unit of the product is called at an instant, where it has a name."""
    version = version_in_force(catalog.products.get(product_id, ()), at) if product_id else None
    return version.conversion.name if version is not None and version.conversion is not None else ""


def _spans(lines: Sequence[ShownLine]) -> Iterator[PriceSpan]:
    """The prices of one product in order of time; what several payers took at one price is one span."""
    open_: PriceSpan | None = None
    priced = [line for line in lines if line.period is not None and line.unit_price is not None]
    for line in sorted(priced, key=lambda line: (_start(line.period), _tier(line) or 0)):
        assert line.period is not None
        assert line.unit_price is not None
        size = line.fields.get("package_size")
        span = PriceSpan(
            line.period,
            line.unit_price,
            line.quantity or Decimal(0),
            line.total,
            _tier(line),
            None if size is None else Decimal(size),
        )
        if open_ is not None and open_.continues(span):
            open_ = replace(
                open_,
                period=_around(open_.period, span.period),
                quantity=exact_sum([open_.quantity, span.quantity]),
                amount=exact_sum([open_.amount, span.amount]),
            )
            continue
        if open_ is not None:
            yield open_
        open_ = span
    if open_ is not None:
        yield open_


def _around(one: Period, other: Period) -> Period:
    ends = [one.ending_before, other.ending_before]
    return Period(min(one.starting_at, other.starting_at), None if None in ends else max(filter(None, ends)))


def _tier(line: ShownLine) -> int | None:
    level: int | None = line.fields.get("tier", {}).get("level")
    return level


def _start(period: Period | None) -> datetime:
    assert period is not None
    return period.starting_at


def _parts(document: ShownDocument) -> Iterator[ShownPart]:
    for line in document.lines:
        if line.type == "usage" and line.unit_id == document.unit_id:
            yield from line.parts


def _saved(part: ShownPart) -> Fraction:
    """What the list would have charged beyond the amount, which may differ from it by its last digit alone."""
    difference = _list_amount(part) - Fraction(part.amount)
    return difference if abs(difference) > Fraction(QUANTUM) else Fraction(0)


def _list_amount(part: ShownPart) -> Fraction:
    if part.is_difference:
        return Fraction(part.amount)
    if part.list_amount is not None:
        return Fraction(part.list_amount)
    return Fraction(part.quantity) * Fraction(part.list_price or 0)
