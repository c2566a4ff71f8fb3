"""Invoices cut into days and hours, by the official client: the pieces add up, and say what was used in them."""

from datetime import timedelta
from decimal import Decimal as D

import metronome
import pytest

from billing_site.foundation.ids import uuid7
from billing_site.foundation.periods import format_instant
from contracts.models import Customer
from invoicing.services import finalize_due
from tests.factories.contracts import CustomerFactory
from tests.invoicing.conftest import (
    ADA,
    NOVEMBER,
    OCTOBER,
    at,
    commit_of,
    contract_for,
    use,
)
from tests.invoicing.test_invoices_api import listed, story

pytestmark = pytest.mark.django_db

__all__ = ["story"]  # a fixture


def broken_down(client, acme, **query):
    given = {"starting_on": OCTOBER, "ending_before": NOVEMBER} | query
    return list(client.v1.customers.invoices.list_breakdowns(customer_id=str(acme.customer.pk), **given))


@pytest.mark.parametrize(("size", "windows"), [("DAY", 31), ("HOUR", 744)])
@pytest.mark.parametrize("final", [False, True])
def test_the_pieces_of_an_invoice_add_up_to_it(client, story, size, windows, final):
    story.uses_tokens("2025-10-03T09", D("0.333333333333"))
    if final:
        finalize_due(story.customer.pk, at=at("2025-11-20"), by=ADA)
        story.uses_tokens("2025-10-04T09", 1_000)  # late: it changes no final document
    [invoice] = listed(client, story, type="USAGE", ending_before=NOVEMBER)
    pieces = broken_down(client, story, window_size=size)
    assert len(pieces) == windows
    assert sum(D(str(piece.total)) for piece in pieces) == D(str(invoice.total))
    quantities = {}
    for piece in pieces:
        assert (piece.id, piece.status) == (invoice.id, invoice.status)
        for line in piece.line_items:
            quantities[line.name] = quantities.get(line.name, 0) + D(str(line.quantity or 0))
    for name in quantities:
        whole = sum(D(str(line.quantity or 0)) for line in invoice.line_items if line.name == name)
        assert quantities[name] == whole


def test_a_window_shows_what_was_used_in_it(client, story):
    pieces = {f"{piece.breakdown_start_timestamp:%d}": piece for piece in broken_down(client, story)}
    assert [day for day, piece in pieces.items() if piece.total] == ["03", "20"]
    third = pieces["03"]
    assert third.total == 4020 + 500 + 100
    assert third.breakdown_end_timestamp - third.breakdown_start_timestamp == timedelta(days=1)
    assert sum(line.total for line in third.line_items if line.type == "applied_commit_or_credit") == -4_620
    assert pieces["20"].total == 2010 + 250 + 50
    assert [piece.total for piece in broken_down(client, story, window_size="HOUR") if piece.total] == [
        4520,
        100,
        2260,
        50,
    ]


def test_pages_of_windows_miss_and_repeat_nothing(client, story):
    pages, seen, cursor = 0, [], None
    while pages == 0 or cursor:
        more = {"next_page": cursor} if cursor else {}
        page = client.v1.customers.invoices.list_breakdowns(
            customer_id=str(story.customer.pk), starting_on=OCTOBER, ending_before=at("2025-12-10"), **more
        )
        seen += [piece.breakdown_start_timestamp for piece in page.data]
        assert len(page.data) <= 35
        pages, cursor = pages + 1, page.next_page
    assert pages == 2
    assert seen == [OCTOBER + timedelta(days=day) for day in range(51)]  # up to today
    newest = broken_down(client, story, ending_before=at("2025-12-10"), sort="date_desc", limit=7)
    assert [piece.breakdown_start_timestamp for piece in newest] == seen[::-1]


def test_windows_lie_within_the_bounds_and_the_first_may_be_short(client, price_list, clock_at):
    customer = CustomerFactory(aliases=["globex"])
    contract_for(customer, price_list, starting_at=at("2025-10-10T06"), billing_anchor_at=OCTOBER)
    use(price_list.calls_made, "2025-10-10T07", 3, {}, subject="globex")
    clock_at("2025-10-12T12:00")
    pieces = list(
        client.v1.customers.invoices.list_breakdowns(
            customer_id=str(customer.pk), starting_on=at("2025-10-10T06"), ending_before=at("2025-10-12T12")
        )
    )
    assert [format_instant(piece.breakdown_start_timestamp) for piece in pieces] == [
        "2025-10-10T06:00:00+00:00",
        "2025-10-11T00:00:00+00:00",
    ]
    assert [piece.total for piece in pieces] == [6, 0]


def test_a_commit_that_runs_out_is_broken_down_by_who_pays(client, acme, clock_at):
    commit_of(acme, D(50))
    for hour in ("01", "02", "03"):
        acme.calls(f"2025-10-05T{hour}", 20)  # 40 cents each
    clock_at("2025-10-20")
    hours = {
        piece.breakdown_start_timestamp.hour: [
            (line.total, line.commit_id is not None) for line in piece.line_items if line.type == "usage" and line.total
        ]
        for piece in broken_down(
            client, acme, starting_on=at("2025-10-05"), ending_before=at("2025-10-06"), window_size="HOUR"
        )
    }
    assert {hour: lines for hour, lines in hours.items() if lines} == {
        1: [(40, True)],
        2: [(10, True), (30, False)],
        3: [(40, False)],
    }


def test_breakdown_bounds_have_to_be_in_order(client, story):
    with pytest.raises(metronome.BadRequestError) as refused:
        broken_down(client, story, ending_before=OCTOBER)
    assert refused.value.body["errors"][0]["field"] == "ending_before"


def test_an_unknown_customer_has_no_page(client):
    assert not Customer.objects.exists()
    with pytest.raises(metronome.NotFoundError):
        client.v1.customers.invoices.list(customer_id=str(uuid7()))
