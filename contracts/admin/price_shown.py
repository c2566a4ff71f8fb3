"""The prices of a rate card in finished words: what the templates of its pages show."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from billing_site.foundation.display import count_text, day_text, exact_text, instant_text
from billing_site.foundation.periods import floor_hour
from contracts.admin.price_steps import Steps, steps_of
from contracts.forms.card_filter import key_as_text
from contracts.queries import Reach
from pricing.models import Product, Rate, RateCard, RateCardConversion
from pricing.queries import AliasSegment, CardChange, Key, PricedKey, Standing, Stay
from pricing.wording import charge_text, commit_rate_text, key_text, price_text, rate_text, rate_unit_text

# what is said of a rate's standing, and how it looks
BADGES = {
    Standing.NOW: ("now", "good"),
    Standing.TO_COME: ("to come", "accent"),
    Standing.PAST: ("past", ""),
    Standing.REPLACED: ("replaced before it began", ""),
    Standing.WITHDRAWN: ("withdrawn", "bad"),
}


FREQUENCY = "billing_frequency"


@dataclass(frozen=True, slots=True)
class ShownStay:
    """One rate over one range, and who brought it."""

    amount: str
    per: str
    commit: str
    when: str
    badge: str
    tone: str
    by: str
    reason: str
    withdrawn: str
    withdraw_url: str
    is_entitled: bool

    @classmethod
    def of(cls, card: RateCard, stay: Stay) -> "ShownStay":
        rate, publication = stay.rate, stay.rate.publication
        badge, tone = BADGES[stay.standing]
        withdrawn = ""
        if stay.standing is Standing.WITHDRAWN:
            taken = rate.withdrawal.publication
            why = f": {taken.price_change.reason}" if taken.price_change.reason else ""
            withdrawn = f"Withdrawn by {taken.published_by}, {instant_text(taken.published_at)}{why}"
        return cls(
            amount=rate_text(rate),
            per=rate_unit_text(rate, stay.version),
            commit=commit_rate_text(rate, stay.version),
            when=range_text(stay.starting_at, stay.ending_before),
            badge=badge,
            tone=tone,
            by=f"{publication.published_by}, {instant_text(publication.published_at)}",
            reason=publication.price_change.reason,
            withdrawn=withdrawn,
            withdraw_url=withdraw_url(card, rate) if stay.standing in (Standing.NOW, Standing.TO_COME) else "",
            is_entitled=rate.entitled,
        )


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A row of the price list."""

    number: int
    product_id: UUID
    name: str
    values: str
    amount: str
    per: str
    commit: str
    since: str
    is_entitled: bool
    to_come: tuple[ShownStay, ...]
    stays: tuple[ShownStay, ...]
    summary: str
    change_url: str
    picked: str  # what its checkbox says
    steps: Steps | None  # where the page draws them

    @classmethod
    def of(cls, card: RateCard, priced: PricedKey, number: int, *, at: datetime | None = None) -> "ShownKey":
        """With the price's steps over time, where it is said `at` which instant they are looked at."""
        now = priced.now
        return cls(
            number=number,
            product_id=priced.product.pk,
            name=priced.version.name,
            values=key_text(priced.key.values, priced.key.frequency),
            amount=rate_text(now.rate) if now else "",
            per=rate_unit_text(now.rate, priced.version) if now else "",
            commit=commit_rate_text(now.rate, priced.version) if now else "",
            since=range_text(now.starting_at, now.ending_before) if now else "",
            is_entitled=now.rate.entitled if now else False,
            to_come=tuple(ShownStay.of(card, stay) for stay in priced.those(Standing.TO_COME)),
            stays=tuple(ShownStay.of(card, stay) for stay in reversed(priced.stays)),
            summary=_summary(priced),
            change_url=change_url(card, priced.key),
            picked=key_as_text(priced.key),
            steps=None if at is None else steps_of(priced, at),
        )


