"""Customers and contracts through the official SDK, and what is refused over HTTP."""

from datetime import UTC, datetime

import pytest

from billing_site.foundation.ids import uuid7
from contracts.models import Contract, ContractEdit, Customer
from contracts.queries import aliases_of
from pricing.units import USD_ID
from tests.factories.contracts import CommitFactory, ContractFactory, CustomerFactory, OverrideFactory
from tests.factories.pricing import (
    FixedProductFactory,
    ProductFactory,
    RateCardAliasFactory,
    RateCardFactory,
)

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
MID_OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
EDIT = "/v2/contracts/edit"
CREATE = "/v1/contracts/create"


def names(fields):
    """Field paths of a refusal's body, with the rules."""
    return [(error["field"], error["rule"]) for error in fields["errors"]]


@pytest.mark.django_db(transaction=True)
class TestWithTheSdk:
    def test_a_contract_and_one_edit_of_it(self, sdk):
        customer, card, calls = CustomerFactory(), RateCardFactory(), ProductFactory(name="Calls")
        fixed = FixedProductFactory(name="Commitment")
        RateCardAliasFactory(rate_card=card, name="standard")
        amount = {"amount": 10_000_000, "timestamp": JANUARY}

        created = sdk.v1.contracts.create(
            customer_id=str(customer.pk),
            starting_at=OCTOBER,
            ending_before=JANUARY,
            rate_card_alias="standard",
            name="Deal",
            net_payment_terms_days=30,
            usage_statement_schedule={"frequency": "MONTHLY"},
            uniqueness_key="deal",
        ).data
        contract = created.contract
        assert (contract.id, contract.customer_id, contract.rate_card_id) == (
            created.id,
            str(customer.pk),
            str(card.pk),
        )
        assert (contract.starting_at, contract.ending_before) == (OCTOBER, JANUARY)
        assert (contract.name, contract.net_payment_terms_days, contract.uniqueness_key) == ("Deal", 30, "deal")
        assert contract.usage_statement_schedule.to_dict(mode="json") == {
            "frequency": "MONTHLY",
            "billing_anchor_date": "2025-10-01T00:00:00Z",
        }
        for empty in ("commits", "overrides", "scheduled_charges", "transitions", "usage_filter", "credits"):
            assert getattr(contract, empty) == []

        edited = sdk.v2.contracts.edit(
            customer_id=str(customer.pk),
            contract_id=created.id,
            add_commits=[
                {
                    "type": "POSTPAID",
                    "product_id": str(fixed.pk),
                    "name": "Year end",
                    "priority": 100,
                    "access_schedule": {
                        "schedule_items": [{"amount": 10_000_000, "starting_at": OCTOBER, "ending_before": JANUARY}]
                    },
                    "invoice_schedule": {"schedule_items": [amount]},
                }
            ],
            add_overrides=[
                {
                    "type": "MULTIPLIER",
                    "multiplier": 0.5,
                    "starting_at": MID_OCTOBER,
                    "override_specifiers": [{"product_id": str(calls.pk)}],
                }
            ],
            add_scheduled_charges=[{"product_id": str(fixed.pk), "schedule": {"schedule_items": [amount]}}],
            update_contract_name="The deal",
            update_contract_end_date=None,
        ).data

        (seen,) = sdk.v2.contracts.get_edit_history(customer_id=str(customer.pk), contract_id=created.id).data
        assert seen.id == edited.id
        assert seen.to_dict() == edited.edit.to_dict()
        (commit,), (override,), (charge,) = seen.add_commits, seen.add_overrides, seen.add_scheduled_charges
        assert commit.to_dict(mode="json") == {
            "id": commit.id,
            "type": "POSTPAID",
            "product": {"id": str(fixed.pk), "name": "Commitment"},
            "name": "Year end",
            "priority": 100,
            "rate_type": "LIST_RATE",
            "access_schedule": {
                "access_type": "SPEND",
                "credit_type": {"id": str(USD_ID), "name": "USD (cents)"},
                "schedule_items": [
                    {
                        "id": commit.access_schedule.schedule_items[0].id,
                        "amount": 10_000_000,
                        "starting_at": "2025-10-01T00:00:00Z",
                        "ending_before": "2026-01-01T00:00:00Z",
                    }
                ],
            },
            "invoice_schedule": {
                "credit_type": {"id": str(USD_ID), "name": "USD (cents)"},
                "do_not_invoice": False,
                "schedule_items": [
                    {
                        "id": commit.invoice_schedule.schedule_items[0].id,
                        "timestamp": "2026-01-01T00:00:00Z",
                        "amount": 10_000_000,
                        "unit_price": 10_000_000,
                        "quantity": 1,
                    }
                ],
            },
        }
        assert override.to_dict(mode="json") == {
            "id": override.id,
            "type": "MULTIPLIER",
            "multiplier": 0.5,
            "created_at": seen.to_dict(mode="json")["timestamp"],
            "starting_at": "2025-10-15T00:00:00Z",
            "override_specifiers": [{"product_id": str(calls.pk)}],
            "is_commit_specific": False,
            "target": "LIST_RATE",
        }
        assert charge.schedule.schedule_items[0].amount == 10_000_000
        assert (seen.update_contract_name, seen.to_dict()["update_contract_end_date"]) == ("The deal", None)

    def test_ids_in_an_edit_are_echoed(self, sdk):
        contract = ContractFactory()
        override = OverrideFactory(contract=contract)
        commit = CommitFactory(contract=contract, invoice_item__issued_at=datetime(2999, 1, 1, tzinfo=UTC))

        edit = sdk.v2.contracts.edit(
            customer_id=str(contract.customer.pk),
            contract_id=str(contract.pk),
            remove_overrides=[{"id": str(override.pk)}],
            archive_commits=[{"id": str(commit.pk)}],
            uniqueness_key="clean",
        ).data.edit

        assert [one.id for one in edit.remove_overrides] == [str(override.pk)]
        assert [one.id for one in edit.archive_commits] == [str(commit.pk)]
        assert edit.uniqueness_key == "clean"


