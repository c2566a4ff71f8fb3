"""Notes where who pays, and in what, is not plain money: the second worked table of `docs/credit_notes.md`.

H are API calls: 10 on 5 October and 10 on the 20th. October is final; then the price becomes another one. A credit is
worth ten cents.
"""

from decimal import Decimal as D

import pytest

from billing_site.foundation.refusals import Conflict, NotFound
from contracts import services as agreements
from contracts.inputs import AccessScheduleInput, EditInput, SegmentInput
from invoicing.queries.compute import compute
from invoicing.services import hold_draft
from invoicing.services.verification import verify_invoice
from ledger.models import LedgerEntry
from tests.factories.contracts import CustomerFactory, prepaid_input
from tests.factories.pricing import (
    MetricFactory,
    PricingUnitFactory,
    ProductFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateFactory,
)
from tests.invoicing.conftest import ADA, DECEMBER, OCTOBER, Acme, PriceList, contract_for
from tests.invoicing.test_notes_table import LATER, Books

pytestmark = pytest.mark.django_db(transaction=True)


class PayerBooks(Books):
    def __init__(self, acme):
        super().__init__(acme)
        self.credits, self.has_commit_rate = None, False

    def publish(self, written):
        """ "10", "2 credits", "10 for 15, 4", "10 (8 by commit)"."""
        card, calls = self.acme.prices.card, self.acme.prices.calls
        given = {"rate_card": card, "product": calls, "starting_at": OCTOBER}
        if " for " in written:
            first, then = written.split(", ")
            price, size = first.split(" for ")
            tiers = [{"price": price, "size": size}, {"price": then}]
            RateFactory(**given, rate_type="TIERED", price=None, tiers=tiers)
        elif "by commit" in written:
            price, rate = written.removesuffix(" by commit)").split(" (")
            self.has_commit_rate = True
            RateFactory(**given, price=D(price), commit_rate={"rate_type": "FLAT", "price": rate})
        elif "credits" in written:
            RateFactory(**given, price=D(written.removesuffix(" credits")), unit=self.custom_unit())
        else:
            RateFactory(**given, price=D(written))

    def custom_unit(self):
        if self.credits is None:
            self.credits = PricingUnitFactory(name="credits")
            RateCardConversionFactory(rate_card=self.acme.prices.card, unit=self.credits)
        return self.credits

    def grant(self, written):
        """ "220", "30 credits", "12 H"."""
        if written == "nobody":
            return
        amount, _, what = written.partition(" ")
        segments = (SegmentInput(D(amount), OCTOBER, DECEMBER),)
        held = {"H": {"access_type": "QUANTITY"}, "credits": {"credit_type_id": getattr(self.credits, "pk", None)}}
        access = AccessScheduleInput(segments, **held.get(what, {}))
        calls = {"applicable_product_ids": (self.acme.prices.calls.pk,)} if what == "H" else {}
        terms = {"rate_type": "COMMIT_RATE"} if self.has_commit_rate else {}
        pack = prepaid_input(D(amount), OCTOBER, DECEMBER, name="Pack", access_schedule=access, **calls, **terms)
        edit = EditInput(add_commits=(pack,))
        agreements.edit_contract(self.acme.customer, self.acme.contract.pk, edit, at=OCTOBER, by=ADA)

    def november(self):
        return next(each for each in compute(self.acme.customer.pk, at=LATER).documents if each.kind == "USAGE")

    def posted(self):
        return {entry.pk: entry.amount for entry in LedgerEntry.objects.exclude(amount=0)}

    def moved(self, before):
        return [amount for pk, amount in self.posted().items() if pk not in before]


@pytest.fixture
def books():
    """A card of its own: what a product is priced in is the same on a card for ever."""
    counted = MetricFactory()
    calls = ProductFactory(version__billable_metric=counted)
    prices = PriceList(RateCardFactory(), calls, calls, counted, counted)
    customer = CustomerFactory(aliases=["acme"])
    return PayerBooks(Acme(customer, contract_for(customer, prices), prices))


TABLE = """
    price              paid by      was to pay   becomes            note      balance
    2 credits          nobody       400          1.5 credits        -100
    2 credits          30 credits   100          1.5 credits        -25       7.5
    2 credits          200          200          1.5 credits        -50       50
    10                 12 H         80           8                  -16
    10                 12 H         80           12                 16
    10 (8 by commit)   80           100          10 (6 by commit)   0         20
    10 (8 by commit)   80           100          12 (8 by commit)   20
    10 for 15, 4       nobody       170          10 for 12, 4       -18
    10 for 15, 4       160          10           10 for 12, 4       0         18
    10                 150          50           10 for 12, 4       -30       18
"""
ROWS = [
    [row[4:23], row[23:36], row[36:49], row[49:68], row[68:78], row[78:]] for row in TABLE.strip("\n").splitlines()[1:]
]


@pytest.mark.parametrize(
    ("price", "payer", "due", "becomes", "to_pay", "given_back"), [[cell.strip() for cell in row] for row in ROWS]
)
def test_the_worked_table(books, price, payer, due, becomes, to_pay, given_back):
    books.publish(price)
    books.grant(payer)
    books.uses(10, 5)
    books.uses(10, 20)
    assert books.close_october().total == D(due)
    before = books.posted()
    books.publish(becomes)
    note = books.approve()
    assert (note.total, books.moved(before)) == (D(to_pay), [D(given_back)] if given_back else [])
    assert books.proposed() == []
    assert verify_invoice(books.october).differences == ()


def test_a_balance_that_has_paid_is_not_archived_so_that_notes_find_it(books):
    books.publish("10")
    books.grant("100")
    books.uses(20, 5)
    books.close_october()
    [commit] = books.acme.contract.commits.all()
    gone = EditInput(archive_commits=(commit.pk,))
    with pytest.raises(Conflict, match="something has been taken from it"):
        agreements.edit_contract(books.acme.customer, books.acme.contract.pk, gone, at=LATER, by=ADA)
    before = books.posted()
    books.publish("8")
    assert (books.approve().total, books.moved(before)) == (-20, [20])


def test_late_usage_that_a_balance_paid_in_part_stays_with_its_payers(books):
    books.publish("10")
    books.grant("220")
    books.uses(20, 5)
    assert books.close_october().total == 0
    books.uses(5, 9, received=LATER)
    [november] = [each for each in books.finalize("2025-12-02") if each.kind == "USAGE"]
    assert november.total == 30
    before = books.posted()
    books.publish("8")
    note = books.approve()
    assert (note.total, books.moved(before)) == (-6, [44])
    assert verify_invoice(november).differences == ()


def test_a_second_note_goes_on_from_the_first_with_the_same_payers(books):
    books.publish("10")
    books.grant("150")
    books.uses(20, 5)
    books.close_october()
    books.publish("8")
    assert books.approve().total == -10
    before = books.posted()
    books.publish("9")
    note = books.approve()
    assert (note.number, note.total, books.moved(before)) == ("DN-000001", 5, [-15])


def test_a_hold_on_the_contract_stands_in_no_notes_way(books):
    books.publish("10")
    books.uses(20, 5)
    books.close_october()
    books.publish("8")
    [proposed] = books.proposed()
    given = {"reason": "wait", "at": LATER, "by": ADA}
    with pytest.raises(NotFound):
        hold_draft(books.acme.customer, proposed.document.id, **given)
    held = books.november()
    hold_draft(books.acme.customer, held.id, **given)
    assert books.approve().total == -40
    assert not books.finalize("2025-12-02")
