"""Whatever is agreed and done to a contract: when all is over, each agreed amount and fee is on one standing document.

A round draws a deal at random (its calendar and end, start of invoicing, charges on usage invoices, commits that are
paid for, allowances, subscriptions) and what happens to it: edits, some undone, moved ends, quantities, usage in time
and late, voids, documents made anew. Background work alone makes documents final. In the end

    each scheduled amount and each payment that stands is on exactly one standing final document
    so is each fee of a subscription
    each document came to what its draft had come to, and is equal to the facts that it saw
    what is left of each balance is what its entries leave
"""

import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from uuid import UUID

import pytest

from billing_site.foundation.periods import earliest
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.inputs import (
    UNCHANGED,
    AccessScheduleInput,
    ChargeChangeInput,
    CommitInput,
    ContractInput,
    EditInput,
    InvoiceItemChangeInput,
    InvoiceItemInput,
    InvoicesChangeInput,
    InvoiceScheduleInput,
    RecurringAmountInput,
    RecurringInput,
    ScheduledChargeInput,
    SegmentInput,
    StatementScheduleInput,
)
from contracts.models import Contract, ContractEdit
from contracts.queries import agreement, customer_terms
from contracts.subscription_inputs import (
    ProrationInput,
    QuantityUpdateInput,
    SubscriptionConfigInput,
    SubscriptionInput,
    SubscriptionUpdateInput,
)
from invoicing.engine.fees import fees_until
from invoicing.models import Invoice, InvoiceLine, InvoiceVoid
from invoicing.queries.compute import computation
from invoicing.services import do_due_work, regenerate_invoice, verify_invoice, void_invoice
from ledger.queries.segment_sums import segment_sums_differ
from tests.factories.contracts import CustomerFactory
from tests.factories.ledger import event, post
from tests.factories.pricing import FixedProductFactory, RateFactory, SubscriptionProductFactory
from tests.invoicing.conftest import ADA, OCTOBER, at

