"""A change of prices that was looked at, as a page gives it to the panel that computes drafts with it.

The panel belongs to invoicing, which no page of prices knows. So the page hands the change over, signed, and the panel
needs none of the ways in which prices are typed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from django.core import serializers, signing
from django.core.exceptions import BadRequest

from pricing.models import Rate, RateCard
from pricing.queries import units_by_id


@dataclass(frozen=True, slots=True)
class Change:
    """What one publication would bring: rates that are not saved, with their units at hand, and what it takes back."""

    adding: tuple[Rate, ...]
    withdrawing: frozenset[UUID]


def sealed(card: RateCard, adding: Iterable[Rate], withdrawing: Collection[UUID]) -> str:
    told = [serializers.serialize("json", adding), sorted(map(str, withdrawing))]
    return signing.dumps(told, salt=_salt(card), compress=True)


def opened(card: RateCard, text: str) -> Change:
    """At most one query. Raises BadRequest for what no page of the card has sealed."""
    try:
        rates, taken = signing.loads(text, salt=_salt(card))
    except signing.BadSignature as error:
        raise BadRequest("The change of prices was not sent as the page has it.") from error
    adding = tuple(cast(Rate, each.object) for each in serializers.deserialize("json", rates))
    units = units_by_id(rate.unit_id for rate in adding)
    for rate in adding:
        rate.unit = units[rate.unit_id]
    return Change(adding, frozenset(map(UUID, taken)))


def _salt(card: RateCard) -> str:
    return f"planned prices of {card.pk}"
