"""From one event to the line that it is billed on: a metric, a product, its price, a customer and a contract, each made
by its own service where it is not there yet; all of them, or none.

A preview does the very same and takes it back. So it is computed as everything else is, from what would be there then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from django.db import transaction

from billing_site.foundation.actor import Actor
from billing_site.foundation.display import instant_text
from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import repeatable_read
from contracts.inputs import ContractInput
from contracts.models import Contract, Customer
from contracts.queries import aliases_of, customer_terms, owner_of
from contracts.services import create_contract, create_customer, set_ingest_aliases
from invoicing.queries.open_usage import OpenUsage, open_usage
from ledger.metering import as_text
from ledger.services.ingest import Event, NotTheAuthority, Receipt, Source, ingest_events
from pricing.models import BillableMetric, Product, RateCard
from pricing.queries import catalog, product, rate_card, version_in_force
from pricing.services import NewRate, add_rate, create_metric, create_product, create_rate_card


@dataclass(frozen=True, slots=True)
class NewMetricInput:
    """What counts events of the event's type. `aggregation_key` names a property; COUNT has none."""

    name: str
    aggregation_type: str
    aggregation_key: str = ""


@dataclass(frozen=True, slots=True)
class FirstInvoiceInput:
    """What is named by its id is there already, and the names beside it say nothing.

    `metric` is a new one, or the id of one; it is left alone where `product_id` is given. The subject of the event
    goes to its owner, whoever is named here.
    """

    event: Event
    contract_from: datetime
    product_id: UUID | None = None
    product_name: str = ""
    metric: NewMetricInput | UUID | None = None
    pricing_group_key: tuple[str, ...] = ()  # these two: of a new product, together a group key of its metric
    presentation_group_key: tuple[str, ...] = ()
    rate_card_id: UUID | None = None
    rate_card_name: str = ""
    currency_id: UUID | None = None  # of a new rate card
    price: Decimal | None = None  # wire units for one; None: what the card says already
    price_from: datetime | None = None
    customer_id: UUID | None = None
    customer_name: str = ""


@repeatable_read
def set_up_first_invoice(
    given: FirstInvoiceInput, *, source: Source | None, reason: str, at: datetime, by: Actor
) -> Contract:
    """The contract that the event is billed by. The event itself is sent where there is a `source` to send it.

    Raises Refusal, its fields named as those of `given`, and what sending an event raises.
    """
    made = _made(given, reason=reason, at=at, by=by)
    if source is not None:
        ingest_events([given.event], at=at, source=source)
    return made


@repeatable_read
def preview_first_invoice(
    given: FirstInvoiceInput, *, source: Source | None, reason: str, at: datetime, by: Actor
) -> list[OpenUsage]:
    """The drafts of that contract as they would be with the event, whether or not it is to be sent. Nothing stays.

    Raises what `set_up_first_invoice` raises.
    """
    contract = _made(given, reason=reason, at=at, by=by)
    _pretend(given, source, at=at, by=by)
    drafts = open_usage(contract.pk, at=at)
    transaction.set_rollback(True)
    return drafts


def contract_at(customer_id: UUID, when: datetime) -> Contract | None:
    """The customer's contract that sells by a rate card at an instant, with its card."""
    terms = customer_terms(customer_id).contracts
    found = [each.id for each in terms if when in each.term and each.rate_card_id is not None]
    return Contract.objects.select_related("rate_card__fiat_unit").get(pk=found[0]) if found else None


def _pretend(given: FirstInvoiceInput, source: Source | None, *, at: datetime, by: Actor) -> None:
    """Let the event count, as it will."""

    def send(event: Event) -> Receipt:
        try:
            return ingest_events([event], at=at, source=source or Source(by.label))
        except NotTheAuthority as refusal:
            if source is not None:
                raise
            return ingest_events([event], at=at, source=Source(refusal.authority))

    if send(given.event).duplicates and isinstance(given.metric, NewMetricInput):
        # A job counts what came before the metric. Here another event of the same content stands in for that one.
        send(msgspec.structs.replace(given.event, transaction_id=str(uuid7())))


def _made(given: FirstInvoiceInput, *, reason: str, at: datetime, by: Actor) -> Contract:
    when = given.event.timestamp
    customer = _customer(given, reason=reason, at=at, by=by)
    contract = contract_at(customer.pk, when)
    sold = _product(given, reason=reason, at=at, by=by)
    card = _rate_card(given, contract, reason=reason, at=at, by=by)
    _price(given, sold, card, reason=reason, at=at, by=by)
    if contract is not None:
        return contract
    if given.contract_from > when:
        raise _too_late("contract_from", given.contract_from, when, "is on no invoice")
    with _called(starting_at="contract_from", rate_card_id="rate_card_id"):
        terms = ContractInput(starting_at=given.contract_from, rate_card_id=card.pk)
        return create_contract(customer, terms, reason=reason, at=at, by=by)


