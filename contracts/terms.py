"""Terms as the engines take them: what a customer and we agreed, as values, as known at one edit number."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period, floor_hour, format_instant
from contracts.fee_terms import AmountRounding, ServiceInvoice, Subscription
from pricing.engine.catalog import GroupValues
from pricing.engine.overrides import LIST_RATE, Override
from pricing.engine.targets import Target

__all__ = [
    "AccessSegment",
    "ClaimWindow",
    "Commit",
    "Contract",
    "CustomerTerms",
    "Gate",
    "Override",
    "RecurringCommit",
    "ScheduledAmount",
    "ScheduledCharge",
    "SeatLink",
    "Target",
    "UsageFilter",
]

PREPAID = "PREPAID"
POSTPAID = "POSTPAID"
CREDIT = "CREDIT"

SPEND = "SPEND"
QUANTITY = "QUANTITY"
UNITS = Unit(UUID(int=0), "units", 0, 0)  # what a balance of access type QUANTITY is held in


def ledger_name(commit_type: str) -> str:
    """How the types of ledger entries begin, and the types of balances: PREPAID_COMMIT, POSTPAID_COMMIT, CREDIT."""
    return commit_type if commit_type == CREDIT else f"{commit_type}_COMMIT"


# Of the periods of a recurring commit that are cut short, those that are granted and billed by time.
NONE = "NONE"
FIRST = "FIRST"
LAST = "LAST"
FIRST_AND_LAST = "FIRST_AND_LAST"


@dataclass(frozen=True, slots=True)
class AccessSegment:
    id: UUID
    amount: Decimal
    period: Period
    agreed: Period | None = None  # as it was first, where an edit has changed it
    is_for_seats: bool = False  # what seats add that came within the period of a grant
    seat: tuple[str, str] | None = None  # property and value: only usage that has them draws on it


@dataclass(frozen=True, slots=True)
class ScheduledAmount:
    """An amount billed at an instant; below zero where it is taken off."""

    id: UUID
    issued_at: datetime
    amount: Decimal
    unit_price: Decimal
    quantity: Decimal
    is_alone: bool = False  # whether it has a document of its own, whatever else is billed on its date

    @property
    def slot(self) -> str:
        """Which document of the contract's it is on, where it is on none of usage."""
        date = format_instant(self.issued_at)
        return f"{date} {self.id}" if self.is_alone else date

    def taken_off(self) -> "ScheduledAmount":
        return replace(self, amount=-self.amount, unit_price=-self.unit_price)


@dataclass(frozen=True, slots=True)
class Gate:
    """A payment that access to a commit waits for, and what became of it. The rule is in `docs/payment_gates.md`."""

    id: UUID
    told_at: datetime | None = None  # when it was recorded as paid or failed; None: it is awaited
    is_paid: bool = False

    @property
    def has_failed(self) -> bool:
        return self.told_at is not None and not self.is_paid

    def usable(self, segments: Sequence[AccessSegment]) -> tuple[AccessSegment, ...]:
        """What of the segments can be drawn on: from the hour of the payment on."""
        if self.told_at is None or not self.is_paid:
            return ()
        opened = Period(floor_hour(self.told_at), None)
        parts = ((segment, segment.period.overlap(opened)) for segment in segments)
        return tuple(
            segment
            if part == segment.period
            else replace(segment, period=part, agreed=segment.agreed or segment.period)
            for segment, part in parts
            if part is not None
        )


