"""What is given in a story: when it is, what is sold, and what is agreed with whom.

Who sells and with what tax is said as the back office says it: the client has no call for it.
"""

from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import UUID

from django.core.management import call_command
from metronome import Metronome

from billing_site.foundation.models import TestClock
from billing_site.foundation.periods import parse_instant
from tests.factories.contracts import BillingProfileFactory, LegalEntityFactory, TaxRateFactory
from tests.invoicing.shop import tariff
from tests.scenarios.story import Steps, Story
from tests.scenarios.story_text import Row, Sentence, number

KINDS = {"prepaid commit": "PREPAID", "postpaid commit": "POSTPAID", "credit": "CREDIT"}
AT_THE_END = {"stops": "STOP", "goes on at list prices": "LIST_PRICE", "renews": "RENEW"}
CHARGES = {"on usage invoices": "ALL"}

STEPS = Steps()
says = STEPS.says


@says("It is {instant}.")
def it_is(story: Story, sentence: Sentence, instant: str) -> None:
    """What falls due on the way happens on the way."""
    if TestClock.objects.exists():
        call_command("clock", "set", instant, stdout=StringIO(), stderr=StringIO())
    else:
        TestClock.objects.create(instant=parse_instant(instant))


@says("Amounts are in {currency}.")
def amounts_are_in(story: Story, sentence: Sentence, currency: str) -> None:
    story.currency = currency


@says("One {unit} is worth {amount}.")
def one_unit_is_worth(story: Story, sentence: Sentence, unit: str, amount: str) -> None:
    made = story.client.v1.pricing_units.create(name=unit).data.id
    story.units[unit] = made, number(amount, sentence.place) * story.wire()


@says("These products are sold:", ["product", "price"], ["in"])
def products_are_sold(story: Story, sentence: Sentence) -> None:
    products_are_sold_on(story, sentence, "the price list")


@says("These products are sold on {card}:", ["product", "price"], ["in"])
def products_are_sold_on(story: Story, sentence: Sentence, card: str) -> None:
    worth = [
        {"custom_credit_type_id": unit, "fiat_per_custom_credit": float(fiat)} for unit, fiat in story.units.values()
    ]
    cards = story.client.v1.contracts.rate_cards
    fiat = story.unit_id(story.currency, sentence.place)
    story.cards[card] = cards.create(name=card, fiat_credit_type_id=fiat, credit_type_conversions=worth).data.id
    for row in sentence.rows:
        name, unit = row["product"], row.get("in")
        if name not in story.products:
            story.products[name] = _product(story.client, name)
        price = tariff(row["price"], wire=1 if unit else story.wire())
        of_unit = {"credit_type_id": story.unit_id(unit, row.place)} if unit else {}
        cards.rates.add(
            rate_card_id=story.cards[card],
            product_id=story.products[name],
            starting_at="2020-01-01T00:00:00Z",
            entitled=True,
            **price,
            **of_unit,
        )


@says("{customer} is a customer.")
def is_a_customer(story: Story, sentence: Sentence, customer: str) -> None:
    made = story.client.v1.customers.create(name=customer, ingest_aliases=[customer])
    story.customers[customer] = made.data.id


@says("{seller} sells to {customer} and adds {percent} % {tax}.")
def adds_tax(story: Story, sentence: Sentence, seller: str, customer: str, percent: str, tax: str) -> None:
    LegalEntityFactory(name=seller, taxes="FIXED_RATES")
    customer_id = UUID(story.known(story.customers, customer, sentence.place))
    BillingProfileFactory(customer_id=customer_id, customer=None, legal_name=customer)
    TaxRateFactory(name=tax, percent=Decimal(percent))