def _customer(given: FirstInvoiceInput, *, reason: str, at: datetime, by: Actor) -> Customer:
    """Who owns the subject, or will."""
    subject = given.event.subject
    owner = owner_of([subject], given.event.timestamp).get(subject)
    if owner is not None:
        return Customer.objects.get(pk=owner)
    with _called(name="customer_name", ingest_aliases="customer_name" if given.customer_id is None else "customer_id"):
        if given.customer_id is None:
            return create_customer(given.customer_name, ingest_aliases=[subject], reason=reason, at=at, by=by)
        held = aliases_of([given.customer_id])[given.customer_id]
        return set_ingest_aliases(given.customer_id, [*held, subject], reason=reason, at=at, by=by)


def _product(given: FirstInvoiceInput, *, reason: str, at: datetime, by: Actor) -> Product:
    if given.product_id is not None:
        return product(given.product_id, field="product_id")
    measured = given.metric
    if measured is None:
        raise Refusal.of("metric", None, "is required for a new product")
    metric_id = _metric(given, measured, at=at, by=by).pk if isinstance(measured, NewMetricInput) else measured
    names = {"billable_metric_id": "metric", "pricing_group_key": "group_keys", "presentation_group_key": "group_keys"}
    with _called(name="product_name", **names):
        made = create_product(
            given.product_name,
            type=Product.Type.USAGE,
            billable_metric_id=metric_id,
            pricing_group_key=given.pricing_group_key,
            presentation_group_key=given.presentation_group_key,
            reason=reason,
            at=at,
            by=by,
        )
    return product(made.pk)


def _metric(given: FirstInvoiceInput, measured: NewMetricInput, *, at: datetime, by: Actor) -> BillableMetric:
    group_key = (*given.pricing_group_key, *given.presentation_group_key)
    with _called(name="metric_name", aggregation_type="metric", aggregation_key="metric", group_keys="group_keys"):
        return create_metric(
            measured.name,
            aggregation_type=measured.aggregation_type,
            aggregation_key=measured.aggregation_key,
            event_types=[given.event.event_type],
            group_keys=[group_key] if group_key else [],
            at=at,
            by=by,
        )


def _rate_card(
    given: FirstInvoiceInput, contract: Contract | None, *, reason: str, at: datetime, by: Actor
) -> RateCard:
    if contract is not None and given.rate_card_id != contract.rate_card_id:
        assert contract.rate_card is not None
        rule = f"must be {contract.rate_card.name}: the customer has a contract on it at the time of the event"
        raise Refusal.of("rate_card_id", given.rate_card_id or given.rate_card_name, rule)
    if given.rate_card_id is not None:
        return rate_card(given.rate_card_id, field="rate_card_id")
    with _called(name="rate_card_name", fiat_credit_type_id="currency_id"):
        return create_rate_card(
            given.rate_card_name, fiat_credit_type_id=given.currency_id, reason=reason, at=at, by=by
        )


def _price(given: FirstInvoiceInput, sold: Product, card: RateCard, *, reason: str, at: datetime, by: Actor) -> None:
    """One price, for the event's values of what the product is priced by."""
    when = given.event.timestamp
    key = version_in_force(sold, when).pricing_group_key
    values = {name: as_text(given.event.properties.get(name)) for name in key}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        rule = f"is priced by {missing[0]}, which this event does not have: choose another, or a new one"
        raise Refusal.of("product_id", sold.name, rule)
    if given.price is None or given.price_from is None:
        rates = catalog(rate_card_ids={card.pk}).rate_cards[card.pk]
        if rates.over_time((sold.pk, tuple(sorted(values.items())), "")).at(when) is None:
            raise Refusal.of("price", "", f"is required: {card.name} has none for it at the time of the event")
        return
    if given.price_from > when:
        raise _too_late("price_from", given.price_from, when, "has no price")
    rate = NewRate(
        product_id=sold.pk,
        starting_at=given.price_from,
        entitled=True,
        rate_type="FLAT",
        price=given.price,
        pricing_group_values={name: value for name, value in values.items() if value is not None},
    )
    with _called(starting_at="price_from", rate_card_id="rate_card_id", **{"": "price"}):
        add_rate(card.pk, rate, reason=reason, at=at, by=by)


def _too_late(field: str, value: datetime, when: datetime, or_else: str) -> Refusal:
    rule = f"must not be after the event, which is of {instant_text(when)} and otherwise {or_else}"
    return Refusal.of(field, value.isoformat(), rule)


@contextmanager
def _called(**names: str) -> Iterator[None]:
    """What a service refuses is told of the fields of a `FirstInvoiceInput`; "" is what any other is called."""

    def renamed(field: str) -> str:
        head = field.partition("[")[0].partition(".")[0]
        return names.get(head, names.get("", field))

    try:
        yield
    except Refusal as refusal:
        raise refusal.renamed(renamed) from refusal
