"""Overrides: what they may say, and what they may be on."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotSupported, Refusal
from contracts import services
from contracts.inputs import EditInput, OverrideInput, RateInput, TargetInput
from contracts.models import Override
from contracts.queries import customer_terms
from pricing.engine.targets import Target
from pricing.models import PricingUnit
from tests.factories.contracts import ContractFactory
from tests.factories.pricing import FixedProductFactory, ProductFactory

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
MID_OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)
HALF = OverrideInput(MID_OCTOBER, type="MULTIPLIER", multiplier=D("0.5"))


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        pytest.param(
            {"starting_at": OCTOBER.replace(minute=30)},
            "starting_at",
            "must be on the hour (UTC)",
            id="off the hour",
        ),
        pytest.param(
            {"ending_before": MID_OCTOBER}, "ending_before", "must be later than starting_at", id="empty range"
        ),
        pytest.param({"multiplier": D(-1)}, "multiplier", "must not be negative", id="a negative multiplier"),
        pytest.param({"multiplier": D("NaN")}, "multiplier", "must be a finite number", id="not a number"),
        pytest.param({"multiplier": None}, "multiplier", "is required for the type MULTIPLIER", id="no multiplier"),
        pytest.param(
            {"type": "", "multiplier": None},
            "type",
            "is required, unless the override only says whether products are entitled",
            id="no type",
        ),
        pytest.param(
            {"type": "", "entitled": True}, "multiplier", "belongs to the type MULTIPLIER", id="a stray multiplier"
        ),
        pytest.param(
            {"overwrite_rate": RateInput("FLAT", D(1))},
            "overwrite_rate",
            "belongs to the type OVERWRITE",
            id="a stray price",
        ),
        pytest.param({"priority": D(0)}, "priority", "must be greater than 0", id="priority zero"),
        pytest.param({"type": "HALVE"}, "type", "must be MULTIPLIER or OVERWRITE", id="an unknown type"),
        pytest.param({"product_id": uuid7()}, "product_id", "must be the id of a product", id="an unknown product"),
        pytest.param(
            {"override_specifiers": (TargetInput(uuid7()),)},
            "override_specifiers[0].product_id",
            "must be the id of a product",
            id="an unknown product in a specifier",
        ),
        pytest.param(
            {"override_specifiers": (TargetInput(),)},
            "override_specifiers[0].product_id",
            "is required, or product_tags, or group values",
            id="an empty specifier",
        ),
        pytest.param(
            {"applicable_product_tags": ("a",), "override_specifiers": (TargetInput(product_tags=("a",)),)},
            "override_specifiers",
            "cannot be combined with applicable_product_tags",
            id="two ways to target",
        ),
        pytest.param(
            {"applicable_product_tags": ("a", "a")},
            "applicable_product_tags[1]",
            "must be there only once",
            id="a tag twice",
        ),
    ],
)
def test_an_override_that_breaks_a_rule_is_refused(refused, given, field, rule):
    whole = {"starting_at": MID_OCTOBER, "type": "MULTIPLIER", "multiplier": D("0.5")} | given
    found = refused(add_overrides=(HALF, OverrideInput(**whole)))

    assert (f"add_overrides[1].{field}", rule) in found
    assert all(path.startswith("add_overrides[1].") for path, _ in found)


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


def test_an_overwritten_price_is_a_flat_one_in_the_cards_unit(refused, edit):
    product, euro = ProductFactory(), PricingUnit.objects.get(code="EUR")

    def with_rate(rate):
        override = OverrideInput(OCTOBER, type="OVERWRITE", overwrite_rate=rate, product_id=product.pk)
        return {"add_overrides": (override,)}

    assert refused(**with_rate(RateInput("FLAT")))[0] == ("add_overrides[0].overwrite_rate.price", "is required")
    assert refused(**with_rate(RateInput("FLAT", D(-1))))[0][1] == "must not be negative"
    assert refused(**with_rate(None)) == [("add_overrides[0].overwrite_rate", "is required for the type OVERWRITE")]
    (in_euro,) = refused(**with_rate(RateInput("FLAT", D(1), euro.pk)))
    assert in_euro[0] == "add_overrides[0].overwrite_rate.credit_type_id"
    assert "USD (cents)" in in_euro[1]
    with pytest.raises(NotSupported, match=r"add_overrides\[0\].overwrite_rate.rate_type"):
        edit(**with_rate(RateInput("TIERED", D(1))))


def test_tiered_overrides_are_not_supported(edit):
    with pytest.raises(NotSupported, match=r"add_overrides\[0\].type"):
        edit(add_overrides=(OverrideInput(OCTOBER, type="TIERED"),))


def test_multipliers_that_are_ranked_explicitly_need_a_priority(told):
    explicit = ContractFactory(multiplier_override_prioritization="EXPLICIT")

    def add(override):
        services.edit_contract(explicit.customer, explicit.pk, EditInput(add_overrides=(override,)), **told)

    with pytest.raises(Refusal, match="priority: is required"):
        add(HALF)
    add(OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D("0.5"), priority=D("1.5")))
    add(OverrideInput(OCTOBER, entitled=False))
    assert Override.objects.count() == 2


def test_overrides_keep_the_order_in_which_they_were_given(edit, contract):
    edit(add_overrides=tuple(OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D(m)) for m in range(9)))

    (compiled,) = customer_terms(contract.customer.pk).contracts
    assert [(o.multiplier, o.position) for o in compiled.overrides] == [(D(m), m) for m in range(9)]
