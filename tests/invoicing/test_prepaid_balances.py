"""Prepaid commits and credits as they burn down: drafts, documents, balances and ledgers, read with the official SDK.

API calls cost 2 cents. What a test grants is in cents, too, unless it says otherwise.
"""

from datetime import timedelta
from decimal import Decimal as D
from uuid import UUID

import pytest

from billing_site.foundation.periods import format_instant
from contracts import services
from contracts.inputs import (
    AccessScheduleInput,
    EditInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    SegmentInput,
    TargetInput,
)
from invoicing.queries.due import due_customers
from invoicing.services import finalize_due
from ledger.models import LedgerEntry
from tests.factories.contracts import credit_input, prepaid_input
from tests.factories.pricing import PricingUnitFactory, ProductFactory, RateCardConversionFactory, RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(acme):
    """Add commits and credits to Acme's contract on 1 October, and what else an edit may do."""

    def add(*given, on=OCTOBER, **more):
        commits = tuple(each for each in given if each.type != "CREDIT")
        credits = tuple(each for each in given if each.type == "CREDIT")
        edit = EditInput(add_commits=commits, add_credits=credits, **more)
        return services.edit_contract(acme.customer, acme.contract.pk, edit, at=on, by=ADA)

    return add


def segments(*items, **more):
    return AccessScheduleInput(tuple(SegmentInput(D(amount), start, end) for amount, start, end in items), **more)


def final_at(acme, instant):
    return finalize_due(acme.customer.pk, at=instant, by=ADA).finalized


class Read:
    """What the customer's machine reads."""

    def __init__(self, client, acme):
        self.client, self.acme, self.whose = client, acme, {"customer_id": str(acme.customer.pk)}

    def balances(self, **query):
        asked = {"include_contract_balances": True, "include_balance": True, "include_ledgers": True} | query
        return {each.name: each for each in self.client.v1.contracts.list_balances(**self.whose, **asked)}

    def ledger(self, name):
        return [
            (entry.type.removeprefix("PREPAID_COMMIT_").lower(), entry.amount, f"{entry.timestamp:%d %b}")
            for entry in self.balances()[name].ledger
        ]

    def left(self):
        return {name: each.balance for name, each in self.balances().items()}

    def net(self, **query):
        return self.client.v1.contracts.get_net_balance(**self.whose, **query).data.balance

    def invoices(self, **query):
        return list(self.client.v1.customers.invoices.list(**self.whose, **query))

    def lines(self, **query):
        [invoice] = self.invoices(**query)
        return [(line.type, line.name, line.total) for line in invoice.line_items]


@pytest.fixture
def read(client, acme):
    return Read(client, acme)


USAGE_OF_OCTOBER = {"type": "USAGE", "ending_before": NOVEMBER}


def test_a_commit_burns_down_hour_by_hour_and_what_is_left_expires(acme, grant, read, clock_at):
    """100 over October; 30 of it used. Nothing has to run for it to open, to be drawn, and to end."""
    grant(prepaid_input(D(100), OCTOBER, NOVEMBER, name="Pack"))
    opened, drawn = ("segment_start", 100, "01 Oct"), ("automated_invoice_deduction", -30, "01 Nov")

    for instant, calls, ledger, left in [
        ("2025-09-30T23:59:59", 0, [], 0),
        ("2025-10-01T00:00:00", 0, [opened], 100),
        ("2025-10-05T10:59:59", 15, [opened, drawn], 70),
        ("2025-10-31T23:59:59", 0, [opened, drawn], 70),
        ("2025-11-01T00:00:00", 0, [opened, drawn, ("expiration", -70, "01 Nov")], 0),
    ]:
        clock_at(instant)
        acme.calls(instant, calls)
        assert (read.ledger("Pack"), read.left()["Pack"], read.net()) == (ledger, left, left), instant

    acme.calls("2025-10-31T23", 5)  # comes while October is open
    drawn = ("automated_invoice_deduction", -40, "01 Nov")
    assert read.ledger("Pack") == [opened, drawn, ("expiration", -60, "01 Nov")]
    final_at(acme, at("2025-11-02"))
    clock_at("2025-11-02")
    assert read.ledger("Pack") == [opened, drawn, ("expiration", -60, "01 Nov")]
    assert [(entry.type, entry.amount, entry.billed_amount) for entry in LedgerEntry.objects.all()] == [
        ("PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION", -40, -40)
    ]


def test_what_a_commit_covers_nets_to_zero_and_the_rest_is_to_pay(acme, grant, read, clock_at):
    """20 cents for 15 calls: 10 of them are covered, in the middle of the hour."""
    grant(prepaid_input(D(20), OCTOBER, JANUARY, name="Pack"))
    acme.calls("2025-10-05T10", 15)
    clock_at("2025-10-06")

    for _ in range(2):
        assert read.lines(**USAGE_OF_OCTOBER) == [
            ("usage", "API calls", 20),
            ("applied_commit_or_credit", "Pack", -20),
            ("usage", "API calls", 10),
        ]
        assert read.invoices(**USAGE_OF_OCTOBER)[0].total == 10
        final_at(acme, at("2025-11-02"))
        clock_at("2025-11-02")
    applied = read.invoices(status="FINALIZED")[0].line_items[-2]
    assert (applied.applied_commit_or_credit.type, applied.applied_commit_or_credit.access_type) == ("PREPAID", "SPEND")


