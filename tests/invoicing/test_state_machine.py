"""Anything a shop may do, in any order, over the real database, beside a billing model that is told the same."""

from datetime import datetime, timedelta
from decimal import Decimal as D
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing_site.foundation.actor import Actor
from billing_site.foundation.refusals import Forbidden
from contracts import services as contracts
from contracts.inputs import AccessScheduleInput, EditInput, OverrideInput, SegmentInput
from invoicing.engine.documents import Result
from invoicing.frozen import hash_of
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries.compute import computation
from invoicing.queries.holds import reasons_to_hold
from invoicing.queries.notes import Proposal, proposals
from invoicing.services import finalize_due, regenerate_invoice, verify_invoice, void_invoice
from invoicing.services.holds import hold_draft, release_draft
from invoicing.services.manual_entries import ManualEntryInput, add_manual_entry
from invoicing.services.notes import approve_note, dismiss_note
from invoicing.services.voiding import OthersBuildOnIt
from ledger.services.corrections import void_event
from pricing import services as pricing
from tests.factories.contracts import ContractFactory, CustomerFactory, credit_input, prepaid_input
from tests.factories.ledger import event, post
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory
from tests.invoicing.billing_model import Balance, BillingModel, Multiplier, Price, Used, month_after
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at

BEA = Actor.command("Bea")  # approves what Ada has agreed on
GRACE = timedelta(hours=24)
LAST_DAY = at("2026-01-20")
FAR_AWAY = at("2027-01-01")
NEARLY = D("1e-8")  # places are kept in 12 decimals, and multiplied by prices
FLAT, TIERED = ("Bytes", "Calls"), "Tokens"
PRODUCTS = (*FLAT, TIERED)
SHOPS = count()
DECISIONS = st.sampled_from(["approved", "approved", "approved", "dismissed"])

hours = st.integers(0, 31 * 24)
units = st.integers(1, 60).map(D)


