"""Access that waits for a payment (`docs/payment_gates.md`): by the SDK, to the documents and balances."""

from threading import Thread

import metronome
import pytest
from django.db import IntegrityError, connection, transaction

from contracts.models import ContractEdit, PaymentGate, PaymentOutcome
from contracts.queries import agreement
from contracts.services.copies import contract_like
from contracts.wording import history_in_words
from invoicing.models import Invoice, InvoiceVoid
from invoicing.queries import due_customers
from invoicing.services import finalize_due, record_outcome, verify_invoice
from ledger.models import LedgerEntry
from tests.factories.contracts import CommitFactory
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, at
from tests.invoicing.desk import Desk, invoiced

pytestmark = pytest.mark.django_db
RELEASE = "/v1/contracts/commits/threshold-billing/release"
TODAY = "2025-10-10T08:20:00Z"


@pytest.fixture
def desk(acme, clock_at):
    return Gated(acme, clock_at)


class Gated(Desk):
    def __init__(self, acme, clock_at):
        super().__init__(acme, clock_at)
        self.clock_at = clock_at
        clock_at("2025-10-10T08:20")

    def gated(self, *segments, type="EXTERNAL", on=TODAY, **more):
        config = {"payment_gate_type": type, "tax_type": "NONE", **more.pop("config", {})}
        given = {"invoice_schedule": invoiced((90, on)), "type": "PREPAID", "name": "Top-up"} | more
        return self.add(*segments, **given, payment_gate_config=config)

    def release(self, commit, outcome, **more):
        workflow_id = commit.payment_gate_config["workflow_id"]
        return self.client.post(RELEASE, cast_to=object, body={"workflow_id": workflow_id, "outcome": outcome, **more})[
            "data"
        ]

    def due(self, now):
        self.clock_at(now)
        finalize_due(self.acme.customer.pk, at=at(now), by=ADA)

    @property
    def documents(self):
        found = Invoice.objects.filter(customer=self.acme.customer).order_by("finalized_at", "number")
        return [(each.kind, each.total, hasattr(each, "void")) for each in found]


def use_xl(desk, *hours):
    """Each unit costs 40."""
    for hour in hours:
        desk.acme.uses_tokens(hour, 1)


def test_it_waits_until_it_is_paid_and_is_drawn_on_from_that_hour_on(desk):
    commit = desk.gated((500, OCTOBER, JANUARY))
    use_xl(desk, "2025-10-05T10", "2025-10-12T09", "2025-10-12T10")
    desk.due("2025-10-12T10:20")

    waiting = desk.held(commit.id)
    assert (waiting.balance, waiting.ledger) == (0, [])
    assert waiting.payment_gate_config["payment_status"] == "waiting"
    assert desk.documents == [("CHARGES", 90, False)]  # final all the same
    assert desk.totals(status="DRAFT") == [120]  # what was used so far is to be paid

    [item] = waiting.access_schedule.schedule_items
    gift = {"id": commit.id, "segment_id": item.id, "amount": 1, "reason": "A gift"}
    with pytest.raises(metronome.ConflictError, match="its payment has not been recorded"):
        desk.v1.contracts.add_manual_balance_entry(**desk.whose, **gift)

    told = desk.release(commit, "paid", reason="Wire 4711")

    assert told["recorded_at"] == "2025-10-12T10:20:00+00:00"
    paid = desk.held(commit.id)
    assert paid.balance == 460  # the hour of the payment counts whole, what was used before it does not
    start = paid.ledger[0]
    assert (start.type, start.timestamp) == ("PREPAID_COMMIT_SEGMENT_START", at("2025-10-12T10"))
    assert paid.payment_gate_config["payment_status"] == "paid"
    [item] = paid.access_schedule.schedule_items
    assert item.starting_at == OCTOBER  # as it was agreed
    desk.due("2025-11-03")
    assert desk.totals(status="DRAFT", type="USAGE")[0] == 0
    [usage] = Invoice.objects.filter(kind="USAGE")
    assert usage.total == 80
    assert not any(verify_invoice(document).differences for document in Invoice.objects.all())


def test_what_was_known_before_the_payment_stays(desk):
    commit = desk.gated((500, OCTOBER, JANUARY))
    use_xl(desk, "2025-10-11T10", "2025-10-13T10")
    desk.due("2025-10-12T10:20")
    desk.release(commit, "paid")
    desk.clock_at("2025-10-14")

    assert desk.held(commit.id).balance == 460
    assert desk.held(commit.id, extra_body={"as_of": "2025-10-12T10:19:00Z"}).balance == 0
    then = desk.held(commit.id, extra_body={"as_of": "2025-10-12T10:19:00Z"})
    assert then.payment_gate_config["payment_status"] == "waiting"
    assert desk.totals(status="DRAFT", type="USAGE") == [40]


