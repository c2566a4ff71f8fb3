"""Overrides: what they may say, each field by its rule; `test_override_targets.py` has what they may be on."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.inputs import EditInput, MultiplierTierInput, OverrideInput, RateInput, TargetInput
from contracts.models import Override
from contracts.queries import customer_terms
from pricing.models import PricingUnit
from pricing.services.tariffs import TierInput
from tests.factories.contracts import ContractFactory, commit_input
from tests.factories.pricing import ProductFactory

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
        pytest.param(
            {"tiers": (MultiplierTierInput(D(1)),)}, "tiers", "belongs to the type TIERED", id="tiers of a multiplier"
        ),
        pytest.param(
            {"target": "COMMIT_RATE"},
            "target",
            "can be used only where is_commit_specific is true",
            id="the commit rate without a commit",
        ),
        pytest.param(
            {"target": "RATE", "is_commit_specific": True},
            "target",
            "must be one of LIST_RATE, COMMIT_RATE",
            id="an unknown target",
        ),
        pytest.param(
            {"is_commit_specific": True, "entitled": True},
            "entitled",
            "cannot be combined with is_commit_specific: what is part of the deal does not depend on who pays",
            id="entitled while a commit pays",
        ),
        pytest.param(
            {"override_specifiers": (TargetInput(product_tags=("a",), commit_ids=("first",)),)},
            "override_specifiers[0].commit_ids",
            "can be used only where is_commit_specific is true",
            id="commits of an ordinary override",
        ),
        pytest.param(
            {"is_commit_specific": True, "override_specifiers": (TargetInput(commit_ids=("first",)),)},
            "override_specifiers[0].product_id",
            "is required, or product_tags, or group values",
            id="a commit and nothing else",
        ),
        pytest.param(
            {
                "is_commit_specific": True,
                "override_specifiers": (
                    TargetInput(product_tags=("a",), commit_ids=("b",), any_commit_or_credit_ids=("c",)),
                ),
            },
            "override_specifiers[0].commit_ids",
            "cannot be combined with any_commit_or_credit_ids, which replaces it",
            id="two lists of commits",
        ),
        pytest.param(
            {
                "is_commit_specific": True,
                "override_specifiers": (
                    TargetInput(product_tags=("a",), recurring_commit_ids=("b",), any_commit_or_credit_ids=("c",)),
                ),
            },
            "override_specifiers[0].recurring_commit_ids",
            "cannot be combined with any_commit_or_credit_ids, which replaces it",
            id="recurring commits and the list that replaces theirs",
        ),
        *[
            pytest.param(
                {
                    "is_commit_specific": True,
                    "override_specifiers": (TargetInput(product_tags=("a",), **{key: (str(uuid7()),)}),),
                },
                f"override_specifiers[0].{key}[0]",
                f"must be the id of {noun} of the contract or its customer, or the temporary id of a new one",
                id=f"an unknown id in {key}",
            )
            for key, noun in (
                ("commit_ids", "a commit"),
                ("recurring_commit_ids", "a recurring commit"),
                ("any_commit_or_credit_ids", "a commit or credit"),
            )
        ],
        pytest.param(
            {
                "type": "",
                "multiplier": None,
                "entitled": True,
                "override_specifiers": (TargetInput(presentation_group_values={"team": "a"}),),
            },
            "override_specifiers[0].presentation_group_values",
            "can be used with a multiplier only",
            id="entitlement of a presentation value",
        ),
        pytest.param(
            {"override_specifiers": (TargetInput(product_tags=("a",), billing_frequency="MONTHLY"),)},
            "override_specifiers[0].billing_frequency",
            "must be given together with the product_id of a subscription",
            id="a billing frequency of tagged products",
        ),
        pytest.param(
            {"override_specifiers": (TargetInput(product_tags=("a",), billing_frequency="DAILY"),)},
            "override_specifiers[0].billing_frequency",
            "must be one of WEEKLY, MONTHLY, QUARTERLY, ANNUAL",
            id="an unknown billing frequency",
        ),
        pytest.param({"type": "HALVE"}, "type", "must be one of MULTIPLIER, OVERWRITE, TIERED", id="an unknown type"),
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


def test_an_overwritten_price_is_checked_like_a_rate_and_is_in_the_cards_unit(refused):
    product, euro = ProductFactory(name="Calls"), PricingUnit.objects.get(code="EUR")

    def with_rate(rate):
        override = OverrideInput(OCTOBER, type="OVERWRITE", overwrite_rate=rate, product_id=product.pk)
        return {"add_overrides": (override,)}

    where = "add_overrides[0].overwrite_rate"
    assert refused(**with_rate(RateInput("FLAT"))) == [(f"{where}.price", "is required for the rate type FLAT")]
    assert refused(**with_rate(RateInput("FLAT", D(-1))))[0][1] == "must not be negative"
    assert refused(**with_rate(None)) == [(where, "is required for the type OVERWRITE")]
    assert refused(**with_rate(RateInput("TIERED", tiers=(TierInput(D(1), D(5)), TierInput(D(1), D(5)))))) == [
        (f"{where}.tiers[1].size", "must not be given on the last tier: it takes all the rest")
    ]
    assert refused(**with_rate(RateInput("PERCENTAGE", D("0.1")))) == [
        (f"{where}.rate_type", "must be one of FLAT, TIERED, VOLUME, PACKAGE for the USAGE product Calls")
    ]
    (in_euro,) = refused(**with_rate(RateInput("FLAT", D(1), euro.pk)))
    assert in_euro[0] == f"{where}.credit_type_id"
    assert "USD (cents)" in in_euro[1]


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


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        pytest.param({"tiers": ()}, "tiers", "is required for the type TIERED", id="no tiers"),
        pytest.param({"priority": None}, "priority", "is required for the type TIERED", id="no priority"),
        pytest.param({"multiplier": D(1)}, "multiplier", "belongs to the type MULTIPLIER", id="a stray multiplier"),
        pytest.param(
            {"tiers": (MultiplierTierInput(D(-1)),)}, "tiers[0].multiplier", "must not be negative", id="negative"
        ),
        pytest.param(
            {"tiers": (MultiplierTierInput(D(1), D(0)),)}, "tiers[0].size", "must be greater than 0", id="of no width"
        ),
        pytest.param(
            {"tiers": (MultiplierTierInput(D(1)), MultiplierTierInput(D(1), D(5)))},
            "tiers[0].size",
            "is required on every tier but the last",
            id="an endless tier before another",
        ),
    ],
)
def test_tiers_of_multipliers_are_checked(told, given, field, rule):
    explicit = ContractFactory(multiplier_override_prioritization="EXPLICIT")
    whole = {"type": "TIERED", "tiers": (MultiplierTierInput(D("0.5"), D(1_000)),), "priority": D(1)} | given

    given_edit = EditInput(add_overrides=(OverrideInput(OCTOBER, **whole),))

    with pytest.raises(Refusal) as refusal:
        services.edit_contract(explicit.customer, explicit.pk, given_edit, **told)

    assert [(error.field, error.rule) for error in refusal.value.errors] == [(f"add_overrides[0].{field}", rule)]


def test_tiers_of_multipliers_need_a_contract_that_ranks_explicitly(refused):
    tiered = OverrideInput(OCTOBER, type="TIERED", tiers=(MultiplierTierInput(D("0.5")),), priority=D(1))

    assert refused(add_overrides=(tiered,)) == [
        (
            "add_overrides[0].type",
            "needs a contract whose multiplier_override_prioritization is EXPLICIT; here it is LOWEST_MULTIPLIER",
        )
    ]


def test_a_temporary_id_is_given_to_one_commit_only(refused):
    commits = tuple(commit_input(temporary_id="first") for _ in range(2))

    assert refused(add_commits=commits) == [("add_commits[1].temporary_id", "must be there only once")]
