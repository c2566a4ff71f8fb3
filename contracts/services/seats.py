"""Allowances by the seat: links of recurring commits and credits to subscriptions, checked (`docs/subscriptions.md`).

field                           rule
subscription_config             a subscription of the contract, by its id, or of the same request, by its temporary id
access_amount.quantity          not given: the subscription says how many
allocation INDIVIDUAL           of a subscription by the seat; each product that is named, or has a tag that is, has
                                its seat_group_key
rollover_fraction               not given with INDIVIDUAL: what a seat has of its own ends with its period
recurrence_frequency            not DAILY
an end of the subscription      after the start of the last grant that follows it
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.periods import HOUR, format_instant
from billing_site.foundation.problems import Problems
from contracts.inputs import UNCHANGED, RecurringAmountInput
from contracts.models import RecurringCommit
from contracts.queries import AgreedSubscription, Agreement, to_terms
from contracts.recurring import instances
from contracts.services.checks import Deal
from contracts.services.payers import plain_name
from contracts.subscription_inputs import SubscriptionConfigInput, SubscriptionInput, SubscriptionUpdateInput
from contracts.terms import Commit
from pricing.models import Product
from pricing.queries import metered_products_tagged

FOR_EACH = Decimal(1)


def subscriptions_by_name(
    standing: Sequence[AgreedSubscription],
    given: Sequence[SubscriptionInput],
    rows: Sequence[AgreedSubscription],
    path: str,
    problems: Problems,
) -> dict[str, AgreedSubscription]:
    """Those that stand by their ids, those that a request adds under `path` by their temporary ids."""
    found = {str(each.subscription.pk): each for each in standing}
    for index, (each, row) in enumerate(zip(given, rows, strict=True)):
        if each.temporary_id in found:
            problems.add(f"{path}[{index}].temporary_id", each.temporary_id, "must be there only once")
        elif each.temporary_id:
            found[each.temporary_id] = row
    return found


def link(
    row: RecurringCommit,
    given: SubscriptionConfigInput | None,
    subscriptions: Mapping[str, AgreedSubscription],
    deal: Deal,
    outer: Problems,
) -> None:
    """Let a row that recurs, whose products are known, grant its amount for each one of a subscription, where that is
    asked for."""
    if given is None:
        return
    problems = outer.within("subscription_config")
    agreed = subscriptions.get(plain_name(given.subscription_id))
    if agreed is None:
        rule = "must be the id of a subscription of the contract, or the temporary_id of a new one"
        problems.add("subscription_id", given.subscription_id, rule)
    else:
        row.subscription = agreed.subscription
    if given.allocation not in RecurringCommit.Allocation.values:
        rule = f"must be one of {', '.join(RecurringCommit.Allocation.values)}"
        problems.add("allocation", given.allocation, rule)
    if row.frequency == RecurringCommit.Frequency.DAILY:
        rule = "cannot be combined with the recurrence_frequency DAILY"
        problems.add("subscription_id", given.subscription_id, rule)
    row.allocation, row.is_increase_prorated = given.allocation, given.is_prorated
    if row.allocation == RecurringCommit.Allocation.INDIVIDUAL and agreed is not None:
        _check_individual(row, agreed, deal, outer)


def _check_individual(row: RecurringCommit, agreed: AgreedSubscription, deal: Deal, problems: Problems) -> None:
    """Usage draws on the balance of a seat by the property that tells seats apart."""
    if not agreed.terms.is_by_seat:
        rule = "must be POOLED: only the seats of a SEAT_BASED subscription have ids, and balances of their own"
        problems.add("subscription_config.allocation", row.allocation, rule)
        return
    if row.rollover_fraction is not None:
        rule = "must not be given with the allocation INDIVIDUAL: what a seat has of its own does not go over"
        problems.add("rollover_fraction", row.rollover_fraction, rule)
    named = [(f"applicable_product_ids[{index}]", each) for index, each in enumerate(row.applicable_product_ids)]
    named += [
        (f"specifiers[{index}].product_id", each["product_id"])
        for index, each in enumerate(row.specifiers)
        if "product_id" in each
    ]
    key = agreed.terms.seat_group_key
    for field, product_id in named:
        product = deal.products.get(UUID(product_id))
        if product is not None and not _is_by(key, product):
            rule = f"must be a product that is priced or shown by {key}, which tells seats apart; {product.name} is not"
            problems.add(field, product_id, rule)
    tagged = [(f"applicable_product_tags[{index}]", [tag]) for index, tag in enumerate(row.applicable_product_tags)]
    tagged += [
        (f"specifiers[{index}].product_tags", each["product_tags"])
        for index, each in enumerate(row.specifiers)
        if "product_tags" in each and "product_id" not in each
    ]
    for field, tags in tagged:
        others = [product.name for product in metered_products_tagged(tags) if not _is_by(key, product)]
        if others:
            rule = f"must be of products that are priced or shown by {key}, which tells seats apart; {others[0]} is not"
            problems.add(field, ", ".join(tags), rule)


def _is_by(key: str, product: Product) -> bool:
    return any(
        key in (*version.pricing_group_key, *version.presentation_group_key) for version in product.versions.all()
    )


def for_each_one(given: RecurringAmountInput, problems: Problems) -> RecurringAmountInput:
    """An amount of a row that is linked: what one brings."""
    if given.quantity is not None:
        problems.add("quantity", given.quantity, "must not be given: the subscription says how many there are")
    return replace(given, quantity=FOR_EACH)


def quantity_of(row: RecurringCommit) -> Decimal | None:
    """The quantity that was agreed; None where a subscription says it."""
    return row.access_quantity if row.subscription_id is None else None


def check_ends_of_allowances(
    updates: Sequence[SubscriptionUpdateInput], agreed: Agreement, problems: Problems, *, at: datetime
) -> None:
    """What has been granted stays, so its subscription ran when it was granted."""
    for index, update in enumerate(updates):
        end = update.ending_before
        if end is UNCHANGED or end is None:
            continue
        last = max((each.created_at for each in _granted(agreed, update.subscription_id, at=at)), default=None)
        if last is not None and end <= last:
            when = format_instant(last)
            rule = f"must be later than {when}, when an allowance was granted for what was subscribed to"
            problems.add(f"update_subscriptions[{index}].ending_before", end.isoformat(), rule)


def _granted(agreed: Agreement, subscription_id: UUID, *, at: datetime) -> list[Commit]:
    """The instances that have begun of what is linked to a subscription."""
    if all(each.now.subscription_id != subscription_id for each in agreed.recurring):
        return []
    contract = to_terms(agreed)
    return [
        instance
        for row in contract.recurring
        if row.seats is not None and row.seats.subscription_id == subscription_id
        for instance in instances(contract, row, until=at + HOUR)
        if instance.created_at <= at
    ]