def test_one_that_is_paid_before_it_begins_opens_when_it_begins(desk):
    commit = desk.gated((500, NOVEMBER, JANUARY))
    desk.release(commit, "paid")
    use_xl(desk, "2025-10-31T23", "2025-11-01T00")

    desk.clock_at("2025-10-31T23:30")
    assert desk.held(commit.id).balance == 0
    desk.clock_at("2025-11-02")
    assert desk.held(commit.id).balance == 460


def test_what_is_over_when_it_is_paid_is_never_usable(desk):
    commit = desk.gated((100, OCTOBER, at("2025-10-11")), (300, at("2025-10-11"), JANUARY))
    desk.clock_at("2025-10-12")
    desk.release(commit, "paid")

    assert desk.held(commit.id).balance == 300
    late = desk.gated((100, OCTOBER, at("2025-10-11")), on="2025-10-12T00:00:00Z")
    with pytest.raises(metronome.ConflictError, match="extend its access first"):
        desk.release(late, "paid")
    change = {"update_schedule_items": [{"id": late.access_schedule.schedule_items[0].id, "ending_before": NOVEMBER}]}
    desk.v2.contracts.edit(**desk.ids, update_commits=[{"commit_id": late.id, "access_schedule": change}])
    desk.release(late, "paid")
    assert desk.held(late.id).balance == 100


def test_one_that_failed_is_never_usable_and_its_invoice_is_void_for_good(desk):
    commit = desk.gated((500, OCTOBER, JANUARY))
    use_xl(desk, "2025-10-11T10")
    desk.due("2025-10-12")
    desk.release(commit, "failed", reason="Card declined")
    desk.due("2025-11-03")

    failed = desk.held(commit.id)
    assert (failed.balance, failed.payment_gate_config["payment_status"]) == (0, "failed")
    assert desk.documents == [("CHARGES", 90, True), ("USAGE", 40, False)]
    [void] = InvoiceVoid.objects.all()
    assert void.reason == "Card declined"
    told, added, _ = history_in_words(desk.acme.contract)
    assert (told.changes, told.reason) == (
        ("The payment for “Top-up” has failed: it is never usable.",),
        "Card declined",
    )
    assert "usable once that is paid, collected elsewhere" in added.changes[0]
    assert not InvoiceVoid.objects.waiting().exists()
    with pytest.raises(metronome.ConflictError, match="Nothing is to be billed"):
        desk.v1.invoices.regenerate(id=str(void.invoice_id))
    assert not due_customers(at=at("2025-11-03"))
    assert not verify_invoice(void.invoice).differences


def test_one_that_failed_before_its_date_is_never_billed(desk):
    commit = desk.gated((500, OCTOBER, JANUARY), on="2025-10-20T00:00:00Z")
    assert desk.totals(type="SCHEDULED") == [90]
    desk.release(commit, "failed")
    assert desk.totals(type="SCHEDULED") == []
    desk.due("2025-10-21")
    assert desk.documents == []


def test_its_invoice_is_its_own_whatever_else_is_billed_that_day(desk):
    commit = desk.gated((500, OCTOBER, JANUARY))
    desk.add(type="PREPAID", invoice_schedule=invoiced((70, TODAY)))
    assert sorted(desk.totals(type="SCHEDULED")) == [70, 90]
    assert [each.instant for each in due_customers(at=at("2025-10-12"))] == [at("2025-10-10T08:20")]
    desk.due("2025-10-12")
    desk.release(commit, "failed")
    assert sorted(desk.documents) == [("CHARGES", 70, False), ("CHARGES", 90, True)]


def test_the_first_answer_stays(desk):
    paid, failed = desk.gated(), desk.gated()
    first = [desk.release(paid, "paid"), desk.release(failed, "failed")]
    desk.clock_at("2025-10-12")
    edits = ContractEdit.objects.count()

    assert [desk.release(paid, "paid"), desk.release(failed, "failed")] == first
    for commit, other in ((paid, "failed"), (failed, "paid")):
        with pytest.raises(metronome.ConflictError, match="and stays so") as refusal:
            desk.release(commit, other)
        [error] = refusal.value.body["errors"]
        assert (error["field"], error["value"]) == ("outcome", f"'{other}'")
    assert ContractEdit.objects.count() == edits


