"""The shell around the engine: what it reads, in how many statements, and that edits are seen whole."""

import json
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotFound
from invoicing.queries import computation, compute
from ledger.services.ingest import Source, ingest_events, read_events
from tests.factories.contracts import OverrideFactory, ScheduledChargeFactory
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, commit_of, contract_for

pytestmark = pytest.mark.django_db


def totals(result):
    return [(draft.kind, f"{draft.issued_at:%d %b}", draft.total) for draft in result.documents]


def test_a_month_of_usage_is_a_draft(acme):
    acme.uses_tokens("2025-10-03T05", 100)
    acme.uses_tokens("2025-10-31T23", 10, model="small")
    acme.calls("2025-10-07T00", 3)
    assert totals(compute(acme.customer.pk, at=at("2025-10-20"))) == [("USAGE", "01 Nov", D("4011"))]


def test_usage_of_other_subjects_is_nobody_elses(acme):
    acme.calls("2025-10-07T00", 3, subject="globex")
    acme.calls("2025-10-07T00", 4, subject=str(acme.customer.pk))
    [draft] = compute(acme.customer.pk, at=at("2025-10-20")).documents
    assert draft.total == 8


def test_a_commit_adds_a_true_up_that_shrinks_with_usage(acme):
    commit_of(acme, D(10_000))
    acme.calls("2025-10-07T00", 1_000)
    assert totals(compute(acme.customer.pk, at=at("2025-10-20"))) == [
        ("USAGE", "01 Nov", D(2_000)),
        ("TRUE_UP", "01 Jan", D(8_000)),
    ]


def test_a_commit_that_runs_out_within_a_month_is_seen_by_the_hour(acme):
    commit_of(acme, D(1_001))
    acme.calls("2025-10-07T00", 500)
    acme.calls("2025-10-07T01", 500)
    [usage, true_up] = compute(acme.customer.pk, at=at("2025-10-20")).documents
    assert (usage.total, true_up.total) == (D(2_000), D(0))
    covered = [line.total for line in usage.lines if line.type == "usage" and line.commit_id]
    assert covered == [D(1_001)]


def test_terms_and_prices_can_be_computed_as_they_were_known(acme):
    acme.calls("2025-10-07T00", 100)
    before = computation(acme.customer.pk, at=at("2025-10-20")).inputs
    OverrideFactory(contract=acme.contract, starting_at=OCTOBER)
    RateFactory(rate_card=acme.prices.card, product=acme.prices.calls, starting_at=OCTOBER, price=D(10))

    def total(**known):
        return compute(acme.customer.pk, at=at("2025-10-20"), **known).documents[0].total

    assert total() == 500
    assert total(at_edit=before.terms.edit_number) == 1_000
    assert total(at_publication=before.catalog.publication) == 100
    assert total(at_edit=before.terms.edit_number, at_publication=before.catalog.publication) == 200


@pytest.mark.parametrize("subject", ["acme", "globex"])
def test_a_value_that_cannot_be_read_holds_its_document(acme, subject):
    acme.calls("2025-10-07T00", 3)
    event = {
        "customer_id": subject,
        "transaction_id": "1",
        "event_type": "tokens",
        "timestamp": "2025-10-09T05:00:00Z",
        "properties": {"model": "xl", "region": "eu", "tokens": "many"},
    }
    ingest_events(read_events(json.dumps([event]).encode(), at=JANUARY), at=OCTOBER, source=Source("tests"))
    result = compute(acme.customer.pk, at=at("2025-10-20"))
    [draft] = result.documents
    if subject == "globex":  # nobody's
        assert draft.findings == result.findings == ()
        return
    [finding] = draft.findings
    assert result.findings == (finding,)
    assert (finding.kind, finding.blocking, finding.product_id) == ("UNREAD_VALUE", True, acme.prices.tokens.pk)
    assert finding.message == "Tokens: 1 of its values cannot be read, such as 'many': it must be a number."


def test_an_unknown_customer_is_refused(db):
    with pytest.raises(NotFound):
        compute(uuid7(), at=OCTOBER)


def test_the_number_of_statements_does_not_grow_with_the_customer(acme, django_assert_num_queries):
    acme.calls("2025-10-07T00", 3)
    commit_of(acme, D(10_000))
    ScheduledChargeFactory(contract=acme.contract)
    with CaptureQueriesContext(connection) as small:
        compute(acme.customer.pk, at=JANUARY)
    for start, end in [(OCTOBER, NOVEMBER), (NOVEMBER, DECEMBER), (DECEMBER, JANUARY)]:
        other = contract_for(acme.customer, acme.prices, starting_at=start, terms__ending_before=end)
        OverrideFactory(contract=other, starting_at=start)
        commit_of(acme, D(10_000), contract=other)
    for day in range(1, 28):
        acme.uses_tokens(f"2025-11-{day:02}T05", 100)
        acme.uses_tokens(f"2025-12-{day:02}T05", 100, model="small")
    with django_assert_num_queries(len(small)):
        compute(acme.customer.pk, at=JANUARY)


def test_a_balance_that_runs_out_costs_two_statements_more_at_the_most(acme):
    """Its slice by day, unless that was asked for, and the day in which it happens by hour."""
    for day in range(1, 28):
        acme.calls(f"2025-10-{day:02}T05", 2)
        acme.calls(f"2025-10-{day:02}T06", 2)

    def statements():
        with CaptureQueriesContext(connection) as captured:
            compute(acme.customer.pk, at=at("2025-10-28"))
        return len(captured)

    commit_of(acme, D(10_000), type="PREPAID", priority=9)
    counts = [statements()]
    for priority in range(1, 4):
        commit_of(acme, D(51), type="PREPAID", priority=priority)
        counts.append(statements())
    assert counts == [counts[0] + more for more in (0, 2, 3, 4)]


@pytest.mark.django_db(transaction=True)
def test_whatever_its_size_what_was_read_once_of_a_customer_is_not_read_again(acme):
    def statements():
        compute(acme.customer.pk, at=JANUARY)
        with CaptureQueriesContext(connection) as captured:
            compute(acme.customer.pk, at=JANUARY)
        return len(captured)

    acme.uses_tokens("2025-11-01T05", 100)
    counts = [statements()]
    for number in range(2):
        other = contract_for(acme.customer, acme.prices, starting_at=DECEMBER, terms__ending_before=JANUARY)
        OverrideFactory(contract=other, starting_at=DECEMBER)
        commit_of(acme, D(10_000), contract=other)
        RateFactory(rate_card=acme.prices.card, product=acme.prices.calls, starting_at=NOVEMBER, price=D(number))
        for day in range(1, 28):
            acme.uses_tokens(f"2025-12-{day:02}T05", 100, model=("small", "xl")[number])
        counts.append(statements())
    assert counts == [12, 12, 12]
