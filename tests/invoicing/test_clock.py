"""Moving the test clock: what falls due on the way happens on the way, and nothing that happened is undone."""

import threading
from decimal import Decimal as D
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing_site.foundation.models import TestClock
from contracts.models import ContractEdit
from invoicing.models import Invoice
from invoicing.services.clock import ClockCannotGoBack, ClockIsBeingMoved, NotASandbox, _set, move_clock
from tests.factories.contracts import CustomerFactory, EditFactory, ScheduledChargeFactory
from tests.factories.pricing import PublicationFactory
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at, commit_of, contract_for, use

pytestmark = pytest.mark.django_db


def clock(*words):
    out, err = StringIO(), StringIO()
    call_command("clock", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue().splitlines()


@pytest.fixture
def year_end(acme, clock_at):
    """31 December, with three months of usage, a commit of $100 and a charge on 15 November."""
    commit_of(acme, D(10_000))
    for month in (10, 11, 12):
        acme.calls(f"2025-{month}-07T00", month * 100)
    ScheduledChargeFactory(contract=acme.contract, item__issued_at=at("2025-11-15T12:00"), item__amount=D(500))
    clock_at("2025-10-31T23:00")
    return acme


def test_a_year_end_happens_in_order(year_end):
    steps = move_clock(at("2026-01-03"), by=ADA)
    assert [(f"{step.instant:%m-%d %H:%M}", [invoice.kind for invoice in step.finalized]) for step in steps] == [
        ("10-31 23:00", []),
        ("11-02 00:00", ["USAGE"]),
        ("11-15 12:00", ["CHARGES"]),
        ("12-02 00:00", ["USAGE"]),
        ("01-01 00:00", []),
        ("01-02 00:00", ["USAGE", "TRUE_UP"]),
        ("01-03 00:00", []),
    ]
    documents = Invoice.objects.order_by("number").values_list("number", "finalized_at", "total")
    assert [(number, f"{when:%m-%d}", total) for number, when, total in documents] == [
        ("INV-000001", "11-02", D(2_000)),
        ("INV-000002", "11-15", D(500)),
        ("INV-000003", "12-02", D(2_200)),
        ("INV-000004", "01-02", D(2_400)),
        ("INV-000005", "01-02", D(3_400)),
    ]
    assert TestClock.objects.get().instant == at("2026-01-03")


def test_the_command_says_what_was_finalized_and_prints_the_instant_alone(year_end):
    out, told = clock("advance", "2d")
    assert out == "2025-11-02T23:00:00+00:00\n"
    assert told == ["2025-11-02T00:00:00+00:00 finalized INV-000001 of Acme: 2000 USD (cents)"]
    assert clock("show") == ("2025-11-02T23:00:00+00:00\n", [])


@pytest.mark.parametrize(
    ("duration", "instant"),
    [
        ("30m", "2025-10-31T23:30:00+00:00"),
        ("12h", "2025-11-01T11:00:00+00:00"),
        ("1w", "2025-11-07T23:00:00+00:00"),
        ("1d12h", "2025-11-02T11:00:00+00:00"),
        ("1s", "2025-10-31T23:00:01+00:00"),
    ],
)
def test_durations(clock_at, duration, instant):
    clock_at("2025-10-31T23:00")
    assert clock("advance", duration)[0].strip() == instant


@pytest.mark.parametrize("words", [("advance", "two days"), ("advance", "2"), ("set", "tomorrow")])
def test_what_is_no_time_is_refused_in_one_line(clock_at, words):
    clock_at("2025-10-31T23:00")
    with pytest.raises(CommandError, match="is not a") as refused:
        clock(*words)
    assert "\n" not in str(refused.value)
    assert TestClock.objects.get().instant == at("2025-10-31T23:00")


@pytest.mark.parametrize("words", [("show",), ("set", "2025-11-02"), ("advance", "2d")])
def test_outside_a_sandbox_there_is_no_test_clock(settings, words):
    settings.SANDBOX = False
    with pytest.raises(CommandError, match="COUNTINGHOUSE_SANDBOX=1") as refused:
        clock(*words)
    assert refused.value.returncode == 1
    assert not TestClock.objects.exists()


def test_the_service_refuses_outside_a_sandbox_too(settings):
    settings.SANDBOX = False
    with pytest.raises(NotASandbox):
        move_clock(OCTOBER, by=ADA)


def test_the_clock_goes_back_only_while_nothing_has_happened_since(clock_at):
    clock_at("2025-11-20")
    PublicationFactory(published_at=at("2025-11-03"))
    EditFactory(created_at=at("2025-11-05T10:00"))
    move_clock(at("2025-11-05T10:00"), by=ADA)
    with pytest.raises(ClockCannotGoBack, match="something happened at 2025-11-05T10:00:00"):
        move_clock(at("2025-11-05T09:59:59"), by=ADA)
    assert TestClock.objects.get().instant == at("2025-11-05T10:00")


def test_a_final_document_holds_the_clock(year_end):
    move_clock(at("2025-11-02"), by=ADA)
    with pytest.raises(ClockCannotGoBack, match="2025-11-02"):
        move_clock(NOVEMBER, by=ADA)


def test_the_first_setting_walks_from_the_last_thing_that_happened(acme, settings):
    settings.SANDBOX = True
    acme.calls("2025-10-07T00", 3)
    assert ContractEdit.objects.exists()
    move_clock(at("2025-12-24"), by=ADA)
    documents = Invoice.objects.order_by("number").values_list("slot", "finalized_at")
    assert [(slot[:7], f"{when:%m-%d}") for slot, when in documents] == [("2025-10", "11-02"), ("2025-11", "12-02")]


def test_what_was_already_due_is_done_before_the_clock_moves(acme, clock_at):
    acme.calls("2025-10-07T00", 3)
    clock_at("2025-11-05")
    clock("advance", "1h")
    assert Invoice.objects.get().finalized_at == at("2025-11-05")


def test_what_is_held_is_said_and_holds_no_other(acme, price_list, clock_at):
    contract_for(CustomerFactory(name="Globex", aliases=["globex"]), price_list)
    use(price_list.calls_made, "2025-10-07T00", 3, {}, subject="globex")
    acme.uses_tokens("2025-10-03T05", 100, model="huge")
    clock_at("2025-10-31")
    _, told = clock("set", "2025-11-02T00:00:00Z")
    assert sorted(told) == [
        "2025-11-02T00:00:00+00:00 finalized INV-000001 of Globex: 6 USD (cents)",
        f"2025-11-02T00:00:00+00:00 held for customer {acme.customer.pk}: The usage invoice of 1 Oct to 31 Oct 2025 "
        "is held: Tokens (model: huge): 100 metered, and the rate card List prices has no rate for it.",
    ]


def test_two_who_move_it_at_once_do_not_pass_each_other(clock_at):
    clock_at("2025-11-05")
    with pytest.raises(ClockIsBeingMoved):
        _set(at("2025-11-07"), expected=at("2025-11-04"))


def test_each_step_is_in_the_history_with_who_moved_it(year_end):
    clock("set", "2025-11-02T12:00:00Z")
    rows = TestClock.history.order_by("history_id").values_list("instant", "actor_kind")
    assert list(rows)[-2:] == [(at("2025-11-02"), "COMMAND"), (at("2025-11-02T12:00"), "COMMAND")]


@pytest.mark.django_db(transaction=True)
def test_twins_that_move_it_to_one_instant_both_arrive_and_each_document_is_made_once(year_end):
    failures = []

    def move():
        try:
            move_clock(at("2026-01-03"), by=ADA)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    twins = [threading.Thread(target=move) for _ in range(2)]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert failures == []
    assert Invoice.objects.count() == 5
    assert TestClock.objects.get().instant == at("2026-01-03")
