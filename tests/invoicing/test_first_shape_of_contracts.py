"""Contracts in the first version of the API, through the official SDK: as agreed, as amended, as they are."""

from datetime import UTC, datetime
from decimal import Decimal as D
from uuid import UUID

import metronome
import pytest

from billing_site.api import authentication
from billing_site.foundation import tokens
from billing_site.foundation.ids import uuid7
from contracts.inputs import EditInput, OverrideInput
from contracts.models import ContractEdit, ContractTerms
from contracts.services import edit_contract
from contracts.wording import history_in_words
from invoicing.services import finalize_due
from tests.factories.contracts import ContractFactory, CustomerFactory, commit_input
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, commit_of, contract_for, sdk

pytestmark = pytest.mark.django_db

MID_NOVEMBER = datetime(2025, 11, 15, tzinfo=UTC)
HALF = OverrideInput(NOVEMBER, type="MULTIPLIER", multiplier=D("0.5"))


@pytest.fixture
def admin(db):
    """A machine that may write."""
    return sdk(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def ids(acme, clock_at):
    clock_at("2025-11-10")
    return {"customer_id": str(acme.customer.pk), "contract_id": str(acme.contract.pk)}


def edited(acme, **given):
    return edit_contract(acme.customer, acme.contract.pk, EditInput(**given), at=at("2025-11-09"), by=ADA)


# --- Get and list --------------------------------------------------------------------------------------------------


def test_a_contract_as_it_was_agreed_and_as_it_is(client, acme, ids):
    first = commit_of(acme, D(10_000), name="First", added_by_edit=acme.contract.edits.get(kind="CREATION"))
    edited(
        acme,
        add_commits=(commit_input(name="Later"),),
        add_overrides=(HALF,),
        archive_commits=(first.pk,),
        update_contract_name="Renamed",
        update_contract_end_date=DECEMBER,
    )

    contract = client.v1.contracts.retrieve(**ids).data

    assert (contract.id, contract.customer_id, contract.amendments) == (ids["contract_id"], ids["customer_id"], [])
    initial, current = contract.initial, contract.current
    assert [commit.name for commit in initial.commits] == ["First"]
    assert [commit.name for commit in current.commits] == ["Later"]
    assert (initial.overrides, [override.multiplier for override in current.overrides]) == ([], [0.5])
    assert (initial.name, initial.ending_before) == (None, JANUARY)
    assert (current.name, current.ending_before) == ("Renamed", DECEMBER)
    assert initial.starting_at == current.starting_at == OCTOBER
    assert current.usage_statement_schedule.billing_anchor_date == OCTOBER
    assert (initial.usage_filter, current.usage_filter, contract.archived_at) == (None, None, None)


def test_balances_and_ledgers_where_they_are_asked_for(client, acme, ids):
    commit_of(acme, D(10_000), added_by_edit=acme.contract.edits.get(kind="CREATION"))
    acme.calls("2025-10-07T00", 1_000)
    contract = client.v1.contracts.retrieve(**ids, include_balance=True, include_ledgers=True).data
    [first], [now] = contract.initial.commits, contract.current.commits
    assert (first.balance, now.balance) == (8_000, 8_000)
    assert sum(entry.amount for entry in now.ledger) == 8_000
    [plain] = client.v1.contracts.list(customer_id=ids["customer_id"]).data
    assert (plain.current.commits[0].balance, plain.current.commits[0].ledger) == (None, None)


@pytest.mark.parametrize(
    ("query", "starts"),
    [
        pytest.param({}, ["2025-02", "2025-10", "2026-03"], id="all"),
        pytest.param({"covering_date": NOVEMBER}, ["2025-10"], id="in force on a date"),
        pytest.param({"starting_at": DECEMBER}, ["2026-03"], id="beginning from a date on"),
        pytest.param({"limit": 1}, ["2025-02", "2025-10", "2026-03"], id="pages"),
    ],
)
def test_which_contracts_are_listed(client, acme, ids, query, starts):
    for start, end in [("2025-02-01", "2025-03-01"), ("2026-03-01", None)]:
        contract_for(acme.customer, acme.prices, starting_at=at(start), terms__ending_before=at(end) if end else None)
    found = list(client.v1.contracts.list(customer_id=ids["customer_id"], **query))
    assert [f"{contract.initial.starting_at:%Y-%m}" for contract in found] == starts


def test_an_archived_contract_is_listed_where_it_is_asked_for(client, admin, ids):
    assert admin.v1.contracts.archive(**ids, void_invoices=False).data.id == ids["contract_id"]
    assert client.v1.contracts.list(customer_id=ids["customer_id"]).data == []
    [archived] = client.v1.contracts.list(customer_id=ids["customer_id"], include_archived=True).data
    assert archived.archived_at == client.v1.contracts.retrieve(**ids).data.archived_at == at("2025-11-10")


def test_contracts_of_others_are_not_found(client, acme, ids):
    other = CustomerFactory(name="Globex")
    _, secret = tokens.create_token("acme", scope="read", customer_id=acme.customer.pk, at=OCTOBER, by=ADA)
    mine = sdk(secret)
    assert mine.v1.contracts.retrieve(**ids).data.id == ids["contract_id"]
    for call in (
        lambda: client.v1.contracts.retrieve(**ids | {"customer_id": str(other.pk)}),
        lambda: client.v1.contracts.retrieve(**ids | {"contract_id": str(uuid7())}),
        lambda: client.v1.contracts.list(customer_id=str(uuid7())),
        lambda: mine.v1.contracts.list(customer_id=str(other.pk)),
    ):
        with pytest.raises(metronome.NotFoundError):
            call()
    with pytest.raises(metronome.PermissionDeniedError):
        mine.v1.contracts.update_end_date(**ids, ending_before=DECEMBER)


def test_three_contracts_cost_as_many_queries_as_one(client, acme, ids, django_assert_max_num_queries):
    def queries():
        authentication._remembered.clear()
        with django_assert_max_num_queries(100) as asked:
            client.v1.contracts.list(customer_id=ids["customer_id"])
        return len(asked)

    one = queries()
    for year in (2027, 2028):
        ContractFactory(
            customer=acme.customer, rate_card=acme.prices.card, starting_at=datetime(year, 1, 1, tzinfo=UTC)
        )
    assert queries() == one


# --- Amendments ----------------------------------------------------------------------------------------------------


def amendment(product, **more):
    commit = {
        "product_id": str(product.pk),
        "type": "POSTPAID",
        "name": "Year end",
        "access_schedule": {"schedule_items": [{"amount": 500, "starting_at": NOVEMBER, "ending_before": JANUARY}]},
        "invoice_schedule": {"schedule_items": [{"timestamp": JANUARY, "amount": 500}]},
    }
    charge = {
        "product_id": str(product.pk),
        "schedule": {"schedule_items": [{"timestamp": DECEMBER, "unit_price": 70, "quantity": 1}]},
    }
    half = {"starting_at": MID_NOVEMBER, "type": "MULTIPLIER", "multiplier": 0.5}
    return {"starting_at": MID_NOVEMBER, "commits": [commit], "scheduled_charges": [charge], "overrides": [half]} | more


def test_an_amendment_says_what_it_added_whatever_became_of_it(client, admin, acme, ids):
    made = admin.v1.contracts.amend(**ids, **amendment(FixedProductFactory(), custom_fields={"deal": "7"})).data.id

    contract = client.v1.contracts.retrieve(**ids).data
    [amended] = contract.amendments
    assert (amended.id, amended.starting_at, amended.created_at) == (made, MID_NOVEMBER, at("2025-11-10"))
    assert ([each.name for each in amended.commits], amended.credits) == (["Year end"], [])
    assert [override.multiplier for override in amended.overrides] == [0.5]
    assert [charge.schedule.schedule_items[0].amount for charge in amended.scheduled_charges] == [70]
    assert amended.to_dict()["custom_fields"] == {"deal": "7"}
    assert (contract.initial.commits, contract.initial.overrides, contract.initial.scheduled_charges) == ([], [], [])
    assert contract.current.commits == amended.commits
    assert contract.current.overrides == amended.overrides

    edited(acme, remove_overrides=(UUID(amended.overrides[0].id),), update_contract_name="Renamed")
    contract = client.v1.contracts.retrieve(**ids).data
    assert [each.overrides for each in contract.amendments] == [amended.overrides]
    assert contract.current.overrides == []

    [edit, _] = client.v2.contracts.get_edit_history(**ids).data
    assert (edit.id, [commit.name for commit in edit.add_commits]) == (made, ["Year end"])
    [*_, told, _] = history_in_words(acme.contract)
    assert told.changes[0] == "Amendment from 15 November 2025, 00:00 UTC."


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"starting_at": JANUARY}, "starting_at", "must be an instant at which the contract holds"),
        ({"starting_at": at("2025-09-30")}, "starting_at", "must be an instant at which the contract holds"),
        ({"starting_at": at("2025-11-15T00:30")}, "starting_at", "must be on the hour"),
        ({"custom_fields": {"deal": "x" * 201}}, "custom_fields.deal", "must not be longer"),
        (
            {"overrides": [{"starting_at": NOVEMBER, "type": "MULTIPLIER", "multiplier": -1}]},
            "overrides[0].multiplier",
            "must not be",
        ),
    ],
)
def test_an_amendment_that_cannot_be_changes_nothing(admin, acme, ids, given, field, rule):
    edits = ContractEdit.objects.count()
    with pytest.raises(metronome.BadRequestError) as refused:
        admin.v1.contracts.amend(**ids, **amendment(FixedProductFactory(), **given))
    [error] = refused.value.body["errors"]
    assert error["field"] == field
    assert rule in error["rule"]
    assert ContractEdit.objects.count() == edits


