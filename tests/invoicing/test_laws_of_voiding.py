"""Whatever is voided, made anew, and comes late in between: in the end the standing documents bill all usage, once.

Each round draws at random what happens in six months to a contract of three: usage in time and late, months that become
final, voids (some of which are refused), documents made anew. A call costs 2; a prepaid balance of 40 is there from
October to December, and one of 10 for October alone. In the end everything void is made anew, and whatever is late is
final, too. Then

    billed + drawn = 2 × all calls that were ever made, and nothing is missed
    what is left of each balance is what its entries leave, and is not below zero
    every document, void or standing, is equal to the facts that it saw
"""

import random
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal as D

import pytest

from invoicing.models import Invoice, InvoiceVoid
from invoicing.queries import compute
from invoicing.queries.lateness import missed_usage
from invoicing.services import EarlierDocumentsOpen, OthersBuildOnIt, finalize_due, regenerate_invoice, void_invoice
from ledger.models import LedgerEntry
from ledger.queries.segment_sums import segment_sums_differ
from tests.factories.contracts import AccessSegmentFactory, CommitFactory
from tests.factories.ledger import event, post
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, at, commit_of
from tests.invoicing.test_voids_and_late_usage import differences

pytestmark = pytest.mark.django_db(transaction=True)


class Story:
    def __init__(self, acme, seed):
        self.acme, self.chance, self.now, self.calls = acme, random.Random(seed), at("2025-10-20"), 0

    def use(self):
        """Some calls, at some hour from October up to now, while the contract runs."""
        last = min(self.now, at("2025-12-31T23"))
        hours = int((last - OCTOBER) / timedelta(hours=1))
        when = OCTOBER + timedelta(hours=self.chance.randrange(hours))
        number = self.chance.randrange(1, 8)
        post(*(event(None, customer_id="acme", timestamp=when.isoformat()) for _ in range(number)), at=self.now)
        self.calls += number

    def void(self):
        standing = list(Invoice.objects.filter(void=None).order_by("number"))
        if standing:
            invoice = self.chance.choice(standing)
            with suppress(OthersBuildOnIt):
                void_invoice(self.acme.customer, invoice.pk, reason="Not delivered", at=self.now, by=ADA)

    def regenerate(self):
        waiting = list(InvoiceVoid.objects.waiting().order_by("invoice__number"))
        if waiting:
            void = self.chance.choice(waiting)
            with suppress(EarlierDocumentsOpen):  # a true-up comes after what it counts
                regenerate_invoice(self.acme.customer, void.invoice_id, at=self.now, by=ADA)

    def go_on(self):
        self.now += timedelta(days=self.chance.randrange(5, 25))
        finalize_due(self.acme.customer.pk, at=self.now, by=ADA).raise_if_held()

    def happen(self, number):
        steps = [self.use, self.use, self.void, self.regenerate, self.go_on]
        for step in self.chance.choices(steps, k=number):
            step()

    def end(self):
        while InvoiceVoid.objects.waiting().exists():
            self.regenerate()
        for month in range(1, 5):
            self.now = at(f"2027-{month:02}-10")
            finalize_due(self.acme.customer.pk, at=self.now, by=ADA).raise_if_held()


@pytest.mark.parametrize("seed", [0, 4, 7])
def test_in_the_end_everything_is_billed_once(acme, seed):
    for amount, end in ((D(40), JANUARY), (D(10), NOVEMBER)):
        commit = CommitFactory(contract=acme.contract, segment=None, invoice_item=None, type="PREPAID")
        AccessSegmentFactory(commit=commit, amount=amount, starting_at=OCTOBER, ending_before=end)
    story = Story(acme, seed)
    story.use()
    story.happen(30)
    story.end()

    billed = sum(Invoice.objects.filter(void=None).values_list("unrounded_total", flat=True))
    drawn = -sum(LedgerEntry.objects.values_list("amount", flat=True))
    assert billed + drawn == 2 * story.calls
    assert missed_usage(acme.customer.pk) == []
    assert all(balance.left >= 0 for balance in compute(acme.customer.pk, at=story.now).balances)
    assert segment_sums_differ() == []
    assert differences() == []
    assert Invoice.objects.exclude(void=None).exists()


@pytest.mark.parametrize(("seed", "amount"), [(0, 60), (1, 400), (2, 400)])
def test_a_promise_is_billed_once(acme, seed, amount):
    """A commitment instead: the true-up is voided, reversed and made anew like all the rest."""
    commit = commit_of(acme, D(amount))
    story = Story(acme, seed)
    story.use()
    story.happen(36)
    story.end()

    billed = sum(Invoice.objects.filter(void=None).values_list("unrounded_total", flat=True))
    assert billed == max(amount, 2 * story.calls)
    entries = LedgerEntry.objects.filter(commit_id=commit.pk)
    assert sum(entries.values_list("billed_amount", flat=True)) == -amount
    assert missed_usage(acme.customer.pk) == []
    assert differences() == []
