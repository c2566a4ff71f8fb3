"""Verbs of one customer happen one after the other, each on what the one before has left."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Conflict, NotFound, Refusal
from contracts import services
from contracts.inputs import EditInput, OverrideInput
from contracts.models import Claim, ContractEdit, Customer, Override
from contracts.transactions import lock_customers, money_transaction
from tests.factories.contracts import ContractFactory, CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)

NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)


def at_once(*verbs: Callable[[], object]) -> list[object]:
    """What each verb returned or raised, all of them begun at the same moment, each on a connection of its own."""
    barrier, results = threading.Barrier(len(verbs)), [None] * len(verbs)

    def run(index):
        try:
            barrier.wait()
            results[index] = verbs[index]()
        except Exception as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(verbs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_edits_made_at_once_all_land_with_numbers_that_follow_each_other(told):
    contract = ContractFactory()

    def edit(multiplier):
        given = EditInput(add_overrides=(OverrideInput(NOVEMBER, type="MULTIPLIER", multiplier=D(multiplier)),))
        return lambda: services.edit_contract(contract.customer.pk, contract.pk, given, **told).number

    numbers = at_once(*(edit(multiplier) for multiplier in range(6)))

    assert sorted(numbers) == [3, 4, 5, 6, 7, 8]
    assert sorted(Override.objects.values_list("multiplier", flat=True)) == list(range(6))
    assert Customer.objects.get().last_edit_number == 8


def test_of_two_edits_with_one_key_at_once_one_is_a_conflict(told):
    contract = ContractFactory()
    given = EditInput(update_contract_name="Deal", uniqueness_key="deal")

    results = at_once(*[lambda: services.edit_contract(contract.customer.pk, contract.pk, given, **told)] * 2)

    assert {type(result) for result in results} == {ContractEdit, Conflict}


def test_of_two_customers_that_claim_one_subject_at_once_one_gets_it(told):
    def claim(customer):
        return lambda: services.set_ingest_aliases(customer.pk, ["acme"], **told)

    results = at_once(*(claim(CustomerFactory()) for _ in range(4)))

    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 3 + ["Customer"]
    assert Claim.objects.filter(subject="acme").count() == 1


def test_customers_that_swap_subjects_at_once_do_not_deadlock(told):
    one, other = CustomerFactory(aliases=["a"]), CustomerFactory(aliases=["b"])
    for customer in (one, other):
        services.set_ingest_aliases(customer.pk, [], **told)

    results = at_once(
        lambda: services.set_ingest_aliases(one.pk, ["b"], **told),
        lambda: services.set_ingest_aliases(other.pk, ["a"], **told),
    )

    assert results == [one, other]


def test_a_verb_sees_what_the_one_before_it_has_written():
    """Each adds one to what it has read; none may be lost."""
    customer = CustomerFactory()

    @money_transaction
    def count_on(locked, *, at, by):
        counted = Customer.objects.get(pk=locked.pk).custom_fields.get("count", 0)
        Customer.objects.filter(pk=locked.pk).update(custom_fields={"count": counted + 1})
        return counted + 1

    results = at_once(*[lambda: count_on(customer.pk, at=NOVEMBER, by=None)] * 6)

    assert sorted(results) == [1, 2, 3, 4, 5, 6]
    customer.refresh_from_db()
    assert customer.money_version == 6


def test_a_verb_is_given_the_row_as_it_is_under_the_lock():
    customer = CustomerFactory()
    Customer.objects.filter(pk=customer.pk).update(name="Renamed meanwhile")

    @money_transaction
    def name_of(locked):
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_isolation")
            return locked.name, cursor.fetchone()[0]

    assert name_of(customer) == ("Renamed meanwhile", "repeatable read")
    with pytest.raises(NotFound):
        name_of(uuid7())


def test_customers_are_locked_together_in_the_order_of_their_ids_or_not_at_all():
    one, other = sorted((CustomerFactory(), CustomerFactory()), key=lambda customer: customer.pk)

    with CaptureQueriesContext(connection) as captured:
        assert lock_customers([other.pk, one.pk, one.pk]) == {one.pk: one, other.pk: other}
    updates = [query["sql"] for query in captured if query["sql"].startswith("UPDATE")]
    assert [one.pk.hex in updates[0], other.pk.hex in updates[1], len(updates)] == [True, True, 2]
    with pytest.raises(NotFound):
        lock_customers([one.pk, uuid7()])


def test_of_two_who_set_a_unique_value_at_once_one_is_refused(told):
    services.declare_key("customer", "crm", enforce_uniqueness=True, **told)
    customers = [CustomerFactory() for _ in range(3)]

    def give(customer):
        return lambda: services.set_values("customer", customer.pk, {"crm": "7"}, **told)

    results = at_once(*map(give, customers))

    assert sum(result is None for result in results) == 1
    assert {type(result) for result in results} == {type(None), Refusal}
    assert [row.custom_fields for row in Customer.objects.exclude(custom_fields={})] == [{"crm": "7"}]


def test_a_key_that_becomes_unique_while_values_are_set_leaves_no_two_alike(told):
    customers = [CustomerFactory() for _ in range(4)]

    def give(customer):
        return lambda: services.set_values("customer", customer.pk, {"crm": "7"}, **told)

    def declare():
        services.declare_key("customer", "crm", enforce_uniqueness=True, **told)

    results = at_once(*map(give, customers), declare)

    alike = Customer.objects.filter(custom_fields={"crm": "7"}).count()
    assert alike == sum(result is None for result in results[:-1])
    assert alike == 1 if results[-1] is None else isinstance(results[-1], Conflict) and alike > 1
