"""Balances at the edges of their segments and at any instant between, read with the official SDK. Nothing runs.

API calls cost 2 cents, and 3 credits each as answers.
"""

from datetime import datetime
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import services
from contracts.inputs import AccessScheduleInput, EditInput, SegmentInput
from invoicing.queries.balances import balances
from invoicing.services import finalize_due
from tests.factories.contracts import credit_input, prepaid_input
from tests.factories.pricing import PricingUnitFactory, ProductFactory, RateCardConversionFactory, RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db

TENTH, TWENTIETH = at("2025-10-10"), at("2025-10-20")


def access(*segments, **more):
    return AccessScheduleInput(tuple(SegmentInput(D(amount), start, end) for amount, start, end in segments), **more)


def grant(acme, *given, on=OCTOBER):
    commits = tuple(each for each in given if each.type != "CREDIT")
    credits = tuple(each for each in given if each.type == "CREDIT")
    edit = EditInput(add_commits=commits, add_credits=credits)
    services.edit_contract(acme.customer, acme.contract.pk, edit, at=on, by=ADA)


@pytest.fixture
def read(client, acme):
    """What is left, and the types of entries, of each balance by its name."""

    def read():
        found = client.v1.contracts.list_balances(
            customer_id=str(acme.customer.pk),
            include_contract_balances=True,
            include_balance=True,
            include_ledgers=True,
        )
        return {
            each.name: (each.balance, [(entry.type, entry.amount) for entry in each.ledger or ()]) for each in found
        }

    return read


def test_segments_open_and_end_at_their_first_instants_in_whatever_they_are_held(acme, read, clock_at):
    units = PricingUnitFactory(name="credits")
    RateCardConversionFactory(rate_card=acme.prices.card, unit=units)
    answers = ProductFactory(name="Answers", version__billable_metric=acme.prices.calls_made)
    RateFactory(rate_card=acme.prices.card, product=answers, price=D(3), unit=units)
    window = (100, TENTH, TWENTIETH)
    calls = (acme.prices.calls.pk,)
    grant(
        acme,
        prepaid_input(
            access_schedule=access(window, access_type="QUANTITY"), applicable_product_ids=calls, name="Units"
        ),
        credit_input(access_schedule=access(window, credit_type_id=units.pk), name="Credits"),
    )
    for instant, used, left in [
        ("2025-10-09T23:59:59", 0, (0, 0)),
        ("2025-10-10T00:00:00", 0, (100, 100)),
        ("2025-10-12T00:00:00", 5, (95, 85)),
        ("2025-10-19T23:59:59", 0, (95, 85)),
        ("2025-10-20T00:00:00", 0, (0, 0)),
    ]:
        clock_at(instant)
        acme.calls(instant, used)
        found = read()
        assert (found["Units"][0], found["Credits"][0]) == left, instant
    assert {name: entries for name, (_, entries) in found.items()} == {
        "Units": [
            ("PREPAID_COMMIT_SEGMENT_START", 100),
            ("PREPAID_COMMIT_EXPIRATION", -95),
            ("PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION", -5),
        ],
        "Credits": [
            ("CREDIT_SEGMENT_START", 100),
            ("CREDIT_EXPIRATION", -85),
            ("CREDIT_AUTOMATED_INVOICE_DEDUCTION", -15),
        ],
    }


@pytest.fixture
def burned(acme):
    """Two segments and a credit, used in each month; October is final."""
    grant(
        acme,
        prepaid_input(access_schedule=access((50, OCTOBER, NOVEMBER), (40, at("2025-10-25"), DECEMBER)), name="Pack"),
        credit_input(access_schedule=access((30, TENTH, JANUARY)), name="Goodwill"),
    )
    for hour, calls in [("2025-10-03T07", 10), ("2025-10-12T07", 15), ("2025-10-26T07", 9), ("2025-11-04T07", 12)]:
        acme.calls(hour, calls)
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    return acme


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    as_of=st.datetimes(datetime(2025, 10, 1), datetime(2025, 12, 10)).map(lambda one: at(f"{one:%Y-%m-%dT%H:%M:%S}"))
)
def test_what_came_in_went_out_or_is_left_at_any_instant(burned, as_of):
    for balance in balances(burned.customer.pk, at=at("2025-12-10"), as_of=as_of):
        statement = balance.statement
        assert sum(movement.amount for movement in statement.movements) == statement.left
        granted = sum(each.granted for each in statement.standings)
        expired = sum(each.expired(as_of) for each in statement.standings)
        assert granted == statement.used + statement.pending + expired + statement.left + statement.to_come
        assert statement.left <= statement.settled_left


@pytest.mark.parametrize(
    ("as_of", "left"),
    [
        ("2025-10-01", {"Pack": 50, "Goodwill": 0}),
        ("2025-10-03T06:59:59", {"Pack": 50, "Goodwill": 0}),
        ("2025-10-03T07:00:00", {"Pack": 30, "Goodwill": 0}),
        ("2025-10-10", {"Pack": 30, "Goodwill": 30}),
        ("2025-10-13", {"Pack": 0, "Goodwill": 30}),
        ("2025-10-25", {"Pack": 40, "Goodwill": 30}),
        ("2025-10-27", {"Pack": 22, "Goodwill": 30}),
        ("2025-11-01", {"Pack": 22, "Goodwill": 30}),
        ("2025-11-05", {"Pack": 0, "Goodwill": 28}),
        ("2025-12-01", {"Pack": 0, "Goodwill": 28}),
    ],
)
def test_a_balance_is_drawn_on_by_what_had_been_used_by_then(burned, as_of, left):
    found = balances(burned.customer.pk, at=at("2025-12-10"), as_of=at(as_of))
    assert {each.committed.commit.name: each.statement.left for each in found} == left


def test_more_balances_cost_no_more_queries(acme, read, clock_at):
    clock_at("2025-10-06")

    def queries():
        counts = []
        for _ in range(3):  # what a process remembers is looked up again where others have written meanwhile
            with CaptureQueriesContext(connection) as captured:
                read()
            counts.append(len(captured))
        return min(counts)

    grant(acme, prepaid_input(D(10), OCTOBER, JANUARY, name="First"))
    one = queries()
    grant(acme, *(credit_input(D(10), name=f"More {number}") for number in range(4)))
    assert queries() == one
