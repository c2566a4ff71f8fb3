"""Custom fields: keys by kind of entity, values set and deleted, unique where they are to be."""

from decimal import Decimal as D

import metronome
import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from billing_site.foundation.custom_fields import ELSEWHERE, Entity
from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import CustomFieldClaim, CustomFieldKey
from billing_site.foundation.refusals import Conflict, NotFound, NotSupported, Refusal
from contracts import services
from contracts.inputs import ContractInput, EditInput
from contracts.models import Commit, Customer, CustomFieldsChange, Subscription
from contracts.queries import agreement
from pricing.services import create_product
from tests.factories.contracts import (
    NEXT_YEAR,
    CommitFactory,
    ContractFactory,
    CustomerFactory,
    ProfessionalServiceFactory,
    ScheduledChargeFactory,
    commit_input,
    credit_input,
)
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory, SubscriptionProductFactory
from tests.ledger.sdk import sdk_client

pytestmark = pytest.mark.django_db


def a_subscription():
    charge = ScheduledChargeFactory()
    return Subscription.objects.create(
        product=SubscriptionProductFactory(),
        frequency="MONTHLY",
        collection_schedule="ADVANCE",
        invoice_behavior="BILL_IMMEDIATELY",
        **{name: getattr(charge, name) for name in ("contract", "customer", "added_by_edit", "created_at")},
        starting_at=charge.contract.starting_at,
    )


def a_credit():
    return CommitFactory(type="CREDIT", segment=None, invoice_item=None)


MADE = {
    Entity.BILLABLE_METRIC: MetricFactory,
    Entity.COMMIT: CommitFactory,
    Entity.CONTRACT: ContractFactory,
    Entity.CONTRACT_CREDIT: a_credit,
    Entity.CONTRACT_PRODUCT: ProductFactory,
    Entity.CUSTOMER: CustomerFactory,
    Entity.DISCOUNT: lambda: ScheduledChargeFactory(is_discount=True),
    Entity.PROFESSIONAL_SERVICE: ProfessionalServiceFactory,
    Entity.RATE_CARD: RateCardFactory,
    Entity.SCHEDULED_CHARGE: ScheduledChargeFactory,
    Entity.SUBSCRIPTION: a_subscription,
}


def fields_of(row):
    row.refresh_from_db(fields=["custom_fields"])
    return row.custom_fields


def refusal(call, *args, kind=Refusal, **given):
    """The (field, rule) of each refusal of a call, which has changed nothing."""
    before = list(CustomFieldClaim.objects.values_list("pk", "entity_id"))
    with pytest.raises(kind) as refused:
        call(*args, **given)
    assert list(CustomFieldClaim.objects.values_list("pk", "entity_id")) == before
    return [(error.field, error.rule) for error in refused.value.errors]


class TestWithTheSdk:
    def test_keys_are_declared_listed_and_removed(self):
        keys = sdk_client().v1.custom_fields
        everything = [("customer", "crm", True), ("contract", "deal", False), ("customer", "team", False)]
        for entity, key, unique in everything * 2:  # once more as it is: nothing
            assert keys.add_key(entity=entity, key=key, enforce_uniqueness=unique) is None

        def listed(**options):
            return [(row.entity, row.key, row.enforce_uniqueness) for row in keys.list_keys(**options)]

        assert sorted(listed()) == sorted(everything)
        assert listed(extra_query={"limit": 1}) == listed()
        assert sorted(listed(entities=["customer", "invoice"])) == [everything[0], everything[2]]

        with pytest.raises(metronome.ConflictError, match="is declared already; remove it first"):
            keys.add_key(entity="customer", key="crm", enforce_uniqueness=False)
        for _ in range(2):
            assert keys.remove_key(entity="customer", key="crm") is None
        assert listed(entities=["customer"]) == [everything[2]]
        keys.add_key(entity="customer", key="crm", enforce_uniqueness=False)
        assert listed(entities=["customer"])[-1] == ("customer", "crm", False)

    def test_values_are_set_and_deleted_and_read_where_they_belong(self):
        client, contract = sdk_client(), CommitFactory().contract
        commit = Commit.objects.get()
        fields, ids = client.v1.custom_fields, {"customer_id": str(contract.customer_id)}
        for entity, row in (("customer", contract.customer), ("contract", contract), ("commit", commit)):
            fields.set_values(entity=entity, entity_id=str(row.pk), custom_fields={"a": "1", "b": "2"})
            fields.set_values(entity=entity, entity_id=str(row.pk), custom_fields={"b": "3", "c": entity})
            assert fields.delete_values(entity=entity, entity_id=str(row.pk), keys=["a", "never"]) is None

        read = client.v2.contracts.retrieve(contract_id=str(contract.pk), **ids).data
        assert read.custom_fields == {"b": "3", "c": "contract"}
        assert read.commits[0].custom_fields == {"b": "3", "c": "commit"}
        assert client.v1.customers.retrieve(**ids).data.custom_fields == {"b": "3", "c": "customer"}

    def test_a_read_token_sets_nothing_and_other_entities_are_refused_by_name(self):
        customer = CustomerFactory()
        given = {"entity_id": str(customer.pk), "custom_fields": {"a": "1"}}
        with pytest.raises(metronome.PermissionDeniedError):
            sdk_client("read").v1.custom_fields.set_values(entity="customer", **given)
        with pytest.raises(metronome.InternalServerError, match=r"entity: .* documents show the custom fields"):
            sdk_client().v1.custom_fields.set_values(entity="invoice", **given)
        assert fields_of(customer) == {}


