"""Rates: added and taken back, never changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.ids import uuid7
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import Conflict, FieldError, Refusal
from pricing.engine.tariffs import FLAT, Tariff
from pricing.models import Product, Publication, Rate, RateCard, RateWithdrawal
from pricing.models.rates import FREQUENCIES
from pricing.queries import Key, last_change, products_by_id, version_in_force
from pricing.services.publishing import publish
from pricing.services.tariffs import RATE_TYPES_OF, TierInput, check_suits_product, checked_tariff
from pricing.tiers import stored_tariff, stored_tiers

BATCH = 1000  # rows of one INSERT


class PriceWasChanged(Conflict):
    """Somebody else has published a price of the same key since it was looked at."""


@dataclass(frozen=True, slots=True)
class CommitRate:
    """A second price of a usage product, while a balance pays that asks for it; in the unit of the first."""

    rate_type: str
    price: Decimal | None = None
    tiers: Sequence[TierInput] = ()
    package_size: Decimal | None = None
    quantity: Decimal | None = None
    is_prorated: bool | None = None


@dataclass(frozen=True, slots=True)
class NewRate:
    """A price to be added."""

    product_id: UUID
    starting_at: datetime
    entitled: bool
    rate_type: str
    price: Decimal | None = None  # wire units of its pricing unit for one converted unit
    ending_before: datetime | None = None
    pricing_group_values: Mapping[str, str] = field(default_factory=dict)
    credit_type_id: UUID | None = None  # None: the card's currency
    billing_frequency: str | None = None
    tiers: Sequence[TierInput] = ()
    package_size: Decimal | None = None
    quantity: Decimal | None = None
    is_prorated: bool | None = None
    commit_rate: CommitRate | None = None
    custom_rate: object = None


def add_rates(rate_card_id: UUID, rates: Sequence[NewRate], *, reason: str = "", at: datetime, by: Actor) -> list[Rate]:
    """Publish all of `rates` on a card, or none: one transaction, one publication.

    A rate supersedes what its key (product, pricing group values) cost before from its start on; whatever it
    supersedes stays on record.

    Raises Refusal with every row and field that breaks a rule, and NotSupported for the first CUSTOM rate.
    """
    return _add(rate_card_id, rates, "rates[{}].", reason=reason, at=at, by=by)


def add_rate(
    rate_card_id: UUID,
    rate: NewRate,
    *,
    known_publication: int | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> Rate:
    """Like `add_rates`, for one; its fields are named without an index.

    `known_publication` is the last one that its author has seen: where the price of this key was changed later,
    nothing is published (PriceWasChanged).
    """
    return _add(rate_card_id, [rate], "", known_publication=known_publication, reason=reason, at=at, by=by)[0]


def check_rate(card: RateCard, rate: NewRate) -> None:
    """Raises what `add_rate` would refuse the rate with, and writes nothing."""
    problems = Problems()
    _check_alone(problems, rate, "")
    _check_on_card(problems, rate, "", card, products_by_id({rate.product_id}).get(rate.product_id))
    problems.refuse()


def withdraw_rates(
    rate_ids: Sequence[UUID],
    *,
    known_publication: int | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> Publication:
    """Take published rates back, all of them or none: from this publication on they were never there.

    `known_publication` as for `add_rate`. Raises Refusal for unknown rates, and Conflict for those that are withdrawn
    already.
    """
    if not rate_ids:
        raise Refusal.of("rate_ids", rate_ids, "must name at least one rate")
    with transaction.atomic(), acting(by):
        publication = publish(reason=reason, at=at, by=by)
        wanted = set(rate_ids)
        rates = list(Rate.objects.filter(pk__in=wanted).order_by("pk"))
        unknown = wanted - {rate.pk for rate in rates}
        if unknown:
            raise Refusal.of("rate_ids", min(unknown), "there is no such rate")
        withdrawn = RateWithdrawal.objects.filter(rate__in=wanted).values_list("rate_id", flat=True)
        if withdrawn:
            rule = "is withdrawn already"
            errors = [FieldError("rate_ids", rate_id, rule) for rate_id in sorted(withdrawn)]
            raise Conflict(f"rate_ids: {errors[0].value} {rule}.", *errors)
        for rate in rates:
            key = Key(rate.product_id, rate.pricing_group_values, rate.billing_frequency)
            _refuse_if_changed(rate.rate_card_id, key, known_publication)
        RateWithdrawal.objects.bulk_create(
            [RateWithdrawal(rate_id=rate_id, publication=publication) for rate_id in sorted(wanted)],
            batch_size=BATCH,
        )
        return publication


def _add(
    rate_card_id: UUID,
    rates: Sequence[NewRate],
    path: str,
    *,
    known_publication: int | None = None,
    reason: str,
    at: datetime,
    by: Actor,
) -> list[Rate]:
    problems = Problems()
    if not rates:
        problems.add("rates", rates, "must not be empty")
    tariffs = [_check_alone(problems, rate, path.format(index)) for index, rate in enumerate(rates)]
    problems.refuse()
    with transaction.atomic(), acting(by):
        publication = publish(reason=reason, at=at, by=by)
        card = RateCard.objects.select_related("fiat_unit").filter(pk=rate_card_id).first()
        if card is None:
            raise Refusal.of("rate_card_id", rate_card_id, "there is no such rate card")
        products = products_by_id({rate.product_id for rate in rates})
        for index, rate in enumerate(rates):
            _check_on_card(problems, rate, path.format(index), card, products.get(rate.product_id))
        _check_against_each_other(problems, rates, path)
        problems.refuse()
        for rate in rates:
            key = Key(rate.product_id, rate.pricing_group_values, rate.billing_frequency or "")
            _refuse_if_changed(card.pk, key, known_publication)
        # Ids in the order of the request: where a publication brings several products, that is theirs.
        ids = sorted(uuid7() for _ in rates)
        rows = [
            rate_row(card, products[rate.product_id], rate, *both) for rate, both in zip(rates, tariffs, strict=True)
        ]
        for row, row_id in zip(rows, ids, strict=True):
            row.id, row.publication = row_id, publication
        return Rate.objects.bulk_create(rows, batch_size=BATCH)


def rate_row(
    card: RateCard, product: Product, rate: NewRate, tariff: Tariff | None, commit_tariff: Tariff | None
) -> Rate:
    """The row of a rate that was checked, not saved and in no publication yet."""
    assert tariff is not None
    return Rate(
        rate_card=card,
        product=product,
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
        unit=card.fiat_unit,
    )


def _refuse_if_changed(rate_card_id: UUID, key: Key, known_publication: int | None) -> None:
    """Asked once the publication is ours: nobody else can publish until it is committed."""
    if known_publication is None:
        return
    change = last_change(rate_card_id, key, after=known_publication)
    if change is not None:
        raise PriceWasChanged(
            f"{change.published_by} has changed this price meanwhile (publication {change.number}): "
            "look at it as it is now, and publish again if you still want to."
        )


def _check_alone(problems: Problems, rate: NewRate, path: str) -> tuple[Tariff | None, Tariff | None]:
    """Its tariff and its commit rate, where nothing is wrong with them. Raises NotSupported."""
    own = Problems(path)
    tariff = checked_tariff(own, rate)
    if rate.custom_rate is not None:
        own.add("custom_rate", rate.custom_rate, "belongs to the rate type CUSTOM")
    own.range(rate.starting_at, rate.ending_before)
    for name, value in rate.pricing_group_values.items():
        own.key(f"pricing_group_values.{name}", value, may_be_empty=True)
    if rate.billing_frequency and rate.billing_frequency not in FREQUENCIES:
        own.add("billing_frequency", rate.billing_frequency, f"must be one of {', '.join(FREQUENCIES)}")
    commit_tariff = None
    if rate.commit_rate is not None:
        commit_tariff = checked_tariff(own.within("commit_rate"), rate.commit_rate)
    problems.errors.extend(own.errors)
    return tariff, commit_tariff


def _check_on_card(problems: Problems, rate: NewRate, path: str, card: RateCard, product: Product | None) -> None:
    if card.archived_at is not None:
        raise Refusal.of("rate_card_id", card.pk, f"the rate card {card.name} is archived")
    own = Problems(path)
    if product is None:
        own.add("product_id", rate.product_id, "there is no such product")
    elif product.archived_at is not None:
        own.add("product_id", rate.product_id, f"the product {product.name} is archived")
    elif product.type not in RATE_TYPES_OF:
        own.add("product_id", rate.product_id, f"{product.name} is a {product.type} product, which has no rates")
    else:
        _check_for_product(own, rate, product)
    # One currency a card, and so one unit for all rates of a product on it, for ever.
    if rate.credit_type_id not in (None, card.fiat_unit_id):
        own.add("credit_type_id", rate.credit_type_id, f"the prices of this rate card are in {card.fiat_unit.name}")
    problems.errors.extend(own.errors)


def _check_for_product(own: Problems, rate: NewRate, product: Product) -> None:
    check_suits_product(own, rate.rate_type, product)
    if product.type == Product.Type.SUBSCRIPTION:
        if rate.rate_type == FLAT and not rate.billing_frequency:
            own.add("billing_frequency", None, f"is required: {product.name} is a SUBSCRIPTION product")
    elif rate.billing_frequency:
        rule = f"belongs to SUBSCRIPTION products, and {product.name} is a {product.type} product"
        own.add("billing_frequency", rate.billing_frequency, rule)
    if rate.commit_rate is not None:
        if product.type == Product.Type.USAGE:
            check_suits_product(own.within("commit_rate"), rate.commit_rate.rate_type, product)
        else:
            rule = f"belongs to USAGE products, and {product.name} is a {product.type} product"
            own.add("commit_rate", rate.commit_rate.rate_type, rule)
    keys = version_in_force(product, rate.starting_at).pricing_group_key
    if set(rate.pricing_group_values) != set(keys):
        needed = f"a value for each of {', '.join(keys)}" if keys else "nothing"
        rule = f"must have {needed}: the product's pricing group key"
        own.add("pricing_group_values", dict(rate.pricing_group_values), rule)


def _check_against_each_other(problems: Problems, rates: Sequence[NewRate], path: str) -> None:
    keys = [
        (r.product_id, tuple(sorted(r.pricing_group_values.items())), r.starting_at, r.billing_frequency or "")
        for r in rates
    ]
    count = Counter(keys)
    for index, key in enumerate(keys):
        if count[key] > 1:
            problems.add(
                f"{path.format(index)}starting_at",
                key[2].isoformat(),
                "another rate of this request prices the same product and values from the same instant",
            )