pytestmark = pytest.mark.django_db(transaction=True)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Deal:
    def __init__(self, price_list, seed):
        self.chance = random.Random(seed)
        self.prices, self.customer = price_list, CustomerFactory(aliases=["acme"])
        self.fixed = FixedProductFactory(name="Platform")
        self.seats = SubscriptionProductFactory(name="Seats")
        for frequency, price in (("MONTHLY", 2_000), ("QUARTERLY", 5_500), ("WEEKLY", 500)):
            RateFactory(rate_card=price_list.card, product=self.seats, billing_frequency=frequency, price=D(price))
        self.next_amount = 0
        self.mismatch = []
        self.start = self.chance.choice([OCTOBER, OCTOBER, at("2025-10-31"), at("2025-10-12T10"), at("2025-10-31T10")])
        self.end = self.start + self.chance.choice([33 * DAY, 45 * DAY + 5 * HOUR, 61 * DAY, 92 * DAY, 100 * DAY])
        self.now = self.start
        self.contract = self.make()

    def amount(self):
        """No two are alike."""
        self.next_amount += 1
        return D(10_000 + self.next_amount)

    def date(self, since=None):
        since = since or self.start
        until = max(self.end, since + DAY)
        dates = [since + timedelta(hours=self.chance.randrange(int((until - since) / HOUR) + 30))]
        for month in ("2025-11-01", "2025-12-01", "2026-01-01", "2025-10-31", "2025-11-30", "2025-12-31"):
            dates += [at(month) + hours * HOUR for hours in (0, 9, 23) if at(month) >= since]
        dates += [self.end - HOUR, self.end, self.end + 3 * HOUR]
        return max(since, self.chance.choice(dates))

    def charge(self):
        items = {self.date(self.now): None for _ in range(self.chance.randrange(1, 4))}
        schedule = InvoiceScheduleInput(tuple(InvoiceItemInput(each, amount=self.amount()) for each in items))
        return ScheduledChargeInput(self.fixed.pk, schedule, name="Charge")

    def pack(self):
        access = AccessScheduleInput((SegmentInput(D(50), self.start, self.end),))
        items = {self.date(self.now): None for _ in range(2)}
        paid = InvoiceScheduleInput(tuple(InvoiceItemInput(each, amount=self.amount()) for each in items))
        return CommitInput(self.fixed.pk, "PREPAID", access, paid, name="Pack")

    def credit(self):
        """Pays for usage and fees, until it is gone."""
        access = AccessScheduleInput((SegmentInput(D(9_000), self.start, self.end),))
        return (CommitInput(self.fixed.pk, "CREDIT", access, name="Gift"),) if self.chance.random() < 0.5 else ()

    def monthly(self):
        self.next_amount += 1
        start = max(self.start, (self.now + HOUR).replace(minute=0))
        every = self.chance.choice(["", "MONTHLY", "QUARTERLY"])
        one = RecurringAmountInput(D(5), D(1))
        paid = RecurringAmountInput(D(300_000 + self.next_amount), D(1))
        return RecurringInput(
            self.fixed.pk,
            "PREPAID",
            one,
            D(1),
            start,
            D(1),
            invoice_amount=paid,
            recurrence_frequency=every,
            name=f"Monthly {self.next_amount}",
        )

    def linked(self, given):
        """The allowance follows the quantity of a subscription."""
        followed, *others = given.subscriptions
        [monthly] = given.recurring_commits
        config = SubscriptionConfigInput("followed", self.chance.random() < 0.5)
        amount = replace(monthly.access_amount, quantity=None)
        return replace(
            given,
            subscriptions=(replace(followed, temporary_id="followed"), *others),
            recurring_commits=(replace(monthly, access_amount=amount, subscription_config=config),),
        )

    def subscription(self):
        advance = self.chance.random() < 0.5
        at_once = self.chance.choice(["BILL_IMMEDIATELY", "BILL_ON_NEXT_COLLECTION_DATE"]) if advance else ""
        since = self.chance.choice([None, self.start + self.chance.randrange(20) * DAY])
        until = self.chance.choice([None, None, self.start + self.chance.randrange(25, 60) * DAY])
        return SubscriptionInput(
            self.seats.pk,
            self.chance.choice(["MONTHLY", "MONTHLY", "QUARTERLY", "WEEKLY"]),
            "ADVANCE" if advance else "ARREARS",
            ProrationInput(self.chance.random() < 0.7, at_once),
            D(self.chance.randrange(1, 9)),
            starting_at=since,
            ending_before=until,
            invoice_placement=self.chance.choice(["ON_USAGE_INVOICE", "ON_USAGE_INVOICE", "ON_SCHEDULED_INVOICE"]),
            name=f"Team {self.chance.randrange(10**6)}",
        )

    def make(self):
        day, anchor = self.chance.choice(
            [("FIRST_OF_MONTH", None), ("CONTRACT_START", None), ("CUSTOM_DATE", at("2025-08-31"))]
        )
        starts = self.chance.choice([None, None, self.start + 12 * DAY, self.start + 30 * DAY])
        schedule = StatementScheduleInput(
            self.chance.choice(["MONTHLY", "MONTHLY", "QUARTERLY", "WEEKLY"]), day, anchor, starts
        )
        given = ContractInput(
            self.start,
            self.end,
            self.prices.card.pk,
            end_policy=self.chance.choice(["STOP", "STOP", "RENEW", "LIST_PRICE"]),
            usage_statement_schedule=schedule,
            scheduled_charges_on_usage_invoices=self.chance.choice(["ALL", "ALL", ""]),
            scheduled_charges=tuple(self.charge() for _ in range(2)),
            commits=(self.pack(),),
            credits=self.credit(),
            recurring_commits=tuple(self.monthly() for _ in range(self.chance.randrange(2))),
            subscriptions=tuple(self.subscription() for _ in range(self.chance.randrange(3))),
        )
        if given.subscriptions and given.recurring_commits and self.chance.random() < 0.7:
            given = self.linked(given)
        return services.create_contract(self.customer, given, at=self.now, by=ADA)

    @property
    def agreed(self):
        return agreement(self.customer.pk, self.contract.pk)

    def edit(self, **given):
        with suppress(Refusal):
            services.edit_contract(self.customer, self.contract.pk, EditInput(**given), at=self.now, by=ADA)

    def add(self):
        self.edit(
            **self.chance.choice(
                [
                    {"add_scheduled_charges": (self.charge(),)},
                    {"add_scheduled_charges": (self.charge(),)},
                    {"add_commits": (self.pack(),)},
                    {"add_recurring_commits": (self.monthly(),)},
                    {"add_subscriptions": (self.subscription(),)},
                ]
            )
        )

    def add_late(self):
        """For a date that has come."""
        when = self.date(self.start)
        schedule = InvoiceScheduleInput((InvoiceItemInput(when, amount=self.amount()),))
        self.edit(add_scheduled_charges=(ScheduledChargeInput(self.fixed.pk, schedule, name="Late"),))

    def change_charge(self):
        charges = self.agreed.charges
        if charges:
            charged = self.chance.choice(charges)
            item = self.chance.choice(charged.items)
            change = self.chance.choice(
                [
                    InvoicesChangeInput(
                        update_schedule_items=(
                            InvoiceItemChangeInput(item.item_id, self.date(self.now), self.amount()),
                        )
                    ),
                    InvoicesChangeInput(remove_schedule_items=(item.item_id,)),
                    InvoicesChangeInput(
                        add_schedule_items=(InvoiceItemInput(self.date(self.now), amount=self.amount()),)
                    ),
                ]
            )
            self.edit(update_scheduled_charges=(ChargeChangeInput(charged.charge.pk, change),))

    def archive_charge(self):
        charges = self.agreed.charges
        if charges:
            self.edit(archive_scheduled_charges=(self.chance.choice(charges).charge.pk,))

    def move_end(self):
        through = Contract.objects.get(pk=self.contract.pk).billed_through
        ends = [self.now + self.chance.randrange(40) * DAY, self.end + 17 * DAY, self.end - 9 * DAY]
        ends += [through] if through else []
        end = max(self.chance.choice(ends), through or self.now)  # what was paid is not given back
        self.edit(update_contract_end_date=end, update_end_policy=self.chance.choice([UNCHANGED, "STOP", "RENEW"]))
        self.end = self.agreed.terms.ending_before

    def count(self):
        found = self.agreed.subscriptions
        if found:
            each = self.chance.choice(found)
            when = max(each.subscription.starting_at, self.now + self.chance.randrange(-40, 20) * DAY)
            update = QuantityUpdateInput(when, quantity=D(self.chance.randrange(12)))
            self.edit(update_subscriptions=(SubscriptionUpdateInput(each.subscription.pk, quantity_updates=(update,)),))

    def end_subscription(self):
        found = self.agreed.subscriptions
        if found:
            each = self.chance.choice(found)
            when = self.now + self.chance.randrange(-9, 20) * DAY
            self.edit(update_subscriptions=(SubscriptionUpdateInput(each.subscription.pk, ending_before=when),))

    def undo(self):
        edits = list(ContractEdit.objects.filter(contract=self.contract).order_by("number")[1:])
        edits = [edit for edit in edits if not {"add_commits", "add_recurring_commits"} & {*edit.changes}]
        if edits:
            edit = self.chance.choice(edits[-3:])
            with suppress(Refusal):
                services.undo_edit(self.customer, self.contract.pk, edit.pk, at=self.now, by=ADA)
            self.end = self.agreed.terms.ending_before

    def use(self):
        hours = int((self.now - self.start) / HOUR)
        if hours:
            when = self.start + timedelta(hours=self.chance.randrange(hours))
            post(*(event(None, customer_id="acme", timestamp=when.isoformat()) for _ in range(3)), at=self.now)

    def void(self):
        standing = list(Invoice.objects.filter(void=None).order_by("finalized_at", "number"))
        if standing:
            invoice = self.chance.choice(standing)
            with suppress(Refusal):
                void_invoice(self.customer, invoice.pk, reason="Not delivered", at=self.now, by=ADA)

    def regenerate(self):
        waiting = list(InvoiceVoid.objects.waiting().order_by("invoice__number"))
        if waiting:
            void = self.chance.choice(waiting)
            regenerate_invoice(self.customer, void.invoice_id, at=self.now, by=ADA)

    def go_on(self, days=None):
        self.now += timedelta(days=days or self.chance.randrange(1, 16))
        before = {
            each.id: each
            for each in computation(self.customer.pk, at=self.now).result.documents
            if each.finalizes_at <= self.now
        }
        known = set(Invoice.objects.values_list("pk", flat=True))
        jobs = do_due_work(at=self.now)
        assert {job.state for job in jobs} <= {"DONE"}, [(job.kind, job.state, job.error) for job in jobs]
        for made in Invoice.objects.exclude(pk__in=known):
            if made.pk in before and made.unrounded_total != before[made.pk].total:
                self.mismatch.append((made.kind, made.slot, made.unrounded_total, before[made.pk].total))

    def happen(self, number):
        edits = [self.add, self.add_late, self.change_charge, self.archive_charge, self.move_end, self.undo]
        steps = [*edits, self.end_subscription, self.void, self.regenerate]
        for step in self.chance.choices([*steps, *[self.count, self.use] * 2, *[self.go_on] * 5], k=number):
            step()

    def finish(self):
        while InvoiceVoid.objects.waiting().exists():
            self.regenerate()
        for contract in Contract.objects.filter(customer=self.customer):
            terms = agreement(self.customer.pk, contract.pk).terms
            if terms.ending_before is None or terms.ending_before > self.now:
                soon = max(self.now + 2 * DAY, contract.billed_through or self.start, contract.starting_at + DAY)
                end = min(soon, terms.ending_before or soon)
                last = EditInput(update_contract_end_date=end, update_end_policy="STOP")
                services.edit_contract(self.customer, contract.pk, last, at=self.now, by=ADA)
        for _ in range(4):
            self.go_on(40)


