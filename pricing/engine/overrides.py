"""Which override of a contract wins: exactly one, they never stack (`api_map` 4.3).

1. a commit-specific OVERWRITE: one that holds only while a balance pays that it names
2. a commit-specific MULTIPLIER or TIERED, by the contract's scheme
3. an ordinary OVERWRITE
4. an ordinary MULTIPLIER or TIERED, by the contract's scheme
5. the list price, or the commit rate

A fee has a price for each frequency at which it may be due, and only an override that names its frequency, and so its
product, holds for it. One that names none, or names nothing, is for what is charged by use:

    override is on           usage    a monthly fee of S    a yearly fee of S
    everything               yes      no                    no
    products with a tag      yes      no                    no
    S, monthly               no       yes                   no

The schemes: the smallest multiplier (LOWEST_MULTIPLIER), or the lowest priority number (EXPLICIT). Among equals, and
among several of 1 or 3, the one added last wins.

A rate may have a commit rate beside its list price, charged while a balance of rate type COMMIT_RATE pays. An override
changes the one of the two that is its target, and does not hold while the other is charged:

    paid by                    rate has        charged        overrides that hold
    nobody                     either          list price     ordinary
    a balance at list rate     either          list price     ordinary, and commit-specific ones on the list price
    a balance at commit rate   a commit rate   commit rate    commit-specific ones on the commit rate
    a balance at commit rate   none            list price     ordinary, and commit-specific ones on the list price

Whether a product is entitled is decided apart from its price, and does not depend on who pays: by the override added
last that says so, else by the rate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from pricing.engine.targets import Offer, Target
from pricing.engine.tariffs import Tariff

LOWEST_MULTIPLIER = "LOWEST_MULTIPLIER"
EXPLICIT = "EXPLICIT"
LIST_RATE = "LIST_RATE"
COMMIT_RATE = "COMMIT_RATE"
OVERWRITE = "OVERWRITE"

# Why an override on the other tariff of a rate does not hold, by its target.
OTHER_TARIFF = {
    LIST_RATE: "It changes the list price, and the commit rate is charged while this balance pays.",
    COMMIT_RATE: "It changes the commit rate, and the list price is charged.",
}


@dataclass(frozen=True, slots=True)
class MultiplierTier:
    """`multiplier` of the price for `size` units of the period's quantity (None: the rest)."""

    multiplier: Decimal
    size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A price of its own over `period`. Holds where any of `targets` does (`reprices`)."""

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
class Payer:
    """A balance about to pay, as far as prices depend on it."""

    commit_id: UUID
    rate_type: str = LIST_RATE  # or COMMIT_RATE: at which of a rate's two tariffs it pays
    recurring_id: UUID | None = None  # what grants it anew each period


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


def choose_override(
    overrides: Iterable[Override],
    offer: Offer,
    at: datetime,
    prioritization: str,
    *,
    payer: Payer | None = None,
    charged: str = LIST_RATE,
) -> Choice:
    """The override that holds for `offer` at an instant, under the contract's scheme.

    `payer` is the balance that would pay (None: none does); `charged` says which of a rate's two tariffs is.
    """
    holding = [override for override in overrides if at in override.period and _holds(override, offer, payer)]
    if not holding:
        return Choice(None, (), None)
    deciding = [override for override in holding if override.entitled is not None]
    entitled = max(deciding, key=added).entitled if deciding else None
    pricing = sorted((override for override in holding if override.type), key=added, reverse=True)
    fitting = [override for override in pricing if override.target == charged]
    fitting.sort(key=lambda override: _rank(override, prioritization))
    winner = fitting[0] if fitting else None
    beaten = [LosingOverride(each.id, _reason(fitting[0], each, prioritization)) for each in fitting[1:]]
    elsewhere = [LosingOverride(each.id, OTHER_TARIFF[each.target]) for each in pricing if each.target != charged]
    return Choice(winner, (*beaten, *elsewhere), entitled)


def _holds(override: Override, offer: Offer, payer: Payer | None) -> bool:
    targets = [target for target in override.targets or (Target(),) if target.reprices(offer)]
    if not override.is_commit_specific:
        return bool(targets)
    return payer is not None and any(target.is_paid_by(payer.commit_id, payer.recurring_id) for target in targets)


def added(override: Override) -> tuple[int, int]:
    """Its place in the order of adding: of those that say what is part of the deal, the last one counts."""
    return override.added_by_edit, override.position


def _rank(override: Override, prioritization: str) -> tuple[bool, int, Decimal]:
    any_payer = not override.is_commit_specific
    if override.type == OVERWRITE:
        return any_payer, 0, Decimal(0)
    if prioritization == EXPLICIT:
        return (any_payer, 1, override.priority) if override.priority is not None else (any_payer, 2, Decimal(0))
    return any_payer, 1, override.multiplier if override.multiplier is not None else Decimal(1)


def _reason(winner: Override, loser: Override, prioritization: str) -> str:
    if winner.is_commit_specific != loser.is_commit_specific:
        return "One for the balance that pays goes before those that hold whoever pays."
    if (winner.type == OVERWRITE) != (loser.type == OVERWRITE):
        return "An overwritten price goes before multipliers."
    if _rank(winner, prioritization) == _rank(loser, prioritization):
        return "One that was added later holds."
    if prioritization == EXPLICIT:
        return "One with a lower priority number holds."
    return "A smaller multiplier holds."
