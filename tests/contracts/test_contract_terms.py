"""What the database itself refuses, and what reading terms costs."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models.expressions import RawSQL
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotFound, Refusal
from contracts.models import (
    AccessSegment,
    Claim,
    Commit,
    Contract,
    ContractEdit,
    ContractTerms,
    Customer,
    CustomerScheduleSegment,
    InvoiceScheduleItem,
    Override,
    ScheduledCharge,
    ScheduledChargeItem,
)
from contracts.queries import agreements, customer_terms, edit_history, edit_number_at
from contracts.terms import ClaimWindow
from tests.factories.contracts import (
    AccessSegmentFactory,
    ClaimFactory,
    CommitFactory,
    ContractFactory,
    ContractTermsFactory,
    CustomerFactory,
    CustomerScheduleSegmentFactory,
    EditFactory,
    OverrideFactory,
    ScheduledChargeFactory,
)

pytestmark = pytest.mark.django_db

NAN = RawSQL("%s::numeric", ["NaN"])  # Django would refuse it first
OFF_THE_HOUR = datetime(2025, 1, 1, 0, 30, tzinfo=UTC)
TERMS = (
    ContractTerms,
    Override,
    Commit,
    AccessSegment,
    InvoiceScheduleItem,
    ScheduledCharge,
    ScheduledChargeItem,
)


@pytest.fixture
def contract():
    """A contract with one of every term."""
    contract = ContractFactory()
    OverrideFactory(contract=contract)
    CommitFactory(contract=contract)
    ScheduledChargeFactory(contract=contract)
    return contract


def refused(change):
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        change()
    return str(refusal.value)


@pytest.mark.parametrize("model", TERMS, ids=lambda model: model.__name__)
class TestTerms:
    def test_a_term_is_removed_once_and_otherwise_stays(self, contract, model):
        first, second = (EditFactory(customer=contract.customer, contract=contract) for _ in range(2))
        rows = model.objects.all()

        assert "never overwritten" in refused(lambda: rows.update(created_at=OFF_THE_HOUR))
        assert "never overwritten" in refused(lambda: rows.update(position=7))
        assert "never overwritten" in refused(lambda: rows.update(removed_by_edit=first, position=7))
        assert "never overwritten" in refused(lambda: rows.update(removed_by_edit=None))
        assert rows.update(removed_by_edit=first) == 1
        for other in (second, None):
            assert "never overwritten" in refused(lambda edit=other: rows.update(removed_by_edit=edit))
        assert model.objects.get().removed_by_edit == first

    def test_a_term_is_not_deleted(self, contract, model):
        table = model._meta.db_table

        assert "never overwritten" in refused(lambda: model.objects.all()._raw_delete("default"))
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            assert "never overwritten" in refused(lambda: cursor.execute(f"TRUNCATE {table} CASCADE"))


@pytest.mark.parametrize("model", [ContractEdit, Claim, Customer.history.model, Contract.history.model])
def test_facts_and_history_are_only_inserted(told, model):
    ContractFactory(customer=CustomerFactory())

    assert model.objects.exists()
    assert "append-only" in refused(lambda: model.objects.update(created_at=OFF_THE_HOUR))
    assert "append-only" in refused(lambda: model.objects.all()._raw_delete("default"))


def test_what_a_named_schedule_said_stays():
    CustomerScheduleSegmentFactory()

    assert "append-only" in refused(lambda: CustomerScheduleSegment.objects.update(value="1"))
    assert "append-only" in refused(lambda: CustomerScheduleSegment.objects.all()._raw_delete("default"))


def test_what_a_contract_is_born_with_stays(contract):
    mine = Contract.objects.filter(pk=contract.pk)

    for change in ({"starting_at": datetime(2024, 1, 1, tzinfo=UTC)}, {"frequency": "ANNUAL"}, {"rate_card": None}):
        assert "born with" in refused(lambda change=change: mine.update(**change))
    assert "born with" in refused(lambda: mine._raw_delete("default"))
    mine.update(billed_through=datetime(2025, 2, 1, tzinfo=UTC), archived_at=OFF_THE_HOUR, custom_fields={"k": "v"})


@pytest.mark.parametrize(
    ("make", "constraint"),
    [
        pytest.param(lambda: ContractFactory(starting_at=OFF_THE_HOUR), "on_the_hour", id="a start off the hour"),
        pytest.param(
            lambda: ContractTermsFactory(ending_before=OFF_THE_HOUR, contract=ContractFactory(terms=None)),
            "on_the_hour",
            id="an end off the hour",
        ),
        pytest.param(
            lambda: OverrideFactory(multiplier=RawSQL("%s::numeric", ["NaN"])), "is_a_number", id="NaN times the price"
        ),
        pytest.param(lambda: OverrideFactory(multiplier=D(-1)), "not_negative", id="a negative multiplier"),
        pytest.param(lambda: OverrideFactory(type="HALVE"), "an_override|type_is_known", id="an unknown type"),
        pytest.param(lambda: OverrideFactory(type="TIERED"), "says_what_its_type_needs", id="tiered without tiers"),
        pytest.param(
            lambda: OverrideFactory(type="TIERED", tiers=[{"multiplier": "1"}]),
            "says_what_its_type_needs",
            id="tiered without a priority",
        ),
        pytest.param(
            lambda: OverrideFactory(type="TIERED", tiers=[{"multiplier": 0.1}], priority=1),
            "keep_numbers_as_text",
            id="a tier's multiplier that was rounded",
        ),
        pytest.param(
            lambda: OverrideFactory(type="OVERWRITE", rate_type="TIERED", rate_tiers=[{"price": "-1"}]),
            "keep_numbers_as_text",
            id="a tier of a negative price",
        ),
        pytest.param(
            lambda: OverrideFactory(type="OVERWRITE", rate_type="PACKAGE", price=D(1)),
            "tariff_says_what_its_type_needs",
            id="a package of no size",
        ),
        pytest.param(
            lambda: OverrideFactory(type="OVERWRITE", rate_type="TIERED", rate_tiers=[{"price": "1"}], price=D(1)),
            "tariff_says_what_its_type_needs",
            id="tiers and a price",
        ),
        pytest.param(lambda: OverrideFactory(priority=D(0)), "priority_is_above_zero", id="priority zero"),
        pytest.param(
            lambda: OverrideFactory(target="COMMIT_RATE"), "commit_rate", id="the commit rate of an ordinary override"
        ),
        pytest.param(
            lambda: OverrideFactory(is_commit_specific=True, entitled=True),
            "entitlement_does_not_depend",
            id="entitled while a commit pays",
        ),
        pytest.param(
            lambda: OverrideFactory(specifiers=[{"product_tags": ["a"], "commit_ids": ["b"]}]),
            "only_commit_specific_overrides",
            id="an ordinary override that names commits",
        ),
        pytest.param(
            lambda: OverrideFactory(type="OVERWRITE", price=D(1), applicable_product_tags=["a"]),
            "not_overwritten_by_tag",
            id="a price overwritten by tag",
        ),
        pytest.param(
            lambda: OverrideFactory(type="OVERWRITE"),
            "tariff_says_what_its_type_needs",
            id="an overwritten price without a price",
        ),
        pytest.param(
            lambda: AccessSegmentFactory(ending_before=datetime(2025, 1, 1, tzinfo=UTC)),
            "ends_after_it_starts",
            id="an empty segment",
        ),
        pytest.param(lambda: AccessSegmentFactory(amount=D(0)), "holds_something", id="a segment of nothing"),
        pytest.param(lambda: CommitFactory(type="FREE"), "type_is_known", id="an unknown kind of commit"),
        pytest.param(lambda: EditFactory(number=0), "start_at_one", id="edit zero"),
        pytest.param(lambda: EditFactory(kind="EDIT"), "edited_in_a_contract", id="an edit of no contract"),
        pytest.param(lambda: EditFactory(kind="GUESS"), "kind_is_known", id="an unknown kind of edit"),
        pytest.param(
            lambda: EditFactory(contract=ContractFactory(), kind="CLAIMS"),
            "edited_in_a_contract",
            id="an edit of claims in a contract",
        ),
        pytest.param(
            lambda: CustomerScheduleSegmentFactory(starting_at=OFF_THE_HOUR),
            "on_the_hour",
            id="a named schedule off the hour",
        ),
        pytest.param(
            lambda: CustomerScheduleSegmentFactory(value="{eu: 1}"), "value_is_json", id="a named schedule of no JSON"
        ),
        pytest.param(
            lambda: CustomerScheduleSegmentFactory(properties={"region": "eu"}),
            "only_schedules_of_contracts",
            id="a customer's named schedule with properties",
        ),
        pytest.param(lambda: ClaimFactory(starting_at=OFF_THE_HOUR), "on_the_hour", id="a claim off the hour"),
    ],
)
def test_the_database_refuses(make, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        make()


def test_the_database_refuses_what_may_be_there_only_once(contract):
    customer, other = contract.customer, CustomerFactory()
    edit = EditFactory(customer=customer, uniqueness_key="k")
    ContractFactory(customer=customer, uniqueness_key="k")
    ContractFactory(customer=other, uniqueness_key="k")
    EditFactory(customer=other, uniqueness_key="k")
    written = CustomerScheduleSegmentFactory(customer=customer)

    for make, constraint in (
        (lambda: EditFactory(customer=customer, number=edit.number), "edits_of_a_customer_are_numbered"),
        (lambda: EditFactory(customer=customer, uniqueness_key="k"), "an_edit_key_is_used_once"),
        (lambda: ContractFactory(customer=customer, uniqueness_key="k"), "a_contract_key_is_used_once"),
        (lambda: ContractTermsFactory(contract=contract), "one_set_of_terms_stands"),
        (
            lambda: CustomerScheduleSegmentFactory(customer=customer, edit=written.edit),
            "an_edit_writes_a_named_schedule_once",
        ),
        (lambda: ClaimFactory(customer=other, subject=str(customer.pk)), "claims_of_a_subject_follow_each_other"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            make()


def test_terms_are_known_by_edit(contract):
    customer = contract.customer
    last = Customer.objects.get(pk=customer.pk).last_edit_number
    now = customer_terms(customer.pk)

    assert (now.edit_number, now.claims) == (last, (ClaimWindow(str(customer.pk), None, None),))
    shapes = [
        (len(c.overrides), len(c.commits), len(c.charges))
        for number in range(last + 1)
        for c in customer_terms(customer.pk, at_edit=number).contracts
    ]
    assert shapes == [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)]
    assert customer_terms(customer.pk, at_edit=last) == now
    for number in (-1, last + 1):
        with pytest.raises(Refusal, match="must be an edit of the customer"):
            customer_terms(customer.pk, at_edit=number)
    with pytest.raises(NotFound):
        customer_terms(uuid7())


def test_an_instant_names_the_last_edit_before_it(contract):
    early, late = datetime(2024, 12, 31, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)
    EditFactory(customer=contract.customer, contract=contract, created_at=late)
    last = Customer.objects.get(pk=contract.customer.pk).last_edit_number

    assert [edit_number_at(contract.customer.pk, at) for at in (early, late)] == [0, last]
    assert edit_number_at(contract.customer.pk, late.replace(month=5)) == last - 1


def test_contracts_are_read_in_order_of_their_start():
    late = ContractFactory(starting_at=datetime(2025, 7, 1, tzinfo=UTC))
    early = ContractFactory(customer=late.customer)
    ContractFactory()

    assert [agreed.contract for agreed in agreements(late.customer.pk)] == [early, late]
    assert [agreed.contract for agreed in agreements(late.customer.pk, contract_ids=[late.pk])] == [late]


def test_reading_terms_takes_the_same_queries_for_one_contract_and_for_three():
    def filled(contracts):
        customer = CustomerFactory(aliases=[f"{contracts}-{number}" for number in range(contracts)])
        for _ in range(contracts):
            contract = ContractFactory(customer=customer)
            for _ in range(contracts):
                OverrideFactory(contract=contract)
                CommitFactory(contract=contract)
                ScheduledChargeFactory(contract=contract)
        return contract

    def queries(read, contract):
        with CaptureQueriesContext(connection) as captured:
            read(contract)
        return len(captured)

    one, three = filled(1), filled(3)
    for read, count in (
        (lambda contract: customer_terms(contract.customer.pk), 12),
        (lambda contract: customer_terms(contract.customer.pk, at_edit=5), 12),
        (lambda contract: edit_history(contract.customer.pk, contract.pk), 13),
    ):
        assert [queries(read, contract) for contract in (one, three)] == [count, count]
