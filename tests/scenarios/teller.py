"""What the sentences of a story do: each drives the running site through the official client, or reads from it.

What the client has no call for is done as the back office does it: who sells and with what tax, and who approves a
note. Amounts are written in the currency of the story; on the wire dollars are cents.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import UUID

from django.core.management import call_command
from metronome import Metronome

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.models import TestClock
from billing_site.foundation.periods import parse_instant
from invoicing.queries.notes import proposals
from invoicing.services.notes import approve_note
from tests.factories.contracts import BillingProfileFactory, LegalEntityFactory, TaxRateFactory
from tests.invoicing.shop import tariff
from tests.scenarios.story_text import NONE, Phrase, Row, Sentence, StoryError, drawn, number, understood

APPROVER = Actor.command("Bea")
KINDS = {"prepaid commit": "PREPAID", "postpaid commit": "POSTPAID", "credit": "CREDIT"}
AT_THE_END = {"stops": "STOP", "goes on at list prices": "LIST_PRICE", "renews": "RENEW"}
AMOUNTS = {"subtotal", "tax", "total", "amount", "unit price", "quantity", "left"}

Step = Callable[..., None]
STEPS: dict[Phrase, Step] = {}


def says(text: str, needs: Sequence[str] = (), may_have: Sequence[str] = ()) -> Callable[[Step], Step]:
    """The function does what the phrase says."""

    def register(step: Step) -> Step:
        STEPS[Phrase(text, tuple(needs), tuple(may_have))] = step
        return step

    return register


@dataclass
class Teller:
    """One story as it goes on. Names of things lead to their ids."""

    client: Metronome
    currency: str = "USD"
    products: dict[str, str] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    contracts: dict[str, tuple[str, str]] = field(default_factory=dict)  # customer, contract
    units: dict[str, tuple[str, Decimal]] = field(default_factory=dict)  # of its own: id, worth on the wire
    balance_product: str = ""
    sent: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)  # events by customer, product, instant

    def tell(self, sentence: Sentence) -> None:
        phrase, words = understood(sentence, list(STEPS))
        STEPS[phrase](self, sentence, **words)

    def known(self, things: Mapping[str, Any], name: str, place: str) -> Any:
        if name not in things:
            raise StoryError(f"{place}: {name!r} was not said before; known are {sorted(things)}")
        return things[name]

    def wire(self, unit: str = "") -> Decimal:
        """What one of the currency, or of a unit of the story's own, is on the wire."""
        return Decimal(100 if (unit or self.currency) == "USD" else 1)

    def unit_id(self, name: str, place: str) -> str:
        if name in self.units:
            return self.units[name][0]
        fiat = {unit.name.partition(" ")[0]: unit.id for unit in self.client.v1.pricing_units.list()}
        return self.known(fiat, name, place)

    def invoices(self, customer: str) -> list[Any]:
        found = self.client.v1.customers.invoices.list(customer_id=customer)
        return sorted(found, key=lambda each: (each.issued_at, getattr(each, "number", "~"), each.type))

    def numbered(self, customer: str, wanted: str, place: str) -> Any:
        return self.known({getattr(each, "number", ""): each for each in self.invoices(customer)}, wanted, place)


# --- Given ---


@says("It is {instant}.")
def it_is(story: Teller, sentence: Sentence, instant: str) -> None:
    """What falls due on the way happens on the way."""
    if TestClock.objects.exists():
        call_command("clock", "set", instant, stdout=StringIO(), stderr=StringIO())
    else:
        TestClock.objects.create(instant=parse_instant(instant))


@says("Amounts are in {currency}.")
def amounts_are_in(story: Teller, sentence: Sentence, currency: str) -> None:
    story.currency = currency


@says("One {unit} is worth {amount}.")
def one_unit_is_worth(story: Teller, sentence: Sentence, unit: str, amount: str) -> None:
    made = story.client.v1.pricing_units.create(name=unit).data.id
    story.units[unit] = made, number(amount, sentence.place) * story.wire()


@says("These products are sold:", ["product", "price"], ["in"])
def products_are_sold(story: Teller, sentence: Sentence) -> None:
    products_are_sold_on(story, sentence, "the price list")


