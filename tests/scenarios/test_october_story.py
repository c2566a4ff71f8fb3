"""The main job, told by the official SDK against the running site: events in, a live invoice, one atomic edit.

Acme, contract 1 October 2025 to 1 January 2026, list prices:

| product      | price        | 1-14 Oct      | 15-31 Oct     | list     |
|--------------|--------------|---------------|---------------|----------|
| API calls    | 0.2 ¢        | 400,000       | 600,000       | $2,000   |
| model small  | 50 ¢ a M     | 1,600 M       | 2,400 M       | $2,000   |
| model medium | 300 ¢ a M    | 1,200 M       | 1,800 M       | $9,000   |
| model large  | 1,500 ¢ a M  | 520 M         | 680 M         | $18,000  |
| model xl     | 4,000 ¢ a M  | 200 M         | 300 M         | $20,000  |

At list:                             $51,000
Half off from 15 October:            $21,000 + $15,000 = $36,000
Committed by the end of the year:    $100,000, so $64,000 still to spend
"""

from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import groupby

import metronome
import pytest
from django.core.management import call_command
from metronome import Metronome

from billing_site.demo import scenes, story
from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.models import TestClock
from billing_site.foundation.periods import Period

pytestmark = [pytest.mark.django_db(transaction=True)]

OCTOBER = Period(story.TERM.starting_at, datetime(2025, 11, 1, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _evening_of_31_october(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=story.OPENING)


@pytest.fixture
def client(live_server):
    _, secret = tokens.create_token("story", scope="admin", at=story.OPENING, by=Actor.command("tests"))
    return Metronome(bearer_token=secret, base_url=live_server.url)


@pytest.fixture
def cast(client):
    return scenes.Cast(**scenes.set_the_stage(client), admin_token="", customer_token="")


@pytest.fixture
def october(client, cast):
    """October's usage, all of it in the ledger."""
    assert scenes.send_usage(client, Period(story.TERM.starting_at, story.OPENING)) == 3_715
    return cast


def usage_invoice(client, cast):
    [invoice] = client.v1.customers.invoices.list(customer_id=cast.customer_id, type="USAGE").data
    return invoice


def true_up(client, cast):
    [invoice] = client.v1.customers.invoices.list(customer_id=cast.customer_id, type="SCHEDULED").data
    return invoice


def printed(invoice):
    """The usage lines as a customer reads them: product, first day, last day, unit price in cents, dollars."""
    return [
        f"{line.name:<12} {line.starting_at:%d %b} - {line.ending_before - timedelta(hours=1):%d %b}"
        f" {line.unit_price:>8,.10g} {line.total / 100:>10,.2f}"
        for line in invoice.line_items
        if line.type == "usage"
    ]


def test_october_costs_51_000_at_list(client, october):
    draft = usage_invoice(client, october)
    assert (draft.status, draft.total) == ("DRAFT", 5_100_000)
    assert (draft.start_timestamp, draft.end_timestamp) == (OCTOBER.starting_at, OCTOBER.ending_before)
    assert printed(draft) == [
        "API calls    01 Oct - 31 Oct      0.2   2,000.00",
        "Model small  01 Oct - 31 Oct       50   2,000.00",
        "Model medium 01 Oct - 31 Oct      300   9,000.00",
        "Model large  01 Oct - 31 Oct    1,500  18,000.00",
        "Model xl     01 Oct - 31 Oct    4,000  20,000.00",
    ]


def test_one_edit_makes_it_36_000_with_two_prices_a_product_and_64_000_to_go(client, october):
    scenes.make_the_deal(client, october)

    draft = usage_invoice(client, october)
    assert draft.total == 3_600_000
    assert printed(draft) == [
        "API calls    01 Oct - 14 Oct      0.2     800.00",
        "API calls    15 Oct - 31 Oct      0.1     600.00",
        "Model small  01 Oct - 14 Oct       50     800.00",
        "Model small  15 Oct - 31 Oct       25     600.00",
        "Model medium 01 Oct - 14 Oct      300   3,600.00",
        "Model medium 15 Oct - 31 Oct      150   2,700.00",
        "Model large  01 Oct - 14 Oct    1,500   7,800.00",
        "Model large  15 Oct - 31 Oct      750   5,100.00",
        "Model xl     01 Oct - 14 Oct    4,000   8,000.00",
        "Model xl     15 Oct - 31 Oct    2,000   6,000.00",
    ]
    applied = [line for line in draft.line_items if line.type == "applied_commit_or_credit"]
    assert sum(line.total for line in applied) == -3_600_000  # shown, and outside the total: postpaid is still payable
    assert len(applied) == 10

    owed = true_up(client, october)
    assert (owed.status, owed.total, owed.issued_at) == ("DRAFT", 6_400_000, story.YEAR_END)
    [line] = owed.line_items
    assert line.postpaid_commit.id == draft.line_items[0].commit_id

    [edit] = client.v2.contracts.get_edit_history(customer_id=october.customer_id, contract_id=october.contract_id).data
    assert [commit.access_schedule.schedule_items[0].amount for commit in edit.add_commits] == [10_000_000]
    assert [override.multiplier for override in edit.add_overrides] == [0.5]

    net = client.v1.contracts.get_net_balance(customer_id=october.customer_id).data
    [commit] = client.v1.contracts.list_balances(
        customer_id=october.customer_id, include_contract_balances=True, include_balance=True, include_ledgers=True
    ).data
    assert net.balance == commit.balance == sum(entry.amount for entry in commit.ledger) == 6_400_000


def test_the_same_edit_again_is_told_at_once_and_changes_nothing(client, october):
    scenes.make_the_deal(client, october)
    with pytest.raises(metronome.ConflictError) as refused:
        scenes.make_the_deal(client, october)
    assert refused.value.response.headers["x-should-retry"] == "false"
    assert refused.value.response.request.headers["x-stainless-retry-count"] == "0"
    assert usage_invoice(client, october).total == 3_600_000


def test_an_event_is_in_the_very_next_read(client, october):
    for number in range(3):
        client.v1.usage.ingest(
            usage=[
                {
                    "transaction_id": f"extra-{number}",
                    "customer_id": story.ALIAS,
                    "event_type": "api_calls",
                    "timestamp": "2025-10-31T22:30:00Z",
                    "properties": {"calls": 10},
                }
            ]
        )
        assert usage_invoice(client, october).total == 5_100_000 + 2 * (number + 1)


def test_past_grace_october_is_final_once_and_never_changes(client, october):
    scenes.make_the_deal(client, october)
    call_command("clock", "set", "2025-11-02T00:00:00Z", stdout=StringIO())

    final, november = client.v1.customers.invoices.list(customer_id=october.customer_id, type="USAGE").data
    assert (final.status, final.total, november.status) == ("FINALIZED", 3_600_000, "DRAFT")
    counted = [line.total for line in final.line_items if line.type != "applied_commit_or_credit"]
    assert sum(counted) == final.total

    # late usage, a new price and another edit come in; the document stays what it was
    client.v1.usage.ingest(
        usage=[
            {
                "transaction_id": "late",
                "customer_id": story.ALIAS,
                "event_type": "tokens",
                "timestamp": "2025-10-20T00:00:00Z",
                "properties": {"model": "xl", "tokens": 10**9},
            }
        ]
    )
    client.v2.contracts.edit(
        customer_id=october.customer_id,
        contract_id=october.contract_id,
        add_overrides=[
            {
                "type": "MULTIPLIER",
                "multiplier": 0.1,
                "starting_at": "2025-11-02T00:00:00Z",
                "override_specifiers": [{"product_id": product} for product in october.product_ids],
            }
        ],
    )
    call_command("clock", "advance", "2d", stdout=StringIO())
    again = client.v1.customers.invoices.retrieve(customer_id=october.customer_id, invoice_id=final.id).data
    assert again == final


def test_the_year_ends_with_a_true_up_that_makes_the_commitment_whole(client, october):
    """$36,000 + $28,000 + $26,000 of usage leave $10,000 of the commitment."""
    scenes.make_the_deal(client, october)
    to_come = Period(story.OPENING, story.YEAR_END)
    for day, events in groupby(story.events(to_come), key=lambda event: event["timestamp"][:10]):
        call_command("clock", "set", f"{day}T23:00:00Z", stdout=StringIO())
        client.v1.usage.ingest(usage=list(events))
    call_command("clock", "set", "2026-01-02T00:00:00Z", stdout=StringIO())

    documents = [
        f"{invoice.issued_at:%Y-%m-%d} {invoice.type:<9} {invoice.status} {invoice.total / 100:>10,.2f}"
        for invoice in client.v1.customers.invoices.list(customer_id=october.customer_id)
    ]
    assert sorted(documents) == [
        "2025-11-01 USAGE     FINALIZED  36,000.00",
        "2025-12-01 USAGE     FINALIZED  28,000.00",
        "2026-01-01 SCHEDULED FINALIZED  10,000.00",
        "2026-01-01 USAGE     FINALIZED  26,000.00",
    ]
    assert client.v1.contracts.get_net_balance(customer_id=october.customer_id).data.balance == 0
