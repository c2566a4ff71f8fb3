"""Acme buys tokens of two models and API calls by the month, from October 2025 to the end of the year."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from metronome import Metronome

from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import TestClock
from billing_site.foundation.periods import format_instant, parse_instant
from billing_site.wsgi import application
from contracts.models import Commit, Contract, Customer
from invoicing.frozen import digits
from ledger.services.ingest import Source, ingest_events, read_events
from pricing.models import BillableMetric, Product, RateCard
from tests.factories.contracts import (
    AccessSegmentFactory,
    CommitFactory,
    ContractFactory,
    CustomerFactory,
    InvoiceScheduleItemFactory,
)
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory, RateFactory

ADA = Actor.command("Ada")
OCTOBER, NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (10, 11, 12))
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return parse_instant(text)


@dataclass(frozen=True, slots=True)
class PriceList:
    """Tokens: xl 40 cents, small half a cent; API calls: 2 cents."""

    card: RateCard
    tokens: Product
    calls: Product
    tokens_used: BillableMetric
    calls_made: BillableMetric


@pytest.fixture
def price_list() -> PriceList:
    card = RateCardFactory()
    tokens_used = MetricFactory(
        name="Tokens",
        aggregation_type="SUM",
        aggregation_key="tokens",
        event_type_filter={"in_values": ["tokens"]},
        group_keys=[["model"], ["region"]],
    )
    calls_made = MetricFactory(name="API calls")
    tokens_sold = ProductFactory(
        name="Tokens", version__billable_metric=tokens_used, version__pricing_group_key=["model"]
    )
    calls_sold = ProductFactory(name="API calls", version__billable_metric=calls_made)
    RateFactory(rate_card=card, product=tokens_sold, pricing_group_values={"model": "xl"}, price=Decimal(40))
    RateFactory(rate_card=card, product=tokens_sold, pricing_group_values={"model": "small"}, price=Decimal("0.5"))
    RateFactory(rate_card=card, product=calls_sold, price=Decimal(2))
    return PriceList(card, tokens_sold, calls_sold, tokens_used, calls_made)


@dataclass(frozen=True, slots=True)
class Acme:
    customer: Customer
    contract: Contract
    prices: PriceList

    def uses_tokens(self, hour: str, quantity: Any, model: str = "xl", **more: Any) -> None:
        use(self.prices.tokens_used, hour, quantity, {"model": model, "region": "eu"}, **more)

    def calls(self, hour: str, number: int = 1, **more: Any) -> None:
        use(self.prices.calls_made, hour, number, {}, **more)


def contract_for(customer: Customer, prices: PriceList, **fields: Any) -> Contract:
    given = {"starting_at": OCTOBER, "terms__ending_before": JANUARY, "rate_card": prices.card} | fields
    return ContractFactory(customer=customer, **given)


@pytest.fixture
def acme(price_list: PriceList) -> Acme:
    customer = CustomerFactory(aliases=["acme"])
    return Acme(customer, contract_for(customer, price_list), price_list)


def commit_of(acme: Acme, amount: Decimal, *, contract: Contract | None = None, **fields: Any) -> Commit:
    """A postpaid commit over the contract's whole term, with its true-up at the end of the year."""
    commit = CommitFactory(contract=contract or acme.contract, segment=None, invoice_item=None, **fields)
    AccessSegmentFactory(commit=commit, amount=amount, starting_at=OCTOBER, ending_before=JANUARY)
    InvoiceScheduleItemFactory(commit=commit, amount=amount, issued_at=JANUARY)
    return commit


def use(
    metric: BillableMetric,
    hour: str,
    quantity: Any,
    values: dict[str, str | None],
    *,
    subject: str = "acme",
    received_at: datetime = OCTOBER,
) -> None:
    """Send what makes the metric count so much in that hour: one event with the quantity, or so many events.

    All are received on 1 October, so that they stand in nobody's way when the clock is moved; unless they are to be
    late.
    """
    counts = metric.aggregation_type == "COUNT"
    properties = dict(values) if counts else values | {metric.aggregation_key: digits(Decimal(quantity))}
    events = [
        {
            "customer_id": subject,
            "transaction_id": str(uuid7()),
            "event_type": metric.event_type_filter["in_values"][0],
            "timestamp": format_instant(parse_instant(hour)),
            "properties": properties,
        }
        for _ in range(int(quantity) if counts else 1)
    ]
    if events:
        read = read_events(json.dumps(events).encode(), at=JANUARY)
        ingest_events(read, at=received_at, source=Source("tests"))


@pytest.fixture
def clock_at(settings):
    """Set the test clock without doing anything on the way."""
    settings.SANDBOX = True

    def set_to(text: str) -> None:
        TestClock.objects.update_or_create(id=True, defaults={"instant": parse_instant(text)})

    return set_to


@pytest.fixture
def client(db) -> Metronome:
    """The official SDK, talking to the site in this process."""
    _, secret = tokens.create_token("tests", scope="read", at=OCTOBER, by=ADA)
    return sdk(secret)


class InThisProcess(httpx.WSGITransport):
    """Leaves open the connection that the test's transaction is on, which a request would close where it begins and
    where it is over. Django's test client, which does likewise, connects what closes it anew after each page."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
        try:
            answer = super().handle_request(request)
            answer.read()  # which ends the request
        finally:
            for signal in (request_started, request_finished):
                signal.connect(close_old_connections)
        return answer


def sdk(secret: str) -> Metronome:
    transport = InThisProcess(app=application)
    return Metronome(
        bearer_token=secret, base_url="http://localhost", http_client=httpx.Client(transport=transport), max_retries=0
    )
