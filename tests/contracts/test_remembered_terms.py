"""Terms are compiled once for each edit and process: what is remembered is never what was not yet, or no longer, so."""

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.transactions import committed_terms_and_prices, read_snapshot, repeatable_read
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


def terms_for_a_verb(customer):
    """What a verb reads that writes no terms, and how many statements that takes it."""
    with committed_terms_and_prices(), CaptureQueriesContext(connection) as statements:
        terms = customer_terms(customer.pk)
    return terms, len(statements)


def test_a_verb_that_writes_no_terms_takes_them_from_memory():
    contract = ContractFactory()
    first = read(contract.customer)
    verb = repeatable_read(terms_for_a_verb)
    assert verb(contract.customer) == (first, 2)
    made = OverrideFactory(contract=contract)
    terms, statements = verb(contract.customer)
    assert [override.id for each in terms.contracts for override in each.overrides] == [made.pk]
    assert statements > 2
    assert verb(contract.customer) == (terms, 2)


def test_a_verb_within_another_does_not_remember_what_that_has_half_written():
    contract = ContractFactory()

    @repeatable_read
    def edits_and_goes_on():
        edit = EditFactory(contract=contract, customer=contract.customer)
        half, _ = repeatable_read(terms_for_a_verb)(contract.customer)
        made = OverrideFactory(contract=contract, added_by_edit=edit)
        return half, made, repeatable_read(terms_for_a_verb)(contract.customer)[0]

    half, made, whole = edits_and_goes_on()
    assert [override for each in half.contracts for override in each.overrides] == []
    assert [override.id for each in whole.contracts for override in each.overrides] == [made.pk]
    assert overrides(contract.customer) == [made.pk]
