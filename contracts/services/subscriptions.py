"""Subscriptions: checked, and made into rows (`docs/subscriptions.md`).

field                   rule
subscription_rate       a SUBSCRIPTION product and a frequency that the contract's rate card has a rate for
initial_quantity        of QUANTITY_ONLY, not below zero; of SEAT_BASED the seats say it
proration               BILL_IMMEDIATELY in ADVANCE alone, where it is the default
anchor_date             in ADVANCE alone, not after the start
starting_at             within the contract; its start by default
ending_before           after the start; by default it runs as long as the contract
"""

from collections.abc import Sequence
from decimal import Decimal

from billing_site.foundation.custom_fields import Entity, check_custom_fields
from billing_site.foundation.periods import Period, format_instant
from billing_site.foundation.problems import Problems
from contracts.models import Contract, Subscription, SubscriptionQuantity, SubscriptionTerms
from contracts.queries import AgreedSubscription
from contracts.services.checks import Deal, instant, rounding, short_text, term_range, within_term
from contracts.subscription_inputs import SeatConfigInput, SubscriptionInput
from pricing.models import Product
from pricing.queries import has_rate

DESCRIPTION_LENGTH = 1_000
MOST_SEATS = 10_000  # that one call names
SEAT_BASED = SubscriptionTerms.Mode.SEAT_BASED


def subscription_rows(
    given: SubscriptionInput, position: int, contract: Contract, term: Period, deal: Deal, problems: Problems
) -> AgreedSubscription:
    """The rows of a subscription, not saved. What is wrong goes to `problems`."""
    start = given.starting_at or term.starting_at
    row = Subscription(
        position=position,
        product_id=given.product_id,
        frequency=given.billing_frequency,
        collection_schedule=given.collection_schedule,
        is_prorated=given.proration.is_prorated,
        invoice_behavior=given.proration.invoice_behavior or _usual_behavior(given.collection_schedule),
        invoice_placement=given.invoice_placement,
        anchor_at=given.anchor_date,
        starting_at=start,
        description=given.description,
        custom_fields=dict(given.custom_fields),
    )
    held = SubscriptionTerms(
        position=position, subscription=row, name=given.name, ending_before=given.ending_before,
        mode=given.quantity_management_mode,
    )  # fmt: skip
    short_text(problems, "name", given.name)
    short_text(problems, "description", given.description, length=DESCRIPTION_LENGTH)
    check_custom_fields(problems, Entity.SUBSCRIPTION, given.custom_fields)
    for name, value, choices in (
        ("subscription_rate.billing_frequency", row.frequency, Subscription.Frequency.values),
        ("collection_schedule", row.collection_schedule, Subscription.Collection.values),
        ("proration.invoice_behavior", row.invoice_behavior, Subscription.Increases.values),
        ("billing_cycle_config.invoice_placement", row.invoice_placement, Subscription.Placement.values),
        ("quantity_management_mode", held.mode, SubscriptionTerms.Mode.values),
    ):
        if value not in choices:
            problems.add(name, value, f"must be one of {', '.join(choices)}")
    if not row.is_in_advance and row.invoice_behavior == Subscription.Increases.BILL_IMMEDIATELY:
        problems.add("proration.invoice_behavior", row.invoice_behavior, "is for the collection schedule ADVANCE only")
    held.decimal_places, held.rounding_method = rounding(
        given.proration.rounding, problems.within("proration.rounding")
    )
    _check_rate(row, contract, deal, problems.within("subscription_rate"))
    term_range(problems, start, given.ending_before)
    within_term(problems, "starting_at", start, term)
    _check_anchor(row, problems.within("billing_cycle_config"))
    quantity, seats = _initial(given, held, problems)
    first = SubscriptionQuantity(
        position=position, subscription=row, starting_at=start, quantity=quantity, assigned_seat_ids=seats,
        is_initial=True, billed_through=contract.billed_through,
    )  # fmt: skip
    return AgreedSubscription(row, held, (first,))


