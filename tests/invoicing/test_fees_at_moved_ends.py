"""What is left of a subscription's period where its contract's end is moved: billed, once."""

from datetime import datetime

import pytest
from django.db import IntegrityError

from contracts.models import SubscriptionTerms
from invoicing.queries.due import due_customers
from invoicing.services import verify_invoice
from tests.invoicing.conftest import NOVEMBER, at
from tests.invoicing.test_subscriptions_api import FEBRUARY, agreed, edit, fees, finalized, read, refused, seats, shop

pytestmark = pytest.mark.django_db
__all__ = ["shop"]  # the fixture

PART = ("11-01", "10", "1698.630136986301", "16986.301369863013")  # 31 of 365 days


def by_the_year(shop, **terms):
    return agreed(shop, seats(shop, frequency="ANNUAL", collection_schedule="ARREARS", **terms))[0]


def billed_up_to_november(shop, clock_at, **terms):
    contract_id = by_the_year(shop, **terms)
    clock_at("2025-11-05")
    finalized(shop, "2025-11-05")
    assert fees(shop) == []
    return contract_id


def test_a_contract_that_ends_where_it_is_billed_to_still_bills_the_part_of_the_period(shop, clock_at):
    contract_id = billed_up_to_november(shop, clock_at)
    edit(shop, contract_id, update_contract_end_date=NOVEMBER)
    assert [(row[0], *row[2:]) for row in fees(shop)] == [PART]
    assert [each.customer_id for each in due_customers(at=at("2025-11-05"))] == [shop.customer.pk]
    (made,) = finalized(shop, "2025-11-05")
    assert (made.subtotal, made.kind, verify_invoice(made).differences) == (16_986, "CHARGES", ())

    edit(shop, contract_id, update_contract_end_date=FEBRUARY)
    clock_at("2026-02-05")
    finalized(shop, "2026-02-05")
    assert [row[1] for row in fees(shop)] == ["FINALIZED"], "it has ended, and was billed once"
    assert read(shop, contract_id).ending_before == NOVEMBER


def test_so_does_one_that_is_renewed_there(shop, clock_at):
    contract_id = billed_up_to_november(shop, clock_at)
    renewal = {"type": "RENEWAL", "from_contract_id": contract_id}
    shop.contract(starting_at=NOVEMBER, ending_before=FEBRUARY, transition=renewal)
    assert [(row[0], *row[2:]) for row in fees(shop)] == [PART]


def test_a_rename_and_a_longer_contract_in_one_edit_keep_the_end_too(shop):
    contract_id, subscription = agreed(shop, seats(shop))
    renamed = [{"subscription_id": subscription.id, "name": "Crew"}]
    edit(shop, contract_id, update_contract_end_date=at("2026-06-01"), update_subscriptions=renamed)
    found = read(shop, contract_id)
    assert (found.name, found.ending_before) == ("Crew", FEBRUARY)


def test_an_end_before_what_is_billed_on_documents_of_its_own_is_refused(shop, clock_at):
    own = {"invoice_placement": "ON_SCHEDULED_INVOICE"}
    contract_id, subscription = agreed(shop, seats(shop, collection_schedule="ARREARS", billing_cycle_config=own))
    clock_at("2025-11-01")
    assert [each.subtotal for each in finalized(shop, "2025-11-01")] == [20_000], "usage has a day more"
    rule = "must not be before 2025-11-01T00:00:00+00:00: up to then fees of a subscription are billed"
    end: datetime = at("2025-10-20")
    assert refused(edit, shop=shop, contract_id=contract_id, update_contract_end_date=end) == {
        ("update_contract_end_date", rule)
    }
    ended = [{"subscription_id": subscription.id, "ending_before": end}]
    assert refused(edit, shop=shop, contract_id=contract_id, update_subscriptions=ended) == {
        ("update_subscriptions[0].ending_before", rule)
    }
    renewal = {"type": "RENEWAL", "from_contract_id": contract_id}
    assert ("transition.from_contract_id", rule) in refused(
        shop.contract, starting_at=end, ending_before=FEBRUARY, transition=renewal
    )


def test_what_ended_late_has_an_end(shop):
    by_the_year(shop)
    row = SubscriptionTerms.objects.get()
    copy = SubscriptionTerms(
        **{f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.name != "id"}
    )
    copy.removed_by_edit, copy.is_ended_late = row.added_by_edit, True
    with pytest.raises(IntegrityError, match="what_of_a_subscription_ended_late_ends"):
        copy.save(force_insert=True)
