"""What the edit page's sections for discounts and prices ask a service for."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from contracts.forms.edits import EditForm
from contracts.inputs import MultiplierTierInput, OverrideInput, RateInput, TargetInput
from contracts.queries import agreement
from pricing.services import TierInput
from tests.factories.contracts import CommitFactory, ContractFactory
from tests.factories.pricing import ProductFactory, RateFactory, SubscriptionRateFactory

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
XL = '{"model": "xl"}'
START = {"starting_at_0": "2025-10-01", "starting_at_1": "00:00"}


@pytest.fixture
def ranked():
    return ContractFactory(multiplier_override_prioritization="EXPLICIT")


@pytest.fixture
def product(ranked):
    return RateFactory(rate_card=ranked.rate_card, product=ProductFactory(name="Tokens")).product


def form_for(contract, **typed):
    return EditForm(agreement(contract.customer_id, contract.pk), {"reason": "deal", **typed})


def overrides_of(contract, kind, **typed):
    fields = {f"{kind}_{name}": value for name, value in {**START, **typed}.items()}
    form = form_for(contract, **{**fields, kind: fields.pop(f"{kind}_{kind}")})
    assert form.is_valid(), form.errors
    return form.to_input().add_overrides


def test_a_discount_is_on_products_tags_or_all_with_the_values_given(ranked, product):
    half = {"discount": "50", "priority": "1"}
    whole = {"type": "MULTIPLIER", "multiplier": D("0.5"), "priority": D(1)}
    xl = {"pricing_group_values": {"model": "xl"}}

    def asked(**target):
        return overrides_of(ranked, "discount", **half, **target)

    assert asked() == (OverrideInput(OCTOBER, **whole),)
    assert asked(tags="ai\ngpu") == (OverrideInput(OCTOBER, **whole, applicable_product_tags=("ai", "gpu")),)
    for typed, targets in (
        ({"products": [product.pk]}, (TargetInput(product.pk),)),
        ({"products": [product.pk], "group_values": XL}, (TargetInput(product.pk, **xl),)),
        (
            {"tags": "ai\ngpu", "group_values": XL},
            (TargetInput(product_tags=("ai",), **xl), TargetInput(product_tags=("gpu",), **xl)),
        ),
        ({"group_values": XL}, (TargetInput(**xl),)),
    ):
        assert asked(**typed) == (OverrideInput(OCTOBER, **whole, override_specifiers=targets),)


def test_a_discount_by_quantity_is_typed_step_by_step(ranked, product):
    steps = {"tiered": "1,000: 50\n\n 500.5 : 12.5 %\nrest: 0", "priority": "2", "products": [product.pk]}

    assert overrides_of(ranked, "tiered", **steps) == (
        OverrideInput(
            OCTOBER,
            type="TIERED",
            tiers=(
                MultiplierTierInput(D("0.5"), D(1_000)),
                MultiplierTierInput(D("0.875"), D("500.5")),
                MultiplierTierInput(D(1)),
            ),
            priority=D(2),
            override_specifiers=(TargetInput(product.pk),),
        ),
    )


@pytest.mark.parametrize("line", ["half", "1000", "1000: ", ": 50", "1000: half", "1000: 50: 20"])
def test_a_step_that_cannot_be_read_is_refused(ranked, line):
    form = form_for(ranked, tiered=f"10: 5\n{line}", tiered_starting_at_0="2025-10-01")

    assert form.errors["tiered"] == [f"Write “1,000: 50” or “rest: 20”, not “{line.strip()}”."]


def priced(contract, product, tariff, **typed):
    """The form with a price of its own typed into it, the names of `tariff` as they stand in the page."""
    target = {"product": product.pk, **START, **typed}
    return form_for(
        contract,
        **{f"price_{name}": value for name, value in target.items()},
        **{f"price-{name}": value for name, value in tariff.items()},
    )


@pytest.mark.parametrize(
    ("tariff", "rate"),
    [
        pytest.param({"rate_type": "FLAT", "price": "0.25"}, RateInput("FLAT", D(25)), id="flat"),
        pytest.param(
            {
                "rate_type": "TIERED",
                "tiers-0-up_to": "1,000",
                "tiers-0-price": "2",
                "tiers-0-flat_fee": "10",
                "tiers-1-price": "1.5",
            },
            RateInput("TIERED", tiers=(TierInput(D(200), D(1_000), D(1_000)), TierInput(D(150)))),
            id="tiered",
        ),
        pytest.param(
            {"rate_type": "PACKAGE", "price": "12", "package_size": "100"},
            RateInput("PACKAGE", D(1_200), package_size=D(100)),
            id="package",
        ),
        pytest.param({"rate_type": "PERCENTAGE", "percent": "7.5"}, RateInput("PERCENTAGE", D("0.075")), id="a share"),
        pytest.param(
            {"rate_type": "SUBSCRIPTION", "price": "9", "quantity": "3"},
            RateInput("SUBSCRIPTION", D(900), quantity=D(3), is_prorated=True),
            id="subscription",
        ),
    ],
)
def test_a_price_of_its_own_is_of_any_type(ranked, product, tariff, rate):
    form = priced(ranked, product, tariff, group_values=XL)

    assert form.is_valid(), list(form.tariff.complaints())
    assert form.to_input().add_overrides == (
        OverrideInput(
            OCTOBER,
            type="OVERWRITE",
            overwrite_rate=rate,
            override_specifiers=(TargetInput(product.pk, pricing_group_values={"model": "xl"}),),
        ),
    )


def test_a_fee_of_its_own_names_how_often_it_is_due(ranked):
    seats = SubscriptionRateFactory(rate_card=ranked.rate_card).product
    form = priced(ranked, seats, {"rate_type": "FLAT", "price": "80"}, billing_frequency="MONTHLY")

    assert form.is_valid(), form.errors
    (override,) = form.to_input().add_overrides
    assert override.override_specifiers == (TargetInput(seats.pk, billing_frequency="MONTHLY"),)


@pytest.mark.parametrize(
    ("tariff", "complaint"),
    [
        pytest.param({"rate_type": "FLAT"}, "Price: Needed, or leave the section empty.", id="no price"),
        pytest.param(
            {"rate_type": "TIERED", "tiers-0-price": "x"},
            "Tier 1, price: Write a number, such as 30 or 0.0025.",
            id="a tier that is no number",
        ),
        pytest.param(
            {
                "rate_type": "VOLUME",
                "tiers-0-up_to": "5",
                "tiers-0-price": "1",
                "tiers-1-up_to": "4",
                "tiers-1-price": "1",
            },
            "Tier 2, up to: Must be above 5, where the tier begins.",
            id="tiers out of order",
        ),
    ],
)
def test_half_a_price_of_its_own_is_refused_where_it_stands(ranked, product, tariff, complaint):
    form = priced(ranked, product, tariff)
    form.data["provider_from"] = form.fields["provider_from"].choices[0][0]  # as browsers send a list

    assert not form.is_valid()
    assert list(form.tariff.complaints()) == [complaint]
    assert [section.title for section in form.more() if section.is_used] == ["A price of its own"]


def test_ranks_are_asked_for_only_where_the_contract_has_them(ranked):
    by_default = form_for(ContractFactory())
    titles = [title for title, *_ in by_default.more()]

    assert not by_default.ranks_explicitly
    assert "discount_priority" not in by_default.fields
    assert "A discount by quantity" not in titles
    assert "discount_priority" in form_for(ranked).fields
    assert "A discount by quantity" in [title for title, *_ in form_for(ranked).more()]


def test_it_may_hold_only_while_one_of_the_balances_pays(ranked, product):
    commit = CommitFactory(contract=ranked)
    choices = [pk for pk, _ in form_for(ranked).fields["discount_payers"].choices]
    assert choices == [str(commit.pk)]
    paying = {"payers": [str(commit.pk)], "target": "COMMIT_RATE"}
    [discount] = overrides_of(ranked, "discount", discount="20", products=[product.pk], priority="1", **paying)
    target = TargetInput(product.pk, any_commit_or_credit_ids=(str(commit.pk),))
    assert discount == OverrideInput(
        OCTOBER, type="MULTIPLIER", multiplier=D("0.8"), priority=D(1), is_commit_specific=True, target="COMMIT_RATE",
        override_specifiers=(target,),
    )  # fmt: skip
    [everything] = overrides_of(ranked, "discount", discount="20", priority="1", payers=[str(commit.pk)])
    assert everything.override_specifiers == (TargetInput(any_commit_or_credit_ids=(str(commit.pk),)),)


def test_no_balance_is_offered_where_there_is_none(ranked):
    assert {"discount_payers", "discount_target", "price_payers"}.isdisjoint(form_for(ranked).fields)
