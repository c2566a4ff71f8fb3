"""Overrides that hold only while a balance pays."""

from typing import Any

import pytest

from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import OCTOBER, at
from tests.invoicing.overrides.town import dated, price, times

pytestmark = pytest.mark.django_db


def commit(amount: float, name: str = "pack") -> dict[str, Any]:
    """A postpaid commit over the last quarter, which says nothing of what it may pay for."""
    return {"name": name, "temporary_id": name, "amount": amount}


def while_paying(override: dict[str, Any], *names: str) -> dict[str, Any]:
    """The same override of calls, held only while one of these commits pays; any where none is named."""
    paid = {"commit_ids": list(names)} if names else {}
    return override | {"is_commit_specific": True, "override_specifiers": [{"product_id": "Calls", **paid}]}


@pytest.mark.parametrize(
    ("amount", "overrides", "covered", "rest"),
    [
        pytest.param(100, [], 100, 100, id="at the list price"),
        pytest.param(50, [while_paying(times(0.5), "pack")], 50, 100, id="half while it pays, then list"),
        pytest.param(500, [while_paying(times(0.5), "pack")], 100, 0, id="half of everything"),
        pytest.param(50, [while_paying(times(0.5))], 50, 100, id="while any commit pays"),
        pytest.param(50, [while_paying(times(0.5), "other")], 50, 150, id="while another pays, which has nothing to"),
        pytest.param(50, [while_paying(times(0.5), "pack"), times(0.1)], 50, 10, id="before an ordinary one"),
        pytest.param(50, [while_paying(times(0.5), "pack"), price(4)], 50, 200, id="before an overwritten price"),
        pytest.param(
            50, [while_paying(times(0.1), "pack"), while_paying(price(0.5), "pack")], 50, 0, id="after one while paying"
        ),
        pytest.param(
            50, [while_paying(times(0.5), "pack"), while_paying(times(0.25), "pack")], 50, 0, id="by the scheme"
        ),
        pytest.param(
            100,
            [while_paying(times(0.5), "pack") | {"target": "COMMIT_RATE"}],
            100,
            100,
            id="of a commit rate that is not there",
        ),
    ],
)
def test_what_holds_while_a_balance_pays(admin, town, amount, overrides, covered, rest):
    end = at("2026-01-01")
    fixed = FixedProductFactory()

    def as_sent(given):
        schedule = {"amount": given.pop("amount")}
        return {
            **given,
            "type": "POSTPAID",
            "product_id": str(fixed.pk),
            "applicable_product_ids": [str((town.tokens if given["name"] == "other" else town.calls).pk)],
            "access_schedule": {"schedule_items": [{**schedule, "starting_at": OCTOBER, "ending_before": end}]},
            "invoice_schedule": {"schedule_items": [{**schedule, "timestamp": end}]},
        }

    contract = admin.v1.contracts.create(
        customer_id=str(town.customer.pk),
        rate_card_id=str(town.card.pk),
        starting_at=OCTOBER,
        ending_before=end,
        commits=[as_sent(commit(amount)), as_sent(commit(1_000_000, "other"))],
        overrides=[dated(town.named(each)) for each in overrides],
    ).data.contract

    [draft] = admin.v1.customers.invoices.list(customer_id=contract.customer_id, status="DRAFT", type="USAGE").data
    lines = [line for line in draft.line_items if line.name == "Calls" and line.type == "usage"]
    assert sum(line.total for line in lines if line.commit_id) == covered
    assert sum(line.total for line in lines if not line.commit_id) == rest
    ids = {each.name: each.id for each in contract.commits}
    named = [spec.commit_ids for each in contract.overrides for spec in each.override_specifiers or []]
    assert all(names is None or {*names} <= {*ids.values()} for names in named)
