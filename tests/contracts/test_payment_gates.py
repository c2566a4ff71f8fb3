"""Gates of commits: NONE waits for nothing, and taxes that others work out are refused by name. What waits is in
`tests/invoicing/test_payments_that_access_waits_for.py`."""

import metronome
import pytest

from contracts.models import Commit
from tests.factories.contracts import NEXT_YEAR, OCTOBER, ContractFactory
from tests.factories.pricing import FixedProductFactory

pytestmark = pytest.mark.django_db(transaction=True)


def gated(sdk, contract, **config):
    item = {"amount": 500, "starting_at": OCTOBER, "ending_before": NEXT_YEAR}
    commit = {
        "product_id": str(FixedProductFactory().pk),
        "type": "PREPAID",
        "access_schedule": {"schedule_items": [item]},
        "payment_gate_config": config,
    }
    ids = {"customer_id": str(contract.customer_id), "contract_id": str(contract.pk)}
    return sdk.v2.contracts.edit(**ids, add_commits=[commit]).data.edit.add_commits


def test_one_that_waits_for_nothing_is_agreed_as_any_other(sdk):
    [added] = gated(sdk, ContractFactory(), payment_gate_type="NONE", tax_type="NONE")
    assert str(Commit.objects.get().pk) == added.id


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"payment_gate_type": "NONE", "tax_type": "ANROK"}, "tax_type"),
        ({"payment_gate_type": "STRIPE", "tax_type": "STRIPE"}, "tax_type"),
        (
            {"payment_gate_type": "NONE", "precalculated_tax_config": {"tax_amount": 5}},
            "precalculated_tax_config",
        ),
    ],
)
def test_taxes_that_others_work_out_are_refused_by_name(sdk, config, field):
    with pytest.raises(metronome.InternalServerError) as refused:
        gated(sdk, ContractFactory(), **config)
    assert refused.value.status_code == 501
    [error] = refused.value.body["errors"]
    assert error["field"] == f"add_commits[0].payment_gate_config.{field}"
    assert not Commit.objects.exists()
