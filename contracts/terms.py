"""Terms as the engines take them: what a customer and we agreed, as values, as known at one edit number."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from pricing.engine.overrides import LIST_RATE, Override
from pricing.engine.targets import Target

__all__ = [
    "AccessSegment",
    "ClaimWindow",
    "Commit",
    "Contract",
    "CustomerTerms",
    "Override",
    "ScheduledAmount",
    "ScheduledCharge",
    "Target",
]

SPEND = "SPEND"
QUANTITY = "QUANTITY"


@dataclass(frozen=True, slots=True)
class AccessSegment:
    id: UUID
    amount: Decimal
    period: Period


@dataclass(frozen=True, slots=True)
class ScheduledAmount:
    """An amount billed at an instant."""

    id: UUID
    issued_at: datetime
    amount: Decimal
    unit_price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Commit:
    """A balance to draw on (PREPAID) or an obligation to fulfil (POSTPAID). No `targets`: everything counts.

    One of access type QUANTITY counts sold units instead of money: `unit` says nothing of its segments then.
    """

    id: UUID
    type: str
    contract_id: UUID | None
    product_id: UUID  # the FIXED product that names the bill line
    name: str
    priority: Decimal
    unit: Unit
    segments: tuple[AccessSegment, ...]
    invoice_items: tuple[ScheduledAmount, ...]
    targets: tuple[Target, ...]
    created_at: datetime
    rate_type: str = LIST_RATE  # or COMMIT_RATE: what of a rate is charged while it pays
    access_type: str = SPEND  # or QUANTITY


@dataclass(frozen=True, slots=True)
class ScheduledCharge:
    id: UUID
    product_id: UUID
    name: str
    unit: Unit
    items: tuple[ScheduledAmount, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    id: UUID
    customer_id: UUID
    name: str
    term: Period
    created_at: datetime
    rate_card_id: UUID | None
    frequency: str
    billing_anchor_at: datetime
    grace_hours: int
    net_payment_terms_days: int | None
    prioritization: str  # LOWEST_MULTIPLIER or EXPLICIT
    overrides: tuple[Override, ...] = ()
    commits: tuple[Commit, ...] = ()
    charges: tuple[ScheduledCharge, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimWindow:
    """Over these hours the events of `subject` are the customer's; open where None."""

    subject: str
    starting_at: datetime | None
    ending_before: datetime | None


@dataclass(frozen=True, slots=True)
class CustomerTerms:
    """All contracts of a customer and what they share, as known at `edit_number`."""

    customer_id: UUID
    edit_number: int
    contracts: tuple[Contract, ...]
    claims: tuple[ClaimWindow, ...]
    commits: tuple[Commit, ...] = ()  # of the customer: every contract draws on them