def whole_number(problems: Problems, name: str, value: Decimal) -> int:
    if not value.is_finite() or value < 0 or value != value.to_integral_value() or value > MOST_SEATS:
        problems.add(name, value, f"must be a whole number from 0 to {MOST_SEATS}")
        return 0
    return int(value)


def seat_ids(problems: Problems, name: str, ids: Sequence[str]) -> list[str]:
    if len(ids) > MOST_SEATS:
        problems.add(name, f"{len(ids)} seats", f"must not name more than {MOST_SEATS} seats")
    else:
        problems.keys(name, ids)
    return list(dict.fromkeys(ids))


def _usual_behavior(collection_schedule: str) -> str:
    in_advance = collection_schedule == Subscription.Collection.ADVANCE
    return (
        Subscription.Increases.BILL_IMMEDIATELY if in_advance else Subscription.Increases.BILL_ON_NEXT_COLLECTION_DATE
    )


def _check_rate(row: Subscription, contract: Contract, deal: Deal, problems: Problems) -> None:
    product = deal.products.get(row.product_id)
    if product is None:
        problems.add("product_id", row.product_id, "must be the id of a product")
        return
    if product.type != Product.Type.SUBSCRIPTION:
        problems.add("product_id", row.product_id, f"must be a SUBSCRIPTION product; {product.name} is {product.type}")
    elif contract.rate_card is None:
        problems.add("product_id", row.product_id, "needs a contract with a rate card, which has its price")
    elif row.frequency in Subscription.Frequency.values and not has_rate(
        contract.rate_card.pk, product.pk, row.frequency
    ):
        rule = f"must be one by which the rate card {contract.rate_card} prices {product.name}"
        problems.add("billing_frequency", row.frequency, rule)
    row.product = product


def _check_anchor(row: Subscription, problems: Problems) -> None:
    anchor = row.anchor_at
    if anchor is None:
        return
    instant(problems, "anchor_date", anchor)
    problems.hour("anchor_date", anchor)
    if not row.is_in_advance:
        problems.add("anchor_date", anchor.isoformat(), "is for the collection schedule ADVANCE only")
    elif anchor > row.starting_at:
        rule = f"must not be after the subscription's start, {format_instant(row.starting_at)}"
        problems.add("anchor_date", anchor.isoformat(), rule)


def _initial(given: SubscriptionInput, held: SubscriptionTerms, problems: Problems) -> tuple[Decimal, list[str]]:
    """How many there are at first, and who has which."""
    if held.mode == SEAT_BASED:
        return _initial_seats(given, held, problems)
    if given.seat_config is not None:
        problems.add("seat_config", given.seat_config.seat_group_key, "is for the mode SEAT_BASED only")
    if given.initial_quantity is None:
        problems.add("initial_quantity", None, "is required for the mode QUANTITY_ONLY")
        return Decimal(0), []
    return not_below_zero(problems, "initial_quantity", given.initial_quantity), []


def not_below_zero(problems: Problems, name: str, value: Decimal) -> Decimal:
    if not problems.number(name, value):
        return Decimal(0)
    if value < 0:
        problems.add(name, value, "must not be negative")
    return value


def _initial_seats(given: SubscriptionInput, held: SubscriptionTerms, problems: Problems) -> tuple[Decimal, list[str]]:
    if given.initial_quantity is not None:
        problems.add(
            "initial_quantity", given.initial_quantity, "is for the mode QUANTITY_ONLY; the seats say how many"
        )
    config = given.seat_config
    if config is None:
        problems.add("seat_config", None, "is required for the mode SEAT_BASED")
        config = SeatConfigInput("")
    inner = problems.within("seat_config")
    if given.seat_config is not None:
        inner.key("seat_group_key", config.seat_group_key)
    held.seat_group_key = config.seat_group_key
    assigned = seat_ids(inner, "initial_seat_ids", config.initial_seat_ids)
    unassigned = whole_number(inner, "initial_unassigned_seats", config.initial_unassigned_seats)
    return Decimal(len(assigned) + unassigned), assigned
