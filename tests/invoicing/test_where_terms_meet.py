"""Money where two kinds of terms meet: each of these was wrong in one of them alone.

Seats cost 20 dollars a month, a unit of usage 1 cent; the contract runs from 1 October 2025 to 1 February 2026.
"""

from decimal import Decimal as D

import pytest

from contracts import services
from contracts.inputs import (
    ContractInput,
    EditInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    ScheduledChargeInput,
    StatementScheduleInput,
)
from invoicing.models import Invoice
from invoicing.queries.due import due_customers
from invoicing.services import do_due_work, finalize_due, regenerate_invoice, verify_invoice, void_invoice
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import FixedProductFactory, RateCardFactory, RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, use
from tests.invoicing.test_subscriptions_api import agreed, edit, fees, refused, seats, shop, update

__all__ = ["shop"]  # the fixture

OWN = {"invoice_placement": "ON_SCHEDULED_INVOICE"}


def charge(fixed, date, amount, name="Support"):
    schedule = InvoiceScheduleInput((InvoiceItemInput(date, amount=D(amount)),))
    return ScheduledChargeInput(fixed.pk, schedule, name=name)


def consolidated(price_list, *charges, **terms):
    customer = CustomerFactory(aliases=["acme"])
    given = {"starting_at": OCTOBER, "ending_before": DECEMBER, "rate_card_id": price_list.card.pk} | terms
    given |= {"scheduled_charges_on_usage_invoices": "ALL", "scheduled_charges": charges}
    return customer, services.create_contract(customer, ContractInput(**given), at=OCTOBER, by=ADA)


@pytest.mark.django_db(transaction=True)
def test_a_fee_of_its_own_document_is_verified_by_the_usage_that_drew_on_its_credit_before(shop, clock_at):
    """A credit of 100 dollars: usage of 3 October draws 30 of it, so 70 are left for the increase of the 16th. What
    comes in later for the 4th draws after it."""
    fixed = shop.v1.contracts.products.create(name="Gift", type="FIXED").data.id
    access = {"schedule_items": [{"amount": 10_000, "starting_at": at("2025-10-02"), "ending_before": NOVEMBER}]}
    gift = {"product_id": fixed, "name": "Gift", "access_schedule": access}
    contract_id, subscription = agreed(shop, seats(shop, 1), credits=[gift])
    use(shop.metrics["units"], "2025-10-03T05", 3_000, {})
    clock_at("2025-10-16")
    more = {"starting_at": at("2025-10-16"), "quantity": 20}
    update(shop, contract_id, subscription, quantity_updates=[more])
    finalize_due(shop.customer.pk, at=at("2025-10-16"), by=ADA)
    use(shop.metrics["units"], "2025-10-04T05", 2_000, {}, received_at=at("2025-10-17"))
    increase = Invoice.objects.latest("issued_at")
    assert increase.subtotal == round(D(2_000 * 19 * 16) / 31) - 7_000
    assert [verify_invoice(each).differences for each in Invoice.objects.all()] == [(), ()]


@pytest.mark.django_db
def test_what_is_agreed_for_a_last_period_without_usage_falls_due_when_it_is_agreed(price_list):
    card, fixed = RateCardFactory(), FixedProductFactory()
    RateFactory(rate_card=card, product=price_list.tokens, pricing_group_values={"model": "xl"}, price=D(2))
    customer, contract = consolidated(price_list, rate_card_id=card.pk)
    do_due_work(at=at("2025-12-05"))
    assert not Invoice.objects.exists(), "there was nothing to bill"
    late = EditInput(add_scheduled_charges=(charge(fixed, DECEMBER, 40),))
    services.edit_contract(customer, contract.pk, late, at=at("2025-12-06"), by=ADA)
    assert [due.instant for due in due_customers(at=at("2025-12-06"))] == [at("2025-12-06")]
    do_due_work(at=at("2025-12-06"))
    assert [(each.kind, each.starting_at, each.total) for each in Invoice.objects.all()] == [("USAGE", NOVEMBER, 40)]
    assert due_customers(at=at("2025-12-07")) == []


@pytest.mark.django_db
def test_so_does_a_fee_for_it_and_the_part_of_a_period_that_a_late_end_leaves(shop, clock_at):
    """Something else of the customer was billed at the very instant from which the fee is."""
    fixed = shop.v1.contracts.products.create(name="Support", type="FIXED").data.id
    item = {"schedule_items": [{"timestamp": NOVEMBER, "amount": 5}]}
    use(shop.metrics["units"], "2025-10-03T05", 7, {})
    contract_id, _ = agreed(
        shop,
        seats(shop, frequency="ANNUAL", collection_schedule="ARREARS"),
        scheduled_charges=[{"product_id": fixed, "schedule": item}],
    )
    for day in ("2025-11-01", "2025-11-02"):
        clock_at(day)
        do_due_work(at=at(day))
    clock_at("2025-11-05")
    edit(shop, contract_id, update_contract_end_date=NOVEMBER)
    do_due_work(at=at("2025-11-05"))
    assert [row[:2] for row in fees(shop)] == [("11-01", "FINALIZED")]


@pytest.mark.django_db
def test_a_quantity_that_is_agreed_late_does_not_bill_a_billed_increase_again(shop, clock_at):
    """10 seats, 15 from 16 October on, billed that day; on the 20th: 18 from the 10th on."""
    contract_id, subscription = agreed(shop, seats(shop))
    clock_at("2025-10-16")
    update(shop, contract_id, subscription, quantity_updates=[{"starting_at": at("2025-10-16"), "quantity": 15}])
    finalize_due(shop.customer.pk, at=at("2025-10-16"), by=ADA)
    clock_at("2025-10-20")
    given = {
        "subscription_id": subscription.id,
        "quantity_updates": [{"starting_at": at("2025-10-10"), "quantity": 18}],
    }
    rule = (
        "must not begin before 2025-10-16T00:00:00+00:00: an increase from then on is billed already; "
        "say what holds from then on"
    )
    assert refused(edit, shop=shop, contract_id=contract_id, update_subscriptions=[given]) == {
        ("update_subscriptions[0].quantity_updates.starting_at", rule)
    }
    update(shop, contract_id, subscription, quantity_updates=[{"starting_at": at("2025-10-16"), "quantity": 18}])
    assert [row[2] for row in fees(shop) if row[0] == "10-16"] == ["3", "5"]


@pytest.mark.django_db
def test_what_was_billed_by_itself_stays_so_where_a_usage_period_ends_there_since(price_list):
    """An item of 10 November is billed; then the contract ends on that day, and the item's document is made anew."""
    customer, contract = consolidated(
        price_list,
        charge(FixedProductFactory(), at("2025-11-10"), 20),
        ending_before=JANUARY,
        usage_statement_schedule=StatementScheduleInput("MONTHLY"),
    )
    *_, alone = finalize_due(customer.pk, at=at("2025-11-10"), by=ADA).finalized
    end = EditInput(update_contract_end_date=at("2025-11-10T09"))
    services.edit_contract(customer, contract.pk, end, at=at("2025-11-10T08"), by=ADA)
    void_invoice(customer, alone.pk, reason="Wrong address", at=at("2025-11-10T09"), by=ADA)
    anew = regenerate_invoice(customer, alone.pk, at=at("2025-11-10T10"), by=ADA)
    assert (anew.kind, anew.total, verify_invoice(anew).differences) == ("CHARGES", 20, ())
    [november] = finalize_due(customer.pk, at=JANUARY, by=ADA).finalized
    assert (november.kind, november.total) == ("USAGE", 0)
