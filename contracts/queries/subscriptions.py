"""What there was of a subscription, and what it cost, over time."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from uuid import UUID

from billing_site.foundation.money import QUANTUM, Unit, ratio, round_to
from billing_site.foundation.periods import Period, earliest
from billing_site.foundation.refusals import FieldError, NotFound
from contracts import fee_terms, terms
from contracts.models import SubscriptionQuantity
from contracts.queries.agreements import AgreedSubscription, Agreement
from contracts.queries.compiled import to_terms
from contracts.subscriptions import quantity_at, running
from pricing.engine.catalog import RateCard
from pricing.engine.fees import by_the_unit, own_quantity, period_fee
from pricing.engine.prices import Price, price_at
from pricing.engine.products import version_in_force
from pricing.engine.targets import Offer, applies
from pricing.queries import catalog


@dataclass(frozen=True, slots=True)
class HeldQuantity:
    """What was agreed for a time."""

    row: SubscriptionQuantity
    period: Period


@dataclass(frozen=True, slots=True)
class PricedQuantity:
    """From an instant on: so many, at so much each a period, which comes to so much."""

    starting_at: datetime
    quantity: Decimal
    unit_price: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class QuantityHistory:
    fiat: Unit
    custom: Unit | None  # that it is priced in
    steps: tuple[PricedQuantity, ...]


def subscription_of(agreed: Agreement, subscription_id: UUID) -> AgreedSubscription:
    """Raises NotFound."""
    for each in agreed.subscriptions:
        if each.subscription.pk == subscription_id:
            return each
    rule = "must be the id of a subscription of the contract"
    raise NotFound(
        "There is no such subscription of this contract.", FieldError("subscription_id", subscription_id, rule)
    )


def held_quantities(agreed: AgreedSubscription, end: datetime | None) -> list[HeldQuantity]:
    """In order of time, up to `end`; what was said last of an instant counts."""
    last = {row.starting_at: row for row in agreed.quantities}
    found = []
    for (start, row), following in zip_longest(last.items(), [*last][1:]):
        until = earliest(following, end)
        if until is None or until > start:
            found.append(HeldQuantity(row, Period(start, until)))
    return found


def quantity_history(agreed: Agreement, subscription_id: UUID, *, at: datetime) -> QuantityHistory:
    """Every change of quantity or price up to `at` while the deal entitles to it. Raises NotFound."""
    subscription_of(agreed, subscription_id)
    contract = to_terms(agreed)
    assert contract.rate_card_id is not None, "a subscription needs a rate card"
    known = catalog(rate_card_ids=[contract.rate_card_id])
    card = known.rate_cards[contract.rate_card_id]
    steps: list[PricedQuantity] = []
    unit: Unit | None = None
    for subscription in contract.subscriptions:
        if subscription.id != subscription_id:
            continue
        versions = known.products[subscription.product_id]
        for instant in sorted(_changes(contract, subscription, card, at)):
            version = version_in_force(versions, instant)
            tags = version.tags if version is not None else ()
            offer = Offer(subscription.product_id, tags, (), (), subscription.frequency)
            price = price_at(card, offer, instant, overrides=contract.overrides, prioritization=contract.prioritization)
            if isinstance(price, Price):
                unit = price.unit
                step = _priced(price, quantity_at(subscription, instant), instant)
                if not steps or (step.quantity, step.total) != (steps[-1].quantity, steps[-1].total):
                    steps.append(step)
    return QuantityHistory(card.fiat, None if unit in (None, card.fiat) else unit, tuple(steps))


def _changes(
    contract: terms.Contract, subscription: fee_terms.Subscription, card: RateCard, at: datetime
) -> set[datetime]:
    """The instants up to `at` at which there may be another quantity or price."""
    runs = running(contract, subscription)
    if runs is None:
        return set()
    offer = Offer(subscription.product_id, (), (), (), subscription.frequency)
    found = {runs.starting_at, *(each.starting_at for each in subscription.quantities)}
    found |= set(card.over_time((subscription.product_id, (), subscription.frequency)).instants)
    for override in contract.overrides:
        if any(target.product_tags for target in override.targets) or applies(override.targets, offer):
            found |= {each for each in (override.period.starting_at, override.period.ending_before) if each}
    return {each for each in found if each in runs and each <= at}


def _priced(price: Price, quantity: Decimal, instant: datetime) -> PricedQuantity:
    """A rate with a quantity of its own is for that; of one with tiers the unit price is what one costs on average."""
    own = own_quantity(price)
    count = ratio(quantity) if own is None else own
    fee = period_fee(price, count)
    each = by_the_unit(price).unit_price
    unit_price = round_to(fee / count if count else fee, QUANTUM) if each is None else each
    return PricedQuantity(instant, round_to(count, QUANTUM), unit_price, round_to(fee, QUANTUM))