def test_lower_case_enums_unknown_fields_and_nulls_are_taken_as_the_compatible_api_does(api):
    customer, card, product = CustomerFactory(), RateCardFactory(), ProductFactory()
    body = {
        "customer_id": str(customer.pk),
        "rate_card_id": str(card.pk),
        "rate_card_alias": None,
        "starting_at": "2025-10-01",
        "multiplier_override_prioritization": "lowest_multiplier",
        "usage_statement_schedule": {"frequency": "quarterly", "day": "contract_start"},
        "overrides": [
            {"type": "multiplier", "multiplier": "0.5", "starting_at": "2025-10-01T02:00:00+02:00", "product_id": None}
        ],
        "commits": [
            {
                "type": "postpaid",
                "product_id": str(FixedProductFactory().pk),
                "name": None,
                "priority": None,
                "specifiers": None,
                "access_schedule": {
                    "credit_type_id": None,
                    "schedule_items": [{"amount": 5, "starting_at": "2025-10-01", "ending_before": "2026-01-01"}],
                },
                "invoice_schedule": {
                    "do_not_invoice": None,
                    "recurring_schedule": None,
                    "schedule_items": [{"timestamp": "2026-01-01", "unit_price": 2.5, "quantity": 2, "amount": None}],
                },
            }
        ],
        "credits": [],
        "transition": None,
        "spend_trackers": [],
        "a_field_of_next_year": {"deep": [1]},
    }
    shown = api.post(CREATE, body)["data"]["contract"]
    assert shown["usage_statement_schedule"]["frequency"] == "QUARTERLY"
    assert shown["multiplier_override_prioritization"] == "LOWEST_MULTIPLIER"
    assert [(o["type"], str(o["multiplier"]), o["starting_at"]) for o in shown["overrides"]] == [
        ("MULTIPLIER", "0.5", "2025-10-01T00:00:00+00:00")
    ]

    (commit,) = shown["commits"]
    assert (commit["priority"], "name" in commit, commit["invoice_schedule"]["schedule_items"][0]["amount"]) == (
        100,
        False,
        5,
    )

    whose = {"customer_id": str(customer.pk), "contract_id": shown["id"]}
    overwrite = {
        "type": "overwrite",
        "starting_at": "2025-10-01",
        "product_id": str(product.pk),
        "overwrite_rate": {"rate_type": "flat", "price": 0.000000000001, "credit_type_id": None},
        "target": "list_rate",
        "is_commit_specific": False,
    }
    edit = api.post(EDIT, whose | {"add_overrides": [overwrite], "update_commits": None, "starting_at": "x"})
    (override,) = edit["data"]["edit"]["add_overrides"]
    assert str(override["overwrite_rate"]["price"]) == "1E-12"
    assert override["product"] == {"id": str(product.pk), "name": product.name}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        pytest.param(
            CREATE,
            {"recurring_credits": [{"hierarchy_configuration": {"child_access": {"type": "ALL"}}}]},
            "recurring_credits[0].hierarchy_configuration",
            id="balances that children share",
        ),
        pytest.param(
            EDIT,
            {"add_overrides": [{"overwrite_rate": {"custom_rate": {"k": 1}}}]},
            "add_overrides[0].overwrite_rate.custom_rate",
            id="rates of a processor",
        ),
        pytest.param("/v1/customers", {"billing_config": {"x": 1}}, "billing_config", id="billing providers"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(api, path, body, field):
    answer = api.post(path, body, status=501)

    assert [error["field"] for error in answer["errors"]] == [field]
    assert answer["message"].startswith(f"{field}: is not supported by this server")
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"starting_at": "2025-10-01T00:30:00Z"}, "starting_at", id="off the hour"),
        pytest.param({"starting_at": "yesterday"}, "starting_at", id="no instant"),
        pytest.param({"starting_at": None}, "starting_at", id="no start"),
        pytest.param({"rate_card_id": str(uuid7())}, "rate_card_id", id="an unknown rate card"),
        pytest.param({"name": 7}, "name", id="a number for a name"),
        pytest.param({"commits": [{}]}, "commits[0].product_id", id="a commit of nothing"),
        pytest.param(
            {"overrides": [{"starting_at": "2025-10-01", "type": "MULTIPLIER", "multiplier": -1}]},
            "overrides[0].multiplier",
            id="a negative multiplier",
        ),
        pytest.param({"custom_fields": {"k": 1}}, "custom_fields.k", id="a custom field that is no text"),
        pytest.param({"overrides": "all"}, "overrides", id="text for a list"),
    ],
)
def test_a_refusal_names_field_value_and_rule_and_writes_nothing(api, changes, field):
    customer, card = CustomerFactory(), RateCardFactory()
    body = {"customer_id": str(customer.pk), "rate_card_id": str(card.pk), "starting_at": "2025-10-01"} | changes

    answer = api.post(CREATE, body, status=400)

    assert answer["errors"][0]["field"] == field
    assert set(answer["errors"][0]) == {"field", "value", "rule"}
    assert not Contract.objects.exists()


