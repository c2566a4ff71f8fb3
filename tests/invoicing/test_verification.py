"""A document against the facts that it saw: equal whatever came later, and what was altered is named."""

import re
from decimal import Decimal as D
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.transactions import read_snapshot
from invoicing.engine.calendar import draft_id
from invoicing.services import finalize_due, finalize_invoice, verify_invoice
from invoicing.services.manual_entries import ManualEntryInput, add_manual_entry
from ledger.queries.as_seen import usage_as_seen
from ledger.queries.reach import Reach
from ledger.services.corrections import amend_event, void_event
from ledger.services.retention import drop_month
from tests.factories.contracts import AccessSegmentFactory, CommitFactory, CustomerFactory, OverrideFactory
from tests.factories.ledger import event, post
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory, RateFactory
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, PriceList, at, commit_of, contract_for

pytestmark = pytest.mark.django_db(transaction=True)

GRACE_IS_OVER = at("2025-11-02")
LATE = at("2025-11-20")


def calls(hour, *names, when=None, **properties):
    sent = [event(name, customer_id="acme", timestamp=f"{hour}:30:00Z", properties=properties) for name in names]
    post(*sent, at=when or at(f"{hour}:45"))


def credit_of(acme, amount):
    commit = CommitFactory(contract=acme.contract, segment=None, invoice_item=None, type="CREDIT")
    return AccessSegmentFactory(commit=commit, amount=amount, starting_at=OCTOBER, ending_before=JANUARY)


def october(acme):
    slot = "2025-10-01T00:00:00+00:00"
    return finalize_invoice(acme.customer, draft_id(acme.contract.pk, "USAGE", slot), at=GRACE_IS_OVER, by=ADA)


