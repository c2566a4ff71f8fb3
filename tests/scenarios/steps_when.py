"""What happens in a story: use, prices and terms that change, invoices that are voided, and notes.

A note is approved as the back office approves it: the client has no call for it.
"""

from decimal import Decimal
from uuid import UUID

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import parse_instant
from invoicing.queries.notes import proposals
from invoicing.services.notes import approve_note
from tests.invoicing.shop import tariff
from tests.scenarios.story import Steps, Story
from tests.scenarios.story_text import Sentence, number

APPROVER = Actor.command("Bea")

STEPS = Steps()
says = STEPS.says


@says("{customer} uses:", ["when", "product", "quantity"])
def uses(story: Story, sentence: Sentence, customer: str) -> None:
    story.known(story.customers, customer, sentence.place)
    events = []
    for row in sentence.rows:
        story.known(story.products, row["product"], row.place)
        sent = story.sent.setdefault((customer, row["product"], row["when"]), [])
        sent.append(f"{row['product']} {row['when']} {len(sent) + 1}")
        events.append(
            {
                "transaction_id": sent[-1],
                "customer_id": customer,
                "event_type": row["product"],
                "timestamp": parse_instant(row["when"]).isoformat(),
                "properties": {"quantity": str(number(row["quantity"], row.place))},
            }
        )
    story.client.v1.usage.ingest(usage=events)


@says("What {customer} used of {product} on {instant} was sent by mistake.")
def was_sent_by_mistake(story: Story, sentence: Sentence, customer: str, product: str, instant: str) -> None:
    for event in story.known(story.sent, (customer, product, instant), sentence.place):
        given = {"transaction_id": event, "customer_id": customer, "reason": "Sent by mistake"}
        story.client.post("/v1/usage/events/void", cast_to=object, body=given)


@says("From {instant} on, {product} costs {price}.")
def costs(story: Story, sentence: Sentence, instant: str, product: str, price: str) -> None:
    """On every card that sells it."""
    for card in story.cards.values():
        story.client.v1.contracts.rate_cards.rates.add(
            rate_card_id=card,
            product_id=story.known(story.products, product, sentence.place),
            starting_at=parse_instant(instant),
            entitled=True,
            **tariff(price, wire=story.wire()),
        )


@says("From {instant} on, {contract} pays {percent} % of every price.")
def pays_a_part(story: Story, sentence: Sentence, instant: str, contract: str, percent: str) -> None:
    customer, contract_id = story.known(story.contracts, contract, sentence.place)
    part = {
        "type": "MULTIPLIER",
        "starting_at": parse_instant(instant),
        "multiplier": float(Decimal(percent) / 100),
        "override_specifiers": [{"product_id": product} for product in story.products.values()],
    }
    story.client.v2.contracts.edit(customer_id=customer, contract_id=contract_id, add_overrides=[part])


@says("Invoice {number} of {customer} is voided.")
def is_voided(story: Story, sentence: Sentence, number: str, customer: str) -> None:
    customer_id = story.known(story.customers, customer, sentence.place)
    story.client.v1.invoices.void(id=story.numbered(customer_id, number, sentence.place).id)


@says("Invoice {number} of {customer} is made anew.")
def is_made_anew(story: Story, sentence: Sentence, number: str, customer: str) -> None:
    customer_id = story.known(story.customers, customer, sentence.place)
    story.client.v1.invoices.regenerate(id=story.numbered(customer_id, number, sentence.place).id)


@says("The note that invoice {number} of {customer} calls for is approved.")
def note_is_approved(story: Story, sentence: Sentence, number: str, customer: str) -> None:
    customer_id = UUID(story.known(story.customers, customer, sentence.place))
    called_for = {each.about.number: each for each in proposals(customer_id, at=clock.now())}
    found = story.known(called_for, number, sentence.place)
    given = {"difference": found.difference, "reason": "Agreed with the customer"}
    approve_note(customer_id, found.about.pk, **given, at=clock.now(), by=APPROVER)
