"""Rates: added and taken back, never changed."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.ids import uuid7
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import Conflict, FieldError, Refusal
from pricing.models import Publication, Rate, RateCard, RateWithdrawal
from pricing.queries import Key, last_change
from pricing.services.publishing import publish
from pricing.services.rate_checks import (
    CheckedRate,
    NewRate,
    OnCard,
    check_against_each_other,
    check_alone,
    refuse_archived,
)
from pricing.tiers import stored_tariff, stored_tiers

BATCH = 1000  # rows of one INSERT


class PriceWasChanged(Conflict):
    """Somebody else has published a price of the same key since it was looked at."""


def add_rates(
    rate_card_id: UUID,
    rates: Sequence[NewRate],
    *,
    withdrawing: Collection[UUID] = (),
    known_publication: int | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> list[Rate]:
    """Publish all of `rates` on a card, or none: one transaction, one publication.

    A rate supersedes what its key (product, pricing group values, billing frequency) cost before from its start on;
    whatever it supersedes stays on record. A rate of the card that begins later takes over then, unless it is among
    those that are taken back by the same publication (`withdrawing`). `known_publication` is the last one that their
    author has seen: where the price of any of the keys was changed later, nothing is published (PriceWasChanged).

    Raises Refusal with every row and field that breaks a rule, NotSupported for the first CUSTOM rate, and for what is
    withdrawn what `withdraw_rates` raises.
    """
    path = "rates[{}]."
    return _add(rate_card_id, rates, path, withdrawing, known_publication, reason=reason, at=at, by=by)


def add_rate(
    rate_card_id: UUID,
    rate: NewRate,
    *,
    withdrawing: Collection[UUID] = (),
    known_publication: int | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> Rate:
    """Like `add_rates`, for one; its fields are named without an index."""
    return _add(rate_card_id, [rate], "", withdrawing, known_publication, reason=reason, at=at, by=by)[0]


def planned_rate(card: RateCard, rate: NewRate) -> Rate:
    """The rate that `add_rate` would add, not saved and without a publication. Raises what `add_rate` would raise."""
    return planned_rates(card, [rate])[0]


def planned_rates(card: RateCard, rates: Sequence[NewRate]) -> list[Rate]:
    """Like `planned_rate`, for several; fields are named without an index, of the first that breaks a rule."""
    refuse_archived(card)
    on_card, planned = None, []
    for rate in rates:
        problems = Problems()
        checked = check_alone(problems, rate)
        problems.refuse()
        assert checked is not None
        on_card = on_card or OnCard(card, rates)
        on_card.check(problems, rate)
        problems.refuse()
        planned.append(_row(on_card, checked, uuid7(), None))
    return planned


def withdraw_rates(
    rate_ids: Sequence[UUID],
    *,
    of_card: RateCard | None = None,
    known_publication: int | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> Publication:
    """Take published rates back, all of them or none: from this publication on they were never there.

    `of_card` is the card that all of them are of, where the caller names one; `known_publication` as for `add_rate`.
    Raises Refusal for unknown rates, and Conflict for those that are withdrawn already.
    """
    if not rate_ids:
        raise Refusal.of("rate_ids", rate_ids, "must name at least one rate")
    with transaction.atomic(), acting(by):
        publication = publish(reason=reason, at=at, by=by)
        take_back(rate_ids, publication, of_card=of_card, known_publication=known_publication)
        return publication


def take_back(
    rate_ids: Collection[UUID], publication: Publication, *, of_card: RateCard | None, known_publication: int | None
) -> None:
    """Withdraw published rates with a publication that its caller has made. Raises as `withdraw_rates` does."""
    wanted = set(rate_ids)
    rates = list(Rate.objects.filter(pk__in=wanted).order_by("pk"))
    unknown = wanted - {rate.pk for rate in rates}
    if unknown:
        raise Refusal.of("rate_ids", min(unknown), "there is no such rate")
    elsewhere = [rate for rate in rates if of_card is not None and rate.rate_card_id != of_card.pk]
    if of_card is not None and elsewhere:
        raise Refusal.of("rate_ids", elsewhere[0].pk, f"there is no such rate on the rate card {of_card.name}")
    withdrawn = RateWithdrawal.objects.filter(rate__in=wanted).values_list("rate_id", flat=True)
    if withdrawn:
        rule = "is withdrawn already"
        errors = [FieldError("rate_ids", rate_id, rule) for rate_id in sorted(withdrawn)]
        raise Conflict(f"rate_ids: {errors[0].value} {rule}.", *errors)
    keys: dict[UUID, list[Key]] = defaultdict(list)
    for rate in rates:
        keys[rate.rate_card_id].append(Key(rate.product_id, rate.pricing_group_values, rate.billing_frequency))
    for card_id, of_card_keys in keys.items():
        _refuse_if_changed(card_id, of_card_keys, known_publication)
    RateWithdrawal.objects.bulk_create(
        [RateWithdrawal(rate_id=rate_id, publication=publication) for rate_id in sorted(wanted)],
        batch_size=BATCH,
    )


def _add(
    rate_card_id: UUID,
    rates: Sequence[NewRate],
    path: str,
    withdrawing: Collection[UUID],
    known_publication: int | None,
    *,
    reason: str,
    at: datetime,
    by: Actor,
) -> list[Rate]:
    problems = Problems()
    if not rates:
        problems.add("rates", rates, "must not be empty")
    checked = []
    for index, rate in enumerate(rates):
        own = Problems(path.format(index))
        if (alone := check_alone(own, rate)) is not None:
            checked.append(alone)
        problems.errors.extend(own.errors)
    problems.refuse()
    with transaction.atomic(), acting(by):
        publication = publish(reason=reason, at=at, by=by)
        card = RateCard.objects.select_related("fiat_unit").filter(pk=rate_card_id).first()
        if card is None:
            raise Refusal.of("rate_card_id", rate_card_id, "there is no such rate card")
        refuse_archived(card)
        on_card = OnCard(card, rates)
        for index, rate in enumerate(rates):
            own = Problems(path.format(index))
            on_card.check(own, rate)
            problems.errors.extend(own.errors)
        check_against_each_other(problems, rates, path)
        problems.refuse()
        keys = [Key(rate.product_id, rate.pricing_group_values, rate.billing_frequency or "") for rate in rates]
        _refuse_if_changed(card.pk, keys, known_publication)
        if withdrawing:
            take_back(withdrawing, publication, of_card=card, known_publication=known_publication)
        # Ids in the order of the request: where a publication brings several products, that is theirs.
        ids = sorted(uuid7() for _ in rates)
        return Rate.objects.bulk_create(
            [_row(on_card, alone, id_, publication) for id_, alone in zip(ids, checked, strict=True)],
            batch_size=BATCH,
        )


def _row(on_card: OnCard, checked: CheckedRate, id_: UUID, publication: Publication | None) -> Rate:
    rate, tariff, commit_tariff = checked.given, checked.tariff, checked.commit_tariff
    return Rate(
        id=id_,
        rate_card=on_card.card,
        product=on_card.products[rate.product_id],
        pricing_group_values=dict(rate.pricing_group_values),
        billing_frequency=rate.billing_frequency or "",
        starting_at=rate.starting_at,
        ending_before=rate.ending_before,
        entitled=rate.entitled,
        rate_type=tariff.type,
        price=tariff.price,
        tiers=stored_tiers(tariff.tiers),
        package_size=tariff.package_size,
        quantity=tariff.quantity,
        is_prorated=tariff.is_prorated,
        commit_rate=stored_tariff(commit_tariff) if commit_tariff else None,
        unit=on_card.unit(rate),
        publication=publication,
    )


def _refuse_if_changed(rate_card_id: UUID, keys: Sequence[Key], known_publication: int | None) -> None:
    """Asked once the publication is ours: nobody else can publish until it is committed."""
    if known_publication is None:
        return
    change = last_change(rate_card_id, keys, after=known_publication)
    if change is not None:
        which = "this price" if len(keys) == 1 else "one of these prices"
        raise PriceWasChanged(
            f"{change.published_by} has changed {which} meanwhile (publication {change.number}): "
            "look at it as it is now, and publish again if you still want to."
        )
