"""Usage of months that are closed, as the customer's machine reads it: on the draft first, then on the next document.

API calls cost 2 cents. October is final on 2 November; what is late comes on the 5th, unless a test says otherwise.
"""

from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contracts import services
from contracts.inputs import AccessScheduleInput, EditInput, SegmentInput
from invoicing.models import Invoice
from invoicing.queries.compute import computation
from invoicing.queries.due import due_customers
from invoicing.services import finalize_due
from invoicing.services.verification import verify_invoice
from ledger.models import LedgerEntry
from ledger.services.corrections import void_event
from tests.factories.contracts import prepaid_input
from tests.factories.ledger import event, post
from tests.invoicing.conftest import ADA, DECEMBER, NOVEMBER, OCTOBER, at, commit_of
from tests.invoicing.test_prepaid_balances import Read

pytestmark = pytest.mark.django_db(transaction=True)

LATE = at("2025-11-05")


def calls(day, number, *, received=LATE, names=()):
    """So many calls at noon of that day."""
    named = [*names, *[None] * number][:number]
    post(*(event(name, customer_id="acme", timestamp=f"{day}T12:00:00Z") for name in named), at=received)


def final_at(acme, instant):
    return finalize_due(acme.customer.pk, at=at(instant), by=ADA).finalized


@pytest.fixture
def read(client, acme):
    return Read(client, acme)


def adjusting(invoice):
    return [(line.type, line.total) for line in invoice.line_items if hasattr(line, "adjustment")]


def test_a_late_event_is_on_the_draft_at_once_and_on_the_next_document(acme, read, clock_at):
    calls("2025-10-07", 3, received=at("2025-10-07"))
    [october] = final_at(acme, "2025-11-02")
    clock_at("2025-11-05")
    calls("2025-10-09", 4)

    [november] = read.invoices(status="DRAFT")
    (line,) = [line for line in november.line_items if hasattr(line, "adjustment")]
    assert line.name == f"API calls, adjustment of {october.number} (1 Oct to 31 Oct 2025)"
    assert (line.type, line.quantity, line.unit_price, line.total, november.total) == ("usage", 4, 2, 8, 8)
    assert line.adjustment == {
        "invoice_id": str(october.pk),
        "invoice_number": october.number,
        "starting_at": "2025-10-01T00:00:00+00:00",
        "ending_before": "2025-11-01T00:00:00+00:00",
    }
    draft_id = november.id

    path = f"/v1/customers/{acme.customer.pk}/invoices/{november.id}/explain"
    explained = read.client.get(path, cast_to=dict[str, Any])["data"]
    [why] = [each for each in explained["line_items"] if "adjustment" in each]
    assert why["explanation"][0].startswith(
        f"Usage of 1–31 October 2025 came in, or was corrected, after {october.number}"
    )
    [part] = why["parts"]
    assert part["arithmetic"] == "4 × $0.02 = $0.08"
    assert part["explanation"][0] == "From 3 to 7 of the period, as that is by now."
    days = list(read.client.v1.customers.invoices.list_breakdowns(
        **read.whose, starting_on=NOVEMBER, ending_before=DECEMBER, window_size="DAY"
    ))  # fmt: skip
    assert [adjusting(day) for day in days if adjusting(day)] == [[("usage", 8)]]
    assert sum(day.total for day in days) == november.total

    [final] = final_at(acme, "2025-12-02")
    assert (str(final.pk), final.total) == (draft_id, 8)
    assert final_at(acme, "2025-12-02") == ()
    assert Invoice.objects.get(pk=october.pk).total == 6
    clock_at("2025-12-05")
    [december] = read.invoices(status="DRAFT")
    assert adjusting(december) == []
    calls("2025-10-10", 1, received=at("2025-12-05"))
    assert adjusting(read.invoices(status="DRAFT")[0]) == [("usage", 2)]
    assert verify_invoice(final).differences == ()


