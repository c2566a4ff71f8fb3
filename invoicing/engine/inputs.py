"""What the invoice-compute engine is told beside terms and catalog: usage by slice, and what was posted already."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from contracts.terms import CustomerTerms
from ledger.scopes import Scope
from pricing.engine.catalog import Catalog, GroupValues


class Used(NamedTuple):  # a tuple, as a month by the hour has thousands
    """The quantity of one series, over one slice, day or hour, of all subjects that were the customer's then.

    `has_negative` says that some hour in it may be below zero, so that it must be looked at by the hour. What is
    not additive over series has a `scope`, and counts only where it is asked for so.
    """

    metric_id: UUID
    values: GroupValues  # the whole series: all group keys the metric declares; or those of the scope
    quantity: Decimal
    has_negative: bool = False
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """What finalized documents have settled, and what was posted by hand. Amounts by access segment are exact."""

    documents: frozenset[tuple[UUID, str, str]]  # (contract, kind, slot) of each that has no draft any more
    drawn: Mapping[UUID, Decimal]  # by access segment: positive
    billed: Mapping[UUID, Decimal]  # by commit: as printed, positive (what a true-up is computed from)
    manual: Mapping[UUID, Decimal] = field(default_factory=dict)  # by access segment: signed
    rolled_over: Mapping[UUID, Decimal] = field(default_factory=dict)  # by access segment left behind: positive
    trued_up: Mapping[UUID, Decimal] = field(default_factory=dict)  # by commit: as printed, less what was reversed
    waiting: frozenset[tuple[UUID, str, str]] = frozenset()  # those void ones in whose place none is made yet


@dataclass(frozen=True, slots=True)
class Inputs:
    at: datetime
    terms: CustomerTerms
    catalog: Catalog
    posted: Posted
