"""Rules that several terms share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.periods import Period, floor_day, format_instant
from billing_site.foundation.problems import Problems
from contracts.inputs import RoundingInput
from contracts.models import Contract
from contracts.models.recurring import ROUNDINGS
from pricing.models import PricingUnit, Product
from pricing.queries import default_unit

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)  # months can still be added to it
MOST_DAYS = 36_500
MOST_DECIMAL_PLACES = 12
KEY_LENGTH = 128
OF_THE_CUSTOMER = "must be the id of a contract of this customer"
UNPRICED = (Product.Type.FIXED, Product.Type.PRO_SERVICE)


@dataclass(frozen=True, slots=True)
class Deal:
    """What terms are checked against: the contract they are for, and the catalog rows they name."""

    fiat: PricingUnit
    prioritization: str
    products: Mapping[UUID, Product]  # with their versions
    billed_through: datetime | None = None
    final_through: datetime | None = None  # days up to it are on final usage invoices, with what is charged on them
    dates_charged: frozenset[datetime] = field(default_factory=frozenset)  # what is billed on these has fallen due
    units: Mapping[UUID, PricingUnit] = field(default_factory=dict)  # those that access schedules name
    payers: Mapping[str, Mapping[str, UUID]] = field(default_factory=dict)  # what overrides may name: see `payers`


def fiat_of(contract: Contract) -> PricingUnit:
    """The money that a contract is billed in; needs its rate card and that one's unit."""
    return contract.rate_card.fiat_unit if contract.rate_card else default_unit()


def not_archived(problems: Problems, name: str, contract: Contract) -> None:
    """A contract that is named for what is still to come; an archived one bills nothing more."""
    if contract.archived_at is not None:
        problems.add(name, contract.pk, "must be the id of a contract that is not archived")


def instant(problems: Problems, name: str, value: datetime) -> None:
    if not EARLIEST <= value < LATEST:
        problems.add(name, value.isoformat(), "must lie between the years 1970 and 8999")


def term_range(problems: Problems, starting_at: datetime, ending_before: datetime | None) -> None:
    """A range of a term: on the hour, ending after it starts, at a sensible time."""
    instant(problems, "starting_at", starting_at)
    if ending_before is not None:
        instant(problems, "ending_before", ending_before)
    problems.range(starting_at, ending_before)


def not_billed_yet(problems: Problems, name: str, value: object, starting_at: datetime, deal: Deal) -> None:
    """Refuse what would reach back into final documents; `value` is what was sent as `name`."""
    if deal.billed_through is not None and starting_at < deal.billed_through:
        shown = value.isoformat() if isinstance(value, datetime) else value
        problems.add(name, shown, reaches_back(deal.billed_through))


def not_charged_yet(problems: Problems, dates: Iterable[datetime], deal: Deal) -> None:
    """One date has one document: what is added to it once that has fallen due would never be billed."""
    for date in sorted({*dates} & deal.dates_charged):
        problems.add(
            "schedule_items",
            format_instant(date),
            "must not be a date on which charges of this contract have fallen due; choose another instant",
        )


def is_on_final_usage(contract: Contract, issued_at: datetime) -> bool:
    """Whether what is charged then is on a usage invoice that is final, whatever the hour of that day."""
    through = contract.billed_through
    return contract.charges_on_usage and through is not None and floor_day(issued_at) <= through


def reaches_back(billed_through: datetime) -> str:
    return (
        f"must not change what holds before {format_instant(billed_through)}: "
        "usage up to then is on final invoices, which do not change"
    )


def in_fiat(problems: Problems, credit_type_id: UUID | None, deal: Deal) -> None:
    if credit_type_id is not None and credit_type_id != deal.fiat.pk:
        problems.add("credit_type_id", credit_type_id, f"must be {deal.fiat.pk} ({deal.fiat}), the rate card's unit")


def fixed_product(problems: Problems, product_id: UUID, deal: Deal) -> None:
    """The product that names a bill line of a commit or charge."""
    product = deal.products.get(product_id)
    if product is None:
        problems.add("product_id", product_id, "must be the id of a product")
    elif product.type != Product.Type.FIXED:
        problems.add("product_id", product_id, f"must be a FIXED product; {product.name} is {product.type}")


def priced_product(problems: Problems, name: str, product_id: UUID, deal: Deal) -> None:
    """A product whose usage a term applies to."""
    product = deal.products.get(product_id)
    if product is None:
        problems.add(name, product_id, "must be the id of a product")
    elif product.type in UNPRICED:
        problems.add(name, product_id, f"must be a product with rates; {product.name} is {product.type}")


def not_negative(problems: Problems, name: str, value: Decimal) -> None:
    if problems.number(name, value) and value < 0:
        problems.add(name, value, "must not be negative")


def short_text(problems: Problems, name: str, value: str, *, length: int = 160) -> None:
    if len(value) > length:
        problems.add(name, value, f"must not be longer than {length} characters")
    elif "\0" in value:
        problems.add(name, value, "must not contain the character U+0000")


def days(problems: Problems, name: str, value: Decimal | None) -> int | None:
    """A number of days, whole; 30.0 counts as whole."""
    if value is None:
        return None
    if not value.is_finite() or not 0 <= value <= MOST_DAYS or value != value.to_integral_value():
        problems.add(name, value, f"must be a whole number of days from 0 to {MOST_DAYS}")
        return None
    return int(value)


def uniqueness_key(problems: Problems, value: str | None) -> None:
    if value is not None and not value:
        problems.add("uniqueness_key", value, "must not be empty")
    elif value is not None:
        short_text(problems, "uniqueness_key", value, length=KEY_LENGTH)


def within_term(problems: Problems, name: str, value: datetime, term: Period) -> None:
    """`term` is the contract's, from its start to its end."""
    if value not in term:
        end = f" and before its end, {format_instant(term.ending_before)}" if term.ending_before else ""
        rule = f"must not be before the contract's start, {format_instant(term.starting_at)}{end}"
        problems.add(name, value.isoformat(), rule)


def rounding(given: RoundingInput | None, problems: Problems) -> tuple[int | None, str]:
    """Decimal places and method of a rounding that was agreed; None and nothing where none was."""
    if given is None:
        return None, ""
    places, method = given.decimal_places, given.rounding_method
    if method not in ROUNDINGS:
        problems.add("rounding_method", method, f"must be one of {', '.join(ROUNDINGS)}")
    if not places.is_finite() or abs(places) > MOST_DECIMAL_PLACES or places != places.to_integral_value():
        rule = f"must be a whole number from -{MOST_DECIMAL_PLACES} to {MOST_DECIMAL_PLACES}"
        problems.add("decimal_places", places, rule)
        return None, ""
    return int(places), method