def test_each_entity_has_values_and_keeps_what_they_were(told):
    assert MADE.keys() == set(Entity.values)
    for entity, make in MADE.items():
        row = make()
        services.set_values(entity, row.pk, {"a": "1", "b": "2"}, **told)
        services.set_values(entity, row.pk, {"a": "1"}, **told)
        services.delete_values(entity, row.pk, ["a"], **told)
        services.delete_values(entity, row.pk, ["a"], **told)

        assert fields_of(row) == {"b": "2"}, entity
        if hasattr(row, "history"):
            kept = [each.custom_fields for each in row.history.order_by("history_id")]
            said = {each.actor_label for each in row.history.all()} - {""}
        else:
            changes = CustomFieldsChange.objects.filter(term_id=row.pk, entity=entity).order_by("number")
            kept = [each.before for each in changes[:1]] + [each.after for each in changes]
            said = {each.changed_by for each in changes}
        assert kept[-3:] == [{}, {"a": "1", "b": "2"}, {"b": "2"}], entity
        assert said == {"Ada"}, entity


def test_once_keys_are_declared_these_alone_are_taken(told, contract):
    customer = CustomerFactory(custom_fields={"old": "1"})
    services.set_values("customer", customer.pk, {"any": "1"}, **told)
    for entity in ("customer", "contract", "commit", "contract_product"):
        services.declare_key(entity, "crm", enforce_uniqueness=False, **told)
    rule = "must be one of the keys declared for {}: crm"

    wrong = {"custom_fields": {"crm": "1", "crn": "2"}}
    assert refusal(services.set_values, "customer", customer.pk, wrong["custom_fields"], **told) == [
        ("custom_fields.crn", rule.format("customers"))
    ]
    assert refusal(services.create_customer, "Acme", **wrong, **told) == [
        ("custom_fields.crn", rule.format("customers"))
    ]
    assert refusal(create_product, "P", type="FIXED", **wrong, **told) == [
        ("custom_fields.crn", rule.format("products"))
    ]
    given = ContractInput(NEXT_YEAR, rate_card_id=contract.rate_card_id, commits=(commit_input(**wrong),), **wrong)
    assert [field for field, _ in refusal(services.create_contract, contract.customer, given, **told)] == [
        "custom_fields.crn",
        "commits[0].custom_fields.crn",
    ]
    assert refusal(services.delete_values, "customer", customer.pk, ["old", "odl"], **told) == [
        ("keys[1]", rule.format("customers"))
    ]
    # What was there before stays, is deleted, and kinds without keys are as free as before.
    services.set_values("customer", customer.pk, {"crm": "7"}, **told)
    services.delete_values("customer", customer.pk, ["old"], **told)
    assert fields_of(customer) == {"any": "1", "crm": "7"}
    services.set_values("rate_card", contract.rate_card_id, {"any": "1"}, **told)