def altered(statement, *parameters):
    """Run SQL as somebody might who has the keys to the database."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, parameters)
        assert cursor.rowcount > 0
        cursor.execute("RESET session_replication_role")


@pytest.fixture
def invoice(acme):
    """Three calls at 2 cents, of which a credit of 5 pays."""
    credit_of(acme, D(5))
    calls("2025-10-03T05", "first", "second")
    calls("2025-10-20T05", "third")
    return october(acme)


def differences(invoice):
    invoice.refresh_from_db()
    return "\n".join(verify_invoice(invoice).differences)


def test_a_document_is_equal_to_the_facts_that_it_saw(invoice):
    verified = verify_invoice(invoice)
    assert (verified.differences, verified.against) == ((), "the facts that it saw")
    assert invoice.total == 1


def test_what_came_later_is_not_what_it_saw(acme, invoice):
    calls("2025-10-03T05", "late", when=LATE)
    void_event("first", reason="Sent by mistake", at=LATE, by=ADA)
    amend_event("third", timestamp="2025-10-04T07:00:00Z", reason="Another day", at=LATE, by=ADA)
    RateFactory(rate_card=acme.prices.card, product=acme.prices.calls, starting_at=OCTOBER, price=D(10))
    OverrideFactory(contract=acme.contract, starting_at=OCTOBER)
    segment = credit_of(acme, D(50))
    given = ManualEntryInput(balance_id=segment.commit_id, segment_id=segment.pk, amount=D(-7), reason="Goodwill")
    add_manual_entry(acme.customer, given, at=LATE, by=ADA)
    finalize_due(acme.customer.pk, at=at("2025-12-02"), by=ADA)
    assert differences(invoice) == ""


def test_what_was_posted_before_it_was_seen(acme):
    segment = credit_of(acme, D(2))
    calls("2025-10-03T05", "first", "second")
    given = ManualEntryInput(balance_id=segment.commit_id, segment_id=segment.pk, amount=D(1), reason="Goodwill")
    add_manual_entry(acme.customer, given, at=NOVEMBER, by=ADA)
    invoice = october(acme)
    assert (invoice.total, differences(invoice)) == (1, "")


def test_true_ups_and_documents_one_after_another_are_equal(acme):
    commit_of(acme, D(10_000))
    for month in (10, 11, 12):
        acme.uses_tokens(f"2025-{month}-05T00", D("33.3"), model="small")
        acme.uses_tokens(f"2025-{month}-07T13", 4)
    made = finalize_due(acme.customer.pk, at=at("2026-01-02"), by=ADA).finalized
    acme.uses_tokens("2025-10-05T00", 1)
    assert [invoice.kind for invoice in made] == ["USAGE", "USAGE", "USAGE", "TRUE_UP"]
    assert [verify_invoice(invoice).differences for invoice in made] == [()] * 4


@pytest.mark.parametrize("aggregation", ["SUM", "COUNT", "MAX", "LATEST", "UNIQUE", "WEIGHTED_SUM"])
def test_every_aggregation_is_folded_as_it_was_seen(aggregation):
    metric = MetricFactory(
        name=aggregation,
        aggregation_type=aggregation,
        aggregation_key="" if aggregation == "COUNT" else "value",
        event_type_filter={"in_values": ["seen"]},
    )
    product, card = ProductFactory(version__billable_metric=metric), RateCardFactory()
    RateFactory(rate_card=card, product=product, price=D(10))
    customer = CustomerFactory(aliases=["acme"])
    contract = contract_for(customer, PriceList(card, product, product, metric, metric))

    def seen(when, value):
        post(event(customer_id="acme", event_type="seen", timestamp=when, properties={"value": value}), at=NOVEMBER)

    for when, value in (("2025-09-30T22:15:00Z", 2), ("2025-10-03T05:10:00Z", 7), ("2025-10-05T08:00:00Z", 4)):
        seen(when, value)
    slot = "2025-10-01T00:00:00+00:00"
    invoice = finalize_invoice(customer, draft_id(contract.pk, "USAGE", slot), at=GRACE_IS_OVER, by=ADA)
    assert invoice.total > 0
    seen("2025-10-20T05:10:00Z", 100)
    seen("2025-09-02T05:10:00Z", 3)
    assert differences(invoice) == ""
    if aggregation == "WEIGHTED_SUM":  # a level carries over, so what was long before is the document's business
        altered("UPDATE ledger_eventbody SET properties = '{\"value\": 9}' WHERE timestamp < '2025-09-29'")
        assert re.match(r"Event \S+ of acme: it is not what was received.", differences(invoice))


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        pytest.param(
            "UPDATE pricing_rate SET price = 3 WHERE price = 2",
            r"Line 1 \(API calls\): unit_price is 2, and comes to 3",
            id="a rate",
        ),
        pytest.param(
            "UPDATE ledger_dailyusage SET count = 7, hour_counts[5] = 7 WHERE day = '2025-10-03'",
            r"Usage of acme on 2025-10-03, hour 5, series \S+: 7 is held, and the events come to 2",
            id="an hour",
        ),
        pytest.param(
            "UPDATE invoicing_invoiceline SET total = total - 1 WHERE position = 1",
            r"The document: its hash is not that of what is stored.\nLine 1 \(API calls\): total is 4, and comes to 5",
            id="a line",
        ),
        pytest.param(
            "UPDATE invoicing_invoice SET total = 0",
            "The document: total is 0, and comes to 1",
            id="the total",
        ),
        pytest.param(
            "UPDATE invoicing_invoice SET customer_name = 'Globex'",
            "The document: its hash is not that of what is stored.",
            id="a name",
        ),
        pytest.param(
            "UPDATE ledger_eventbody SET timestamp = '2025-09-20T05:30Z' WHERE transaction_id = 'third'",
            "Event third of acme: it is not what was received.",
            id="an event",
        ),
        pytest.param(
            "DELETE FROM ledger_eventbody WHERE transaction_id = 'second'",
            "Event second of acme: its body or its call is gone.",
            id="an event that is gone",
        ),
        pytest.param(
            "UPDATE contracts_accesssegment SET amount = 3",
            r"terms.contracts\[0\].commits\[0\].segments\[0\].amount is 5, and comes to 3",
            id="a term",
        ),
        pytest.param(
            "UPDATE ledger_ledgerentry SET amount = -1",
            r"Ledger entry \S+: amount is -1, and comes to -5",
            id="an entry",
        ),
        pytest.param(
            "DELETE FROM ledger_ledgerentry",
            "Ledger entry CREDIT_AUTOMATED_INVOICE_DEDUCTION of -5: it was not posted.",
            id="an entry that is gone",
        ),
    ],
)
def test_what_was_altered_is_named(invoice, statement, named):
    altered(statement)
    found = differences(invoice)
    assert re.search(named, found), found


def test_only_what_can_have_moved_it_is_read(acme, invoice):
    """An event of November is not October's business, whatever was done to it; nor is one of July."""
    calls("2025-07-03T05", "before", when=GRACE_IS_OVER)
    calls("2025-11-03T05", "after", when=LATE)
    altered("UPDATE ledger_eventbody SET properties = '{\"no\": 1}' WHERE transaction_id IN ('before', 'after')")
    altered("UPDATE ledger_dailyusage SET count = 7 WHERE day IN ('2025-07-03', '2025-11-03')")
    assert differences(invoice) == ""


