"""Terms as the engines take them: subscriptions and their fees, and the work of people."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import Unit, floor_to, round_to
from billing_site.foundation.periods import Period, format_instant


@dataclass(frozen=True, slots=True)
class AmountRounding:
    """To so many decimal places of a wire unit; below zero, to tens and hundreds of it."""

    decimal_places: int
    method: str  # HALF_UP, FLOOR, CEILING

    def of(self, amount: Fraction) -> Decimal:
        step = Decimal(1).scaleb(-self.decimal_places)
        if self.method == "FLOOR":
            return floor_to(amount, step)
        return -floor_to(-amount, step) if self.method == "CEILING" else round_to(amount, step)


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """Work of a professional service on an invoice, with what the customer's NetSuite asks for."""

    id: UUID
    service_id: UUID
    product_id: UUID
    unit: Unit
    amount: Decimal
    unit_price: Decimal
    quantity: Decimal
    metadata: str = ""
    netsuite_billing_start: datetime | None = None
    netsuite_billing_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServiceInvoice:
    """An invoice of work, which has a document of its own."""

    id: UUID
    issued_at: datetime
    lines: tuple[ServiceLine, ...]
    netsuite_header_start: datetime | None = None
    netsuite_header_end: datetime | None = None

    @property
    def slot(self) -> str:
        """Which document of the contract's it is: two of one date are two."""
        return f"{format_instant(self.issued_at)} {self.id}"


@dataclass(frozen=True, slots=True)
class SubscriptionQuantity:
    """From `starting_at` on there are so many, up to the next one of the subscription.

    What was final when it was agreed does not know it: usage documents of periods up to `billed_through`, documents of
    the subscription's own up to `agreed_at` (None: it was agreed with the subscription).
    """

    id: UUID
    starting_at: datetime
    quantity: Decimal
    agreed_at: datetime | None = None
    billed_through: datetime | None = None
    seats: tuple[str, ...] = ()  # the ids of those that somebody has

    def was_known(self, at: datetime) -> bool:
        return self.agreed_at is None or self.agreed_at <= at

    def came_too_late(self, collected_at: datetime, *, on_usage: bool) -> bool:
        """Whether the document that collects then was final already."""
        final_until = self.billed_through if on_usage else self.agreed_at
        return final_until is not None and collected_at <= final_until


@dataclass(frozen=True, slots=True)
class Subscription:
    """So many of a product for a fee a period (`contracts/subscriptions.py`). `period` has no end where it runs as long
    as the contract; `quantities` are in order of time, of one instant in the order in which they were agreed."""

    id: UUID
    product_id: UUID
    name: str  # empty: that of the product
    frequency: str
    anchor_at: datetime
    period: Period
    quantities: tuple[SubscriptionQuantity, ...]
    is_in_advance: bool
    is_prorated: bool = True
    bills_immediately: bool = True  # an increase within a period: at once, or with what is collected at its end
    is_on_usage_invoice: bool = True
    rounding: AmountRounding | None = None  # of what is charged for a part of a period
    is_ended_late: bool = False  # the usage document up to its end was final when that was agreed
    seat_group_key: str = ""  # the property that tells its seats apart; empty: it has none with an id
