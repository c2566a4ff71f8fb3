"""What the invoice-compute engine is told beside terms and catalog, and before usage: what was posted already."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from contracts.terms import CustomerTerms
from pricing.engine.catalog import Catalog


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
    charged: Mapping[UUID, tuple[UUID, str, str]] = field(default_factory=dict)  # by scheduled item: which usage one
    reopened: tuple[UUID, str, str] | None = None  # what another document is made for, in the place of a final one


@dataclass(frozen=True, slots=True)
class Inputs:
    at: datetime
    terms: CustomerTerms
    catalog: Catalog
    posted: Posted