def test_what_cannot_be_paid_for_any_more_says_why(desk):
    archived, void = desk.gated(), desk.gated()
    desk.v2.contracts.edit(**desk.ids, archive_commits=[{"id": archived.id}])
    desk.due("2025-10-12")
    document = Invoice.objects.get(lines__details__commit_id=void.id)
    desk.v1.invoices.void(id=str(document.pk))

    for commit, why in ((archived, "is archived"), (void, "is void: make it anew")):
        with pytest.raises(metronome.ConflictError, match=why):
            desk.release(commit, "paid")
    desk.v1.invoices.regenerate(id=str(document.pk))
    desk.release(void, "paid")
    assert desk.held(void.id).balance == 100
    for body, field in (
        ({"workflow_id": void.id, "outcome": "paid"}, "workflow_id"),
        ({"workflow_id": void.payment_gate_config["workflow_id"], "outcome": "perhaps"}, "outcome"),
    ):
        with pytest.raises(metronome.APIStatusError) as refusal:
            desk.client.post(RELEASE, cast_to=object, body=body)
        assert [each["field"] for each in refusal.value.body["errors"]] == [field]


def test_what_a_gate_asks_of_its_commit(desk):
    free, twice = {"invoice_schedule": None}, {"invoice_schedule": invoiced((50, OCTOBER), (40, NOVEMBER))}
    stripe = {"payment_type": "PAYMENT_INTENT", "on_session_payment": True}
    named = stripe | {"invoice_metadata": {"a": "b"}}
    for type_, more, field in (
        ("EXTERNAL", free, "payment_gate_type"),
        ("EXTERNAL", twice, "payment_gate_type"),
        ("EXTERNAL", {"config": {"stripe_config": stripe}}, "stripe_config"),
        ("STRIPE", {"config": {"stripe_config": named}}, "stripe_config.invoice_metadata"),
    ):  # fmt: skip
        with pytest.raises(metronome.BadRequestError) as refusal:
            desk.gated(type=type_, **more)
        assert [each["field"] for each in refusal.value.body["errors"]] == [
            f"add_commits[0].payment_gate_config.{field}"
        ]
    assert not PaymentGate.objects.exists()

    added = desk.gated(type="STRIPE", config={"stripe_config": stripe})
    kept = desk.v2.contracts.retrieve(**desk.ids).data.commits[0].payment_gate_config
    assert kept == added.payment_gate_config
    assert kept["stripe_config"] == {
        "payment_type": "PAYMENT_INTENT",
        "invoice_metadata": {},
        "on_session_payment": True,
    }
    dates = {"remove_schedule_items": [{"id": added.invoice_schedule.schedule_items[0].id}]}
    with pytest.raises(metronome.BadRequestError, match="access to the commit waits"):
        desk.v2.contracts.edit(**desk.ids, update_commits=[{"commit_id": added.id, "invoice_schedule": dates}])
    copied = contract_like(agreement(desk.acme.customer.pk, desk.acme.contract.pk), JANUARY)
    assert copied.commits[0].payment_gate_config.stripe_config.on_session_payment


def test_the_database_lets_nothing_be_drawn_before_the_payment(desk):
    commit = desk.gated()
    [segment] = commit.access_schedule.schedule_items
    gate = PaymentGate.objects.get()
    entry = {
        "customer": desk.acme.customer,
        "commit_id": commit.id,
        "segment_id": segment.id,
        "type": "PREPAID_COMMIT_MANUAL",
        "amount": 1,
        "billed_amount": 0,
        "reason": "A gift",
        "timestamp": NOVEMBER,
        "created_at": NOVEMBER,
    }
    with pytest.raises(IntegrityError, match="waits for its payment"), transaction.atomic():
        LedgerEntry.objects.create(**entry)
    with pytest.raises(IntegrityError, match="only a prepaid commit"), transaction.atomic():
        PaymentGate.objects.create(
            customer=gate.customer, commit=CommitFactory(contract=desk.acme.contract), type="EXTERNAL",
            added_by_edit=gate.added_by_edit, created_at=OCTOBER,
        )  # fmt: skip
    desk.release(commit, "paid")
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentOutcome.objects.update(outcome="FAILED")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_tell_at_once_the_first_one_is_heard(desk):
    gate = desk.gated().payment_gate_config["workflow_id"]
    heard = []

    def tell(outcome):
        try:
            told = record_outcome(
                desk.acme.customer, gate, PaymentOutcome.Outcome(outcome), reason="Told", at=at("2025-10-12"), by=ADA
            )
            heard.append(told.outcome)
        except Exception as refusal:
            heard.append(type(refusal).__name__)
        finally:
            connection.close()

    threads = [Thread(target=tell, args=[outcome]) for outcome in ("PAID", "FAILED", "PAID", "FAILED")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome = PaymentOutcome.objects.get().outcome
    assert sorted(heard) == sorted([outcome, outcome, "PaymentToldOtherwise", "PaymentToldOtherwise"])