@dataclass(frozen=True, slots=True)
class Commit:
    """A balance to draw on (PREPAID, CREDIT) or an obligation to fulfil (POSTPAID). No `targets`: everything counts.

    One of access type QUANTITY counts sold units instead of money: `unit` says nothing of its segments then. One of the
    customer (`contract_id` is None) is shared by the contracts that are named; where none is, by all.
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
    applicable_contract_ids: frozenset[UUID] = frozenset()  # of one of the customer
    invoice_contract_id: UUID | None = None  # which contract bills one of the customer
    is_invoiced: bool = True  # no: `invoice_items` say what was paid for it, and it is billed elsewhere
    rollover_fraction: Decimal | None = None  # how much of it at the most goes on to a renewal; None: nothing
    rolled_over_from: UUID | None = None  # the commit whose rest this is, on the contract that was renewed
    recurring_id: UUID | None = None  # what it is an instance of
    invoice_unit: Unit | None = None  # of the invoice items, where that is not `unit`
    netsuite_sales_order_id: str = ""  # what it was sold by, for the lines that it is on
    gate: Gate | None = None

    def behind(self, gate: Gate) -> "Commit":
        """The same, of which `segments` are those that can be drawn on, billed alone, or no more once that failed."""
        return replace(
            self,
            gate=gate,
            segments=gate.usable(self.segments),
            invoice_items=() if gate.has_failed else tuple(replace(item, is_alone=True) for item in self.invoice_items),
        )

    @property
    def pays(self) -> bool:
        """Whether what it covers is paid with it. What counts toward a postpaid commit is still to be paid."""
        return self.type != POSTPAID

    @property
    def ledger_name(self) -> str:
        """How the types of its ledger entries begin: PREPAID_COMMIT, POSTPAID_COMMIT, CREDIT."""
        return ledger_name(self.type)

    @property
    def held_in(self) -> Unit:
        """What its segments are amounts of."""
        return UNITS if self.access_type == QUANTITY else self.unit

    @property
    def billed_in(self) -> Unit:
        return self.invoice_unit or self.unit

    def is_open_to(self, contract_id: UUID) -> bool:
        """Whether usage under the contract may draw on it."""
        if self.contract_id is not None:
            return self.contract_id == contract_id
        return not self.applicable_contract_ids or contract_id in self.applicable_contract_ids

    def is_billed_by(self, contract_id: UUID) -> bool:
        """Whether its invoice items are on documents of the contract."""
        return self.is_invoiced and (self.contract_id or self.invoice_contract_id) == contract_id


@dataclass(frozen=True, slots=True)
class SeatLink:
    """That a recurring commit grants its amount for each one that there is of a subscription (`contracts/seats.py`)."""

    subscription_id: UUID
    is_prorated: bool  # what an increase adds comes by time
    agreed_at: datetime  # what was known then of the subscription, its first grants know
    is_individual: bool = False  # each seat that somebody has, has a balance of its own


@dataclass(frozen=True, slots=True)
class RecurringCommit:
    """A commit or credit that is granted anew each period, from the start of `period` up to its end or the contract's.

    Periods are those of the contract's usage documents; with a `frequency` of its own they are counted from its start.
    An edit leaves alone what has begun: then there are several of one id, each for the grants that begin later than
    `holds_after`, up to and at `holds_until`.
    """

    id: UUID
    type: str  # PREPAID, CREDIT
    contract_id: UUID
    product_id: UUID
    name: str
    priority: Decimal
    unit: Unit
    access_amount: Decimal  # of a whole period; with `seats` for each one of them
    period: Period
    duration: int = 1  # so many periods can each grant be drawn on
    frequency: str | None = None
    invoice_amount: Decimal | None = None  # billed at the start of each period
    invoice_unit_price: Decimal | None = None  # which times `invoice_quantity` is that; None: it was agreed as it is
    invoice_quantity: Decimal | None = None
    proration: str = FIRST_AND_LAST  # which of the two is granted by time, where it is no whole period
    access_rounding: AmountRounding | None = None  # of what is granted by time
    invoice_rounding: AmountRounding | None = None
    targets: tuple[Target, ...] = ()
    rate_type: str = LIST_RATE
    access_type: str = SPEND
    rollover_fraction: Decimal | None = None
    invoice_unit: Unit | None = None  # of the invoice amount, where that is not `unit`
    holds_after: datetime | None = None
    holds_until: datetime | None = None
    netsuite_sales_order_id: str = ""
    seats: SeatLink | None = None

    def holds_for(self, start: datetime) -> bool:
        """Whether the grant that begins then is as this one says."""
        is_later = self.holds_after is None or start > self.holds_after
        return is_later and (self.holds_until is None or start <= self.holds_until)


@dataclass(frozen=True, slots=True)
class ScheduledCharge:
    id: UUID
    product_id: UUID
    name: str
    unit: Unit
    items: tuple[ScheduledAmount, ...]
    is_discount: bool = False


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """From `starting_at` on, up to the contract's next one, only usage that has one of `group_values` is the contract's
    (`docs/usage_filters.md`)."""

    starting_at: datetime
    group_key: str
    group_values: frozenset[str]

    def takes(self, values: GroupValues) -> bool:
        return any(key == self.group_key and value in self.group_values for key, value in values)

    def is_apart_from(self, other: "UsageFilter") -> bool:
        """Whether no usage is in both."""
        return self.group_key == other.group_key and self.group_values.isdisjoint(other.group_values)


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
    service_invoices: tuple[ServiceInvoice, ...] = ()
    recurring: tuple[RecurringCommit, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    renews: UUID | None = None  # the contract that it took the place of when it started
    usage_filters: tuple[UsageFilter, ...] = ()  # in order of time
    invoicing_starts_at: datetime | None = None  # None: with the contract
    charges_on_usage: bool = False  # scheduled amounts are on usage documents, where one ends on their date

    @property
    def invoiced(self) -> Period | None:
        """The time whose usage is on documents of ours (`docs/start_of_invoicing.md`); None where there is none."""
        if self.invoicing_starts_at is None:
            return self.term
        return Period(self.invoicing_starts_at, None).overlap(self.term)

    def filter_at(self, instant: datetime) -> UsageFilter | None:
        """The filter in force; None: all usage is the contract's."""
        return filter_in_force(self.usage_filters, instant)

    def takes(self, values: GroupValues, at: datetime) -> bool:
        """Whether usage with these group values is the contract's at an instant of its term."""
        held = self.filter_at(at)
        return held is None or held.takes(values)


def filter_in_force(filters: Sequence[UsageFilter], instant: datetime) -> UsageFilter | None:
    """Of a contract's filters, in order of time, the one that holds at the instant."""
    return next((each for each in reversed(filters) if each.starting_at <= instant), None)


def are_apart(one: UsageFilter | None, other: UsageFilter | None) -> bool:
    """Whether the filters that two contracts have at an instant keep their usage apart."""
    return one is not None and other is not None and one.is_apart_from(other)


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
    commits: tuple[Commit, ...] = ()  # of the customer: contracts share them

    @property
    def all_commits(self) -> tuple[Commit, ...]:
        """The customer's, then those of each contract."""
        return (*self.commits, *(commit for contract in self.contracts for commit in contract.commits))
