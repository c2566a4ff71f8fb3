"""What an edit would do is worked out as what it does, and nothing is written for it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D
from uuid import UUID

import pytest
from django.db import connection

from contracts import services
from contracts.inputs import EditInput, InvoiceItemInput, InvoiceScheduleInput, OverrideInput, ScheduledChargeInput
from contracts.models import Customer
from contracts.queries import customer_terms
from contracts.terms import Contract, CustomerTerms
from tests.factories.contracts import CommitFactory, OverrideFactory, ScheduledChargeFactory, commit_input
from tests.factories.pricing import FixedProductFactory, ProductFactory

pytestmark = pytest.mark.django_db

MID_OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)
NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2025, 12, 1, tzinfo=UTC)
SAME = UUID(int=0)


def without_ids(terms: CustomerTerms) -> list[Contract]:
    """The contracts, with the ids of their terms made equal: those of a planned edit are not those it gets."""
    return [
        replace(
            contract,
            overrides=tuple(replace(override, id=SAME) for override in contract.overrides),
            commits=tuple(
                replace(
                    commit,
                    id=SAME,
                    segments=tuple(replace(segment, id=SAME) for segment in commit.segments),
                    invoice_items=tuple(replace(item, id=SAME) for item in commit.invoice_items),
                )
                for commit in contract.commits
            ),
            charges=tuple(
                replace(charge, id=SAME, items=tuple(replace(item, id=SAME) for item in charge.items))
                for charge in contract.charges
            ),
        )
        for contract in terms.contracts
    ]


def added(standing):
    half = OverrideInput(MID_OCTOBER, type="MULTIPLIER", multiplier=D("0.5"), product_id=ProductFactory().pk)
    charge = ScheduledChargeInput(
        FixedProductFactory().pk, InvoiceScheduleInput((InvoiceItemInput(NOVEMBER, amount=D(5)),)), name="Set-up"
    )
    return {
        "add_overrides": (half,),
        "add_commits": (commit_input(name="Year end"),),
        "add_scheduled_charges": (charge,),
    }


def removed(standing):
    return {
        "remove_overrides": (standing["override"].pk,),
        "archive_commits": (standing["commit"].pk,),
        "archive_scheduled_charges": (standing["charge"].pk,),
    }


def shortened(standing):
    return {"update_contract_end_date": DECEMBER, "update_contract_name": "Shorter"}


def all_at_once(standing):
    return added(standing) | removed(standing) | shortened(standing)


@pytest.mark.parametrize("given", [added, removed, shortened, all_at_once])
def test_the_terms_after_an_edit_are_those_that_it_then_leaves(contract, told, given):
    standing = {
        "override": OverrideFactory(contract=contract),
        "commit": CommitFactory(contract=contract),
        "charge": ScheduledChargeFactory(contract=contract, item__issued_at=datetime(2025, 12, 15, tzinfo=UTC)),
    }
    edit = EditInput(**given(standing))
    customer_id = contract.customer.pk

    planned = services.terms_after_edit(customer_id, contract.pk, edit, at=told["at"])
    services.edit_contract(customer_id, contract.pk, edit, **told)

    made = customer_terms(customer_id)
    assert planned.edit_number == made.edit_number
    assert without_ids(planned) == without_ids(made)


def test_planning_an_edit_writes_nothing(contract, told):
    given = EditInput(**added({}))
    with connection.execute_wrapper(_refuse_writes):
        services.terms_after_edit(contract.customer.pk, contract.pk, given, at=told["at"])


def _refuse_writes(execute, sql, params, many, context):
    assert sql.lstrip().upper().startswith(("SELECT", "WITH")), sql
    return execute(sql, params, many, context)


def test_an_edit_based_on_old_terms_is_refused_and_says_who_came_first(contract, edit, told):
    first = edit(update_contract_name="Ada's", reason="a new name")

    with pytest.raises(services.EditedMeanwhile, match=r'Ada has edited this contract meanwhile .* "a new name"'):
        edit(update_contract_name="Grace's", based_on_edit=first.number - 1)

    assert Customer.objects.get().last_edit_number == first.number
    edit(update_contract_name="Grace's", based_on_edit=first.number)
