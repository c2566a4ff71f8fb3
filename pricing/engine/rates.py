"""Which rate of a rate card is in force: design rule 4.

The price of a key (product, pricing group values, billing frequency) at an instant t is, among the published, not
withdrawn rates with `starting_at <= t < ending_before`, the one with the greatest (starting_at, publication). A rate
that ends uncovers the one that it superseded. Withdrawn rates are not on the card that the engine is given.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from pricing.engine.catalog import GroupValues, Rate, RateCard


def rate_in_force(
    card: RateCard, product_id: UUID, values: GroupValues, at: datetime, billing_frequency: str = ""
) -> Rate | None:
    """The rate of one key at an instant, or None where the card has no price for it then."""
    return card.over_time((product_id, values, billing_frequency)).at(at)


def price_changes(card: RateCard) -> Iterator[datetime]:
    """Every instant at which some rate of the card starts or ends, in no order and with repeats."""
    for rate in card.rates:
        yield rate.starting_at
        if rate.ending_before is not None:
            yield rate.ending_before
