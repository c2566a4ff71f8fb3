"""Prices that were typed for later, of combinations that a formula moves now."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from pricing.engine.catalog import GroupValues, Rate
from pricing.engine.later import Later
from pricing.engine.restating import Moves
from pricing.engine.timelines import Timeline
from pricing.models import PricingUnit
from pricing.queries import RatesOfProduct
from pricing.services.planned_prices import Held, LaterPrice

NOTHING: Timeline[Rate] = Timeline((), ())


def later_than(
    moves: Moves, rates: RatesOfProduct, withdraws: Callable[[UUID], bool]
) -> dict[GroupValues, Later[Rate]]:
    """By combination that moves. What formulas made for later is none of them: the formula says it anew itself."""
    starts: dict[GroupValues, list[datetime]] = {}
    for move in moves.moved:
        starts.setdefault(move.values, []).append(move.starting_at)
    return {
        values: Later.of(
            (rate for rate in rates.by_values.get(values, ()) if rate.id not in rates.ours),
            since=min(begun),
            replaced=begun,
            withdraws=lambda rate: withdraws(rate.id),
        )
        for values, begun in starts.items()
    }


def asked(
    later: Mapping[GroupValues, Later[Rate]], over_time: Mapping[GroupValues, Timeline[Rate]], unit: PricingUnit
) -> Iterator[tuple[GroupValues, LaterPrice]]:
    """Those to decide on; `over_time` is without those that are withdrawn."""
    for values, of_values in later.items():
        for rate, is_withdrawn in of_values.asked(over_time.get(values, NOTHING).holds):
            held = Held(rate.tariff, rate.commit_tariff, rate.entitled, unit)
            yield values, LaterPrice(rate.id, rate.starting_at, held, is_withdrawn)