def test_an_amendment_of_nothing_or_of_what_is_not_served_is_refused(admin, ids):
    with pytest.raises(metronome.BadRequestError, match="The edit changes nothing"):
        admin.v1.contracts.amend(**ids, starting_at=MID_NOVEMBER)
    tracked = {"spend_tracker_attributes": {"counts_as_discounted": True}}
    tracked |= {"product_id": ids["contract_id"], "type": "PREPAID"}
    with pytest.raises(metronome.APIStatusError, match="spend_tracker_attributes: is not supported") as refused:
        admin.v1.contracts.amend(**ids, starting_at=MID_NOVEMBER, commits=[tracked])
    assert refused.value.status_code == 501


# --- Another end ---------------------------------------------------------------------------------------------------


def test_an_end_is_moved_and_taken_away_by_edits(client, admin, ids):
    assert admin.v1.contracts.update_end_date(**ids, ending_before=MID_NOVEMBER).data.id == ids["contract_id"]
    assert client.v1.contracts.retrieve(**ids).data.current.ending_before == MID_NOVEMBER
    admin.v1.contracts.update_end_date(**ids)
    assert client.v1.contracts.retrieve(**ids).data.current.ending_before is None
    history = client.v2.contracts.get_edit_history(**ids).data
    assert [edit.to_dict().get("update_contract_end_date", "none") for edit in history] == [MID_NOVEMBER, None]


@pytest.mark.parametrize(
    ("end", "rule"),
    [
        pytest.param(OCTOBER, "must be later than the contract's start", id="at the start"),
        pytest.param(datetime(2025, 11, 1, 0, 30, tzinfo=UTC), "must be on the hour", id="not on the hour"),
        pytest.param(datetime(2025, 10, 20, tzinfo=UTC), "must not change what holds before", id="in a billed month"),
    ],
)
def test_an_end_that_cannot_be_is_refused_by_its_own_name(admin, acme, ids, end, rule):
    acme.calls("2025-10-07T00", 1_000)
    finalize_due(acme.customer.pk, at=at("2025-11-09"), by=ADA)
    edits = ContractEdit.objects.count()
    for anyway in ({}, {"allow_ending_before_finalized_invoice": True}):
        with pytest.raises(metronome.BadRequestError) as refused:
            admin.v1.contracts.update_end_date(**ids, ending_before=end, **anyway)
        [error] = refused.value.body["errors"]
        assert error["field"] == "ending_before"
        assert rule in error["rule"]
        assert refused.value.body["message"].startswith("ending_before: ")
    assert (ContractEdit.objects.count(), ContractTerms.objects.count()) == (edits, 1)