@pytest.mark.parametrize(
    ("call", "args", "kind", "field"),
    [
        pytest.param("set_values", ({"a": "x" * 201},), Refusal, "custom_fields.a", id="a long value"),
        pytest.param("set_values", ({"a": 1},), Refusal, "custom_fields.a", id="a number"),
        pytest.param("set_values", ({"": "1"},), Refusal, "custom_fields", id="an empty key"),
        pytest.param("set_values", ({},), Refusal, "custom_fields", id="no value"),
        pytest.param("delete_values", ([],), Refusal, "keys", id="no key to delete"),
    ],
)
def test_bad_values_are_refused(told, call, args, kind, field):
    customer = CustomerFactory(custom_fields={"a": "1"})
    assert [where for where, _ in refusal(getattr(services, call), "customer", customer.pk, *args, **told)] == [field]
    assert fields_of(customer) == {"a": "1"}


def test_what_is_not_there_or_has_no_custom_fields_is_named(told):
    commit = CommitFactory()
    for entity in ELSEWHERE:
        given = {"enforce_uniqueness": False, **told}
        assert refusal(services.declare_key, entity, "k", kind=NotSupported, **given)[0][0] == "entity"
        assert refusal(services.set_values, entity, commit.pk, {"k": "1"}, kind=NotSupported, **told)[0][0] == "entity"
    assert refusal(services.set_values, "seat", commit.pk, {"k": "1"}, **told)[0][0] == "entity"
    for entity, pk in (("contract_credit", commit.pk), ("commit", uuid7())):
        assert refusal(services.set_values, entity, pk, {"k": "1"}, kind=NotFound, **told)[0][0] == "entity_id"
    assert refusal(services.declare_key, "customer", "", enforce_uniqueness=False, **told) == [
        ("key", "must not be empty")
    ]
    assert refusal(services.remove_key, "customer", "never", kind=NotFound, **told)[0][0] == "key"


class TestUniqueKeys:
    def test_a_value_is_one_entitys_alone_until_it_gives_it_up(self, told):
        one, other = CustomerFactory(custom_fields={"crm": "1"}), CustomerFactory()
        services.declare_key("customer", "crm", enforce_uniqueness=True, **told)
        services.declare_key("contract", "crm", enforce_uniqueness=True, **told)
        rule = f"must be unique among customers, and is that of {one.pk}"

        assert refusal(services.set_values, "customer", other.pk, {"crm": "1"}, **told) == [("custom_fields.crm", rule)]
        assert refusal(services.create_customer, "New", custom_fields={"crm": "1"}, **told) == [
            ("custom_fields.crm", rule)
        ]
        services.set_values("customer", one.pk, {"crm": "1"}, **told)  # its own
        services.set_values("contract", ContractFactory().pk, {"crm": "1"}, **told)  # of another kind
        services.set_values("customer", one.pk, {"crm": "2"}, **told)
        services.set_values("customer", other.pk, {"crm": "1"}, **told)
        services.delete_values("customer", other.pk, ["crm"], **told)
        assert services.create_customer("New", custom_fields={"crm": "1"}, **told).custom_fields == {"crm": "1"}

    def test_commits_and_credits_are_apart_and_one_call_gives_a_value_once(self, told, contract):
        for entity in ("commit", "contract_credit"):
            services.declare_key(entity, "po", enforce_uniqueness=True, **told)
        fields = {"custom_fields": {"po": "7"}}

        def edit(**given):
            return services.edit_contract(contract.customer, contract.pk, EditInput(**given), **told)

        twice = (commit_input(**fields), commit_input(**fields))
        assert refusal(edit, add_commits=twice) == [
            ("add_commits[1].custom_fields.po", "must be unique among commits, and is given twice")
        ]
        edit(add_commits=(commit_input(**fields),), add_credits=(credit_input(**fields),))
        assert sorted(CustomFieldClaim.objects.values_list("entity", "value")) == [
            ("commit", "7"),
            ("contract_credit", "7"),
        ]

    def test_what_is_made_like_another_has_no_value_that_is_the_others_alone(self, told):
        contract = CommitFactory(custom_fields={"po": "7", "team": "ml", "old": "1"}).contract
        for key, unique in (("po", True), ("team", False)):
            services.declare_key("commit", key, enforce_uniqueness=unique, **told)
        again = services.contract_like(agreement(contract.customer_id, contract.pk), NEXT_YEAR)

        made = services.create_contract(CustomerFactory(), again, **told)
        assert Commit.objects.get(contract=made).custom_fields == {"team": "ml"}

    def test_a_key_is_not_unique_where_values_are_not(self, told):
        twins = [CustomerFactory(custom_fields={"crm": "1"}) for _ in range(2)]
        assert refusal(services.declare_key, "customer", "crm", enforce_uniqueness=True, kind=Conflict, **told) == [
            ("enforce_uniqueness", f"values must differ to be unique; {twins[0].pk} and {twins[1].pk} both have '1'")
        ]
        assert not CustomFieldKey.objects.exists()

    def test_the_database_refuses_a_second_one(self, told):
        services.declare_key("customer", "crm", enforce_uniqueness=True, **told)
        CustomerFactory(custom_fields={"crm": "1"})
        other = CustomerFactory(custom_fields={"crm": "2"})
        for write in (
            lambda: CustomerFactory(custom_fields={"crm": "1"}),
            lambda: Customer.objects.filter(pk=other.pk).update(custom_fields={"crm": "1"}),
        ):
            with pytest.raises(DatabaseError, match="is that of one customer alone"), transaction.atomic():
                write()


