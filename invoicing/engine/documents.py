"""What the invoice-compute engine answers: documents with their lines, what they would post, findings, the trace."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.periods import Period
from contracts.fee_terms import ServiceLine
from contracts.terms import SPEND, AccessSegment, Commit
from pricing.engine.catalog import GroupValues
from pricing.engine.overrides import LIST_RATE, LosingOverride
from pricing.engine.steps import Level
from pricing.engine.tariffs import FLAT


class Part(NamedTuple):  # a tuple, as there are hundreds a draft
    """One decision of the walk: this much of a line, over this stretch, at this price, for this payer, because …"""

    period: Period
    metric_quantity: Decimal  # as metered, before conversion
    quantity: Decimal
    amount: Decimal
    unit_price: Decimal  # of a unit, of a package, or a fraction: what `quantity` counts
    list_price: Decimal | None  # likewise; None where no one price of the list holds for all of it
    rate_id: UUID
    publication: int
    published_by: str
    override_id: UUID | None
    losing_overrides: tuple[LosingOverride, ...]
    segment_id: UUID | None  # the access segment that pays or counts it
    rate_type: str = FLAT
    charged: str = LIST_RATE  # or COMMIT_RATE: which of the rate's two tariffs
    above: Decimal = Decimal(0)  # its units are those above this one of the period
    upto: Decimal = Decimal(0)  # and up to this one
    level: Level | None = None  # the tier they are in
    fee: Decimal = Decimal(0)  # what of the amount is for entering the tier
    package_size: Decimal | None = None
    period_quantity: Decimal | None = None  # what the whole period came to, where the price depends on it
    list_amount: Decimal | None = None  # what the list would have charged, in the unit of the rate
    converted_by: UUID | None = None  # the access segment that pays for it where it is converted to money
    share: Decimal | None = None  # of the fee or package where it begins, where others have the rest of that


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The final document whose period an adjustment is about, and what is payable for it so far: exact and as printed,
    adjustments before included."""

    invoice_id: UUID
    number: str
    period: Period
    unrounded: Decimal
    printed: Decimal
    billed_on: tuple[UUID, str] | None = None  # id and number of the document whose adjustment is taken off again


class Corrects(NamedTuple):
    """The final document that a note by hand is about, and which line of it, where it is of one."""

    invoice_id: UUID
    number: str
    position: int | None = None


class Line(NamedTuple):  # a tuple, as there are hundreds a draft
    """A line as the customer reads it. `total` is exact to 12 places; `counts` says whether it is in the total."""

    type: str  # usage, subscription, applied_commit_or_credit, cpu_conversion, scheduled, commit_purchase
    name: str
    total: Decimal
    unit: Unit
    counts: bool = True
    product_id: UUID | None = None
    product_type: str = ""  # USAGE, SUBSCRIPTION, COMPOSITE, FIXED
    quantity: Decimal | None = None
    quantity_consumed: Decimal | None = None  # of an applied balance that counts units
    unit_price: Decimal | None = None
    list_price: Decimal | None = None
    flat_fee: Decimal | None = None  # what of the total is for entering the tier
    level: Level | None = None  # the tier, where the price has several
    package_size: Decimal | None = None  # of the packages that `quantity` counts
    period: Period | None = None
    pricing_group_values: GroupValues = ()
    presentation_group_values: GroupValues = ()
    commit_id: UUID | None = None
    commit_type: str = ""  # PREPAID, POSTPAID, CREDIT
    access_type: str = SPEND  # or QUANTITY: what the balance counts
    segment_id: UUID | None = None
    postpaid_commit_id: UUID | None = None  # on true-up lines
    charge_id: UUID | None = None
    discount_id: UUID | None = None
    service: ServiceLine | None = None  # of professional services: the work
    item_id: UUID | None = None  # of a scheduled amount that is on a usage document: what was billed
    subscription_id: UUID | None = None
    is_prorated: bool = False  # a fee for a part of its period: `unit_price` is that part of what one costs
    converted: Unit | None = None  # the custom unit that a conversion is of
    adjusts: Adjusted | None = None  # of an adjustment for late usage
    corrects: Corrects | None = None  # of a note by hand
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry that finalizing the document would post. Signed."""

    type: str
    commit_id: UUID
    segment_id: UUID | None
    amount: Decimal  # money, or units where the balance counts those
    timestamp: datetime
    new_contract_id: UUID | None = None  # of what goes over to a renewal: whose it is from then on
    adjusts: Adjusted | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Usage that could not be billed, and why. A blocking one holds its document until a person has acted."""

    kind: str  # NO_RATE, TWO_CONTRACTS, NEGATIVE_PERIOD, …
    blocking: bool
    message: str
    period: Period
    contract_id: UUID | None = None
    product_id: UUID | None = None
    values: GroupValues = ()
    quantity: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Document:
    """A draft. `finalizes_at` is when it falls due to be final; a true-up also waits for `waits_for`."""

    id: UUID
    contract_id: UUID
    kind: str  # USAGE, CHARGES, TRUE_UP
    slot: str
    type: str  # USAGE, SCHEDULED
    period: Period | None
    issued_at: datetime
    finalizes_at: datetime
    unit: Unit
    lines: tuple[Line, ...]
    total: Decimal
    entries: tuple[Entry, ...] = ()
    findings: tuple[Finding, ...] = ()
    waits_for: tuple[UUID, ...] = ()  # ids of usage drafts that have to be final first

    @property
    def total_of_usage(self) -> Decimal:
        """The total without the scheduled amounts that are on a usage document."""
        return exact_sum([self.total, *(-line.total for line in self.lines if line.item_id is not None)])


