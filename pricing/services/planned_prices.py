"""Prices that are wanted beside those that hold: what publishing them would change, and publishing just that.

A sheet or a grid states whole prices, most of them as they are. Each is compared with what holds at its start:

    holds at its start      wanted                outcome
    nothing                 $0.25                 NEW      entitled, unless it says otherwise
    $0.25                   $0.25                 SAME     nothing is published
    $0.25                   $0.30                 CHANGED  with the entitlement and the commit rate that it had
    $0.25, entitled         $0.25, not entitled   CHANGED
    tiers                   $0.25                 CHANGED  the tiers are what it was

Several prices of one key are taken in order of time: what the first brings is what the second changes.

A price of the key that is published already and begins later takes over then: whoever publishes is asked for each
(`pricing/engine/later.py`).
"""

import enum
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import FieldError, Refusal
from pricing.engine.later import Later
from pricing.engine.tariffs import FLAT, PERCENTAGE, Tariff
from pricing.engine.timelines import Dated, Timeline, in_force, stretches
from pricing.models import PricingUnit, Rate, RateCard
from pricing.services.rate_checks import CommitRate, NewRate, OnCard, check_alone, refuse_archived
from pricing.services.rates import add_rates
from pricing.services.tariffs import TierInput

ONE_NUMBER = (FLAT, PERCENTAGE)  # the types whose price says all of it


class NothingToPublish(Refusal):
    """Every price that is wanted holds already."""