class AShop(RuleBasedStateMachine):
    """One customer and one contract, from 1 October 2025 on."""

    @initialize(is_known=st.sampled_from([True, True, False]))
    def open(self, is_known):
        """One that is known has used something of everything in October, paid part of it, and that is final."""
        self.subject = f"shop {next(SHOPS)}"
        self.now, self.names, self.model = OCTOBER, count(1), BillingModel()
        self.kept: dict[str, bytes] = {}
        self.given_back: set[str] = set()
        self.dismissed: set[datetime] = set()
        self.is_held = False
        self.customer = CustomerFactory(aliases=[self.subject])
        self.card = RateCardFactory()
        self.products = {
            name: ProductFactory(
                name=name,
                version__billable_metric=MetricFactory(
                    name=name,
                    aggregation_type="SUM",
                    aggregation_key="units",
                    event_type_filter={"in_values": [f"{self.subject} {name}"]},
                ),
            )
            for name in PRODUCTS
        }
        for name, price in zip(FLAT, (D(3), D("0.25")), strict=True):
            self._price(name, OCTOBER, price)
        self._price(TIERED, OCTOBER, D(2), cheaper=D("0.5"))
        self.contract = ContractFactory(
            customer=self.customer, rate_card=self.card, starting_at=OCTOBER, created_at=OCTOBER
        )
        if is_known:
            self.now = at("2025-10-20")
            self._grant(D(150), is_credit=False)
            for number, product in enumerate(PRODUCTS):
                self._send(product, OCTOBER + timedelta(days=10 - 5 * number), D(40))
            self.wait_for_the_next_document(0)

    # --- Usage ---

    @rule(product=st.sampled_from(PRODUCTS), before=hours, number=units)
    def use(self, product, before, number):
        """In time, or late: up to a month ago."""
        self._send(product, max(self.now - timedelta(hours=before), OCTOBER), number)

    @precondition(lambda self: self._may_be_taken_back())
    @rule(data=st.data())
    def give_half_back(self, data):
        """A negative quantity in the hour of the event that it corrects."""
        name = data.draw(st.sampled_from(self._may_be_taken_back()))
        used = self.model.events[name]
        self.given_back |= {name, self._send(used.product, used.hour, -used.units / 2)}

    @precondition(lambda self: self._may_be_taken_back())
    @rule(data=st.data())
    def void_an_event(self, data):
        name = data.draw(st.sampled_from(self._may_be_taken_back()))
        void_event(name, subject=self.subject, reason="Sent by mistake", at=self.now, by=ADA)
        del self.model.events[name]

    # --- Terms and prices ---

    @rule(product=st.sampled_from(FLAT), days=st.integers(-40, 40), price=st.sampled_from([D(1), D("0.1"), D(7)]))
    def publish_a_price(self, product, days, price):
        """From a day of the past or the future on."""
        midnight = self.now.replace(hour=0)
        self._price(product, max(midnight + timedelta(days=days), OCTOBER), price)

    @rule(days=st.integers(-40, 40), factor=st.sampled_from([D("0.5"), D("0.8"), D("1.25")]))
    def agree_on_a_multiplier(self, days, factor):
        """It may reach back over final documents, too."""
        self._multiply(max(self.model.open_month + timedelta(days=days), OCTOBER), factor)

    @precondition(lambda self: len(self.model.balances) < 3)
    @rule(amount=st.integers(10, 300).map(D), is_credit=st.booleans())
    def grant_a_balance(self, amount, is_credit):
        self._grant(amount, is_credit=is_credit)

    def _grant(self, amount, *, is_credit):
        number, since = len(self.model.balances) + 1, self.model.open_month
        access = AccessScheduleInput((SegmentInput(amount, since, FAR_AWAY),))
        shape = {"name": f"Balance {number}", "priority": D(number), "access_schedule": access}
        given = credit_input(amount, **shape) if is_credit else prepaid_input(amount, **shape)
        self._edit(**{"add_credits" if is_credit else "add_commits": (given,)})
        self.model.balances.append(Balance(shape["name"], since, FAR_AWAY, amount))

    @precondition(lambda self: self.model.balances and self.model.is_exact)
    @rule(data=st.data(), share=st.sampled_from([D("-0.5"), D(-1), D(1)]))
    def correct_a_balance_by_hand(self, data, share):
        self.model.drafts()
        balance = data.draw(st.sampled_from(self.model.balances))
        amount = share * (balance.left if share < 0 else D(40))
        if amount:
            [held] = [each for each in self._computed().balances if each.commit.name == balance.name]
            given = ManualEntryInput(held.commit.id, held.segment.id, amount, "A correction")
            add_manual_entry(self.customer, given, at=self.now, by=ADA)
            balance.manual += amount

    # --- Time ---

    @rule(hours=st.sampled_from([13, 24 * 7, 24 * 20, 24 * 34]), workers=st.booleans())
    def let_time_pass(self, hours, workers):
        """Where there are workers they finalize what falls due; else it waits."""
        self.now = min(self.now + timedelta(hours=hours), LAST_DAY)
        if workers:
            self.finalize()

    @precondition(lambda self: self.model.open_month < JANUARY)
    @rule(late=st.sampled_from([0, 1, 24 * 5]))
    def wait_for_the_next_document(self, late):
        self.now = max(self.now, month_after(self.model.open_month) + GRACE + timedelta(hours=late))
        self.finalize()

    @rule()
    def finalize(self):
        """Everything due, in order; the model closes the same months."""
        outcome = finalize_due(self.customer.pk, at=self.now, by=ADA)
        if self.is_held:  # and what comes after it waits
            is_due = month_after(self.model.open_month) + GRACE <= self.now
            assert (len(outcome.held), outcome.finalized) == (int(is_due), ())
            return
        assert outcome.held == ()
        made = list(outcome.finalized)
        while month_after(self.model.open_month) + GRACE <= self.now:
            payable = self.model.close()
            self._keep(made.pop(0), payable)
        assert made == []

    @rule(reason=st.sampled_from(["They dispute it", "A price is to be checked"]))
    def hold_or_release_the_next_document(self, reason):
        computed = computation(self.customer.pk, at=self.now)
        said = {"reason": reason, "at": self.now, "by": ADA}
        for draft in computed.result.documents:
            if draft.period.starting_at == self.model.open_month:
                if self.is_held:
                    holding = reasons_to_hold(computed, [draft], at=self.now)[draft.id]
                    release_draft(self.customer, draft.id, seen={each.key for each in holding}, **said)
                else:
                    hold_draft(self.customer, draft.id, **said)
                self.is_held = not self.is_held

    # --- Notes ---

    @precondition(lambda self: self._used_and_closed())
    @rule(data=st.data(), decision=DECISIONS)
    def agree_on_less_for_a_closed_month(self, data, decision):
        """Another price for what was used in it, or half of every price; and what is to be done about it."""
        month, product = data.draw(st.sampled_from(self._used_and_closed()))
        if product in FLAT and data.draw(st.booleans()):
            self._price(product, month, data.draw(st.sampled_from([D(2), D("0.2"), D(5)])))
        else:
            self._multiply(month + timedelta(days=data.draw(st.integers(0, 20))), D("0.5"))
        self._decide(decision, lambda months: data.draw(st.sampled_from(months)))

    @precondition(lambda self: self._called_for())
    @rule(data=st.data(), decision=DECISIONS)
    def decide_on_a_note(self, data, decision):
        self._decide(decision, lambda months: data.draw(st.sampled_from(months)))

    def _decide(self, decision, chosen):
        """Whoever made the change may not approve it. A dismissed one comes back only as another one. The note that was
        decided on; None where none is proposed."""
        found = self._proposed()
        self._proposals_are_what_the_model_calls_for(found)
        if not found:
            return None
        one = found[chosen(sorted(found))]
        given = {"difference": one.difference, "reason": "Agreed", "at": self.now}
        if decision == "dismissed":
            dismiss_note(self.customer, one.about.pk, by=BEA, **given)
            self.dismissed.add(one.about.starting_at)
        else:
            with pytest.raises(Forbidden):
                approve_note(self.customer, one.about.pk, by=ADA, **given)
            note = approve_note(self.customer, one.about.pk, by=BEA, **given)
            assert approve_note(self.customer, one.about.pk, by=BEA, **given) == note
            self._keep(note, self.model.approve_note(one.about.starting_at).payable)
        assert one.about.starting_at not in self._proposed()
        return one

    def _proposals_are_what_the_model_calls_for(self, found):
        """All of them; where less than a cent would change, it may be that nothing is printed, and nothing proposed."""
        for month in self.model.closed:
            note = self.model.note_on(month)
            if month in found:
                assert note.is_anything, month
                if self.model.is_exact:
                    assert abs(found[month].document.total - note.payable) < NEARLY, month
            elif month not in self.dismissed:
                assert abs(note.payable + sum(note.drawn.values())) <= 1, month

    @precondition(lambda self: any(closed.notes for closed in self.model.closed.values()))
    @rule(data=st.data())
    def what_a_note_stands_on_is_not_voided(self, data):
        notes = self._finals().filter(kind="NOTE").order_by("number")
        self._void_is_refused(data.draw(st.sampled_from(list(notes))))

    def _void_is_refused(self, note):
        for invoice in (note, note.note.about):
            with pytest.raises(OthersBuildOnIt):
                void_invoice(self.customer, invoice.pk, reason="Sent to nobody", at=self.now, by=ADA)

    @precondition(lambda self: self._may_be_voided())
    @rule()
    def void_and_regenerate(self):
        """The last document. It keeps its number, and the one in its place has the next."""
        void = self._finals().filter(kind="USAGE").order_by("starting_at").last()
        void_invoice(self.customer, void.pk, reason="Sent to nobody", at=self.now, by=ADA)
        made = regenerate_invoice(self.customer, void.pk, at=self.now, by=ADA)
        self._keep(made, self.model.make_anew())

    # --- What holds after each step ---

    @invariant()
    def what_is_owed_and_left_is_what_the_model_says(self):
        payable, computed = self.model.drafts(), self._computed()
        drafts = {draft.period.starting_at: draft.total for draft in computed.documents}
        balances = {each.commit.name: each for each in computed.balances}
        if self.model.is_exact:
            for month in payable.keys() | drafts.keys():
                assert abs(payable.get(month, D(0)) - drafts.get(month, D(0))) < NEARLY, month
            for balance in self.model.balances:
                assert abs(balances[balance.name].left - balance.left) < NEARLY
        assert all(each.left >= 0 for each in computed.balances)
        finals = sum(self._finals().values_list("unrounded_total", flat=True))
        taken = sum(each.granted + each.manual - each.left for each in computed.balances)
        together = finals + sum(drafts.values()) + taken
        assert abs(together - self.model.all_that_is_rated()) < NEARLY
        self._each_event_is_billed_once(computed)

    def _each_event_is_billed_once(self, computed: Result) -> None:
        usage = InvoiceLine.objects.filter(customer=self.customer, type="usage", invoice__in=self._finals())
        lines = list(usage.values_list("name", "quantity"))
        for draft in computed.documents:
            lines += [(line.name, line.quantity) for line in draft.lines if line.type == "usage"]
        for product in PRODUCTS:
            # A line without a quantity is about another price, or another place, of the same units.
            billed = sum(quantity or 0 for name, quantity in lines if name.startswith(product))
            assert abs(billed - self.model.units(product)) < NEARLY, product

    @invariant()
    def final_documents_stay_and_their_numbers_have_no_gap(self):
        invoices = Invoice.objects.filter(customer=self.customer).order_by("number")
        assert {invoice.number: self._bytes_of(invoice) for invoice in invoices} == self.kept
        for series in ("INV", "CN", "DN"):
            given = [number for number in self.kept if number.startswith(series)]
            assert given == [f"{series}-{number:06d}" for number in range(1, len(given) + 1)]

    def teardown(self):
        if hasattr(self, "customer"):
            for invoice in Invoice.objects.filter(customer=self.customer):
                assert verify_invoice(invoice).differences == ()

    # --- Hands ---

    def _send(self, product: str, hour: datetime, number: D) -> str:
        name = f"{self.subject} {next(self.names)}"
        sent = event(
            name,
            customer_id=self.subject,
            event_type=f"{self.subject} {product}",
            timestamp=hour.isoformat(),
            properties={"units": str(number)},
        )
        post(sent, at=self.now)
        self.model.events[name] = Used(product, hour, number)
        return name

    def _may_be_taken_back(self) -> list[str]:
        return [name for name, used in self.model.events.items() if name not in self.given_back and used.units > 0]

    def _may_be_voided(self) -> bool:
        last = next(reversed(self.model.closed.values()), None)
        return last is not None and not last.has_late_usage and not last.notes

    def _used_and_closed(self) -> list[tuple[datetime, str]]:
        """Months that are final, with what was used in them."""
        return sorted({(month, used.product) for month, closed in self.model.closed.items() for used in closed.seen})

    def _called_for(self) -> bool:
        """Whether prices or multipliers have changed since what final documents know."""
        known = len(self.model.prices), len(self.model.multipliers)
        return any((len(each.prices), len(each.multipliers)) != known for each in self.model.closed.values())

    def _proposed(self) -> dict[datetime, Proposal]:
        return {each.about.starting_at: each for each in proposals(self.customer.pk, at=self.now)}

    def _price(self, product: str, since: datetime, price: D, cheaper: D | None = None) -> None:
        """A flat price, or 100 units at `price` and all others cheaper."""
        tiers = ((None, price),) if cheaper is None else ((D(100), price), (None, cheaper))
        made = {"rate_type": "FLAT", "price": price}
        if cheaper is not None:
            made = {"rate_type": "TIERED", "tiers": tuple(pricing.TierInput(each, size) for size, each in tiers)}
        new = pricing.NewRate(self.products[product].pk, since, True, **made)
        pricing.add_rate(self.card.pk, new, at=self.now, by=ADA)
        self.model.prices.append(Price(product, since, tiers))

    def _multiply(self, since: datetime, factor: D) -> None:
        self._edit(add_overrides=(OverrideInput(since, type="MULTIPLIER", multiplier=factor),))
        self.model.multipliers.append(Multiplier(since, factor))

    def _keep(self, document: Invoice, payable: D) -> None:
        if self.model.is_exact:
            assert abs(document.unrounded_total - payable) < NEARLY
        assert abs(document.total - document.unrounded_total) <= 1
        assert verify_invoice(document).differences == ()
        self.kept[document.number] = self._bytes_of(document)

    def _finals(self):
        """Those that stand."""
        return Invoice.objects.filter(customer=self.customer, void=None)

    def _edit(self, **parts) -> None:
        contracts.edit_contract(self.customer, self.contract.pk, EditInput(**parts), at=self.now, by=ADA)

    def _computed(self) -> Result:
        return computation(self.customer.pk, at=self.now).result

    def _bytes_of(self, invoice: Invoice) -> bytes:
        stored = Invoice.objects.get(pk=invoice.pk)
        lines = list(InvoiceLine.objects.filter(customer=self.customer, invoice=stored).order_by("position"))
        return hash_of(stored, lines)


@pytest.mark.django_db(transaction=True)
def test_whatever_a_shop_does_the_books_are_those_of_the_model():
    run_state_machine_as_test(
        AShop,
        settings=settings(
            max_examples=6,
            stateful_step_count=20,
            derandomize=True,  # the same runs each time; without it, longer searches by hand
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
