"""What services are told of subscriptions; like `inputs.py`, not checked yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from contracts.input_parts import UNCHANGED, RoundingInput, Unchanged


@dataclass(frozen=True, slots=True)
class ProrationInput:
    """How parts of periods are charged. Behavior empty: at once in advance, else with the period."""

    is_prorated: bool = True
    invoice_behavior: str = ""
    rounding: RoundingInput | None = None


@dataclass(frozen=True, slots=True)
class SeatConfigInput:
    seat_group_key: str
    initial_seat_ids: tuple[str, ...] = ()
    initial_unassigned_seats: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class SubscriptionConfigInput:
    """That an amount is for each one of a subscription, by its id or what the same request calls it."""

    subscription_id: str
    is_prorated: bool  # what an increase adds within a period comes by time
    allocation: str = "POOLED"


@dataclass(frozen=True, slots=True)
class SubscriptionInput:
    """So many of a SUBSCRIPTION product. Of mode SEAT_BASED the quantity is that of the seats."""

    product_id: UUID
    billing_frequency: str
    collection_schedule: str
    proration: ProrationInput = ProrationInput()
    initial_quantity: Decimal | None = None
    quantity_management_mode: str = "QUANTITY_ONLY"
    seat_config: SeatConfigInput | None = None
    starting_at: datetime | None = None  # the contract's start
    ending_before: datetime | None = None
    anchor_date: datetime | None = None  # the contract's
    invoice_placement: str = "ON_USAGE_INVOICE"
    name: str = ""
    description: str = ""
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    temporary_id: str = ""


@dataclass(frozen=True, slots=True)
class QuantityUpdateInput:
    """From then on there are so many, or so many more."""

    starting_at: datetime
    quantity: Decimal | None = None
    quantity_delta: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SeatIdsInput:
    starting_at: datetime
    seat_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnassignedSeatsInput:
    starting_at: datetime
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class SeatUpdatesInput:
    add_seat_ids: tuple[SeatIdsInput, ...] = ()
    remove_seat_ids: tuple[SeatIdsInput, ...] = ()
    add_unassigned_seats: tuple[UnassignedSeatsInput, ...] = ()
    remove_unassigned_seats: tuple[UnassignedSeatsInput, ...] = ()


@dataclass(frozen=True, slots=True)
class SubscriptionUpdateInput:
    subscription_id: UUID
    name: str | Unchanged = UNCHANGED
    ending_before: datetime | Unchanged | None = UNCHANGED
    rounding: RoundingInput | Unchanged | None = UNCHANGED
    by_seats_of: str | None = None  # from now on its seats are told apart by this property
    quantity_updates: tuple[QuantityUpdateInput, ...] = ()
    seat_updates: SeatUpdatesInput = SeatUpdatesInput()
