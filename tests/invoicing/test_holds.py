"""What holds a draft in the database: unlike its last documents, a source gone quiet, a person; and what lets it go."""

import threading
from decimal import Decimal as D

import pytest
from django.db import DatabaseError, connection, transaction

from billing_site.foundation.models import Job
from billing_site.foundation.refusals import Conflict, NotFound, Refusal
from invoicing.engine.calendar import draft_id
from invoicing.models import DraftSummary, HoldDecision, Invoice
from invoicing.queries.compute import computation
from invoicing.queries.holds import reasons_to_hold
from invoicing.services import do_due_work, hold_draft, release_draft
from invoicing.services.finalization import (
    DocumentHeld,
    EarlierDocumentsOpen,
    NothingToFinalize,
    finalize_due,
    finalize_invoice,
)
from invoicing.services.holds import HeldAlready, HoldsChanged
from invoicing.services.summaries import look_around
from tests.factories.contracts import CustomerFactory, ScheduledChargeFactory
from tests.factories.pricing import RateCardFactory
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, Acme, at, contract_for

pytestmark = pytest.mark.django_db

JULY = at("2025-07-01")
BERT = ADA.command("Bert")


@pytest.fixture
def acme(price_list):
    """Since July. 10,000 calls a month are $200."""
    customer = CustomerFactory(aliases=["acme"])
    return Acme(customer, contract_for(customer, price_list, starting_at=JULY), price_list)


def bills(acme, **tokens):
    """Tokens of xl (40 cents each) late in each month, and final documents of all of these months but the last."""
    for month, quantity in tokens.items():
        acme.uses_tokens(f"2025-{month[1:]}-27T05", quantity)
    last = sorted(tokens)[-1]
    for month in sorted(tokens)[:-1]:
        finalize_invoice(acme.customer, draft_of(acme, month), at=after(month), by=ADA)
    return draft_of(acme, last), after(last)


def draft_of(acme, month):
    return draft_id(acme.contract.pk, "USAGE", f"2025-{month[1:]}-01T00:00:00+00:00")


def after(month):
    """When grace is over."""
    return at("2026-01-02") if month == "m12" else at(f"2025-{int(month[1:]) + 1:02}-02")


def reasons(acme, when):
    held = reasons_to_hold(computation(acme.customer.pk, at=when), at=when)
    return {draft: [reason.kind for reason in found] for draft, found in held.items()}


def keys(acme, draft, when):
    return [reason.key for reason in reasons_to_hold(computation(acme.customer.pk, at=when), at=when)[draft]]


def release(acme, draft, when, seen=None):
    seen = keys(acme, draft, when) if seen is None else seen
    return release_draft(acme.customer, draft, seen=seen, reason="They told us", at=when, by=BERT)


# --- Unlike the documents before -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("now", "held"), [(1500, None), (1501, "ABOVE"), (170, None), (166, "BELOW")])
def test_the_fourth_document_is_held_where_it_is_far_from_the_three_before(acme, now, held):
    # 500 tokens are $200. October has as many days as July and August, and more than September.
    draft, due = bills(acme, m07=500, m08=500, m09=484, m10=now)
    if held is None:
        assert finalize_invoice(acme.customer, draft, at=due, by=ADA).total == now * 40
        return
    far = {"ABOVE": "above", "BELOW": "below"}[held]
    with pytest.raises(DocumentHeld, match=rf"1 Oct to 31 Oct 2025 is held: .* is far {far} the \$200.* last 3 usage"):
        finalize_invoice(acme.customer, draft, at=due, by=ADA)
    assert reasons(acme, due) == {draft: [held]}
    assert not Invoice.objects.filter(pk=draft).exists()


def test_the_third_document_is_not_compared(acme):
    draft, due = bills(acme, m07=500, m08=500, m09=90_000)
    assert finalize_invoice(acme.customer, draft, at=due, by=ADA).total == 3_600_000


