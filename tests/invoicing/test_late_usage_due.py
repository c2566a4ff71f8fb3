"""Late usage of a contract that is over falls due by itself: nobody has to have looked at the customer before.

The contract ends on 1 January 2026; a grace of a day; API calls cost 2 cents.
"""

from decimal import Decimal

import pytest

from invoicing.models import Invoice
from invoicing.queries.due import due_customers, falling_next, next_due
from invoicing.services import do_due_work, finalize_due
from ledger.services.corrections import void_event
from tests.factories.contracts import CustomerFactory
from tests.factories.ledger import event, post
from tests.factories.pricing import RateCardFactory, RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, NOVEMBER, at, contract_for

pytestmark = pytest.mark.django_db(transaction=True)


def call(day, name=None, received=None, subject="acme"):
    post(event(name, customer_id=subject, timestamp=f"{day}T12:00:00Z"), at=at(received or f"{day}T12"))


def due_at(text):
    return [due.instant for due in due_customers(at=at(text))]


@pytest.fixture
def over(acme):
    """All three months are final."""
    for month in (10, 11, 12):
        call(f"2025-{month}-07", name=f"call {month}")
    finalize_due(acme.customer.pk, at=at("2026-01-02"), by=ADA)
    return acme


def test_what_came_late_falls_due_when_the_grace_of_the_next_period_is_over(over):
    assert next_due(at("2026-01-05"), at("2027-01-01")) is None
    call("2025-11-09", received="2026-01-05")
    assert next_due(at("2026-01-05"), at("2027-01-01")) == at("2026-02-02")
    [falling] = falling_next(at("2026-01-05"), at("2027-01-01") - at("2026-01-05"))
    assert (falling.customer_id, falling.kind) == (over.customer.pk, "ADJUSTMENT")
    assert (due_at("2026-02-01T23"), due_at("2026-02-02")) == ([], [at("2026-02-02")])
    [job] = do_due_work(at=at("2026-02-02"))
    assert job.state == "DONE"
    adjustment = Invoice.objects.get(kind="ADJUSTMENT")
    assert (adjustment.total, adjustment.issued_at) == (2, at("2026-02-01"))
    assert next_due(at("2026-02-02"), at("2027-01-01")) is None


def test_more_of_it_falls_due_a_period_later_and_a_correction_is_late_too(over):
    call("2025-11-09", received="2026-01-05")
    do_due_work(at=at("2026-02-02"))
    void_event("call 10", reason="Sent by mistake", at=at("2026-02-03"), by=ADA)
    assert due_at("2026-02-28") == []
    assert next_due(at("2026-02-03"), at("2027-01-01")) == at("2026-03-02")
    do_due_work(at=at("2026-03-02"))
    assert [each.total for each in Invoice.objects.filter(kind="ADJUSTMENT").order_by("issued_at")] == [2, -2]


def test_when_nobody_looked_for_months_the_last_end_counts(over):
    call("2025-11-09", received="2026-01-05")
    assert due_at("2026-05-20") == [at("2026-05-02")]
    do_due_work(at=at("2026-05-20"))
    assert Invoice.objects.get(kind="ADJUSTMENT").issued_at == at("2026-05-01")
    assert due_at("2026-12-31") == []


def test_usage_of_a_last_period_that_nobody_had_used_in_time(price_list):
    """Tokens are told by model, so a December without any has no lines, and no document when it falls due."""
    customer, card = CustomerFactory(aliases=["acme"]), RateCardFactory()
    RateFactory(rate_card=card, product=price_list.tokens, pricing_group_values={"model": "xl"}, price=Decimal(40))
    contract_for(customer, price_list, rate_card=card)
    assert [job.state for job in do_due_work(at=at("2026-01-02"))] == ["DONE"]
    properties = {"tokens": 3, "model": "xl", "region": "eu"}
    late = event(None, customer_id="acme", event_type="tokens", timestamp="2025-12-09T12:00:00Z", properties=properties)
    post(late, at=at("2026-01-05"))
    assert next_due(at("2026-01-05"), at("2026-12-31")) == at("2026-02-02")
    do_due_work(at=at("2026-02-02"))
    december = Invoice.objects.get()
    assert (december.kind, december.starting_at, december.total) == ("USAGE", DECEMBER, 120)


def test_of_an_open_contract_the_next_usage_document_carries_it(acme):
    call("2025-10-07")
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    call("2025-10-09", received="2025-11-05")
    assert next_due(at("2025-11-05"), at("2027-01-01")) == at("2025-12-02")
    assert due_at("2025-11-20") == []


def test_what_is_nobodys_late_usage_falls_due_for_nobody(over, price_list):
    other = CustomerFactory(aliases=["globex"])
    contract_for(other, price_list, terms__ending_before=NOVEMBER)
    call("2025-10-09", subject="globex")
    finalize_due(other.pk, at=at("2025-11-02"), by=ADA)
    call("2026-01-03", received="2026-01-09")  # after the contract
    call("2025-09-30", received="2026-01-09")  # before it
    call("2025-12-09", received="2026-01-09", subject="nobody's")
    assert next_due(at("2026-01-09"), at("2027-01-01")) is None
    call("2025-10-10", received="2026-01-09", subject="globex")
    assert [due.customer_id for due in due_customers(at=at("2026-02-02"))] == [other.pk]


def test_an_archived_contract_has_no_documents_any_more(over):
    call("2025-11-09", received="2026-01-05")
    over.contract.archived_at = at("2026-01-06")
    over.contract.save()
    assert due_at("2026-02-02") == []


def test_a_period_that_ends_inside_a_day_is_open_until_what_comes_late_is_marked(price_list):
    """No grace, up to 10:00: of two events of 09:50, one comes at 10:02 and is in time, one at 11:00 and is late."""
    customer = CustomerFactory(aliases=["acme"])
    contract_for(customer, price_list, terms__grace_hours=0, terms__ending_before=at("2025-10-05T10"))
    assert finalize_due(customer.pk, at=at("2025-10-05T10"), by=ADA).finalized == ()
    post(event(customer_id="acme", timestamp="2025-10-05T09:50:00Z"), at=at("2025-10-05T10:02"))
    [usage] = finalize_due(customer.pk, at=at("2025-10-05T11"), by=ADA).finalized
    post(event(customer_id="acme", timestamp="2025-10-05T09:50:00Z"), at=at("2025-10-05T11"))
    [late] = finalize_due(customer.pk, at=at("2025-11-06"), by=ADA).finalized
    assert (usage.total, late.kind, late.total) == (2, Invoice.Kind.ADJUSTMENT, 2)


def test_a_month_that_is_final_at_once_misses_nothing_of_its_last_hour(price_list):
    """No grace: October is final at midnight, and an event of 23:30 comes ten minutes later."""
    customer = CustomerFactory(aliases=["acme"])
    contract_for(customer, price_list, terms__grace_hours=0)
    [october] = finalize_due(customer.pk, at=NOVEMBER, by=ADA).finalized
    post(event(customer_id="acme", timestamp="2025-10-31T23:30:00Z"), at=at("2025-11-01T00:10"))
    [november] = finalize_due(customer.pk, at=DECEMBER, by=ADA).finalized
    assert (october.total, november.total) == (0, 2)
    assert november.lines.filter(details__adjustment__invoice_number=october.number).count() == 1
