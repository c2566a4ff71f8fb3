"""Rate cards: created, renamed, given aliases, archived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.ids import uuid7
from billing_site.foundation.problems import Problems, save
from billing_site.foundation.refusals import NotSupported
from pricing.models import RateCard, RateCardAlias
from pricing.queries import default_unit, rate_card, unit
from pricing.services.publishing import publish


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that means the card from one hour to another; None is open."""

    name: str
    starting_at: datetime | None = None
    ending_before: datetime | None = None


def create_rate_card(
    name: str,
    *,
    description: str = "",
    fiat_credit_type_id: UUID | None = None,
    aliases: Sequence[Alias] = (),
    credit_type_conversions: Sequence[object] = (),
    custom_fields: Mapping[str, str] | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> RateCard:
    """An empty rate card in one currency (USD by default). Its aliases are published with it.

    Raises Refusal with every field that breaks a rule, and NotSupported for conversions of custom units.
    """
    if credit_type_conversions:
        raise NotSupported.of(
            "credit_type_conversions", credit_type_conversions, "custom pricing units are not supported so far"
        )
    fiat = default_unit() if fiat_credit_type_id is None else unit(fiat_credit_type_id, field="fiat_credit_type_id")
    problems = Problems()
    problems.name("name", name)
    problems.custom_fields(custom_fields or {})
    if not fiat.is_currency:
        problems.add("fiat_credit_type_id", fiat.id, f"{fiat.name} is not a currency")
    _check_description(problems, description)
    _check_aliases(problems, aliases)
    problems.refuse()
    with transaction.atomic(), acting(by):
        card = RateCard.objects.create(
            name=name.strip(),
            description=description,
            fiat_unit=fiat,
            custom_fields=dict(custom_fields or {}),
            created_at=at,
            created_by=by.label,
        )
        _publish_aliases(card, aliases, reason=reason, at=at, by=by)
        return card


def update_rate_card(
    rate_card_id: UUID,
    *,
    name: str | None = None,
    description: str | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> RateCard:
    """Change what people call the card; None leaves as it is. Raises NotFound, Refusal."""
    problems = Problems()
    if name is not None:
        problems.name("name", name)
    if description is not None:
        _check_description(problems, description)
    problems.refuse()
    with transaction.atomic(), acting(by):
        card = rate_card(rate_card_id, locked=True, field="rate_card_id")
        before = (card.name, card.description)
        card.name = card.name if name is None else name.strip()
        card.description = card.description if description is None else description
        if (card.name, card.description) != before:
            save(card, reason=reason)
        return card


def add_aliases(
    rate_card_id: UUID, aliases: Sequence[Alias], *, reason: str = "", at: datetime, by: Actor
) -> list[RateCardAlias]:
    """Give the card more names. Where another card holds one of them, it loses it for that range.

    Raises NotFound, Refusal.
    """
    problems = Problems()
    _check_aliases(problems, aliases)
    problems.refuse()
    with transaction.atomic(), acting(by):
        card = rate_card(rate_card_id, locked=True, field="rate_card_id")
        return _publish_aliases(card, aliases, reason=reason, at=at, by=by)


def archive_rate_card(rate_card_id: UUID, *, reason: str = "", at: datetime, by: Actor) -> RateCard:
    """No new contract and no new rate may use the card; contracts that do go on. Twice is as good as once.

    Raises NotFound.
    """
    with transaction.atomic(), acting(by):
        card = rate_card(rate_card_id, locked=True)
        if card.archived_at is None:
            card.archived_at = at
            save(card, reason=reason)
        return card


def _publish_aliases(
    card: RateCard, aliases: Sequence[Alias], *, reason: str, at: datetime, by: Actor
) -> list[RateCardAlias]:
    if not aliases:
        return []
    publication = publish(reason=reason, at=at, by=by)
    return RateCardAlias.objects.bulk_create(
        RateCardAlias(
            id=id_,
            rate_card=card,
            name=alias.name,
            starting_at=alias.starting_at,
            ending_before=alias.ending_before,
            publication=publication,
        )
        for id_, alias in zip(sorted(uuid7() for _ in aliases), aliases, strict=True)
    )


def _check_description(problems: Problems, description: str) -> None:
    if "\0" in description:
        problems.add("description", description, "must not contain the character U+0000")


def _check_aliases(problems: Problems, aliases: Sequence[Alias]) -> None:
    for index, alias in enumerate(aliases):
        own = Problems(f"{problems.path}aliases[{index}].")
        own.name("name", alias.name)
        own.range(alias.starting_at, alias.ending_before)
        problems.errors.extend(own.errors)
        if any(other.name == alias.name and _overlap(other, alias) for other in aliases[:index]):
            problems.add(f"aliases[{index}].name", alias.name, "must not overlap the same name in this request")


def _overlap(one: Alias, other: Alias) -> bool:
    one_ends_first = one.ending_before and other.starting_at and one.ending_before <= other.starting_at
    other_ends_first = other.ending_before and one.starting_at and other.ending_before <= one.starting_at
    return not (one_ends_first or other_ends_first)