@dataclass(frozen=True, slots=True)
class ShownAlias:
    """A name of the card, and when it means the card."""

    name: str
    when: str

    @classmethod
    def of(cls, segment: AliasSegment) -> "ShownAlias":
        start = f"from {day_text(segment.starting_at)}" if segment.starting_at else "since ever"
        end = f" up to {day_text(segment.ending_before)}" if segment.ending_before else ""
        return cls(segment.name, f"{start}{end}")


@dataclass(frozen=True, slots=True)
class ShownConversion:
    """What one of a custom unit is worth on the card. Reads the conversion's unit and publication."""

    unit: str
    worth: str
    by: str

    @classmethod
    def of(cls, card: RateCard, conversion: RateCardConversion) -> "ShownConversion":
        publication = conversion.publication
        return cls(
            unit=conversion.unit.name,
            worth=exact_text(conversion.fiat_per_unit, card.fiat_unit.to_unit()),
            by=f"{publication.published_by}, {instant_text(publication.published_at)}",
        )


@dataclass(frozen=True, slots=True)
class ShownPublication:
    """Who changed which prices, or the order of products, when and why."""

    number: int
    at: str
    by: str
    reason: str
    changes: tuple[str, ...]

    @classmethod
    def of(cls, change: CardChange) -> "ShownPublication":
        publication = change.publication
        return cls(
            number=publication.number,
            at=instant_text(publication.published_at),
            by=publication.published_by,
            reason=publication.price_change.reason,
            changes=(
                *_changes("", change.added),
                *_changes("withdrawn: ", change.withdrawn),
                *_order(change.order),
            ),
        )


