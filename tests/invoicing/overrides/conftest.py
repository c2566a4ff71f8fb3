"""The town, its machine, and what October comes to under overrides."""

from collections.abc import Callable, Sequence
from decimal import Decimal as D
from typing import Any

import pytest

from billing_site.foundation import tokens
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory, RateFactory
from tests.invoicing.conftest import ADA, OCTOBER, sdk, use
from tests.invoicing.overrides.town import Town, dated, october


@pytest.fixture
def town(clock_at) -> Town:
    clock_at("2025-10-20")
    customer, card, calls_made = CustomerFactory(aliases=["acme"]), RateCardFactory(), MetricFactory(name="Calls")
    tokens_used = MetricFactory(
        name="Tokens",
        aggregation_type="SUM",
        aggregation_key="tokens",
        event_type_filter={"in_values": ["tokens"]},
        group_keys=[["model", "region"]],
    )
    calls = ProductFactory(name="Calls", version__billable_metric=calls_made, version__tags=["api"])
    sold = ProductFactory(
        name="Tokens",
        version__billable_metric=tokens_used,
        version__pricing_group_key=["model"],
        version__presentation_group_key=["region"],
        version__tags=["ai", "gpu"],
    )
    RateFactory(rate_card=card, product=calls, price=D(2))
    for model, price in (("xl", 40), ("small", 1)):
        RateFactory(rate_card=card, product=sold, pricing_group_values={"model": model}, price=D(price))
    use(calls_made, "2025-10-10T05", 100, {})
    for model, region, quantity in (("xl", "eu", 10), ("xl", "us", 10), ("small", "eu", 100)):
        use(tokens_used, "2025-10-10T05", quantity, {"model": model, "region": region})
    return Town(customer, card, calls, sold, calls_made)


@pytest.fixture
def admin(town):
    return sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def amounts(town, admin) -> Callable[..., tuple[int, ...]]:
    """Agree on overrides, then in an edit each on further ones, and read what October comes to."""

    def agreed(overrides: Sequence[Any], scheme: str = "LOWEST_MULTIPLIER", *, then: Sequence[Any] = ()) -> Any:
        contract = admin.v1.contracts.create(
            customer_id=str(town.customer.pk),
            rate_card_id=str(town.card.pk),
            starting_at=OCTOBER,
            multiplier_override_prioritization=scheme,
            overrides=[dated(town.named(each)) for each in overrides],
        ).data
        for further in then:
            admin.v2.contracts.edit(
                customer_id=str(town.customer.pk),
                contract_id=contract.id,
                add_overrides=[dated(town.named(further))],
            )
        return october(admin, town)

    return agreed