def test_credits_are_drawn_before_what_was_paid_for_and_obligations_last(acme, grant, read, clock_at):
    """15 calls are 30: 10 by the credit, 12 by the commit, and 8 to pay."""
    grant(prepaid_input(D(12), OCTOBER, JANUARY, (OCTOBER, D(12)), name="Paid"), credit_input(D(10), name="Goodwill"))
    acme.calls("2025-10-05T10", 15)
    clock_at("2025-10-06")

    assert read.left() == {"Paid": 0, "Goodwill": 0}
    assert [line for line in read.lines(**USAGE_OF_OCTOBER) if line[0] != "usage"] == [
        ("applied_commit_or_credit", "Goodwill", -10),
        ("applied_commit_or_credit", "Paid", -12),
    ]
    final_at(acme, at("2025-11-02"))
    assert set(LedgerEntry.objects.values_list("type", "amount")) == {
        ("CREDIT_AUTOMATED_INVOICE_DEDUCTION", D(-10)),
        ("PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION", D(-12)),
    }
    goodwill = read.balances()["Goodwill"]
    assert (goodwill.type, [entry.type for entry in goodwill.ledger]) == (
        "CREDIT",
        ["CREDIT_SEGMENT_START", "CREDIT_AUTOMATED_INVOICE_DEDUCTION"],
    )
    assert read.net(filters=[{"balance_types": ["CREDIT"]}]) == 0


def test_a_segment_begins_in_mid_month_and_another_takes_over(acme, grant, read, clock_at):
    """40 from the 10th, 50 from the 20th, each for ten days. 20 a time are used on the 5th, 12th, 18th, 22nd, 30th."""
    tenth, twentieth, thirtieth = (OCTOBER + timedelta(days=days) for days in (9, 19, 29))
    grant(prepaid_input(access_schedule=segments((40, tenth, twentieth), (50, twentieth, thirtieth)), name="Pack"))

    for day, calls, left in [
        ("05", 10, 0),
        ("09", 0, 0),
        ("10", 0, 40),
        ("12", 10, 20),
        ("18", 10, 0),
        ("20", 0, 50),
        ("22", 10, 30),
        ("30", 10, 0),
    ]:
        clock_at(f"2025-10-{day}")
        acme.calls(f"2025-10-{day}", calls)
        assert read.left()["Pack"] == left, day
    clock_at("2025-10-31")
    assert read.ledger("Pack") == [
        ("segment_start", 40, "10 Oct"),
        ("segment_start", 50, "20 Oct"),
        ("expiration", -30, "30 Oct"),
        ("automated_invoice_deduction", -40, "01 Nov"),
        ("automated_invoice_deduction", -20, "01 Nov"),
    ]
    assert read.invoices(**USAGE_OF_OCTOBER)[0].total == 40


def test_october_in_grace_draws_before_november(acme, grant, read, clock_at):
    grant(prepaid_input(D(50), OCTOBER, JANUARY, name="Pack"))
    acme.calls("2025-11-01T00", 20)
    clock_at("2025-11-01T01")
    assert [invoice.total for invoice in read.invoices(type="USAGE")] == [0, 0]

    acme.calls("2025-10-31T23", 20)  # 40 of the 50 were October's
    assert [invoice.total for invoice in read.invoices(type="USAGE")] == [0, 30]
    assert read.ledger("Pack") == [
        ("segment_start", 50, "01 Oct"),
        ("automated_invoice_deduction", -40, "01 Nov"),
        ("automated_invoice_deduction", -10, "01 Dec"),
    ]


def test_a_commit_pays_for_its_products_alone_and_passes_by_what_is_free(acme, grant, read, clock_at):
    """Tokens are covered and calls are not; a free product draws nothing."""
    free = ProductFactory(name="Free", version__billable_metric=acme.prices.calls_made)
    RateFactory(rate_card=acme.prices.card, product=free, price=D(0))
    grant(
        prepaid_input(D(100), specifiers=(TargetInput(product_id=acme.prices.tokens.pk),), name="Tokens"),
        credit_input(D(100), applicable_product_ids=(free.pk,), name="Free"),
    )
    acme.uses_tokens("2025-10-05T10", 1)
    acme.calls("2025-10-05T10", 10)
    clock_at("2025-10-06")

    assert read.left() == {"Tokens": 60, "Free": 100}
    assert read.invoices(**USAGE_OF_OCTOBER)[0].total == 20


