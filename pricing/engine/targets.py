"""What a term applies to: overrides, commits and credits name products, tags and values in the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pricing.engine.catalog import GroupValues


@dataclass(frozen=True, slots=True)
class Offer:
    """What is to be priced: a product as it is tagged then, and the values of its dimensions."""

    product_id: UUID
    tags: tuple[str, ...]
    pricing_group_values: GroupValues
    presentation_group_values: GroupValues
    billing_frequency: str = ""  # how often a fee is due; "" for what is charged by use


@dataclass(frozen=True, slots=True)
class Target:
    """One way in which a term may name what it applies to. What is given must all hold; an empty target is all."""

    product_id: UUID | None = None
    product_tags: tuple[str, ...] = ()  # all of them
    pricing_group_values: GroupValues = ()  # a subset of the line's
    presentation_group_values: GroupValues = ()
    billing_frequency: str = ""
    commit_ids: frozenset[UUID] = frozenset()  # any of these balances pays; looked at for commit-specific overrides

    def covers(self, offer: Offer) -> bool:
        return (
            (self.product_id is None or self.product_id == offer.product_id)
            and all(tag in offer.tags for tag in self.product_tags)
            and all(value in offer.pricing_group_values for value in self.pricing_group_values)
            and all(value in offer.presentation_group_values for value in self.presentation_group_values)
            and self.billing_frequency in ("", offer.billing_frequency)
        )

    def reprices(self, offer: Offer) -> bool:
        """Whether an override with this target sets the price: a fee only where how often it is due is named."""
        return self.billing_frequency == offer.billing_frequency and self.covers(offer)

    def is_paid_by(self, commit_id: UUID, recurring_id: UUID | None = None) -> bool:
        """Whether the target names this commit, or what recurs and grants it. One that names none means any."""
        return not self.commit_ids or not self.commit_ids.isdisjoint((commit_id, recurring_id))


def applies(targets: Sequence[Target], offer: Offer) -> bool:
    """Whether any of `targets` covers the offer. A term without targets applies to everything."""
    return not targets or any(target.covers(offer) for target in targets)
