"""Terms are compiled once for each edit and process: what is remembered is never what was not yet, or no longer, so."""

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.transactions import read_snapshot
from contracts.queries import customer_terms
from tests.factories.contracts import ClaimFactory, ContractFactory, CustomerFactory, EditFactory, OverrideFactory

pytestmark = pytest.mark.django_db(transaction=True)


def read(customer, **known):
    with read_snapshot():
        return customer_terms(customer.pk, **known)


def overrides(customer, **known):
    return [override.id for contract in read(customer, **known).contracts for override in contract.overrides]


@pytest.mark.parametrize("contracts", [1, 3])
def test_terms_that_were_read_before_cost_two_statements(contracts):
    customer = CustomerFactory()
    for _ in range(contracts):
        OverrideFactory(contract=ContractFactory(customer=customer))
    first = read(customer)
    with read_snapshot(), CaptureQueriesContext(connection) as statements:
        assert customer_terms(customer.pk) == first
    assert len(statements) == 2


def test_an_edit_is_seen_at_once_and_what_was_known_before_stays():
    contract = ContractFactory()
    before = read(contract.customer)
    made = OverrideFactory(contract=contract)
    assert overrides(contract.customer) == [made.pk]
    assert read(contract.customer, at_edit=before.edit_number) == before


def test_an_edit_under_way_is_not_remembered_as_what_it_was_half_done():
    contract = ContractFactory()
    with transaction.atomic():
        edit = EditFactory(contract=contract, customer=contract.customer)
        assert overrides(contract.customer) == []
        made = OverrideFactory(contract=contract, added_by_edit=edit)
        assert overrides(contract.customer) == [made.pk]
    assert overrides(contract.customer) == [made.pk]


def test_an_edit_that_was_rolled_back_is_not_taken_for_the_next_of_its_number():
    contract = ContractFactory()
    with transaction.atomic():
        OverrideFactory(contract=contract)
        number = read(contract.customer).edit_number
        transaction.set_rollback(True)
    made = OverrideFactory(contract=contract)
    assert read(contract.customer).edit_number == number
    assert overrides(contract.customer) == [made.pk]


def test_a_subject_that_another_customer_claims_is_no_longer_ones_own():
    customer, noon = CustomerFactory(aliases=["acme"]), datetime(2025, 10, 7, 12, tzinfo=UTC)
    read(customer)
    ClaimFactory(subject="acme", sequence=2, starting_at=noon)
    assert {claim.subject: claim.ending_before for claim in read(customer).claims} == {
        "acme": noon,
        str(customer.pk): None,
    }
