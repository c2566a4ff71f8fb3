"""What overrides may be on: products with rates, values of keys that they declare, subscriptions, who pays."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from contracts.inputs import OverrideInput, RateInput, TargetInput
from contracts.queries import customer_terms
from pricing.engine.targets import Target
from tests.factories.contracts import CommitFactory, ContractFactory
from tests.factories.pricing import FixedProductFactory, ProductFactory

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)


def test_only_products_with_rates_are_overridden(refused):
    fixed = FixedProductFactory(name="Setup")

    assert refused(add_overrides=(OverrideInput(OCTOBER, entitled=True, product_id=fixed.pk),)) == [
        ("add_overrides[0].product_id", "must be a product with rates; Setup is FIXED")
    ]


def test_group_values_have_to_be_of_keys_that_the_product_declares(refused, edit, contract):
    product = ProductFactory(
        name="Tokens", version__pricing_group_key=["model"], version__presentation_group_key=["team"]
    )
    wrong = TargetInput(product.pk, pricing_group_values={"team": "a"}, presentation_group_values={"model": "xl"})
    right = TargetInput(product.pk, pricing_group_values={"model": "xl"}, presentation_group_values={"team": "a"})

    def on(target):
        return {
            "add_overrides": (
                OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D(2), override_specifiers=(target,)),
            )
        }

    where = "add_overrides[0].override_specifiers[0]"
    assert refused(**on(wrong)) == [
        (f"{where}.pricing_group_values", "must be among the keys that Tokens declares (model)"),
        (f"{where}.presentation_group_values", "must be among the keys that Tokens declares (team)"),
    ]
    edit(**on(right))
    (compiled,) = customer_terms(contract.customer.pk).contracts
    assert compiled.overrides[0].targets == (Target(product.pk, (), (("model", "xl"),), (("team", "a"),)),)


def test_an_overwritten_price_is_that_of_one_product_with_all_its_values(refused, edit):
    product = ProductFactory(version__pricing_group_key=["model", "region"])

    def overwrite(**target):
        return {
            "add_overrides": (
                OverrideInput(OCTOBER, type="OVERWRITE", overwrite_rate=RateInput("FLAT", D(3)), **target),
            )
        }

    whole = TargetInput(product.pk, pricing_group_values={"model": "xl", "region": "eu"})
    edit(**overwrite(override_specifiers=(whole,)))
    edit(**overwrite(product_id=ProductFactory().pk))
    where = "add_overrides[0]"
    assert refused(**overwrite(product_id=product.pk)) == [
        (f"{where}.pricing_group_values", "must give all of model, region")
    ]
    partly = TargetInput(product.pk, ("cheap",), {"model": "xl"}, {})
    assert refused(**overwrite(override_specifiers=(partly,))) == [
        (f"{where}.override_specifiers[0].product_tags", "cannot be used to overwrite a price"),
        (f"{where}.override_specifiers[0].pricing_group_values", "must give all of model, region"),
    ]
    assert refused(**overwrite(applicable_product_tags=("cheap",))) == [
        (f"{where}.applicable_product_tags", "cannot be used to overwrite a price")
    ]
    assert refused(**overwrite()) == [(f"{where}.product_id", "is required to overwrite a price")]


def test_a_subscription_is_overridden_by_product_and_billing_frequency(refused, edit, contract):
    seats, calls = ProductFactory(name="Seats", type="SUBSCRIPTION"), ProductFactory(name="Calls")

    def on(**target):
        return {"add_overrides": (OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D(2), **target),)}

    where = "add_overrides[0]"
    assert refused(**on(product_id=seats.pk)) == [
        (
            f"{where}.product_id",
            "must be in override_specifiers, beside its billing_frequency: it is a SUBSCRIPTION product",
        )
    ]
    assert refused(**on(override_specifiers=(TargetInput(seats.pk),))) == [
        (
            f"{where}.override_specifiers[0].billing_frequency",
            "is required: Seats is a SUBSCRIPTION product, which has a price for each",
        )
    ]
    assert refused(**on(override_specifiers=(TargetInput(calls.pk, billing_frequency="MONTHLY"),))) == [
        (f"{where}.override_specifiers[0].billing_frequency", "must be that of a subscription; Calls is USAGE")
    ]
    edit(**on(override_specifiers=(TargetInput(seats.pk, billing_frequency="ANNUAL"),)))
    (compiled,) = customer_terms(contract.customer.pk).contracts
    assert compiled.overrides[0].targets == (Target(seats.pk, billing_frequency="ANNUAL"),)


def test_an_overwritten_price_has_no_presentation_values(refused):
    product = ProductFactory(version__presentation_group_key=["team"])
    target = TargetInput(product.pk, presentation_group_values={"team": "a"})
    override = OverrideInput(
        OCTOBER, type="OVERWRITE", overwrite_rate=RateInput("FLAT", D(1)), override_specifiers=(target,)
    )

    assert refused(add_overrides=(override,)) == [
        (
            "add_overrides[0].override_specifiers[0].presentation_group_values",
            "can be used with a multiplier only",
        )
    ]


def test_balances_that_have_to_pay_are_those_of_the_contract_and_the_customer(refused, contract):
    def named(commit):
        target = TargetInput(product_tags=("a",), commit_ids=(str(commit.pk),))
        override = OverrideInput(
            OCTOBER, type="MULTIPLIER", multiplier=D(1), is_commit_specific=True, override_specifiers=(target,)
        )
        return {"add_overrides": (override,)}

    other = CommitFactory(contract=ContractFactory(customer=contract.customer))
    foreign = CommitFactory()
    gone = CommitFactory(contract=contract)
    type(gone).objects.filter(pk=gone.pk).update(removed_by_edit=gone.added_by_edit)
    for commit in (other, foreign, gone):
        ((path, rule),) = refused(**named(commit))
        assert path == "add_overrides[0].override_specifiers[0].commit_ids[0]"
        assert rule.startswith("must be the id of a commit of the contract or its customer")
