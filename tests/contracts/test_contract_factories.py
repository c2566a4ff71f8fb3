"""The factories that everybody's tests stand on make rows that the queries understand."""

import pytest

from contracts.models import AccessSegment, Claim, ContractEdit, ContractTerms, InvoiceScheduleItem
from tests.factories.contracts import (
    OCTOBER,
    CommitFactory,
    ContractFactory,
    CustomerFactory,
    OverrideFactory,
    ScheduledChargeFactory,
)

pytestmark = pytest.mark.django_db


def test_a_customer_owns_its_id_and_its_aliases():
    customer = CustomerFactory(aliases=["acme", "acme-eu"])

    owned = Claim.objects.filter(customer=customer).values_list("subject", flat=True)
    assert set(owned) == {str(customer.pk), "acme", "acme-eu"}


def test_a_contract_comes_with_its_terms_and_its_edit():
    contract = ContractFactory(terms__name="Deal")

    assert ContractTerms.objects.get(contract=contract).name == "Deal"
    assert ContractEdit.objects.get(contract=contract).kind == "CREATION"


def test_a_contract_is_called_by_whose_it_is_and_when_it_begins():
    assert str(ContractFactory(starting_at=OCTOBER)) == "Contract of Acme from 1 October 2025"


def test_edits_of_a_customer_are_numbered_in_order():
    contract = ContractFactory()
    OverrideFactory(contract=contract)
    OverrideFactory(contract=contract, type="OVERWRITE", price=3)
    commit = CommitFactory(contract=contract, segment__amount=500, invoice_item__amount=500)
    ScheduledChargeFactory(contract=contract)

    numbers = (
        ContractEdit.objects.filter(customer=contract.customer).order_by("number").values_list("number", flat=True)
    )
    assert list(numbers) == [1, 2, 3, 4, 5, 6]
    assert AccessSegment.objects.get(commit=commit).amount == 500
    assert InvoiceScheduleItem.objects.get(commit=commit).unit_price == 500