def test_a_balance_of_units_takes_units_whatever_they_cost(acme, grant, read, clock_at):
    """10 calls of 15; it is in no unit of pricing, and its purchase is in money."""
    grant(
        prepaid_input(
            access_schedule=segments((10, OCTOBER, JANUARY), access_type="QUANTITY"),
            invoice_schedule=InvoiceScheduleInput((InvoiceItemInput(OCTOBER, amount=D(15)),)),
            name="Calls",
        )
    )
    acme.calls("2025-10-05T10", 15)
    clock_at("2025-10-06")

    calls = read.balances(access_type="QUANTITY")["Calls"]
    assert (calls.balance, calls.cost_basis, calls.access_schedule.access_type) == (0, 1.5, "QUANTITY")
    assert calls.access_schedule.credit_type.id == "00000000-0000-0000-0000-000000000000"
    assert [entry.amount for entry in calls.ledger] == [10, -10]
    assert read.invoices(**USAGE_OF_OCTOBER)[0].total == 10
    assert [line.total for line in read.invoices(type="SCHEDULED")[0].line_items] == [15]
    grant(credit_input(access_schedule=segments((7, OCTOBER, JANUARY), access_type="QUANTITY"), priority=D(500)))
    assert (read.net(access_type="QUANTITY"), read.net()) == (2, 0)


def test_a_balance_in_a_custom_unit_is_bought_with_money(acme, grant, read, clock_at):
    tokens = PricingUnitFactory(name="tokens")
    RateCardConversionFactory(rate_card=acme.prices.card, unit=tokens)
    sold = ProductFactory(name="Answers", version__billable_metric=acme.prices.calls_made)
    RateFactory(rate_card=acme.prices.card, product=sold, price=D(3), unit=tokens)
    grant(
        prepaid_input(
            access_schedule=segments((100, OCTOBER, JANUARY), credit_type_id=tokens.pk),
            invoice_schedule=InvoiceScheduleInput((InvoiceItemInput(OCTOBER, amount=D(50)),)),
            applicable_product_ids=(sold.pk,),
            name="Answers",
        )
    )
    acme.calls("2025-10-05T10", 10)
    clock_at("2025-10-06")

    assert (read.net(credit_type_id=str(tokens.pk)), read.net()) == (70, 0)
    assert [invoice.total for invoice in read.invoices(type="SCHEDULED")] == [50]
    held = read.balances()["Answers"]
    assert (held.access_schedule.credit_type.name, held.invoice_schedule.credit_type.name) == ("tokens", "USD (cents)")


def test_instalments_are_scheduled_invoices_that_fall_due_on_their_dates(acme, grant, read, clock_at):
    """Those of a date share one; what is over is final at once, what is to come is a draft, what is free is none."""
    elsewhere = InvoiceScheduleInput((InvoiceItemInput(DECEMBER, amount=D(9)),), do_not_invoice=True)
    grant(
        prepaid_input(D(300), OCTOBER, JANUARY, (OCTOBER, D(100)), (DECEMBER, D(140)), name="A"),
        prepaid_input(D(10), OCTOBER, JANUARY, (DECEMBER, D(5)), name="B"),
        prepaid_input(D(10), name="Free"),
        prepaid_input(D(10), invoice_schedule=elsewhere, name="Elsewhere"),
    )
    clock_at("2025-10-06")
    assert [(due.customer_id, due.instant) for due in due_customers(at=at("2025-10-06"))] == [
        (acme.customer.pk, OCTOBER)
    ]
    [first] = final_at(acme, at("2025-10-06"))
    assert (first.total, first.issued_at, first.kind) == (100, OCTOBER, "CHARGES")

    shown = [
        (
            invoice.status,
            format_instant(invoice.issued_at)[:10],
            [(line.name, line.total) for line in invoice.line_items],
        )
        for invoice in read.invoices(type="SCHEDULED")
    ]
    assert shown == [
        ("FINALIZED", "2025-10-01", [("A", 100)]),
        ("DRAFT", "2025-12-01", [("A", 140), ("B", 5)]),
    ]
    held = read.balances()
    assert {name: each.cost_basis for name, each in held.items()} == {"A": 0.8, "B": 0.5, "Free": 0, "Elsewhere": 0.9}
    assert held["Elsewhere"].invoice_schedule.do_not_invoice
    assert held["Free"].invoice_schedule is None


def test_a_contract_shows_its_commits_and_credits_with_their_balances(acme, grant, read, client, clock_at):
    edit = grant(prepaid_input(D(30), name="Pack"), credit_input(D(20), name="Goodwill", priority=D(500)))
    acme.calls("2025-10-05T10", 5)
    clock_at("2025-10-06")
    ids = read.whose | {"contract_id": str(acme.contract.pk)}

    contract = client.v2.contracts.retrieve(**ids, include_balance=True, include_ledgers=True).data
    [pack], [goodwill] = contract.commits, contract.credits
    assert [(each.type, each.balance, len(each.ledger)) for each in (pack, goodwill)] == [
        ("PREPAID", 20, 2),
        ("CREDIT", 20, 1),
    ]
    [told] = client.v2.contracts.get_edit_history(**ids).data
    assert (told.id, [each.id for each in told.add_commits], [each.id for each in told.add_credits]) == (
        str(edit.pk),
        [pack.id],
        [goodwill.id],
    )
    grant(archive_credits=(UUID(goodwill.id),))
    assert client.v2.contracts.get_edit_history(**ids).data[1].archive_credits[0].id == goodwill.id
    assert client.v2.contracts.retrieve(**ids).data.credits == []