@dataclass(frozen=True, slots=True)
class WantedPrice:
    """A price that somebody wants to hold from `starting_at` on, for good: one that is one number."""

    product_id: UUID
    price: Decimal  # wire units; of a PERCENTAGE a fraction
    starting_at: datetime
    values: Mapping[str, str] = field(default_factory=dict)
    frequency: str = ""
    rate_type: str = FLAT
    entitled: bool | None = None  # None: as it is
    unit_id: UUID | None = None  # None: the product's on the card, or the card's currency

    @property
    def key(self) -> tuple[Any, ...]:
        """What it is a price of."""
        return self.product_id, tuple(sorted(self.values.items())), self.frequency


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What a key costs over some time, whether it is published or only planned."""

    tariff: Tariff
    commit_tariff: Tariff | None
    entitled: bool
    unit: PricingUnit

    @classmethod
    def of(cls, rate: Rate) -> "Held":
        """Reads the unit."""
        return cls(rate.to_tariff(), rate.to_commit_tariff(), rate.entitled, rate.unit)


@dataclass(frozen=True, slots=True)
class LaterPrice:
    """A published price that begins while a new one holds, and takes over from it unless it is withdrawn."""

    rate_id: UUID
    starting_at: datetime
    held: Held
    is_withdrawn: bool


def nothing_withdrawn(_: UUID) -> bool:
    """Every later price stays."""
    return False


class Outcome(enum.Enum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PlannedPrice:
    """What publishing a wanted price would do. `rate` is what would be published: None where nothing would."""

    wanted: WantedPrice
    outcome: Outcome
    before: Held | None
    after: Held | None  # None where it is refused
    rate: NewRate | None = None
    ends_at: datetime | None = None  # when a price that is there already takes over from it
    then: Held | None = None
    errors: tuple[FieldError, ...] = ()
    later: tuple[LaterPrice, ...] = ()


def plan_prices(
    card: RateCard, wanted: Sequence[WantedPrice], *, withdraws: Callable[[UUID], bool] = nothing_withdrawn
) -> list[PlannedPrice]:
    """What publishing each would do, in the order given; nothing is written. Six queries, however many there are.

    `withdraws` says of a rate that begins later than what is wanted for its key whether it would be taken back.

    Raises Refusal where the card is archived; what is wrong with one price is among its `errors`.
    """
    refuse_archived(card)
    plan = _Plan(card, wanted, withdraws)
    of_key: dict[Any, list[int]] = defaultdict(list)
    for index, each in enumerate(wanted):
        of_key[each.key].append(index)
    planned: dict[int, PlannedPrice] = {}
    for indexes in of_key.values():
        in_order = sorted(indexes, key=lambda index: wanted[index].starting_at)
        planned.update(zip(in_order, plan.of_key([wanted[index] for index in in_order]), strict=True))
    return [planned[index] for index in range(len(wanted))]


def publish_prices(
    card: RateCard,
    planned: Iterable[PlannedPrice],
    *,
    known_publication: int,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> list[Rate]:
    """Publish what is new or changed in a plan, and take back the later prices that it says are withdrawn, as one
    publication, and nothing else.

    Raises Refusal where any of it is refused, NothingToPublish, and PriceWasChanged where one of the prices was changed
    after `known_publication`, the last that its author has seen.
    """
    planned = list(planned)
    errors = [error for each in planned for error in each.errors]
    if errors:
        raise Refusal(f"{errors[0].field}: {errors[0].rule}.", *errors)
    rates = [each.rate for each in planned if each.rate is not None]
    if not rates:
        raise NothingToPublish("All of these prices hold already: there is nothing to publish.")
    withdrawing = [later.rate_id for each in planned for later in each.later if later.is_withdrawn]
    return add_rates(
        card.pk, rates, withdrawing=withdrawing, known_publication=known_publication, reason=reason, at=at, by=by
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Published:
    """A rate of the card that is not withdrawn."""

    rate_id: UUID
    held: Held
    starting_at: datetime
    ending_before: datetime | None
    publication: int

    @property
    def dated(self) -> Dated[Held]:
        return Dated(self.held, self.starting_at, self.ending_before, self.publication)


class _Plan:
    def __init__(self, card: RateCard, wanted: Sequence[WantedPrice], withdraws: Callable[[UUID], bool]) -> None:
        self.on_card = OnCard(card, [_new_rate(each, None) for each in wanted])
        self.withdraws = withdraws
        self.rates: dict[Any, list[_Published]] = defaultdict(list)
        products = {each.product_id for each in wanted}
        standing = Rate.objects.filter(rate_card=card, product__in=products, withdrawal=None).select_related("unit")
        for rate in standing:
            key = rate.product_id, tuple(sorted(rate.pricing_group_values.items())), rate.billing_frequency
            published = _Published(rate.pk, Held.of(rate), rate.starting_at, rate.ending_before, rate.publication_id)
            self.rates[key].append(published)

    def of_key(self, wanted: Sequence[WantedPrice]) -> list[PlannedPrice]:
        """Of prices of one key, in order of time."""
        rates = self.rates.get(wanted[0].key, [])
        planned, _ = self._in_turn(wanted, rates)
        changed_from = next((each.wanted.starting_at for each in planned if each.rate is not None), None)
        if changed_from is None:
            return planned
        starts = [each.starting_at for each in wanted]
        later = Later.of(
            rates, since=changed_from, replaced=starts, withdraws=lambda rate: self.withdraws(rate.rate_id)
        )
        planned, timeline = self._in_turn(wanted, later.left(rates))
        ends = {id(held): end for held, _, end in stretches(timeline)}
        asked = [
            LaterPrice(rate.rate_id, rate.starting_at, rate.held, is_withdrawn)
            for rate, is_withdrawn in later.asked(lambda rate: id(rate.held) in ends)
        ]
        return [
            _followed(each, timeline, ends.get(id(each.after)), asked, start, next_start)
            for each, start, next_start in zip(planned, starts, [*starts[1:], None], strict=True)
        ]

    def _in_turn(
        self, wanted: Sequence[WantedPrice], rates: Sequence[_Published]
    ) -> tuple[list[PlannedPrice], Timeline[Held]]:
        """Each as what goes before it leaves it, and what the key costs over time with all of them."""
        dated, planned = [each.dated for each in rates], []
        for each in wanted:
            planned.append(self._planned(each, in_force(dated).at(each.starting_at)))
            if planned[-1].rate is not None and planned[-1].after is not None:
                dated.append(Dated(planned[-1].after, each.starting_at, None, sys.maxsize))
        return planned, in_force(dated)

    def _planned(self, wanted: WantedPrice, before: Held | None) -> PlannedPrice:
        known = self.on_card.unit_of.get(wanted.product_id)
        rate = _new_rate(wanted, before, unit_id=wanted.unit_id or known)
        if before is not None and _is_same(before, rate):
            return PlannedPrice(wanted, Outcome.SAME, before, before)
        problems = Problems()
        checked = check_alone(problems, rate)
        self.on_card.check(problems, rate)
        if checked is None or problems.errors:
            return PlannedPrice(wanted, Outcome.REFUSED, before, None, errors=tuple(problems.errors))
        after = Held(checked.tariff, checked.commit_tariff, rate.entitled, self.on_card.unit(rate))
        return PlannedPrice(wanted, Outcome.NEW if before is None else Outcome.CHANGED, before, after, rate)


def _is_same(held: Held, rate: NewRate) -> bool:
    if rate.rate_type not in ONE_NUMBER or (rate.credit_type_id or held.unit.pk) != held.unit.pk:
        return False
    return (held.tariff, held.entitled) == (Tariff(rate.rate_type, rate.price), rate.entitled)


def _followed(
    planned: PlannedPrice,
    timeline: Timeline[Held],
    end: datetime | None,
    later: Iterable[LaterPrice],
    start: datetime,
    next_start: datetime | None,
) -> PlannedPrice:
    """With what takes over from it, and the later prices up to where the next wanted price of the key begins."""
    own = [each for each in later if start < each.starting_at and (next_start is None or each.starting_at < next_start)]
    if planned.rate is None or end is None:
        return replace(planned, later=tuple(own))
    return replace(planned, ends_at=end, then=timeline.at(end), later=tuple(own))


def _new_rate(wanted: WantedPrice, before: Held | None, *, unit_id: UUID | None = None) -> NewRate:
    entitled = wanted.entitled
    if entitled is None:
        entitled = before.entitled if before is not None else True
    return NewRate(
        product_id=wanted.product_id,
        starting_at=wanted.starting_at,
        entitled=entitled,
        rate_type=wanted.rate_type,
        price=wanted.price,
        pricing_group_values=dict(wanted.values),
        credit_type_id=unit_id or wanted.unit_id,
        billing_frequency=wanted.frequency or None,
        commit_rate=_commit_rate(before.commit_tariff) if before is not None else None,
    )


def _commit_rate(tariff: Tariff | None) -> CommitRate | None:
    if tariff is None:
        return None
    tiers = tuple(TierInput(tier.price, tier.size, tier.flat_fee or None) for tier in tariff.tiers)
    return CommitRate(tariff.type, price=tariff.price, tiers=tiers, package_size=tariff.package_size)
