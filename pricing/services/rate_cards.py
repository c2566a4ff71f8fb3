"""Rate cards: created, renamed, given aliases and conversions, archived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.custom_fields import Entity, check_custom_fields
from billing_site.foundation.ids import uuid7
from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems, save
from billing_site.foundation.refusals import Conflict, FieldError, shown
from pricing.models import PricingUnit, Publication, RateCard, RateCardAlias, RateCardConversion
from pricing.queries import AliasSegment, alias_segments, default_unit, rate_card, unit
from pricing.queries.superseding import EVER, NEVER
from pricing.services.publishing import publish


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that means the card from one hour to another; None is open."""

    name: str
    starting_at: datetime | None = None
    ending_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class CreditTypeConversion:
    """One custom credit is worth `fiat_per_custom_credit` wire units of the card's currency."""

    custom_credit_type_id: UUID
    fiat_per_custom_credit: Decimal


def create_rate_card(
    name: str,
    *,
    description: str = "",
    fiat_credit_type_id: UUID | None = None,
    aliases: Sequence[Alias] = (),
    credit_type_conversions: Sequence[CreditTypeConversion] = (),
    custom_fields: Mapping[str, str] | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> RateCard:
    """An empty rate card in one currency (USD by default). Its aliases and conversions are published with it.

    Raises Refusal with every field that breaks a rule.
    """
    fiat = default_unit() if fiat_credit_type_id is None else unit(fiat_credit_type_id, field="fiat_credit_type_id")
    problems = Problems()
    problems.name("name", name)
    check_custom_fields(problems, Entity.RATE_CARD, custom_fields or {})
    if not fiat.is_currency:
        problems.add("fiat_credit_type_id", fiat.id, f"{fiat.name} is not a currency")
    _check_description(problems, description)
    check_aliases(problems, aliases)
    _check_conversions(problems, "credit_type_conversions", credit_type_conversions)
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
        if aliases or credit_type_conversions:
            publication = publish(reason=reason, at=at, by=by)
            _insert_aliases(card, aliases, publication)
            _insert_conversions(card, credit_type_conversions, publication)
        return card


def update_rate_card(
    rate_card_id: UUID,
    *,
    name: str | None = None,
    description: str | None = None,
    aliases: Sequence[Alias] = (),
    add_credit_type_conversions: Sequence[CreditTypeConversion] = (),
    reason: str = "",
    at: datetime,
    by: Actor,
) -> RateCard:
    """Change what people call the card, and add to its names and conversions; None leaves as it is.

    Aliases and conversions are facts: those that the card has already are not published again. Raises NotFound,
    Refusal with every field that breaks a rule, and Conflict for a unit that the card converts at another worth.
    """
    problems = Problems()
    if name is not None:
        problems.name("name", name)
    if description is not None:
        _check_description(problems, description)
    check_aliases(problems, aliases)
    _check_conversions(problems, "add_credit_type_conversions", add_credit_type_conversions)
    problems.refuse()
    with transaction.atomic(), acting(by):
        card = rate_card(rate_card_id, locked=True, field="rate_card_id")
        before = (card.name, card.description)
        card.name = card.name if name is None else name.strip()
        card.description = card.description if description is None else description
        if (card.name, card.description) != before:
            save(card, reason=reason)
        new_aliases = _not_held(card, aliases)
        new_conversions = _not_converted(card, add_credit_type_conversions)
        if new_aliases or new_conversions:
            publication = publish(reason=reason, at=at, by=by)
            _insert_aliases(card, new_aliases, publication)
            _insert_conversions(card, new_conversions, publication)
        return card


def add_aliases(
    rate_card_id: UUID, aliases: Sequence[Alias], *, reason: str = "", at: datetime, by: Actor
) -> list[RateCardAlias]:
    """Give the card more names. Where another card holds one of them, it loses it for that range.

    Raises NotFound, Refusal.
    """
    problems = Problems()
    check_aliases(problems, aliases)
    problems.refuse()
    with transaction.atomic(), acting(by):
        card = rate_card(rate_card_id, locked=True, field="rate_card_id")
        return _insert_aliases(card, aliases, publish(reason=reason, at=at, by=by)) if aliases else []


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


def _insert_aliases(card: RateCard, aliases: Sequence[Alias], publication: Publication) -> list[RateCardAlias]:
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


def _insert_conversions(
    card: RateCard, conversions: Sequence[CreditTypeConversion], publication: Publication
) -> list[RateCardConversion]:
    return RateCardConversion.objects.bulk_create(
        RateCardConversion(
            id=id_,
            rate_card=card,
            unit_id=conversion.custom_credit_type_id,
            fiat_per_unit=conversion.fiat_per_custom_credit,
            publication=publication,
        )
        for id_, conversion in zip(sorted(uuid7() for _ in conversions), conversions, strict=True)
    )


def _not_held(card: RateCard, aliases: Sequence[Alias]) -> list[Alias]:
    """Those that are not just what the card holds. One inside what it holds would not change a thing, and is refused:
    whoever sends it means to end the name earlier, which only another card can do by taking it over."""
    held = alias_segments([card.pk])[card.pk] if aliases else []
    problems, wanted = Problems(), []
    for index, alias in enumerate(aliases):
        around = next((one for one in held if one.name == alias.name and _is_inside(alias, one)), None)
        if around is None:
            wanted.append(alias)
        elif (around.starting_at, around.ending_before) != (alias.starting_at, alias.ending_before):
            rule = f"the card holds this name already, {_range(around)}; it ends where another card gets the name"
            problems.add(f"aliases[{index}].name", alias.name, rule)
    problems.refuse()
    return wanted


def _is_inside(alias: Alias, segment: AliasSegment) -> bool:
    starts = (alias.starting_at or EVER) >= (segment.starting_at or EVER)
    return starts and (alias.ending_before or NEVER) <= (segment.ending_before or NEVER)


def _range(segment: AliasSegment) -> str:
    start = format_instant(segment.starting_at) if segment.starting_at else "ever"
    end = f"up to {format_instant(segment.ending_before)}" if segment.ending_before else "with no end"
    return f"since {start} {end}"


def _not_converted(card: RateCard, conversions: Sequence[CreditTypeConversion]) -> list[CreditTypeConversion]:
    """Those that the card does not have. Raises Conflict where it has another worth for the unit."""
    held = {found.unit_id: found.fiat_per_unit for found in card.conversions.all()} if conversions else {}
    for index, conversion in enumerate(conversions):
        worth = held.get(conversion.custom_credit_type_id)
        if worth not in (None, conversion.fiat_per_custom_credit):
            field = f"add_credit_type_conversions[{index}].fiat_per_custom_credit"
            rule = f"the card converts this unit at {worth.normalize():f} already, which never changes"
            value = conversion.fiat_per_custom_credit
            raise Conflict(f"{field}: {rule} (got {shown(value)}).", FieldError(field, value, rule))
    return [conversion for conversion in conversions if conversion.custom_credit_type_id not in held]


def _check_description(problems: Problems, description: str) -> None:
    if "\0" in description:
        problems.add("description", description, "must not contain the character U+0000")


def check_aliases(problems: Problems, aliases: Sequence[Alias]) -> None:
    """Names with a range each; in one list, none has two meanings at a time. What is wrong goes to `problems`."""
    for index, alias in enumerate(aliases):
        own = Problems(f"{problems.path}aliases[{index}].")
        own.name("name", alias.name)
        own.range(alias.starting_at, alias.ending_before)
        problems.errors.extend(own.errors)
        if any(other.name == alias.name and _overlap(other, alias) for other in aliases[:index]):
            problems.add(f"aliases[{index}].name", alias.name, "must not overlap the same name in this request")


def _check_conversions(problems: Problems, field: str, conversions: Sequence[CreditTypeConversion]) -> None:
    ids = [conversion.custom_credit_type_id for conversion in conversions]
    units = PricingUnit.objects.in_bulk(set(ids))
    for index, conversion in enumerate(conversions):
        own = Problems(f"{field}[{index}].")
        found = units.get(conversion.custom_credit_type_id)
        if found is None:
            own.add("custom_credit_type_id", conversion.custom_credit_type_id, "there is no such pricing unit")
        elif found.is_currency:
            own.add("custom_credit_type_id", found.id, f"{found.name} is a currency and not a custom pricing unit")
        elif found.archived_at is not None:
            own.add("custom_credit_type_id", found.id, f"the pricing unit {found.name} is archived")
        elif found.id in ids[:index]:
            own.add("custom_credit_type_id", found.id, "must be there only once")
        fiat = conversion.fiat_per_custom_credit
        if own.number("fiat_per_custom_credit", fiat) and fiat <= 0:
            own.add("fiat_per_custom_credit", fiat, "must be greater than 0")
        problems.errors.extend(own.errors)


def _overlap(one: Alias, other: Alias) -> bool:
    one_ends_first = one.ending_before and other.starting_at and one.ending_before <= other.starting_at
    other_ends_first = other.ending_before and one.starting_at and other.ending_before <= one.starting_at
    return not (one_ends_first or other_ends_first)
