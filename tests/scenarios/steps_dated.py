"""What is agreed by date in a story, whatever is used: subscriptions and their seats, and scheduled charges."""

from typing import Any

from billing_site.foundation.periods import parse_instant
from tests.invoicing.shop import tariff
from tests.scenarios.story import Steps, Story
from tests.scenarios.story_text import NONE, Sentence, number

COLLECTED = {"in advance": "ADVANCE", "when it is over": "ARREARS"}
SEAT = "user"  # the property of events that says whose seat it is

STEPS = Steps()
says = STEPS.says


@says("These subscriptions are sold:", ["product", "price", "each"])
def subscriptions_are_sold(story: Story, sentence: Sentence) -> None:
    """On the price list, for a month, a quarter or a year."""
    contracts = story.client.v1.contracts
    card = story.known(story.cards, "the price list", sentence.place)
    for row in sentence.rows:
        made = contracts.products.create(name=row["product"], type="SUBSCRIPTION").data.id
        story.products[row["product"]] = made
        contracts.rate_cards.rates.add(
            rate_card_id=card,
            product_id=made,
            starting_at="2020-01-01T00:00:00Z",
            entitled=True,
            billing_frequency=_frequency(story, row["each"], row.place),
            **tariff(row["price"], wire=story.wire()),
        )


@says("These subscriptions are agreed:", ["subscription", "of", "to", "each", "seats", "collected"], ["from"])
def subscriptions_are_agreed(story: Story, sentence: Sentence) -> None:
    """By the seat of each user; those that are named have one from the start."""
    for row in sentence.rows:
        customer, contract = story.known(story.contracts, row["of"], row.place)
        seats = [] if row["seats"] == NONE else row["seats"].split(", ")
        given: dict[str, Any] = {
            "name": row["subscription"],
            "subscription_rate": {
                "product_id": story.known(story.products, row["to"], row.place),
                "billing_frequency": _frequency(story, row["each"], row.place),
            },
            "collection_schedule": story.known(COLLECTED, row["collected"], row.place),
            "proration": {"is_prorated": True},
            "quantity_management_mode": "SEAT_BASED",
            "seat_config": {"seat_group_key": SEAT, "initial_seat_ids": seats},
        }
        if row.get("from"):
            given["starting_at"] = parse_instant(row["from"])
        story.client.v2.contracts.edit(customer_id=customer, contract_id=contract, add_subscriptions=[given])


@says("These charges are agreed:", ["charge", "of", "amount", "on"])
def charges_are_agreed(story: Story, sentence: Sentence) -> None:
    """The same amount on each date."""
    for row in sentence.rows:
        customer, contract = story.known(story.contracts, row["of"], row.place)
        if not story.balance_product:
            story.balance_product = story.client.v1.contracts.products.create(name="Balance", type="FIXED").data.id
        amount = float(number(row["amount"], row.place) * story.wire())
        items = [{"amount": amount, "timestamp": parse_instant(date)} for date in row["on"].split(", ")]
        charge = {
            "name": row["charge"],
            "product_id": story.balance_product,
            "schedule": {
                "schedule_items": items,
                "credit_type_id": story.unit_id(story.currency, row.place),
            },
        }
        story.client.v2.contracts.edit(customer_id=customer, contract_id=contract, add_scheduled_charges=[charge])


@says("From {instant} on, {subscription} of {contract} has a seat for {seats}.")
def has_a_seat_for(
    story: Story, sentence: Sentence, instant: str, subscription: str, contract: str, seats: str
) -> None:
    _change_seats(story, sentence, instant, subscription, contract, "add_seat_ids", seats)


@says("From {instant} on, {subscription} of {contract} has no seat for {seats}.")
def has_no_seat_for(
    story: Story, sentence: Sentence, instant: str, subscription: str, contract: str, seats: str
) -> None:
    _change_seats(story, sentence, instant, subscription, contract, "remove_seat_ids", seats)


def _change_seats(
    story: Story, sentence: Sentence, instant: str, subscription: str, contract: str, what: str, seats: str
) -> None:
    customer, contract_id = story.known(story.contracts, contract, sentence.place)
    agreed = story.client.v2.contracts.retrieve(customer_id=customer, contract_id=contract_id).data.subscriptions or []
    found = story.known({each.name: each.id for each in agreed}, subscription, sentence.place)
    named = [{"starting_at": parse_instant(instant), "seat_ids": seats.split(", ")}]
    update = {"subscription_id": found, "seat_updates": {what: named}}
    story.client.v2.contracts.edit(customer_id=customer, contract_id=contract_id, update_subscriptions=[update])


def _frequency(story: Story, each: str, place: str) -> str:
    return story.known({"month": "MONTHLY", "quarter": "QUARTERLY", "year": "ANNUAL", "week": "WEEKLY"}, each, place)
