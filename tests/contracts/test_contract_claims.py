"""Who owns a subject, and when: the first claim takes its history, and what is billed stays with whom it was billed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Conflict, NotFound, NotSupported, Refusal
from contracts import services
from contracts.models import Claim, Contract, ContractEdit, Customer
from contracts.queries import aliases_of, claim_windows, customers, owner_of
from contracts.terms import ClaimWindow
from tests.factories.contracts import ClaimFactory, ContractFactory, CustomerFactory

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
LONG_AGO = datetime(1999, 1, 1, tzinfo=UTC)


def windows(customer):
    """Windows of the customer's aliases; its own id aside."""
    return [window for window in claim_windows(customer.pk) if window.subject != str(customer.pk)]


def aliases(customer):
    return aliases_of([customer.pk])[customer.pk]


def test_a_new_customer_owns_its_id_and_its_aliases_since_ever(told):
    customer = services.create_customer("Acme", ingest_aliases=["acme", "b", "acme"], custom_fields={"k": "v"}, **told)

    assert (customer.name, customer.custom_fields, customer.created_by) == ("Acme", {"k": "v"}, "Ada")
    assert aliases(customer) == ["acme", "b"]
    assert set(claim_windows(customer.pk)) == {
        ClaimWindow(subject, None, None) for subject in (str(customer.pk), "acme", "b")
    }
    assert owner_of(["acme", "nobody"], LONG_AGO) == {"acme": customer.pk}
    assert customer.history.count() == 1


def test_a_name_is_cut_at_160_characters(told):
    assert services.create_customer("a" * 200, **told).name == "a" * 160


@pytest.mark.parametrize(
    ("wanted", "field", "rule"),
    [
        pytest.param({"name": " "}, "name", "must not be empty", id="no name"),
        pytest.param({"ingest_aliases": [""]}, "ingest_aliases[0]", "must not be empty", id="an empty alias"),
        pytest.param(
            {"ingest_aliases": ["b", "é" * 65]},
            "ingest_aliases[1]",
            "must not be longer than 128 bytes",
            id="an alias of 130 bytes in 65 characters",
        ),
        pytest.param(
            {"custom_fields": {"k": "v" * 201}},
            "custom_fields.k",
            "must not be longer than 200 characters",
            id="a long custom field",
        ),
    ],
)
def test_a_customer_that_breaks_a_rule_is_not_created(told, wanted, field, rule):
    with pytest.raises(Refusal) as refused:
        services.create_customer(**{"name": "Acme"} | wanted, **told)

    assert [(error.field, error.rule) for error in refused.value.errors] == [(field, rule)]
    assert not Customer.objects.exists()


def test_an_alias_of_another_customer_is_a_conflict_even_when_that_one_is_archived(told):
    archived = CustomerFactory(aliases=["acme"])
    services.archive_customer(archived, **told)

    with pytest.raises(Conflict, match="ingest_aliases: is an alias of customer"):
        services.create_customer("Twin", ingest_aliases=["acme"], **told)
    other = CustomerFactory()
    with pytest.raises(Conflict, match="'acme'"):
        services.set_ingest_aliases(other.pk, ["new", "acme"], **told)
    assert (Customer.objects.count(), aliases(other)) == (2, [])


def test_the_id_of_a_customer_is_no_alias_however_it_is_spelled(told):
    customer, other = CustomerFactory(), CustomerFactory()

    for spelling in (str(other.pk), str(other.pk).upper(), other.pk.hex):
        with pytest.raises(Refusal, match="must not be a customer's id"):
            services.set_ingest_aliases(customer.pk, [spelling], **told)
    with pytest.raises(Refusal, match="own id, which works without"):
        services.set_ingest_aliases(customer.pk, [str(customer.pk)], **told)
    assert Claim.objects.count() == 2