def test_an_expired_balance_is_reopened_and_given_back_to(acme, read, clock_at):
    access = AccessScheduleInput((SegmentInput(D(20), OCTOBER, NOVEMBER),))
    pack = prepaid_input(D(20), OCTOBER, NOVEMBER, name="Pack", access_schedule=access)
    services.edit_contract(acme.customer, acme.contract.pk, EditInput(add_commits=(pack,)), at=OCTOBER, by=ADA)
    calls("2025-10-07", 6, received=at("2025-10-07"))
    final_at(acme, "2025-11-02")
    clock_at("2025-11-05")
    opened, drawn = ("segment_start", 20, "01 Oct"), ("automated_invoice_deduction", -12, "01 Nov")
    assert read.ledger("Pack") == [opened, drawn, ("expiration", -8, "01 Nov")]

    calls("2025-10-09", 5, names=["late"])
    again = ("automated_invoice_deduction", -8, "01 Nov")
    assert read.ledger("Pack") == [opened, drawn, again]
    [november] = read.invoices(status="DRAFT", type="USAGE")
    assert adjusting(november) == [("usage", 8), ("applied_commit_or_credit", -8), ("usage", 2)]
    assert november.total == 2
    [final] = [each for each in final_at(acme, "2025-12-02") if each.kind == "USAGE"]
    clock_at("2025-12-05")
    assert read.ledger("Pack") == [opened, drawn, again]

    void_event("late", reason="Sent twice", at=at("2025-12-05"), by=ADA)
    [december] = read.invoices(status="DRAFT", type="USAGE")
    assert adjusting(december) == [("usage", -2)]
    assert verify_invoice(final).differences == ()


def test_after_the_true_up_usage_is_billed_and_the_true_up_reversed(acme, read, clock_at):
    commit_of(acme, D(1000), name="Year")
    for month in (10, 11, 12):
        calls(f"2025-{month}-07", 50, received=at(f"2025-{month}-07"))
    final_at(acme, "2026-01-02")
    assert [(each.kind, each.total) for each in Invoice.objects.order_by("number")][-1] == ("TRUE_UP", 700)
    clock_at("2026-01-05")
    calls("2025-12-20", 100, received=at("2026-01-05"))

    [late] = read.invoices(status="DRAFT")
    assert (late.type, late.total, f"{late.issued_at:%d %b %Y}") == ("USAGE", 0, "01 Feb 2026")
    assert adjusting(late) == [("usage", 200), ("applied_commit_or_credit", -200), ("commit_purchase", -200)]
    assert read.left() == {"Year": 0}

    assert [due.customer_id for due in due_customers(at=at("2026-02-02"))] == [acme.customer.pk]
    [final] = final_at(acme, "2026-02-02")
    assert (final.kind, final.total, str(final.pk)) == ("ADJUSTMENT", 0, late.id)
    assert due_customers(at=at("2026-02-02")) == []
    entries = LedgerEntry.objects.filter(invoice_id=final.pk).order_by("amount")
    assert [(entry.type, entry.amount, entry.billed_amount) for entry in entries] == [
        ("POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION", -200, -200),
        ("POSTPAID_COMMIT_TRUEUP", 200, 200),
    ]
    clock_at("2026-02-05")
    assert (read.left(), read.invoices(status="DRAFT")) == ({"Year": 0}, [])
    assert verify_invoice(final).differences == ()


def test_a_void_and_several_closed_months_at_once(acme, read, clock_at):
    calls("2025-10-07", 3, received=at("2025-10-07"), names=["wrong"])
    calls("2025-11-07", 3, received=at("2025-11-07"))
    october, november = final_at(acme, "2025-12-02")
    clock_at("2025-12-05")
    void_event("wrong", reason="Sent by mistake", at=at("2025-12-05"), by=ADA)
    calls("2025-11-09", 2, received=at("2025-12-05"))
    [draft] = read.invoices(status="DRAFT")
    lines = [line for line in draft.line_items if hasattr(line, "adjustment")]
    assert [(line.adjustment["invoice_number"], line.quantity, line.total) for line in lines] == [
        (october.number, -1, -2),
        (november.number, 2, 4),
    ]
    assert draft.total == 2


def test_who_has_missed_nothing_pays_one_statement(acme):
    calls("2025-10-07", 3, received=at("2025-10-07"))
    final_at(acme, "2025-11-02")
    computation(acme.customer.pk, at=LATE)  # what is kept in memory of terms and prices is there from here on
    with CaptureQueriesContext(connection) as missed_nothing:
        computation(acme.customer.pk, at=LATE)
    asked = [query["sql"] for query in missed_nothing if "ledger_latemark" in query["sql"]]
    assert len(asked) == 1
    calls("2025-10-09", 1)
    with CaptureQueriesContext(connection) as missed:
        computation(acme.customer.pk, at=LATE)
    assert len(missed) > len(missed_nothing)