@says("These products are sold on {card}:", ["product", "price"], ["in"])
def products_are_sold_on(story: Teller, sentence: Sentence, card: str) -> None:
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
def is_a_customer(story: Teller, sentence: Sentence, customer: str) -> None:
    made = story.client.v1.customers.create(name=customer, ingest_aliases=[customer])
    story.customers[customer] = made.data.id


@says("{seller} sells to {customer} and adds {percent} % {tax}.")
def adds_tax(story: Teller, sentence: Sentence, seller: str, customer: str, percent: str, tax: str) -> None:
    LegalEntityFactory(name=seller, taxes="FIXED_RATES")
    customer_id = UUID(story.known(story.customers, customer, sentence.place))
    BillingProfileFactory(customer_id=customer_id, customer=None, legal_name=customer)
    TaxRateFactory(name=tax, percent=Decimal(percent))


@says(
    "These contracts are agreed:",
    ["contract", "customer", "from", "to"],
    ["on", "billed", "anchored on", "renews", "at its end"],
)
def contracts_are_agreed(story: Teller, sentence: Sentence) -> None:
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
        made = story.client.v1.contracts.create(
            customer_id=customer, name=row["contract"], starting_at=parse_instant(row["from"]), **terms
        )
        story.contracts[row["contract"]] = customer, made.data.id


@says(
    "These balances are agreed:",
    ["balance", "of", "kind", "amount", "from", "to"],
    ["invoiced on", "costs", "in", "for", "rolls over", "priority"],
)
def balances_are_agreed(story: Teller, sentence: Sentence) -> None:
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


# --- When ---


@says("{customer} uses:", ["when", "product", "quantity"])
def uses(story: Teller, sentence: Sentence, customer: str) -> None:
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
def was_sent_by_mistake(story: Teller, sentence: Sentence, customer: str, product: str, instant: str) -> None:
    for event in story.known(story.sent, (customer, product, instant), sentence.place):
        given = {"transaction_id": event, "customer_id": customer, "reason": "Sent by mistake"}
        story.client.post("/v1/usage/events/void", cast_to=object, body=given)


@says("From {instant} on, {product} costs {price}.")
def costs(story: Teller, sentence: Sentence, instant: str, product: str, price: str) -> None:
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
def pays_a_part(story: Teller, sentence: Sentence, instant: str, contract: str, percent: str) -> None:
    customer, contract_id = story.known(story.contracts, contract, sentence.place)
    part = {
        "type": "MULTIPLIER",
        "starting_at": parse_instant(instant),
        "multiplier": float(Decimal(percent) / 100),
        "override_specifiers": [{"product_id": product} for product in story.products.values()],
    }
    story.client.v2.contracts.edit(customer_id=customer, contract_id=contract_id, add_overrides=[part])


@says("Invoice {number} of {customer} is voided.")
def is_voided(story: Teller, sentence: Sentence, number: str, customer: str) -> None:
    customer_id = story.known(story.customers, customer, sentence.place)
    story.client.v1.invoices.void(id=story.numbered(customer_id, number, sentence.place).id)


@says("Invoice {number} of {customer} is made anew.")
def is_made_anew(story: Teller, sentence: Sentence, number: str, customer: str) -> None:
    customer_id = story.known(story.customers, customer, sentence.place)
    story.client.v1.invoices.regenerate(id=story.numbered(customer_id, number, sentence.place).id)


@says("The note that invoice {number} of {customer} calls for is approved.")
def note_is_approved(story: Teller, sentence: Sentence, number: str, customer: str) -> None:
    customer_id = UUID(story.known(story.customers, customer, sentence.place))
    called_for = {each.about.number: each for each in proposals(customer_id, at=clock.now())}
    found = story.known(called_for, number, sentence.place)
    given = {"difference": found.difference, "reason": "Agreed with the customer"}
    approve_note(customer_id, found.about.pk, **given, at=clock.now(), by=APPROVER)


# --- Then ---


@says(
    "{customer} has these documents:",
    ["number", "total"],
    ["kind", "status", "issued", "from", "to", "subtotal", "tax"],
)
def has_these_documents(story: Teller, sentence: Sentence, customer: str) -> None:
    """All of them, by date of issue and number."""
    found = [
        {
            "number": getattr(each, "number", NONE),
            "kind": each.type.lower(),
            "status": each.status.lower(),
            "issued": _day(each.issued_at),
            "from": _day(each.start_timestamp),
            "to": _day(each.end_timestamp),
            "subtotal": _money(each.subtotal) / story.wire(),
            "tax": (_money(each.total) - _money(each.subtotal)) / story.wire(),
            "total": _money(each.total) / story.wire(),
        }
        for each in story.invoices(story.known(story.customers, customer, sentence.place))
    ]
    _compare(sentence, found)


