"""Posting on balances: once for each key, all or none."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Conflict
from ledger.models import LedgerEntry
from ledger.queries.entries import posted_entries
from ledger.services.entries import NewEntry, post_entries
from tests.factories.contracts import CustomerFactory

pytestmark = pytest.mark.django_db

ADA = Actor.command("Ada")
NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
COMMIT, SEGMENT, INVOICE = uuid7(), uuid7(), uuid7()


def deduction(key="october", amount="-16.65", **fields):
    given = {
        "type": LedgerEntry.Type.POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION,
        "commit_id": COMMIT,
        "segment_id": SEGMENT,
        "invoice_id": INVOICE,
        "amount": D(amount),
        "billed_amount": D(-17),
        "timestamp": NOVEMBER,
    }
    return NewEntry(**given | fields, idempotency_key=key)


@pytest.fixture
def acme():
    return CustomerFactory()


def post(customer, *entries):
    return post_entries(customer, entries, at=NOVEMBER, by=ADA)


def test_entries_are_posted_with_who_and_when(acme):
    [row] = post(acme, deduction())
    [posted] = posted_entries(acme.pk)
    assert posted == row
    assert NewEntry.of(posted) == deduction()
    assert (posted.created_at, posted.created_by) == (NOVEMBER, "Ada")


def test_posting_again_changes_nothing(acme):
    [first] = post(acme, deduction())
    again, new = post(acme, deduction(), deduction("november"))
    assert again == first
    assert [row.idempotency_key for row in posted_entries(acme.pk)] == ["october", new.idempotency_key]


def test_a_key_with_other_content_is_refused_and_nothing_is_posted(acme):
    post(acme, deduction())
    with pytest.raises(Conflict, match="was posted before with other content"):
        post(acme, deduction("november"), deduction(amount="-16.66"))
    assert len(posted_entries(acme.pk)) == 1


def test_the_same_key_of_two_customers_is_two_entries(acme):
    globex = CustomerFactory(name="Globex")
    post(acme, deduction())
    post(globex, deduction())
    assert len(posted_entries(acme.pk)) == len(posted_entries(globex.pk)) == 1


def test_entries_come_in_the_order_in_which_they_count(acme):
    post(acme, deduction("late", timestamp=datetime(2025, 12, 1, tzinfo=UTC)), deduction("early"))
    assert [row.idempotency_key for row in posted_entries(acme.pk)] == ["early", "late"]
