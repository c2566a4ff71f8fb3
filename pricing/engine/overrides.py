"""Which override of a contract wins: exactly one, they never stack (`api_map` 4.3).

1. an OVERWRITE; of several, the one added last
2. a MULTIPLIER by the contract's scheme: the smallest (LOWEST_MULTIPLIER), or the lowest priority number (EXPLICIT);
   among equals the one added last
3. the list price

Whether a product is entitled is decided apart from its price: by the override added last that says so, else by the
rate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from pricing.engine.targets import Offer, Target, applies
from pricing.engine.tariffs import Tariff

LOWEST_MULTIPLIER = "LOWEST_MULTIPLIER"
EXPLICIT = "EXPLICIT"
LIST_RATE = "LIST_RATE"
COMMIT_RATE = "COMMIT_RATE"


@dataclass(frozen=True, slots=True)
class MultiplierTier:
    """`multiplier` of the price for `size` units of the period's quantity (None: the rest)."""

    multiplier: Decimal
    size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A price of its own over `period`. Applies where any of `targets` does."""

    id: UUID
    type: str  # MULTIPLIER, TIERED, OVERWRITE, or "" for entitlement alone
    period: Period
    targets: tuple[Target, ...]
    added_by_edit: int
    position: int  # its place among the overrides of its edit
    multiplier: Decimal | None = None
    tiers: tuple[MultiplierTier, ...] = ()  # of type TIERED
    tariff: Tariff | None = None  # of type OVERWRITE
    unit: Unit | None = None
    priority: Decimal | None = None
    entitled: bool | None = None
    is_commit_specific: bool = False  # holds only while a balance pays that its targets name
    target: str = LIST_RATE  # or COMMIT_RATE: which of the two tariffs of a rate it multiplies


@dataclass(frozen=True, slots=True)
class LosingOverride:
    id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The override that sets the price (None: the list price holds), those that lost, and the entitlement if any
    override decides it."""

    winner: Override | None
    losers: tuple[LosingOverride, ...]
    entitled: bool | None


def choose_override(overrides: Iterable[Override], offer: Offer, at: datetime, prioritization: str) -> Choice:
    """The override that holds for `offer` at an instant, under the contract's scheme."""
    holding = [override for override in overrides if at in override.period and applies(override.targets, offer)]
    if not holding:
        return Choice(None, (), None)
    deciding = [override for override in holding if override.entitled is not None]
    entitled = max(deciding, key=_added).entitled if deciding else None
    pricing = [override for override in holding if override.type]
    if not pricing:
        return Choice(None, (), entitled)
    latest_first = sorted(pricing, key=_added, reverse=True)
    winner, *others = sorted(latest_first, key=lambda override: _rank(override, prioritization))
    losers = tuple(LosingOverride(other.id, _reason(winner, other, prioritization)) for other in others)
    return Choice(winner, losers, entitled)


def _added(override: Override) -> tuple[int, int]:
    return override.added_by_edit, override.position


def _rank(override: Override, prioritization: str) -> tuple[int, Decimal]:
    if override.type == "OVERWRITE":
        return 0, Decimal(0)
    if prioritization == EXPLICIT:
        return (1, override.priority) if override.priority is not None else (2, Decimal(0))
    return 1, override.multiplier if override.multiplier is not None else Decimal(1)


def _reason(winner: Override, loser: Override, prioritization: str) -> str:
    if winner.type != loser.type:
        return "An overwritten price goes before multipliers."
    if _rank(winner, prioritization) == _rank(loser, prioritization):
        return "One that was added later holds."
    if prioritization == EXPLICIT:
        return "One with a lower priority number holds."
    return "A smaller multiplier holds."
