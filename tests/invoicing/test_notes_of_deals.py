"""Notes on what deals are made of: tiers, commit rates, composites, commitments, tax, and payers that are gone.

October is final; what is changed later begins on 1 October, unless a test says otherwise.
"""

from decimal import Decimal as D

import pytest

from contracts.inputs import OverrideInput
from invoicing.models import Invoice
from invoicing.services import void_invoice
from invoicing.services.verification import verify_invoice
from invoicing.services.voiding import OthersBuildOnIt
from tests.factories.contracts import BillingProfileFactory, LegalEntityFactory, TaxRateFactory
from tests.factories.pricing import CompositeProductFactory, CompositeRateFactory, RateFactory
from tests.invoicing.conftest import NOVEMBER, OCTOBER, at, commit_of
from tests.invoicing.test_notes_table import BEA, LATER, Books

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def books(acme):
    return Books(acme)


def amounts(note):
    return [(line.type, line.total) for line in note.lines.order_by("position")]


def test_tiers_count_over_the_whole_period(books):
    tiers = [{"price": "10", "size": "15"}, {"price": "4"}]
    RateFactory(
        rate_card=books.acme.prices.card,
        product=books.acme.prices.calls,
        starting_at=OCTOBER,
        rate_type="TIERED",
        price=None,
        tiers=tiers,
    )
    books.uses(10, 5)
    books.uses(10, 20)
    assert books.close_october().total == 150 + 20
    half = OverrideInput(at("2025-10-15"), type="MULTIPLIER", multiplier=D("0.5"))
    books.edit(add_overrides=(half,))
    note = books.approve()
    assert note.total == -(25 + 10)
    assert amounts(note) == [("usage", -35)]


def test_an_override_that_is_removed_again_is_billed_again(books):
    books.price("10")
    books.uses(20, 5)
    books.close_october()
    books.edit(add_overrides=(OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D("0.5")),))
    assert books.approve().total == -100
    [override] = books.acme.contract.overrides.all()
    books.edit(remove_overrides=(override.pk,))
    note = books.approve()
    assert (note.total, note.number) == (100, "DN-000001")


def test_a_product_that_is_no_part_of_the_deal_is_given_back(books):
    books.price("10")
    books.uses(20, 5)
    books.close_october()
    out = OverrideInput(OCTOBER, entitled=False, product_id=books.acme.prices.calls.pk)
    books.edit(add_overrides=(out,))
    note = books.approve()
    assert note.total == -200
    assert books.proposed() == []


def test_late_usage_is_offered_to_the_balance_that_a_note_gave_back_to(books):
    books.price("10")
    books.commit("300")
    books.uses(20, 5)
    books.close_october()
    books.price("8")
    note = books.approve()
    assert note.total == 0
    assert amounts(note) == [("usage", -40), ("applied_commit_or_credit", 40)]
    assert books.drawn()[-1] == ("credited", 40)
    books.uses(5, 9, received=LATER)
    [november] = [each for each in books.finalize("2025-12-02") if each.kind == "USAGE"]
    assert november.total == 0
    assert books.drawn()[-1] == ("automated_invoice_deduction", -40)
    assert verify_invoice(november).differences == ()


def test_a_commitment_that_counts_less_is_trued_up_by_more(books):
    books.price("10")
    commit_of(books.acme, D(1000))
    books.uses(20, 5)
    books.close_october()
    books.finalize("2026-01-10")
    books.price("8")
    note = books.approve()
    assert note.total == 0
    assert ("commit_purchase", 40) in amounts(note)
    assert books.proposed() == []


def test_late_usage_that_was_billed_is_rated_again_with_the_rest(books):
    books.price("10")
    books.uses(20, 5)
    books.close_october()
    books.uses(5, 9, received=LATER)
    books.finalize("2025-12-02")
    books.price("8")
    assert books.approve().total == -50
    assert books.proposed() == []
    november = Invoice.objects.get(kind="USAGE", starting_at=NOVEMBER)
    with pytest.raises(OthersBuildOnIt, match="corrects what INV-000002 has billed"):
        void_invoice(books.acme.customer, november.pk, reason="wrong", at=LATER, by=BEA)


def test_a_composite_follows_its_base(books):
    books.price("10")
    support = CompositeProductFactory(version__composite_product_ids=[str(books.acme.prices.calls.pk)])
    CompositeRateFactory(rate_card=books.acme.prices.card, product=support, starting_at=OCTOBER, price=D("0.2"))
    books.uses(20, 5)
    assert books.close_october().total == 240
    books.price("8")
    note = books.approve()
    assert amounts(note) == [("usage", -40), ("usage", -8)]
    assert books.proposed() == []
    books.uses(5, 9, received=LATER)
    [november] = [each for each in books.finalize("2025-12-02") if each.kind == "USAGE"]
    assert november.total == 48


def test_a_note_is_taxed_at_the_rate_that_the_document_printed(books):
    LegalEntityFactory(taxes="FIXED_RATES")
    BillingProfileFactory(customer=books.acme.customer)
    rate = TaxRateFactory()
    books.price("10")
    books.uses(20, 5)
    assert books.close_october().total == 200 + 38
    TaxRateFactory(percent=D(25), starting_at=at("2025-10-02"))
    books.price("8")
    note = books.approve()
    assert (note.subtotal, note.total) == (-40, -48)
    [tax] = note.details["tax_lines"]
    assert (tax["percent"], tax["amount"]) == (f"{rate.percent.normalize():f}", "-8")