def test_small_bills_are_not_held_for_small_differences(acme):
    draft, due = bills(acme, m07=1, m08=1, m09=1, m10=250)  # a hundred dollars, less forty cents, more than usual
    assert finalize_invoice(acme.customer, draft, at=due, by=ADA).total == 10_000


def test_a_draft_is_compared_when_its_period_is_over_and_its_turn_has_come(acme):
    october, _ = bills(acme, m07=500, m08=500, m09=500, m10=9000)
    acme.uses_tokens("2025-11-27T05", 9000)
    assert reasons(acme, at("2025-10-31T23")) == {}
    assert reasons(acme, at("2025-11-01")) == {october: ["ABOVE"]}
    assert reasons(acme, at("2025-12-20")) == {october: ["ABOVE"]}
    outcome = finalize_due(acme.customer.pk, at=at("2025-12-20"), by=ADA)
    assert (outcome.finalized, [draft.id for draft, _ in outcome.held]) == ((), [october])
    with pytest.raises(EarlierDocumentsOpen):
        finalize_invoice(acme.customer, draft_of(acme, "m11"), at=at("2025-12-20"), by=ADA)


def test_a_held_contract_holds_no_other(acme):
    other = contract_for(acme.customer, acme.prices, rate_card=RateCardFactory())
    ScheduledChargeFactory(contract=other, item__issued_at=OCTOBER, item__amount=D(500))
    held, due = bills(acme, m07=500, m08=500, m09=500, m10=9000)
    outcome = finalize_due(acme.customer.pk, at=due, by=ADA)
    assert [invoice.contract_id for invoice in outcome.finalized] == [other.pk]
    assert [draft.id for draft, _ in outcome.held] == [held]
    with pytest.raises(Refusal, match="is held"):
        outcome.raise_if_held()


# --- A source gone quiet -------------------------------------------------------------------------------------------


def with_calls(acme, *months):
    """A few calls on the last days of these months."""
    for month in months:
        acme.calls(f"2025-{month}-28T05", 3)


def test_a_source_that_is_not_heard_of_any_more_holds_the_draft(acme):
    with_calls(acme, "07", "08", "09")
    draft, due = bills(acme, m07=500, m08=500, m09=500, m10=500)
    with pytest.raises(DocumentHeld, match="acme has gone quiet: no API calls in the last 7 days of the period"):
        finalize_invoice(acme.customer, draft, at=due, by=ADA)
    acme.calls("2025-10-25T00", 1)
    assert finalize_invoice(acme.customer, draft, at=due, by=ADA)


def test_a_source_that_comes_and_goes_is_not_missed(acme):
    with_calls(acme, "07", "09")
    draft, due = bills(acme, m07=500, m08=500, m09=500, m10=500)
    assert finalize_invoice(acme.customer, draft, at=due, by=ADA)


def test_of_two_drafts_that_are_compared_each_needs_the_same_number_of_queries(acme, django_assert_max_num_queries):
    with_calls(acme, "07", "08", "09")
    held, due = bills(acme, m07=500, m08=500, m09=500, m10=9000)
    computed = computation(acme.customer.pk, at=due)
    with django_assert_max_num_queries(3):
        assert sorted(each.kind for each in reasons_to_hold(computed, at=due)[held]) == ["ABOVE", "QUIET"]


# --- Released ------------------------------------------------------------------------------------------------------


def test_who_has_seen_the_reasons_lets_the_document_go(acme):
    with_calls(acme, "07", "08", "09")
    draft, due = bills(acme, m07=500, m08=500, m09=500, m10=9000)
    decision = release(acme, draft, due)
    assert (decision.kind, decision.reason, decision.created_by) == ("RELEASED", "They told us", "Bert")
    assert [each["kind"] for each in decision.reviewed] == ["ABOVE", "QUIET"]
    assert decision.reviewed[0]["measure"] == "360000"
    assert [invoice.pk for invoice in finalize_due(acme.customer.pk, at=due, by=ADA).finalized] == [draft]