def test_events_that_were_amended_lie_where_they_say_now(acme):
    calls("2025-09-20T05", "into", "away", when=OCTOBER)
    calls("2025-10-03T05", "stays", "leaves")
    amend_event("into", timestamp="2025-10-05T05:00:00Z", reason="Another month", at=NOVEMBER, by=ADA)
    amend_event("leaves", timestamp="2025-09-05T05:00:00Z", reason="Another month", at=NOVEMBER, by=ADA)
    amend_event("away", timestamp="2025-09-21T05:00:00Z", reason="Another day", at=NOVEMBER, by=ADA)
    invoice = october(acme)
    assert (invoice.total, differences(invoice)) == (4, "")
    amend_event("stays", timestamp="2025-11-05T05:00:00Z", reason="Another month", at=LATE, by=ADA)
    assert differences(invoice) == ""


def test_without_bodies_the_trace_is_what_lines_are_held_against(acme, invoice):
    drop_month(OCTOBER.date(), at=at("2026-05-01"), by=ADA)
    verified = verify_invoice(invoice)
    assert verified.differences == ()
    assert verified.against == "its trace: the bodies of events received in 2025-10 are gone"
    altered("UPDATE pricing_rate SET price = 3 WHERE price = 2")
    assert "says 3" in differences(invoice)


def run(*arguments):
    out = StringIO()
    try:
        call_command("verify_invoice", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


def test_the_command_says_equal_or_what_differs(invoice):
    assert run(invoice.number) == ("INV-000001 of Acme: equal to the facts that it saw.\n", 0)
    altered("UPDATE invoicing_invoice SET customer_name = 'Globex'")
    told, code = run(invoice.number, "--customer", str(invoice.customer_id))
    assert (told.splitlines()[1:], code) == (["- The document: its hash is not that of what is stored."], 1)
    with pytest.raises(CommandError, match="There is no document INV-000009"):
        run("INV-000009")


def test_all_of_it_is_read_in_one_snapshot_in_which_nothing_can_be_written(invoice):
    with CaptureQueriesContext(connection) as asked:
        assert differences(invoice) == ""
    said = [query["sql"] for query in asked if query["sql"].startswith("SET TRANSACTION")]
    assert said == ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET TRANSACTION READ ONLY"]
    with (
        read_snapshot(with_temporary_tables=True),
        usage_as_seen(Reach(()), invoice.snapshot),
        pytest.raises(DatabaseError, match="read-only transaction"),
        transaction.atomic(),
    ):
        invoice.customer.save()
    invoice.customer.save()
