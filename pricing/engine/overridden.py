"""A tariff under an override, as one tariff: what a list of prices shows of the two. The walk prices with both.

Multipliers by tier are laid over the tiers of the tariff; beyond the last that has a size, the list price holds.

    list                     override                 together
    10 a unit                half                     5 a unit
    10 a unit                half for 100, then list  5 for 100, then 10
    10 for 150, then 8       half for 100, then list  5 for 100, 10 for 50, then 8
    12 for a package of 10   half                     6 for a package of 10
    12 for a package of 10   half for 100, then list  no one tariff says it

A fee for entering a tier is multiplied like the unit that enters it.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Context, Decimal, localcontext

from billing_site.foundation.money import PRECISION
from pricing.engine.overrides import MultiplierTier, Override
from pricing.engine.steps import steps_of
from pricing.engine.tariffs import FLAT, PERCENTAGE, TIERED, TIERED_PERCENTAGE, Tariff, Tier

IN_TIERS = {FLAT: TIERED, TIERED: TIERED, PERCENTAGE: TIERED_PERCENTAGE, TIERED_PERCENTAGE: TIERED_PERCENTAGE}


def overridden(tariff: Tariff, override: Override) -> Tariff | None:
    """What `tariff` becomes under `override`; None where that is no tariff of any one type. Exact."""
    if override.tariff is not None:
        return override.tariff
    with localcontext(Context(prec=PRECISION)):
        if override.multiplier is not None:
            return _multiplied(tariff, override.multiplier)
        if override.tiers:
            return _in_tiers(tariff, override.tiers)
    return tariff


def _multiplied(tariff: Tariff, multiplier: Decimal) -> Tariff:
    return replace(
        tariff,
        price=None if tariff.price is None else tariff.price * multiplier,
        tiers=tuple(Tier(each.price * multiplier, each.size, each.flat_fee * multiplier) for each in tariff.tiers),
    )


def _in_tiers(tariff: Tariff, multiples: Sequence[MultiplierTier]) -> Tariff | None:
    if tariff.type not in IN_TIERS:
        return None
    tiers = [
        Tier(step.price, None if step.upto is None else step.upto - step.above, step.fee)
        for step in steps_of(tariff, multiples)
    ]
    return Tariff(IN_TIERS[tariff.type], tiers=tuple(tiers))