def test_a_reason_that_nobody_has_seen_holds_it_still(acme):
    with_calls(acme, "07", "08", "09")
    draft, due = bills(acme, m07=500, m08=500, m09=500, m10=9000)
    above, quiet = keys(acme, draft, due)
    release(acme, draft, due, [above])
    assert reasons(acme, due) == {draft: ["QUIET"]}
    release(acme, draft, due, [quiet])
    assert reasons(acme, due) == {}


def test_what_was_reviewed_may_grow_a_little_and_holds_once_more_when_it_grows_much(acme):
    draft, due = bills(acme, m07=500, m08=500, m09=484, m10=9000)
    release(acme, draft, due)
    acme.uses_tokens("2025-10-28T05", 250)  # $100, the least difference that matters
    assert reasons(acme, due) == {}
    acme.uses_tokens("2025-10-28T06", 1)
    assert reasons(acme, due) == {draft: ["ABOVE"]}


def test_what_has_changed_since_it_was_looked_at_is_not_released(acme):
    draft, due = bills(acme, m07=500, m08=500, m09=500, m10=9000)
    seen = keys(acme, draft, due)
    acme.uses_tokens("2025-10-28T05", 9000)
    with pytest.raises(HoldsChanged, match=r"What holds the usage invoice of 1 Oct .* is not what you saw"):
        release(acme, draft, due, seen)
    assert not HoldDecision.objects.exists()


def test_findings_are_mended_and_not_released(acme):
    acme.uses_tokens("2025-07-27T05", 100, model="huge")
    draft, due = draft_of(acme, "m07"), after("m07")
    with pytest.raises(Refusal, match="NO_RATE"):
        release(acme, draft, due)


@pytest.mark.parametrize(
    ("seen", "reason", "rule"),
    [([], "Seen", "at least one reason"), (None, " ", "must say why"), (None, "x" * 1001, "longer than 1000")],
)
def test_a_release_names_what_was_seen_and_says_why(acme, seen, reason, rule):
    draft, due = bills(acme, m07=500, m08=500, m09=500, m10=9000)
    seen = keys(acme, draft, due) if seen is None else seen
    with pytest.raises(Refusal, match=rule):
        release_draft(acme.customer, draft, seen=seen, reason=reason, at=due, by=BERT)


# --- By hand -------------------------------------------------------------------------------------------------------


def hold(acme, draft, when, reason="The price is disputed"):
    return hold_draft(acme.customer, draft, reason=reason, at=when, by=BERT)


def test_a_person_holds_a_draft_until_it_is_released(acme):
    draft, due = bills(acme, m07=500)
    held = hold(acme, draft, at("2025-07-15"))
    with pytest.raises(DocumentHeld, match="Held by Bert: The price is disputed"):
        finalize_invoice(acme.customer, draft, at=due, by=ADA)
    with pytest.raises(HeldAlready, match="held by Bert already"):
        hold(acme, draft, due)
    assert release(acme, draft, due).releases == held
    hold(acme, draft, due, "Once more")
    assert reasons(acme, due) == {draft: ["BY_HAND"]}
    release(acme, draft, due)
    assert finalize_invoice(acme.customer, draft, at=due, by=ADA)
    assert list(HoldDecision.objects.order_by("money_version").values_list("kind", flat=True)) == [
        *["HELD", "RELEASED"] * 2
    ]


def test_scheduled_charges_are_held_too_and_hold_no_usage(acme):
    ScheduledChargeFactory(contract=acme.contract, item__issued_at=at("2025-07-15"), item__amount=D(500))
    charges = draft_id(acme.contract.pk, "CHARGES", "2025-07-15T00:00:00+00:00")
    usage, due = bills(acme, m07=500)
    hold(acme, charges, at("2025-07-15"))
    outcome = finalize_due(acme.customer.pk, at=due, by=ADA)
    assert ([each.pk for each in outcome.finalized], [each.id for each, _ in outcome.held]) == ([usage], [charges])