@says(
    "These contracts are agreed:",
    ["contract", "customer", "from", "to"],
    ["on", "billed", "anchored on", "renews", "at its end", "charges"],
)
def contracts_are_agreed(story: Story, sentence: Sentence) -> None:
    for row in sentence.rows:
        customer = story.known(story.customers, row["customer"], row.place)
        terms: dict[str, Any] = {"rate_card_id": story.known(story.cards, row.get("on") or "the price list", row.place)}
        if row.get("to"):
            terms["ending_before"] = parse_instant(row["to"])
        if row.get("billed"):
            terms["usage_statement_schedule"] = {"frequency": row["billed"].upper()}
        if row.get("anchored on"):
            schedule = terms.setdefault("usage_statement_schedule", {"frequency": "MONTHLY"})
            schedule |= {"day": "CUSTOM_DATE", "billing_anchor_date": parse_instant(row["anchored on"])}
        if row.get("renews"):
            _, renewed = story.known(story.contracts, row["renews"], row.place)
            terms["transition"] = {"type": "RENEWAL", "from_contract_id": renewed}
        if row.get("at its end"):
            terms["extra_body"] = {"end_policy": story.known(AT_THE_END, row["at its end"], row.place)}
        if row.get("charges"):
            terms["scheduled_charges_on_usage_invoices"] = story.known(CHARGES, row["charges"], row.place)
        made = story.client.v1.contracts.create(
            customer_id=customer, name=row["contract"], starting_at=parse_instant(row["from"]), **terms
        )
        story.contracts[row["contract"]] = customer, made.data.id


@says(
    "These balances are agreed:",
    ["balance", "of", "kind", "amount", "from", "to"],
    ["invoiced on", "costs", "in", "for", "rolls over", "priority"],
)
def balances_are_agreed(story: Story, sentence: Sentence) -> None:
    """Of a contract, or of a customer: then all of its contracts share it."""
    for row in sentence.rows:
        kind = story.known(KINDS, row["kind"], row.place)
        given = _balance(story, row)
        typed = given if kind == "CREDIT" else given | {"type": kind}
        if row["of"] in story.contracts:
            customer, contract = story.contracts[row["of"]]
            added = "add_credits" if kind == "CREDIT" else "add_commits"
            story.client.v2.contracts.edit(customer_id=customer, contract_id=contract, **{added: [typed]})
        else:
            customer = story.known(story.customers, row["of"], row.place)
            kinds = story.client.v1.customers.credits if kind == "CREDIT" else story.client.v1.customers.commits
            kinds.create(customer_id=customer, **{"priority": 100.0} | typed)


def _product(client: Metronome, name: str) -> str:
    metric = client.v1.billable_metrics.create(
        name=name,
        aggregation_type="SUM",
        aggregation_key="quantity",
        event_type_filter={"in_values": [name]},
    ).data.id
    return client.v1.contracts.products.create(name=name, type="USAGE", billable_metric_id=metric).data.id


def _balance(story: Story, row: Row) -> dict[str, Any]:
    if not story.balance_product:
        story.balance_product = story.client.v1.contracts.products.create(name="Balance", type="FIXED").data.id
    unit = row.get("in")
    amount = float(number(row["amount"], row.place) * (1 if unit else story.wire()))
    segment = {"amount": amount, "starting_at": parse_instant(row["from"]), "ending_before": parse_instant(row["to"])}
    given: dict[str, Any] = {
        "name": row["balance"],
        "product_id": story.balance_product,
        "access_schedule": {
            "schedule_items": [segment],
            "credit_type_id": story.unit_id(unit or story.currency, row.place),
        },
    }
    if row.get("invoiced on"):
        dates = row["invoiced on"].split(", ")
        costs = float(number(row["costs"], row.place) * story.wire()) if row.get("costs") else amount
        items = [{"amount": costs / len(dates), "timestamp": parse_instant(date)} for date in dates]
        fiat = story.unit_id(story.currency, row.place)
        given["invoice_schedule"] = {"schedule_items": items, "credit_type_id": fiat}
    if row.get("for"):
        given["applicable_product_ids"] = [story.known(story.products, row["for"], row.place)]
    if row.get("rolls over"):
        given["rollover_fraction"] = float(number(row["rolls over"].removesuffix(" %"), row.place) / 100)
    if row.get("priority"):
        given["priority"] = float(number(row["priority"], row.place))
    return given