def test_a_negative_price_is_refused(api):
    contract, product = ContractFactory(), ProductFactory()
    override = {
        "type": "OVERWRITE",
        "starting_at": "2025-10-01",
        "product_id": str(product.pk),
        "overwrite_rate": {"rate_type": "FLAT", "price": -0.1},
    }
    body = {"customer_id": str(contract.customer.pk), "contract_id": str(contract.pk), "add_overrides": [override]}

    answer = api.post(EDIT, body, status=400)
    assert names(answer) == [("add_overrides[0].overwrite_rate.price", "must not be negative")]


def test_a_used_key_answers_409_and_says_not_to_retry(api):
    contract = ContractFactory(uniqueness_key="deal")
    whose = {"customer_id": str(contract.customer.pk)}
    create = whose | {"starting_at": "2030-01-01", "rate_card_id": str(RateCardFactory().pk), "uniqueness_key": "deal"}
    edit = whose | {"contract_id": str(contract.pk), "update_contract_name": "Deal", "uniqueness_key": "deal"}

    assert names(api.post(CREATE, create, status=409))[0][0] == "uniqueness_key"
    api.post(EDIT, edit)
    answer = api.client.post(EDIT, edit, content_type="application/json")
    assert (answer.status_code, answer["x-should-retry"]) == (409, "false")
    assert ContractEdit.objects.filter(kind="EDIT").count() == 1


class TestBoundTokens:
    """A read token of one customer sees that one; another looks like none at all."""

    HISTORY, PRICES = "/v2/contracts/getEditHistory", "/v1/contracts/getContractRateSchedule"

    def test_it_sees_its_own(self, api_bound_to):
        contract = ContractFactory()
        mine = api_bound_to(contract.customer.pk)
        body = {"customer_id": str(contract.customer.pk), "contract_id": str(contract.pk)}
        CustomerFactory()

        assert [c["id"] for c in mine.get("/v1/customers")["data"]] == [str(contract.customer.pk)]
        assert mine.get(f"/v1/customers/{contract.customer.pk}")["data"]["id"] == str(contract.customer.pk)
        assert mine.post(self.HISTORY, body) == {"data": []}
        assert mine.post(self.PRICES, body)["data"] == []

    def test_foreign_and_missing_look_the_same(self, api_bound_to):
        mine, foreign = api_bound_to(CustomerFactory().pk), ContractFactory()

        for path in (self.HISTORY, self.PRICES):
            answers = []
            for customer_id, contract_id in ((foreign.customer.pk, foreign.pk), (uuid7(), uuid7())):
                body = {"customer_id": str(customer_id), "contract_id": str(contract_id)}
                answer = mine.post(path, body, status=404)
                answers.append((answer["message"], names(answer)))
            assert answers[0] == answers[1]
        foreign_page = mine.get(f"/v1/customers/{foreign.customer.pk}", status=404)
        assert foreign_page["message"] == mine.get(f"/v1/customers/{uuid7()}", status=404)["message"]
        assert mine.get(f"/v1/customers?customer_ids={foreign.customer.pk}")["data"] == []

    def test_it_changes_nothing(self, api_bound_to):
        contract = ContractFactory()
        mine, whose = api_bound_to(contract.customer.pk), {"customer_id": str(contract.customer.pk)}

        mine.post("/v1/customers", {"name": "Acme"}, status=403)
        mine.post(f"/v1/customers/{contract.customer.pk}/setIngestAliases", {"ingest_aliases": ["a"]}, status=403)
        mine.post(EDIT, whose | {"contract_id": str(contract.pk), "update_contract_name": "x"}, status=403)
        mine.post(CREATE, whose | {"starting_at": "2025-10-01"}, status=403)
        assert aliases_of([contract.customer.pk]) == {contract.customer.pk: []}