@says("Invoice {number} of {customer} has these lines:", ["line", "amount"], ["quantity", "unit price"])
def has_these_lines(story: Teller, sentence: Sentence, number: str, customer: str) -> None:
    customer_id = story.known(story.customers, customer, sentence.place)
    _compare(sentence, list(_lines(story, story.numbered(customer_id, number, sentence.place))))


@says("The draft of {contract} from {instant} has these lines:", ["line", "amount"], ["quantity", "unit price"])
def draft_has_these_lines(story: Teller, sentence: Sentence, contract: str, instant: str) -> None:
    customer, contract_id = story.known(story.contracts, contract, sentence.place)
    drafts = {
        each.start_timestamp: each
        for each in story.invoices(customer)
        if each.contract_id == contract_id and each.status == "DRAFT"
    }
    _compare(sentence, list(_lines(story, story.known(drafts, parse_instant(instant), sentence.place))))


@says("{customer} has these balances:", ["balance", "left"])
def has_these_balances(story: Teller, sentence: Sentence, customer: str) -> None:
    """All that are agreed, in the order of their names."""
    asked = {"include_contract_balances": True, "include_balance": True}
    customer_id = story.known(story.customers, customer, sentence.place)
    found = [
        {"balance": each.name, "left": _money(each.balance) / story.wire(_unit_name(each.access_schedule.credit_type))}
        for each in story.client.v1.contracts.list_balances(customer_id=customer_id, **asked)
    ]
    _compare(sentence, sorted(found, key=lambda each: each["balance"]))


# --- Hands ---


def _product(client: Metronome, name: str) -> str:
    metric = client.v1.billable_metrics.create(
        name=name,
        aggregation_type="SUM",
        aggregation_key="quantity",
        event_type_filter={"in_values": [name]},
    ).data.id
    return client.v1.contracts.products.create(name=name, type="USAGE", billable_metric_id=metric).data.id


def _balance(story: Teller, row: Row) -> dict[str, Any]:
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


def _lines(story: Teller, invoice: Any) -> Iterator[dict[str, Any]]:
    """As they are printed."""
    for line in invoice.line_items:
        wire = story.wire(_unit_name(line.credit_type))
        yield {
            "line": line.name,
            "quantity": NONE if line.quantity is None else _money(line.quantity),
            "unit price": NONE if line.unit_price is None else _money(line.unit_price) / wire,
            "amount": _money(line.total) / wire,
        }


def _compare(sentence: Sentence, found: Sequence[Mapping[str, Any]]) -> None:
    """All rows in order, by the columns that the story has. Raises StoryError with both tables."""
    said = [{name: _read(name, cell, row.place) for name, cell in row.cells.items()} for row in sentence.rows]
    is_so = [{name: row[name] for name in sentence.columns} for row in found]
    if said != is_so:
        wrong, right = (
            drawn(sentence.columns, [list(map(_text, row.values())) for row in rows]) for rows in (said, is_so)
        )
        raise StoryError(f"{sentence.place}: {sentence.text}\n\nsaid is\n\n{wrong}\n\nbut it is\n\n{right}")


def _read(column: str, cell: str, place: str) -> str | Decimal:
    return number(cell, place) if column in AMOUNTS and cell != NONE else cell


def _text(cell: Any) -> str:
    if not isinstance(cell, Decimal):
        return str(cell)
    written = f"{cell.normalize():,f}"
    return written if "." not in written or len(written.partition(".")[2]) > 1 else f"{written}0"


def _money(value: Any) -> Decimal:
    """A number of the client, digit by digit as it was sent."""
    return Decimal(str(value))


def _unit_name(unit: Any) -> str:
    return unit.name.partition(" ")[0] if unit is not None else ""


def _day(instant: Any) -> str:
    if instant is None:
        return NONE
    return f"{instant:%Y-%m-%d}" if instant.hour == 0 else f"{instant:%Y-%m-%d %H:%M}"