def lines(*types):
    found = InvoiceLine.objects.filter(invoice__void=None, type__in=types)
    return found.order_by("invoice__number", "position")


def problems_of(deal):
    terms = customer_terms(deal.customer.pk)
    computed = computation(deal.customer.pk, at=deal.now)
    agreed = Counter(
        item.amount for contract in terms.contracts for charge in contract.charges for item in charge.items
    )
    agreed += Counter(item.amount for commit in computed.commits for item in commit.invoice_items if commit.pays)
    billed = Counter(line.unrounded_total for line in lines("scheduled", "commit_purchase"))
    problems = []
    if agreed != billed:
        problems.append(("agreed", agreed - billed, "billed", billed - agreed))
    fees, charged, ended = Counter(), Counter(), {}
    for contract in terms.contracts:
        for each in contract.subscriptions:
            ended[each.id] = earliest(each.period.ending_before, contract.term.ending_before)
        for fee in fees_until(contract, deal.now):
            end = None if fee.subscription.is_in_advance else fee.period.ending_before
            fees[fee.subscription.id, fee.period.starting_at, end] += fee.quantity
    arrears = {each.id for contract in terms.contracts for each in contract.subscriptions if not each.is_in_advance}
    for line in lines("subscription"):
        key = UUID(line.details["subscription_id"])
        if key in arrears or line.starting_at < ended[key]:
            charged[key, line.starting_at, line.ending_before if key in arrears else None] += line.quantity
    if fees != charged:
        problems.append(("fees", fees - charged, "billed", charged - fees))
    left = [(each.kind, each.slot) for each in computed.result.documents if each.total]
    invoices = Invoice.objects.order_by("finalized_at", "number")
    different = [(each.slot, found) for each in invoices for found in verify_invoice(each).differences]
    return [*problems, *left, *different, *deal.mismatch, *segment_sums_differ()]


@pytest.mark.parametrize("seed", [3, 8])
def test_in_the_end_each_agreed_item_is_billed_once(price_list, settings, seed):
    settings.HOLD_LEAST_DIFFERENCE, settings.HOLD_QUIET_DAYS = D(10**9), 4_000  # nobody reviews
    deal = Deal(price_list, seed)
    deal.happen(14)
    deal.finish()
    assert problems_of(deal) == []