@dataclass(frozen=True, slots=True)
class Pending:
    """What a draft would take, dated like the entry that it would post: the end of its period."""

    document_id: UUID
    contract_id: UUID
    amount: Decimal  # positive
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """One access segment. Amounts are in money, or in units where the commit counts those; exact."""

    commit: Commit
    segment: AccessSegment
    granted: Decimal
    manual: Decimal  # signed
    drawn: Decimal  # by final documents, positive
    pending: tuple[Pending, ...]
    rolled_over: Decimal  # gone on to a renewal, positive
    is_settled: bool = False  # of an obligation: what is missing of it was billed

    @property
    def left(self) -> Decimal:
        """What nobody has taken; below zero where more was taken off by hand than there was."""
        taken = (-self.drawn, *(-each.amount for each in self.pending), -self.rolled_over)
        return exact_sum([self.granted, self.manual, *taken])

    @property
    def is_asked_for(self) -> bool:
        """Whether what is missing of it is billed, or was: it has a true-up that nobody has taken out."""
        return not self.commit.pays and (self.is_settled or bool(self.commit.invoice_items))

    def usable(self, at: datetime) -> Decimal:
        """What can be used at an instant, if nothing more is drawn until then.

        Of an obligation, what is still to be spent: from its start on, until what is missing of it was billed.
        """
        return max(self.left, Decimal(0)) if self.is_open(at) else Decimal(0)

    def is_open(self, at: datetime) -> bool:
        """Whether what is left of it counts at an instant."""
        has_begun = self.segment.period.starting_at <= at
        return has_begun and not self.is_settled if self.is_asked_for else at in self.segment.period

    def expired(self, at: datetime) -> Decimal:
        """What of it came to nothing. Of an obligation it is billed instead, unless nobody asks for it any more."""
        end = self.segment.period.ending_before
        is_over = end is not None and end <= at
        return Decimal(0) if self.is_asked_for or not is_over else max(self.left, Decimal(0))

    def to_come(self, at: datetime) -> Decimal:
        """What can be used later, as the segment has not begun."""
        return max(self.left, Decimal(0)) if at < self.segment.period.starting_at else Decimal(0)


@dataclass(frozen=True, slots=True)
class Result:
    """Everything the customer's walk found out, documents in order of (period end or issue date, contract).

    `findings` are those of all periods: also of one that has nothing to bill, and so no document.
    """

    documents: tuple[Document, ...]
    findings: tuple[Finding, ...] = ()
    balances: tuple[Standing, ...] = ()  # in the order in which usage draws on them
    commits: tuple[Commit, ...] = ()  # all that may be drawn on: agreed, recurring, taken over by a renewal