@dataclass(frozen=True, slots=True)
class Note:
    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What publishing would do to a row: the price before and after, and what else there is to know."""

    before: str
    after: str
    per: str
    when: str
    notes: tuple[Note, ...] = field(default=())


def effect_of_adding(before: PricedKey, after: PricedKey, rate: Rate, touched: Reach, *, at: datetime) -> Effect:
    """`after` is `before` with `rate` added."""
    start = rate.starting_at
    held, new = before.at(start), after.at(start)
    assert new is not None
    notes = [Note(f"{start_of(count_text(touched.contracts, 'contract is', 'contracts are'))} on this card.")]
    notes[:0] = _commit_rates(held, new)
    if held is not None and _charged(held.rate) == _charged(rate):
        notes.insert(0, Note("That is the price then already.", "warn"))
    if new.ending_before is not None:
        notes.append(_afterwards(after.at(new.ending_before), new.ending_before, is_again=rate.ending_before))
    notes.extend(reaching_back(start, touched, at))
    if not rate.entitled:
        notes.append(Note("Not part of contracts on this card, unless one says so.", "warn"))
    return Effect(
        before=rate_text(held.rate) if held else "no price",
        after=rate_text(rate),
        per=rate_unit_text(rate, new.version),
        when=range_text(start, new.ending_before),
        notes=tuple(notes),
    )


def effect_of_withdrawing(after: PricedKey, rate: Rate, stay: Stay, touched: Reach, *, at: datetime) -> Effect:
    """`after` is the row without `rate`, which holds over `stay` so far."""
    held = after.at(stay.starting_at)
    notes = [Note(f"{start_of(count_text(touched.contracts, 'contract is', 'contracts are'))} on this card.")]
    if held is None:
        notes.append(Note("Nothing holds then in its stead: usage would have no price, and hold its invoices.", "warn"))
    if rate.formula_id is not None:
        notes.append(Note("A formula made it, and stays as it was stated: this price is an exception to it then."))
    notes.extend(reaching_back(stay.starting_at, touched, at))
    return Effect(
        before=rate_text(rate),
        after=rate_text(held.rate) if held else "no price",
        per=rate_unit_text(rate, stay.version),
        when=range_text(stay.starting_at, stay.ending_before),
        notes=tuple(notes),
    )


def range_text(starting_at: datetime, ending_before: datetime | None) -> str:
    """ "from 1 December 2025 up to 1 January 2026"."""
    end = f" up to {day_text(ending_before)}" if ending_before else ""
    return f"from {day_text(starting_at)}{end}"


def change_url(card: RateCard, key: Key) -> str:
    """The page of a price. Its parameters are the pricing group values; a subscription, which has none, has its
    billing frequency there."""
    page = reverse("admin:pricing_ratecard_price", args=[card.pk, key.product_id])
    parameters = sorted(key.values.items()) or ([(FREQUENCY, key.frequency)] if key.frequency else [])
    return f"{page}?{urlencode(parameters)}" if parameters else page


def withdraw_url(card: RateCard, rate: Rate) -> str:
    return reverse("admin:pricing_ratecard_withdraw", args=[card.pk, rate.pk])


def start_of(text: str) -> str:
    """As the beginning of a sentence."""
    return f"{text[:1].upper()}{text[1:]}"


def _charged(rate: Rate) -> tuple[object, ...]:
    """What makes two rates the same to a customer."""
    return rate.to_tariff(), rate.to_commit_tariff(), rate.entitled


def _commit_rates(held: Stay | None, new: Stay) -> list[Note]:
    before = commit_rate_text(held.rate, held.version) if held else ""
    after = commit_rate_text(new.rate, new.version)
    if before == after:
        return [Note(f"The commit rate stays {after}.")] if after else []
    return [Note(f"Commit rate: {before or 'none'} → {after or 'none'}.")]


def _afterwards(following: Stay | None, instant: datetime, *, is_again: datetime | None) -> Note:
    if following is None:
        return Note(f"From {day_text(instant)} on there is no price.", "warn")
    price = price_text(following.rate, following.version)
    if following.rate.starting_at == instant:
        return Note(f"A later price replaces it on {day_text(instant)}: {price}.", "warn")
    return Note(f"From {day_text(instant)} on it is {price} again.")


def reaching_back(start: datetime, touched: Reach, at: datetime) -> list[Note]:
    """What a price that begins in the past does to usage that is there already."""
    if start >= floor_hour(at):
        return []
    again = start_of(count_text(touched.rated_again, "contract has", "contracts have"))
    notes = [
        Note(
            f"It begins in the past. {again} usage since then that is not billed yet: drafts are rated again at once.",
            "warn",
        )
    ]
    if touched.final:
        final = count_text(touched.final, "contract has", "contracts have")
        notes.append(Note(f"{start_of(final)} final invoices over that time: those stay as they are.", "warn"))
    return notes


def _summary(priced: PricedKey) -> str:
    """What there is besides the price now: "1 to come, 2 past, 1 withdrawn"."""
    names = (
        (Standing.TO_COME, "to come"),
        (Standing.PAST, "past"),
        (Standing.REPLACED, "replaced"),
        (Standing.WITHDRAWN, "withdrawn"),
    )
    counted = [(len(priced.those(standing)), name) for standing, name in names]
    return ", ".join(f"{count} {name}" for count, name in counted if count) or "no other price"


def _order(products: Sequence[Product]) -> list[str]:
    if not products:
        return []
    return [f"The order on invoices: {', '.join(product.name for product in products)}."]


def _changes(prefix: str, rates: Sequence[Rate], limit: int = 5) -> list[str]:
    shown = [
        f"{prefix}{_named(rate)} {_both_texts(rate)} {range_text(rate.starting_at, rate.ending_before)}"
        for rate in rates[:limit]
    ]
    return [*shown, f"and {len(rates) - limit} more"] if len(rates) > limit else shown


def _both_texts(rate: Rate) -> str:
    """The price, and the commit rate where there is one."""
    commit_tariff = rate.to_commit_tariff()
    if commit_tariff is None:
        return rate_text(rate)
    return f"{rate_text(rate)} (at commit rate {charge_text(commit_tariff, rate.unit.to_unit())})"


def _named(rate: Rate) -> str:
    values = key_text(rate.pricing_group_values, rate.billing_frequency)
    return f"{rate.product.name} ({values})" if values else rate.product.name