def test_what_is_final_or_unknown_is_not_held(acme):
    bills(acme, m07=500, m08=500)
    with pytest.raises(NothingToFinalize, match="final already"):
        hold(acme, draft_of(acme, "m07"), JANUARY)
    with pytest.raises(NotFound, match="no such draft"):
        hold(acme, acme.contract.pk, JANUARY)
    with pytest.raises(Refusal, match="must say why"):
        hold(acme, draft_of(acme, "m08"), JANUARY, "")


# --- What the database refuses ---------------------------------------------------------------------------------------


def refused(action):
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        action()
    return str(caught.value)


def copied(decision, **fields):
    kept = {
        field.attname: getattr(decision, field.attname)
        for field in HoldDecision._meta.concrete_fields
        if field.name not in ("id", "money_version")
    }
    return lambda: HoldDecision.objects.create(**kept | {"money_version": 10**6} | fields)


def test_the_database_holds_to_it(acme):
    draft, due = bills(acme, m07=500, m08=500)
    held = hold(acme, draft, due)
    assert "append-only" in refused(lambda: HoldDecision.objects.update(reason="Another"))
    assert "append-only" in refused(lambda: HoldDecision.objects.all().delete())
    assert "held by hand already" in refused(copied(held))
    assert "is final" in refused(copied(held, document_id=draft_of(acme, "m07")))
    assert "ends a hold of its own" in refused(
        copied(held, kind="RELEASED", releases_id=held.pk, document_id=acme.contract.pk)
    )
    assert "a_release_names_what_was_seen" in refused(copied(held, kind="RELEASED"))
    assert "says_why" in refused(copied(held, document_id=acme.contract.pk, reason=""))
    final = Invoice.objects.get()
    final.pk, final.number, final.slot = draft, "INV-X", "another"
    assert "is held by hand" in refused(lambda: final.save(force_insert=True))


@pytest.mark.django_db(transaction=True)
def test_of_a_hold_beside_a_finalizer_one_wins_and_the_other_is_refused(acme):
    draft, due = bills(acme, m07=500)
    results, barrier = {}, threading.Barrier(2)

    def run(name, call):
        try:
            barrier.wait(10)
            results[name] = call()
        except Exception as error:
            results[name] = error
        finally:
            connection.close()

    calls = {
        "held": lambda: hold(acme, draft, due),
        "final": lambda: finalize_invoice(acme.customer, draft, at=due, by=ADA),
    }
    threads = [threading.Thread(target=run, args=pair) for pair in calls.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    refusals = [result for result in results.values() if isinstance(result, Conflict)]
    assert len(refusals) == 1
    assert Invoice.objects.count() + HoldDecision.objects.count() == 1


# --- What lists say --------------------------------------------------------------------------------------------------


def test_the_summary_of_a_draft_says_what_holds_it_and_who_must_act(acme):
    draft, due = bills(acme, m07=500, m08=500, m09=500, m10=9000)
    hold(acme, draft, at("2025-10-15"))
    look_around(at=due)
    row = DraftSummary.objects.get(pk=draft)
    assert [(each["kind"], each["who"], each["since"]) for each in row.holds] == [
        ("BY_HAND", "Finance", "2025-10-15T00:00:00+00:00"),
        ("ABOVE", "Finance", "2025-11-02T00:00:00+00:00"),
    ]


def test_a_release_wakes_the_job_that_was_parked(acme):
    draft, due = bills(acme, m07=500, m08=500, m09=500, m10=9000)
    [job] = do_due_work(at=due)
    assert (job.state, "is far above" in job.error) == (Job.State.FAILED, True)
    release(acme, draft, due)
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    [job] = do_due_work(at=due)
    assert (job.state, Invoice.objects.filter(pk=draft).exists()) == (Job.State.DONE, True)
