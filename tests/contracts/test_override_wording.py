"""Overrides in the words of the trade, kind by kind."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contracts.models import CommitVersion
from contracts.override_wording import names_in, override_text
from tests.factories.contracts import CommitFactory, ContractFactory, OverrideFactory
from tests.factories.pricing import ProductFactory

pytestmark = pytest.mark.django_db

MID_OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)
FROM = "from 15 October 2025"
LATER = "whatever the list says, for all products from 15 October 2025"


def told(**fields):
    override = OverrideFactory(starting_at=MID_OCTOBER, **fields)
    return override_text(override, names_in([override]))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param({}, f"50 % off the list price of all products {FROM}", id="half"),
        pytest.param(
            {"multiplier": D("1.2"), "priority": D(2)},
            f"20 % on top of the list price of all products {FROM}, priority 2",
            id="dearer, with its rank",
        ),
        pytest.param({"multiplier": D(1)}, f"The list price of all products {FROM}", id="neither"),
        pytest.param(
            {
                "type": "TIERED",
                "priority": D(1),
                "tiers": [{"multiplier": "0.5", "size": "1000"}],
            },
            f"First 1,000 units at 50 % of the list price, then the list price, for all products {FROM}, priority 1",
            id="by quantity, then list",
        ),
        pytest.param(
            {
                "type": "TIERED",
                "priority": D("1.5"),
                "tiers": [
                    {"multiplier": "1", "size": "1000"},
                    {"multiplier": "0.875", "size": "500.5"},
                    {"multiplier": "0"},
                ],
            },
            "First 1,000 units at the list price, next 500.5 units at 87.5 % of the list price, then 0 % of the list"
            f" price, for all products {FROM}, priority 1.5",
            id="by quantity in three steps",
        ),
        pytest.param(
            {"type": "TIERED", "priority": D(1), "tiers": [{"multiplier": "0.5"}]},
            f"All units at 50 % of the list price, for all products {FROM}, priority 1",
            id="one step for all",
        ),
        pytest.param({"type": "OVERWRITE", "price": D(25)}, f"$0.25 a unit, {LATER}", id="a price"),
        pytest.param(
            {
                "type": "OVERWRITE",
                "rate_type": "TIERED",
                "rate_tiers": [
                    {"price": "200", "size": "100", "flat_fee": "500"},
                    {"price": "150", "size": "50"},
                    {"price": "100"},
                ],
            },
            f"$2.00 a unit for the first 100 units (and $5.00 once), $1.50 for the next 50 units, then $1.00, {LATER}",
            id="graduated prices",
        ),
        pytest.param(
            {
                "type": "OVERWRITE",
                "rate_type": "VOLUME",
                "rate_tiers": [{"price": "200", "size": "100"}, {"price": "150", "size": "50"}, {"price": "100"}],
            },
            f"All units at $2.00 up to 100, at $1.50 up to 150, at $1.00 above, {LATER}",
            id="prices by volume",
        ),
        pytest.param(
            {"type": "OVERWRITE", "rate_type": "PACKAGE", "price": D(1200), "package_size": D(10)},
            f"$12.00 for each package of 10 units, {LATER}",
            id="packages",
        ),
        pytest.param(
            {"type": "OVERWRITE", "rate_type": "PERCENTAGE", "price": D("0.125")}, f"12.5 %, {LATER}", id="a percentage"
        ),
        pytest.param(
            {
                "type": "OVERWRITE",
                "rate_type": "TIERED_PERCENTAGE",
                "rate_tiers": [{"price": "0.1", "size": "100000"}, {"price": "0.05"}],
            },
            f"10 % for the first $1,000.00, then 5 %, {LATER}",
            id="percentages of slices",
        ),
        pytest.param(
            {"type": "OVERWRITE", "rate_type": "SUBSCRIPTION", "price": D(300), "quantity": D(2), "is_prorated": True},
            f"$3.00 a period for each of 2, prorated, {LATER}",
            id="a subscription",
        ),
        pytest.param(
            {"type": "", "entitled": False, "applicable_product_tags": ["ai"]},
            f"Products tagged ai are not part of the deal {FROM}",
            id="not in the deal",
        ),
        pytest.param(
            {"entitled": True}, f"50 % off the list price of all products {FROM}, part of the deal", id="in the deal"
        ),
        pytest.param(
            {"is_commit_specific": True},
            f"While a commit or credit pays: 50 % off the list price of all products {FROM}",
            id="while anything pays",
        ),
    ],
)
def test_an_override_in_words(fields, text):
    assert told(**fields) == text


def test_who_has_to_pay_is_named():
    contract = ContractFactory()
    starter, bonus = (CommitFactory(contract=contract, name=name) for name in ("Starter pack", ""))
    seats = ProductFactory(name="Seats", type="SUBSCRIPTION")
    on_seats = {"product_id": str(seats.pk), "billing_frequency": "MONTHLY"}
    paying = {"contract": contract, "is_commit_specific": True}

    assert (
        told(**paying, target="COMMIT_RATE", specifiers=[on_seats | {"commit_ids": [str(starter.pk)]}])
        == f"While “Starter pack” pays: 50 % off the commit rate of Seats (billed monthly) {FROM}"
    )
    both = [str(starter.pk), str(bonus.pk)]
    assert told(**paying, specifiers=[{"product_tags": ["ai"], "any_commit_or_credit_ids": both}]).startswith(
        "While “Starter pack” or “Commitment” pays: 50 % off the list price of products tagged ai"
    )
    each = [{"product_tags": [tag], "commit_ids": [name]} for tag, name in zip(("ai", "gpu"), both, strict=True)]
    assert (
        told(**paying, specifiers=each) == "50 % off the list price of products tagged ai (while “Starter pack” pays)"
        f" and products tagged gpu (while “Commitment” pays) {FROM}"
    )


def test_names_take_the_same_queries_for_one_override_and_for_three():
    contract = ContractFactory()

    def named():
        commit, product = CommitFactory(contract=contract), ProductFactory()
        return OverrideFactory(
            contract=contract,
            is_commit_specific=True,
            specifiers=[{"product_id": str(product.pk), "commit_ids": [str(commit.pk)]}],
        )

    for overrides in ([named()], [named(), named(), named()]):
        with CaptureQueriesContext(connection) as captured:
            assert len(names_in(overrides)) == 2 * len(overrides)
        assert len(captured) == 3


def test_a_commit_is_called_what_it_is_called_now():
    commit = CommitFactory(name="Pilot")
    given = {"is_commit_specific": True, "specifiers": [{"commit_ids": [str(commit.pk)]}]}
    assert "“Pilot”" in told(**given)
    edit = commit.added_by_edit
    known = {"added_by_edit": edit, "created_at": edit.created_at, "customer": commit.customer}
    CommitVersion.objects.create(commit=commit, **known, **commit.attributes() | {"name": "Starter pack"})
    assert "“Starter pack”" in told(**given)
    assert "“Pilot”" not in told(**given)
