"""A card, a product of three dimensions, and how its formula is stated and changed."""

import pytest

from pricing import services
from pricing.services import ChangedNumbers, WholeFormula
from tests.factories.pricing import (
    ProductFactory,
    RateCardFactory,
)
from tests.pricing.formulas.tokens import JANUARY, JULY, NODES


@pytest.fixture
def card():
    return RateCardFactory()


@pytest.fixture
def product():
    """3 models × 4 regions × 3 tiers."""
    return ProductFactory(name="Tokens", version__pricing_group_key=["model", "region", "tier"])


@pytest.fixture
def state(card, product, told):
    def state(nodes=NODES, starting_at=JANUARY, entitled=True, credit_type_id=None, **options):
        said = WholeFormula(nodes, entitled, credit_type_id)
        return services.state_formula(card.pk, product.pk, said, starting_at=starting_at, **told | options)

    return state


@pytest.fixture
def change(card, product, told):
    def change(*nodes, starting_at=JULY, **options):
        said = ChangedNumbers(nodes)
        return services.state_formula(card.pk, product.pk, said, starting_at=starting_at, **told | options)

    return change