def test_setting_aliases_replaces_the_set_and_twice_is_once(told):
    customer = CustomerFactory(aliases=["old", "kept"])

    for _ in range(2):
        services.set_ingest_aliases(customer.pk, ["kept", "new"], reason="renamed", **told)

    assert aliases(customer) == ["kept", "new"]
    edit = ContractEdit.objects.get(customer=customer, number=2)
    assert (edit.kind, edit.contract, edit.reason) == ("CLAIMS", None, "renamed")
    assert set(edit.claims.values_list("subject", "sequence")) == {("old", 2), ("new", 1)}


def test_an_unknown_customer_has_no_aliases_to_set(told):
    with pytest.raises(NotFound):
        services.set_ingest_aliases(uuid7(), ["acme"], **told)
    assert not Claim.objects.exists()


def test_a_released_subject_goes_to_the_next_with_its_whole_history(told):
    first, second = CustomerFactory(aliases=["acme"]), CustomerFactory()
    ContractFactory(customer=first)

    services.set_ingest_aliases(first.pk, [], **told)
    assert owner_of(["acme"], OCTOBER) == {}
    services.set_ingest_aliases(second.pk, ["acme"], **told)

    assert (windows(first), windows(second)) == ([], [ClaimWindow("acme", None, None)])
    assert owner_of(["acme"], LONG_AGO) == {"acme": second.pk}


def test_what_is_billed_stays_with_whom_it_was_billed(told):
    first, second = CustomerFactory(aliases=["acme"]), CustomerFactory()
    ContractFactory(customer=first, billed_through=OCTOBER)
    ContractFactory(customer=first, billed_through=NOVEMBER)

    services.set_ingest_aliases(first.pk, [], **told)
    services.set_ingest_aliases(second.pk, ["acme"], **told)

    assert windows(first) == [ClaimWindow("acme", None, NOVEMBER)]
    assert windows(second) == [ClaimWindow("acme", NOVEMBER, None)]
    before = NOVEMBER - timedelta(hours=1)
    assert (owner_of(["acme"], before), owner_of(["acme"], NOVEMBER)) == ({"acme": first.pk}, {"acme": second.pk})


def test_giving_up_a_subject_never_gives_up_what_its_owner_before_was_billed_for(told):
    first, second = CustomerFactory(aliases=["acme"]), CustomerFactory()
    ContractFactory(customer=first, billed_through=NOVEMBER)
    services.set_ingest_aliases(first.pk, [], **told)
    services.set_ingest_aliases(second.pk, ["acme"], **told)

    services.set_ingest_aliases(second.pk, [], **told)
    assert (windows(first), windows(second)) == ([ClaimWindow("acme", None, NOVEMBER)], [])
    services.set_ingest_aliases(first.pk, ["acme"], **told)

    assert (windows(first), windows(second)) == ([ClaimWindow("acme", None, None)], [])
    assert aliases(first) == ["acme"]


def test_claims_are_known_by_edit(told):
    customer = CustomerFactory(aliases=["acme"])
    services.set_ingest_aliases(customer.pk, ["new"], **told)
    taker = CustomerFactory()
    services.set_ingest_aliases(taker.pk, ["acme"], **told)

    known = {
        number: {window.subject for window in claim_windows(customer.pk, at_edit=number)} - {str(customer.pk)}
        for number in (0, 1, 2)
    }
    assert known == {0: set(), 1: {"acme"}, 2: {"new"}}


def test_of_the_claims_that_cover_an_hour_the_last_holds():
    first, second = CustomerFactory(aliases=["acme"]), CustomerFactory()
    ClaimFactory(customer=second, subject="acme", sequence=2, starting_at=NOVEMBER)
    ClaimFactory(customer=first, subject="acme", sequence=3, starting_at=NOVEMBER + timedelta(hours=2))

    assert windows(first) == [
        ClaimWindow("acme", None, NOVEMBER),
        ClaimWindow("acme", NOVEMBER + timedelta(hours=2), None),
    ]
    assert windows(second) == [ClaimWindow("acme", NOVEMBER, NOVEMBER + timedelta(hours=2))]

    ClaimFactory(customer=first, subject="acme", sequence=4, starting_at=OCTOBER)
    assert (windows(first), windows(second)) == ([ClaimWindow("acme", None, None)], [])


