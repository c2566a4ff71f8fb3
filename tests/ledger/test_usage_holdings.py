"""Who owned a subject when, read for many at once, agrees with the contracts' own reading."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_site.foundation.periods import HOUR
from contracts.models import Claim
from contracts.queries import claim_windows, owner_of
from contracts.terms import ClaimWindow
from ledger.queries.holdings import claims_of, holdings
from tests.factories.contracts import ClaimFactory, CustomerFactory, EditFactory

pytestmark = pytest.mark.django_db

START = datetime(2025, 10, 1, tzinfo=UTC)


def test_a_moved_subject_changes_hands_at_its_hour(django_assert_num_queries):
    acme, globex = CustomerFactory(name="Acme", aliases=["app"]), CustomerFactory(name="Globex")
    ClaimFactory(customer=globex, subject="app", sequence=2, starting_at=START)
    with django_assert_num_queries(1):
        claims = claims_of([acme.pk, globex.pk])
    assert claims == {
        acme.pk: [ClaimWindow(str(acme.pk), None, None), ClaimWindow("app", None, START)],
        globex.pk: [ClaimWindow(str(globex.pk), None, None), ClaimWindow("app", START, None)],
    }


# A history of one subject: who claims it next (None releases it), and from which hour on (None: since ever).
histories = st.lists(st.tuples(st.sampled_from([0, 1, None]), st.none() | st.integers(0, 5)), max_size=6)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories)
def test_any_history_of_claims_reads_the_same_both_ways(customers, subjects, history):
    subject = next(subjects)
    edit = EditFactory(customer=customers[0])
    Claim.objects.bulk_create(
        ClaimFactory.build(
            subject=subject,
            sequence=sequence,
            customer=None if owner is None else customers[owner],
            edit=edit,
            starting_at=None if hour is None else START + hour * HOUR,
        )
        for sequence, (owner, hour) in enumerate(history, start=1)
    )
    held = holdings(subjects=[subject])
    for number in range(-1, 7):
        instant = START + number * HOUR
        owners = [holding.customer_id for holding in held if holding.covers(instant)]
        assert owners == list(owner_of([subject], instant).values())
    for customer in customers:
        mine = [window for window in claims_of([customer.pk])[customer.pk] if window.subject == subject]
        assert hours_of(mine) == hours_of(
            [window for window in claim_windows(customer.pk) if window.subject == subject]
        )


@pytest.fixture
def customers():
    return [CustomerFactory(name="Acme"), CustomerFactory(name="Globex")]


@pytest.fixture
def subjects():
    """Names that were never used before: claims are facts and stay."""
    return (f"subject-{number}" for number in range(1_000_000))


def hours_of(windows):
    return [
        number
        for number in range(-1, 7)
        if any(
            (window.starting_at is None or window.starting_at <= START + number * HOUR)
            and (window.ending_before is None or START + number * HOUR < window.ending_before)
            for window in windows
        )
    ]
