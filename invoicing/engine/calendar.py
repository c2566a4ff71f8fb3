"""Billing periods that are not final yet, and the ids and dates of the drafts that stand for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from billing_site.foundation.ids import derived_id
from billing_site.foundation.periods import HOUR, Period, billing_periods, format_instant
from contracts.terms import Contract
from invoicing.engine.inputs import Inputs, Posted

USAGE = "USAGE"
CHARGES = "CHARGES"
TRUE_UP = "TRUE_UP"
ADJUSTMENT = "ADJUSTMENT"  # for late usage, of a contract that has no usage document any more
HISTORICAL = "HISTORICAL"  # usage that was invoiced elsewhere

FIRST_GENERATION = 1


def draft_id(contract_id: UUID, kind: str, slot: str, *, generation: int = FIRST_GENERATION) -> UUID:
    """The id of a draft, which its final document keeps: the same for the same contract, kind and slot, always.

    A document that is made in the place of a void one is of the next generation.
    """
    return derived_id("invoice", contract_id, kind, slot, generation)


@dataclass(frozen=True, slots=True, eq=False)
class BillingPeriod:
    """A period of one contract: what one usage document is about."""

    contract: Contract
    starting_at: datetime
    ending_before: datetime

    @property
    def period(self) -> Period:
        return Period(self.starting_at, self.ending_before)

    @property
    def is_last(self) -> bool:
        """Whether the contract ends with it."""
        return self.ending_before == self.contract.term.ending_before

    @property
    def kind(self) -> str:
        return USAGE

    @property
    def slot(self) -> str:
        return format_instant(self.starting_at)

    @property
    def place(self) -> tuple[UUID, str, str]:
        """What its document bills, and no other does."""
        return self.contract.id, self.kind, self.slot

    @property
    def document_id(self) -> UUID:
        return draft_id(self.contract.id, self.kind, self.slot)

    @property
    def posted_at(self) -> datetime:
        """When what its document draws is drawn, and the date of its document."""
        return self.ending_before

    @property
    def finalizes_at(self) -> datetime:
        return finalizes_at(self.ending_before, self.contract.created_at, self.contract.grace_hours)


def finalizes_at(ending_before: datetime, created_at: datetime, grace_hours: int) -> datetime:
    """When a period's usage falls due. Grace runs from the later of its end and the contract's creation.

    What comes within an hour of its time, on its day, is not marked as late. So a period that ends inside a day is open
    for that hour more, whatever the grace:

        ends            grace    falls due
        1 Nov, 00:00    24       2 Nov, 00:00
        1 Nov, 00:00    0        1 Nov, 00:00
        5 Nov, 10:00    0        5 Nov, 11:00
        5 Nov, 10:00    1        5 Nov, 11:00
    """
    marked_from = ending_before if ending_before.hour == 0 else ending_before + HOUR
    return max(max(ending_before, created_at) + timedelta(hours=grace_hours), marked_from)


def open_periods(inputs: Inputs) -> list[BillingPeriod]:
    """The periods that have begun at `inputs.at` and are not final, of all contracts with a rate card.

    In the order in which their documents are finalized: by (end, contract).
    """
    found = [
        period
        for contract in inputs.terms.contracts
        if contract.rate_card_id is not None
        for period in _begun(contract, inputs.at)
        if (contract.id, USAGE, period.slot) not in inputs.posted.documents
    ]
    return sorted(found, key=lambda period: (period.ending_before, period.contract.id))


def invoiced_periods(contract: Contract) -> Iterator[Period]:
    """The billing periods of which usage documents are made; the first is short where invoicing starts within it."""
    if contract.invoiced is not None:
        yield from billing_periods(contract.invoiced, contract.billing_anchor_at, contract.frequency)


def _begun(contract: Contract, at: datetime) -> Iterator[BillingPeriod]:
    for period in invoiced_periods(contract):
        if period.starting_at > at or period.ending_before is None:
            return
        yield BillingPeriod(contract, period.starting_at, period.ending_before)


def is_billed_to_its_end(contract: Contract, posted: Posted) -> bool:
    """Whether the documents of all its periods are final, and none is to be made in the place of a void one."""
    slots = {(contract.id, USAGE, format_instant(each.starting_at)) for each in invoiced_periods(contract)}
    return slots <= posted.documents - posted.waiting
