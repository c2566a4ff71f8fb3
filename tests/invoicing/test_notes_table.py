"""The worked table of notes, row by row, through the services, on the database.

H are API calls. October is final on 2 November; a note is approved on the 5th. Amounts are in cents.
"""

from decimal import Decimal as D

import pytest

from billing_site.foundation.actor import Actor
from contracts import services as agreements
from contracts.inputs import AccessScheduleInput, EditInput, OverrideInput, SegmentInput
from invoicing.queries.notes import proposals
from invoicing.services import finalize_due
from invoicing.services.notes import approve_note
from invoicing.services.verification import verify_invoice
from ledger.models import LedgerEntry
from tests.factories.contracts import prepaid_input
from tests.factories.ledger import event, post
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db(transaction=True)

BEA = Actor.command("Bea")
LATER = at("2025-11-05")


class Books:
    """Acme's, whose API calls are H."""

    def __init__(self, acme):
        self.acme, self.october = acme, None

    def price(self, price):
        RateFactory(
            rate_card=self.acme.prices.card, product=self.acme.prices.calls, starting_at=OCTOBER, price=D(price)
        )

    def uses(self, number, day, *, received=None):
        events = [event(customer_id="acme", timestamp=f"2025-10-{day:02}T12:00:00Z") for _ in range(number)]
        post(*events, at=received or at(f"2025-10-{day:02}T13"))

    def edit(self, **edit):
        agreements.edit_contract(self.acme.customer, self.acme.contract.pk, EditInput(**edit), at=LATER, by=ADA)

    def commit(self, amount, *, on=OCTOBER):
        access = AccessScheduleInput((SegmentInput(D(amount), OCTOBER, DECEMBER),))
        pack = prepaid_input(D(amount), OCTOBER, DECEMBER, name="Pack", access_schedule=access)
        edit = EditInput(add_commits=(pack,))
        agreements.edit_contract(self.acme.customer, self.acme.contract.pk, edit, at=on, by=ADA)

    def close_october(self):
        [self.october] = [each for each in self.finalize("2025-11-02") if each.kind == "USAGE"]
        return self.october

    def finalize(self, instant):
        return finalize_due(self.acme.customer.pk, at=at(instant), by=ADA).finalized

    def proposed(self):
        return proposals(self.acme.customer.pk, at=LATER)

    def approve(self, reason="agreed", by=BEA):
        """The total of the note; None where none is proposed."""
        found = self.proposed()
        if not found:
            return None
        [one] = found
        note = approve_note(self.acme.customer, one.about.pk, difference=one.difference, reason=reason, at=LATER, by=by)
        assert verify_invoice(note).differences == ()
        return note

    def drawn(self):
        entries = LedgerEntry.objects.filter(customer=self.acme.customer).exclude(amount=0).order_by("created_at", "id")
        return [(entry.type.removeprefix("PREPAID_COMMIT_").lower(), entry.amount) for entry in entries]


@pytest.fixture
def books(acme):
    return Books(acme)


TABLE = """
    price   paid by           what is changed                        to pay   balance
    10      nobody            8 from 1 October on                    -40
    10      nobody            12 from 1 October on                   40
    10      nobody            half of it from the 15th on            -50
    10      nobody            nothing that October has               none
    10      a commit of 300   8 from 1 October on                    0        40
    10      a commit of 150   8 from 1 October on                    -10      30
    10      a commit of 220   12 from 1 October on                   20       -20
    10      nobody            a commit of 300 from 1 October on      none
    1.04    nobody            1.05 from 1 October on                 none
"""
ROWS = [[row[4:12], row[12:30], row[30:69], row[69:78], row[78:]] for row in TABLE.strip("\n").splitlines()[1:]]


@pytest.mark.parametrize(
    ("price", "payer", "change", "to_pay", "given_back"), [[cell.strip() for cell in row] for row in ROWS]
)
def test_the_worked_table(books, price, payer, change, to_pay, given_back):
    books.price(price)
    if payer.startswith("a commit of "):
        books.commit(payer.removeprefix("a commit of "))
    books.uses(10, 5)
    books.uses(10, 20)
    october = books.close_october()
    before = books.drawn()
    if change.startswith("half"):
        half = OverrideInput(at("2025-10-15"), type="MULTIPLIER", multiplier=D("0.5"))
        books.edit(add_overrides=(half,))
    elif change.startswith("a commit"):
        books.commit("300", on=LATER)
    elif change.startswith("nothing"):
        RateFactory(
            rate_card=books.acme.prices.card, product=books.acme.prices.calls, starting_at=at("2025-11-01"), price=D(1)
        )
    else:
        books.price(change.partition(" ")[0])

    note = books.approve()

    if to_pay == "none":
        assert note is None
        return
    assert note.total == D(to_pay)
    assert [amount for _, amount in books.drawn()[len(before) :]] == ([D(given_back)] if given_back else [])
    assert books.proposed() == []
    assert verify_invoice(october).differences == ()
    assert note.number == ("DN-000001" if note.total > 0 else "CN-000001")
    assert note.details["correction_of"] == {"invoice_id": str(october.pk), "invoice_number": october.number}


def test_a_later_change_is_the_difference_to_the_note(books):
    books.price("10")
    books.uses(20, 5)
    books.close_october()
    books.price("8")
    assert books.approve().total == -40
    books.price("9")
    assert books.approve().total == 20
    assert books.proposed() == []


def test_late_usage_is_rated_by_what_the_note_knows(books):
    books.price("10")
    books.uses(20, 5)
    books.close_october()
    books.price("8")
    assert books.approve().total == -40
    books.uses(5, 9, received=LATER)
    assert books.proposed() == []
    [november] = [each for each in books.finalize("2025-12-02") if each.kind == "USAGE"]
    assert november.total == 40
    assert verify_invoice(november).differences == ()


def test_usage_that_is_late_is_no_part_of_a_note(books):
    books.price("10")
    books.uses(20, 5)
    books.close_october()
    books.uses(5, 9, received=LATER)
    books.price("8")
    assert books.approve().total == -40
    [november] = [each for each in books.finalize("2025-12-02") if each.kind == "USAGE"]
    assert november.total == 40