def test_the_database_lets_custom_fields_of_a_term_change_only_with_a_fact_that_says_so(told):
    commit = CommitFactory()
    services.set_values("commit", commit.pk, {"a": "1"}, **told)
    services.delete_values("commit", commit.pk, ["a"], **told)
    rows = Commit.objects.filter(pk=commit.pk)
    for change in ({"custom_fields": {"a": "1"}}, {"custom_fields": {"a": "1"}, "name": "Other"}, {"priority": D(1)}):
        with pytest.raises(DatabaseError, match=r"change only as|never overwritten"), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CustomFieldsChange.objects.update(after={})


def test_a_removed_key_takes_its_values_along_and_what_they_were_is_known(told):
    commit = CommitFactory(custom_fields={"po": "7", "team": "ml"})
    credit = CommitFactory(type="CREDIT", segment=None, invoice_item=None, custom_fields={"po": "7"})
    for key in ("po", "team"):
        services.declare_key("commit", key, enforce_uniqueness=key == "po", **told)

    services.remove_key("commit", "po", reason="Moved to the CRM", **told)

    assert (fields_of(commit), fields_of(credit)) == ({"team": "ml"}, {"po": "7"})
    change = CustomFieldsChange.objects.get()
    assert (change.before, change.after, change.reason) == (
        {"po": "7", "team": "ml"},
        {"team": "ml"},
        "Moved to the CRM",
    )
    assert not CustomFieldClaim.objects.exists()
    assert refusal(services.set_values, "commit", commit.pk, {"po": "8"}, **told)[0][0] == "custom_fields.po"
    services.remove_key("commit", "team", **told)
    services.set_values("commit", commit.pk, {"po": "8"}, **told)  # none declared: any is taken
    services.remove_key("commit", "po", **told)  # removed before: nothing
    assert fields_of(commit) == {"po": "8"}


def test_keys_in_the_admin(admin_client):
    page = reverse("admin:foundation_customfieldkey_changelist")
    assert "As long as none is declared" in admin_client.get(page).content.decode()
    holder = CustomerFactory(custom_fields={"crm": "1"})

    added = {"entity": "customer", "key": "crm", "enforce_uniqueness": "on", "reason": "CRM"}
    admin_client.post(reverse("admin:foundation_customfieldkey_add"), added)
    key = CustomFieldKey.objects.get()
    assert (key.entity, key.key, key.enforce_uniqueness) == ("customer", "crm", True)
    refused = admin_client.post(reverse("admin:foundation_customfieldkey_add"), {**added, "enforce_uniqueness": ""})
    assert "must be true, as crm is declared already" in refused.content.decode()
    assert "customers" in admin_client.get(page).content.decode()

    chosen = {"action": "remove", "_selected_action": [str(key.pk)], "reason": "Unused"}
    told = [admin_client.post(page, chosen, follow=True).content.decode() for _ in range(2)]
    assert "crm is no key of customers any more." in told[0]
    assert "These were removed before." in told[1]
    assert (fields_of(holder), key.history.latest().history_change_reason) == ({}, "Unused")
