"""The prices of a contract through the official SDK: list price beside override."""

from datetime import UTC, datetime

import pytest

from pricing.models import Rate
from tests.factories.contracts import ContractFactory, OverrideFactory
from tests.factories.pricing import (
    ProductFactory,
    RateFactory,
)

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
MID_OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
class TestWithTheSdk:
    def test_the_rate_schedule_shows_list_price_beside_override(self, sdk):
        contract = ContractFactory(starting_at=OCTOBER)
        cheap, dear, extra, hidden = (
            ProductFactory(name=name, version__tags=["ai"]) for name in ("Cheap", "Dear", "Extra", "Hidden")
        )
        for product, price, entitled in ((cheap, 2, True), (dear, 40, True), (extra, 5, False), (hidden, 7, True)):
            RateFactory(rate_card=contract.rate_card, product=product, price=price, entitled=entitled)
        dearer_later = RateFactory(rate_card=contract.rate_card, product=dear, price=50, starting_at=JANUARY)
        half = {"contract": contract, "starting_at": MID_OCTOBER}
        OverrideFactory(**half, product=dear)
        OverrideFactory(**half, type="OVERWRITE", product=cheap, price=1)
        OverrideFactory(contract=contract, type="", multiplier=None, entitled=True, product=extra)
        OverrideFactory(contract=contract, type="", multiplier=None, entitled=False, product=hidden)

        def prices(at, **selector):
            rows = sdk.v1.contracts.retrieve_rate_schedule(
                customer_id=str(contract.customer.pk),
                contract_id=str(contract.pk),
                at=at,
                selectors=[selector] if selector else [],
            )
            return {
                row.product_name: (row.list_rate.price, row.override_rate and row.override_rate.price)
                for row in rows.data
            }

        assert prices(OCTOBER) == {"Cheap": (2, None), "Dear": (40, None), "Extra": (5, None)}
        assert prices(MID_OCTOBER) == {"Cheap": (2, 1), "Dear": (40, 20), "Extra": (5, None)}
        assert prices(JANUARY, product_id=str(dear.pk)) == {"Dear": (50, 25)}
        assert prices(MID_OCTOBER, product_tags=["none"]) == {}
        assert Rate.objects.get(pk=dearer_later.pk).price == 50


@pytest.mark.django_db(transaction=True)
def test_the_rate_schedule_is_paged(sdk):
    contract = ContractFactory()
    for name in ("Ada", "Ben", "Cleo"):
        RateFactory(rate_card=contract.rate_card, product=ProductFactory(name=name))
    whose = {"customer_id": str(contract.customer.pk), "contract_id": str(contract.pk), "at": OCTOBER}

    found, cursor = [], None
    while cursor or not found:
        page = sdk.v1.contracts.retrieve_rate_schedule(**whose, limit=2, **({"next_page": cursor} if cursor else {}))
        found += [row.product_name for row in page.data]
        cursor = page.next_page
    assert sorted(found) == ["Ada", "Ben", "Cleo"]


def test_a_contract_without_a_rate_card_has_no_prices(api):
    contract = ContractFactory(rate_card=None)
    body = {"customer_id": str(contract.customer.pk), "contract_id": str(contract.pk)}

    assert api.post("/v1/contracts/getContractRateSchedule", body) == {"data": [], "next_page": None}
