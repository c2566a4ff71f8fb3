"""What the edit page's sections for discounts and prices ask a service for."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from contracts.forms.edits import EditForm
from contracts.inputs import MultiplierTierInput, OverrideInput, RateInput, TargetInput
from contracts.queries import agreement
from tests.factories.contracts import ContractFactory
from tests.factories.pricing import ProductFactory, RateFactory

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


def test_a_price_of_its_own_is_flat(ranked, product):
    typed = {"price": "0.25", "product": product.pk, "group_values": XL}

    assert overrides_of(ranked, "price", **typed) == (
        OverrideInput(
            OCTOBER,
            type="OVERWRITE",
            overwrite_rate=RateInput("FLAT", D(25)),
            override_specifiers=(TargetInput(product.pk, pricing_group_values={"model": "xl"}),),
        ),
    )


def test_ranks_are_asked_for_only_where_the_contract_has_them(ranked):
    by_default = form_for(ContractFactory())
    titles = [title for title, *_ in by_default.more()]

    assert not by_default.ranks_explicitly
    assert "discount_priority" not in by_default.fields
    assert "A discount by quantity" not in titles
    assert "discount_priority" in form_for(ranked).fields
    assert "A discount by quantity" in [title for title, *_ in form_for(ranked).more()]