def test_what_others_claim_is_not_a_matter_of_the_customers_own_edits():
    first, second = CustomerFactory(aliases=["acme"]), CustomerFactory()
    ClaimFactory(customer=second, subject="acme", sequence=2, starting_at=NOVEMBER)

    known = [window for window in claim_windows(first.pk, at_edit=1) if window.subject == "acme"]
    assert known == [ClaimWindow("acme", None, NOVEMBER)]


def test_customers_are_found_by_id_by_alias_and_by_being_archived(told):
    acme, other = CustomerFactory(aliases=["acme"]), CustomerFactory()
    gone = CustomerFactory(aliases=["gone"])
    services.archive_customer(gone, **told)

    assert set(customers()) == {acme, other}
    assert list(customers(only_archived=True)) == [gone]
    assert list(customers(ids=[other.pk, gone.pk])) == [other]
    assert list(customers(ingest_alias="acme")) == [acme]
    assert not customers(ingest_alias="gone")
    assert not customers(ingest_alias="unheard of")


def test_windows_and_aliases_take_one_query_however_many_there_are():
    few = CustomerFactory(aliases=["a"])
    many = CustomerFactory(aliases=["b", "c", "d"])

    for read in (lambda customer: claim_windows(customer.pk), lambda customer: aliases_of([customer.pk])):
        for customer in (few, many):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                read(customer)
            assert len(queries) == 1


def test_a_customer_with_a_contract_is_not_archived_yet(told):
    contract = ContractFactory()

    with pytest.raises(NotSupported, match="has contracts"):
        services.archive_customer(contract.customer, **told)
    assert Customer.objects.get(pk=contract.customer.pk).archived_at is None


def test_a_name_is_changed_with_its_reason_in_the_history(told):
    customer = CustomerFactory()

    services.set_name(customer.pk, "Acme GmbH", reason="incorporated", **told)

    customer.refresh_from_db()
    assert (customer.name, customer.updated_at) == ("Acme GmbH", told["at"])
    assert customer.history.first().history_change_reason == "incorporated"
    with pytest.raises(Refusal, match="name: must not be empty"):
        services.set_name(customer, "", **told)


BILLED_HOURS = st.integers(min_value=0, max_value=5)
STEPS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["claim", "release", "bill"]), BILLED_HOURS), max_size=12)


class ClaimsOverTime(TestCase):
    """Laws over any sequence of claiming, releasing and billing by three customers."""

    @settings(max_examples=40)
    @given(steps=STEPS)
    def test_every_hour_has_one_owner_at_most_and_billed_hours_keep_theirs(self, steps):
        told = {"at": NOVEMBER, "by": Actor("USER", "Ada")}
        people = [CustomerFactory(name=name) for name in ("Ada", "Ben", "Cleo")]
        contracts = [ContractFactory(customer=customer) for customer in people]
        hours = [OCTOBER + timedelta(hours=hour) for hour in range(6)]
        billed: dict[datetime, object] = {}
        for who, step, hour in steps:
            customer = people[who]
            if step == "bill":
                through = max(filter(None, (contracts[who].billed_through, hours[hour])))
                Contract.objects.filter(pk=contracts[who].pk).update(billed_through=through)
                contracts[who].refresh_from_db()
                billed |= {h: customer.pk for h in hours if h < through and self.owner(h) == customer.pk}
                continue
            try:
                services.set_ingest_aliases(customer.pk, ["acme"] if step == "claim" else [], **told)
            except Conflict:
                assert self.owner(OCTOBER + timedelta(days=9)) not in (None, customer.pk)
            assert all(self.owner(hour) == owner for hour, owner in billed.items())
        for hour in hours:
            owners = [
                customer.pk
                for customer in people
                for window in windows(customer)
                if (window.starting_at is None or window.starting_at <= hour)
                and (window.ending_before is None or hour < window.ending_before)
            ]
            assert owners == [self.owner(hour)] if self.owner(hour) else owners == []

    def owner(self, hour):
        return owner_of(["acme"], hour).get("acme")
