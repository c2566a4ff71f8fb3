"""Eight people at once at the same balances of a customer with two contracts: entries by hand, final documents, edits
that lower a segment. Never is more taken than there is; whoever comes too late is told what is left.

    shared by both contracts    100 for October to December, 60 of usage in October, not final yet
    of the first contract       a credit of 50 for November, which nobody has used

API calls cost 2 cents.
"""

import threading
from decimal import Decimal as D
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Sum

from billing_site.foundation.refusals import Conflict, Refusal
from contracts import services
from contracts.inputs import AccessChangeInput, CommitChangeInput, EditInput, SegmentChangeInput, SharedCommitInput
from contracts.models import AccessSegment
from contracts.queries import customer_terms
from invoicing.models import Invoice
from invoicing.queries.balances import balances
from invoicing.services import finalize_due
from invoicing.services.manual_entries import ManualEntryInput, add_manual_entry
from ledger.models import LedgerEntry
from ledger.queries.segment_sums import segment_sums_differ
from tests.factories.contracts import ContractFactory, credit_input, prepaid_input
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory, RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, use

pytestmark = pytest.mark.django_db(transaction=True)
THEN = at("2025-11-02")


def at_once(*calls):
    """What each call answered, or what it was refused with, all begun at the same moment."""
    barrier, answers = threading.Barrier(len(calls)), []

    def run(call):
        try:
            barrier.wait(30)
            answers.append(call())
        except Refusal as refusal:
            answers.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    return answers


@pytest.fixture
def deal(acme):
    """The two balances as the engines see them: the customer's, and the first contract's."""
    minutes = MetricFactory(name="Minutes", event_type_filter={"in_values": ["minutes"]})
    card = RateCardFactory()
    RateFactory(rate_card=card, product=ProductFactory(name="Minutes", version__billable_metric=minutes), price=D(2))
    ContractFactory(customer=acme.customer, rate_card=card, starting_at=OCTOBER, terms__ending_before=JANUARY)
    shared = SharedCommitInput(prepaid_input(D(100), OCTOBER, JANUARY))
    services.create_shared_commit(acme.customer.pk, shared, at=OCTOBER, by=ADA)
    credit = credit_input(D(50), access_schedule=prepaid_input(D(50), NOVEMBER, DECEMBER).access_schedule)
    services.edit_contract(acme.customer, acme.contract.pk, EditInput(add_credits=(credit,)), at=OCTOBER, by=ADA)
    acme.calls("2025-10-05T10", 15)
    use(minutes, "2025-10-06T10", 15, {})
    terms = customer_terms(acme.customer.pk)
    [of_customer] = terms.commits
    [of_contract] = [commit for contract in terms.contracts for commit in contract.commits]
    return of_customer, of_contract


def take(acme, commit, amount):
    given = ManualEntryInput(UUID(str(commit.id)), commit.segments[0].id, D(-amount), "Paid out")
    return lambda: add_manual_entry(acme.customer.pk, given, at=THEN, by=ADA)


def lowered(commit, amount):
    segment = SegmentChangeInput(commit.segments[0].id, amount=D(amount))
    return CommitChangeInput(commit.id, AccessChangeInput(update_schedule_items=(segment,)))


def lower_shared(acme, commit, amount):
    given = lowered(commit, amount)
    return lambda: services.edit_commit(acme.customer.pk, given, types=services.COMMIT_TYPES, at=THEN, by=ADA)


def lower_of_contract(acme, commit, amount):
    given = EditInput(update_credits=(lowered(commit, amount),))
    return lambda: services.edit_contract(acme.customer.pk, acme.contract.pk, given, at=THEN, by=ADA)


def finalize(acme):
    return lambda: finalize_due(acme.customer.pk, at=THEN, by=ADA)


def check_the_books(acme, answers, number):
    """Whoever was refused was told why; all the rest adds up."""
    assert len(answers) == number  # nobody was met with anything but an answer or a conflict
    reasons = [refusal.errors[0].rule for refusal in answers if isinstance(refusal, Conflict)]
    assert all(rule.startswith(("must not take more than the", "must not be less than")) for rule in reasons)
    assert segment_sums_differ() == []
    for segment in AccessSegment.objects.standing():
        posted = LedgerEntry.objects.filter(segment_id=segment.segment_id).aggregate(sum=Sum("amount"))["sum"] or D(0)
        assert segment.amount + posted >= 0
    left = {balance.committed.commit.pk: balance for balance in balances(acme.customer.pk, at=THEN)}
    for balance in left.values():
        [segment] = balance.committed.segments
        taken = sum(movement.amount for movement in balance.statement.movements if not movement.is_start)
        assert balance.statement.left == segment.amount + taken >= 0


@pytest.mark.parametrize("round_", range(3))
def test_eight_spenders_of_three_kinds_never_take_more_than_there_is(acme, deal, round_):
    shared, credit = deal
    answers = at_once(
        take(acme, shared, 25),
        lower_shared(acme, shared, 70),
        take(acme, credit, 30),
        finalize(acme),
        lower_shared(acme, shared, 60),
        lower_of_contract(acme, credit, 25),
        take(acme, shared, 25),
        take(acme, credit, 10),
    )

    check_the_books(acme, answers, 8)
    assert any(isinstance(answer, Conflict) for answer in answers)
    # All of October is final; what the balance did not pay is to pay.
    paid = LedgerEntry.objects.filter(type__contains="DEDUCTION").aggregate(sum=Sum("amount"))["sum"] or D(0)
    assert sum(Invoice.objects.values_list("total", flat=True)) == 60 + paid


def test_of_two_that_would_together_take_too_much_one_is_told_what_is_left(acme, deal):
    """50, from which four take 30 each while four lower it to 25: whoever is first, only one of them has it."""
    _, credit = deal
    calls = [take(acme, credit, 30)] * 4 + [lower_of_contract(acme, credit, 25)] * 4
    answers = at_once(*calls)

    check_the_books(acme, answers, 8)
    entries = sum(isinstance(answer, LedgerEntry) for answer in answers)
    refused = sum(isinstance(answer, Conflict) for answer in answers)
    assert (entries, refused) in {(1, 7), (0, 4)}


def test_seven_people_take_while_a_month_becomes_final(acme):
    """100 and 30 of it used: seven people each take 15 while October is made final. Four of them get theirs."""
    pack = EditInput(add_commits=(prepaid_input(D(100), name="Pack"),))
    services.edit_contract(acme.customer, acme.contract.pk, pack, at=OCTOBER, by=ADA)
    acme.calls("2025-10-05T10", 15)
    [contract] = customer_terms(acme.customer.pk).contracts
    answers = at_once(*[take(acme, contract.commits[0], 15)] * 7, finalize(acme))

    check_the_books(acme, answers, 8)
    assert sorted(type(answer).__name__ for answer in answers) == [
        *["LedgerEntry"] * 4,
        *["MoreThanIsLeft"] * 3,
        "Outcome",
    ]
    assert [balance.statement.left for balance in balances(acme.customer.pk, at=THEN)] == [10]
