"""Which rate card a name means, and from when to when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from pricing.models import RateCard, RateCardAlias
from pricing.queries.superseding import EVER, NEVER, remainder


@dataclass(frozen=True, slots=True)
class AliasSegment:
    """A range over which a rate card holds a name; None is open."""

    name: str
    starting_at: datetime | None
    ending_before: datetime | None


def rate_card_of_alias(name: str, *, at: datetime) -> RateCard | None:
    """The rate card that `name` means at `at`: of the aliases that cover it the one published last."""
    begun = Q(starting_at=None) | Q(starting_at__lte=at)
    open_yet = Q(ending_before=None) | Q(ending_before__gt=at)
    covering = RateCardAlias.objects.filter(begun, open_yet, name=name)
    latest = covering.select_related("rate_card__fiat_unit").order_by("-publication", "-id").first()
    return latest.rate_card if latest else None


def alias_segments(
    rate_card_ids: Collection[UUID], *, at_publication: int | None = None
) -> dict[UUID, list[AliasSegment]]:
    """The names that each rate card holds, less what was given to another one later. One query. `at_publication` is
    what was known (default: everything)."""
    known = Q() if at_publication is None else Q(publication_id__lte=at_publication)
    names = RateCardAlias.objects.filter(rate_card_id__in=rate_card_ids).values("name")
    published = list(RateCardAlias.objects.filter(known, name__in=names).order_by("name", "publication", "id"))
    held: dict[UUID, list[AliasSegment]] = {card_id: [] for card_id in rate_card_ids}
    for position, alias in enumerate(published):
        if alias.rate_card_id not in held:
            continue
        later = (other for other in published[position + 1 :] if other.name == alias.name)
        for start, end in remainder(_bounds(alias), (_bounds(other) for other in later)):
            segment = AliasSegment(alias.name, None if start == EVER else start, None if end == NEVER else end)
            held[alias.rate_card_id].append(segment)
    for segments in held.values():
        segments.sort(key=lambda segment: (segment.name, segment.starting_at or EVER))
    return held


def _bounds(alias: RateCardAlias) -> tuple[datetime, datetime]:
    return alias.starting_at or EVER, alias.ending_before or NEVER
