"""Overrides of every kind, read through the official SDK."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from pricing.units import USD_ID
from tests.factories.contracts import CommitFactory, ContractFactory, EditFactory, OverrideFactory
from tests.factories.pricing import FixedProductFactory, ProductFactory, RateFactory

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
USD = {"id": str(USD_ID), "name": "USD (cents)"}
TIERED = {"type": "TIERED", "priority": 1}


@pytest.mark.django_db(transaction=True)
def test_every_field_is_echoed_in_the_edit_history(sdk):
    contract, product = ContractFactory(multiplier_override_prioritization="EXPLICIT"), ProductFactory(name="Calls")
    commit = CommitFactory(contract=contract, name="Starter pack")
    edit = EditFactory(customer=contract.customer, contract=contract)
    paying = [{"product_id": str(product.pk), "commit_ids": [str(commit.pk)], "billing_frequency": "MONTHLY"}]
    kinds = [
        {**TIERED, "tiers": [{"multiplier": "0.9", "size": "1000"}, {"multiplier": "0.5"}]},
        {"type": "OVERWRITE", "rate_type": "TIERED", "rate_tiers": [{"price": "2", "size": "10"}, {"price": "1"}]},
        {"type": "OVERWRITE", "rate_type": "PACKAGE", "price": D(12), "package_size": D(10)},
        {"type": "OVERWRITE", "rate_type": "SUBSCRIPTION", "price": D(3), "quantity": D(2), "is_prorated": True},
        {"type": "MULTIPLIER", "is_commit_specific": True, "target": "COMMIT_RATE", "specifiers": paying},
        {"type": "", "entitled": False, "applicable_product_tags": ["a"], "ending_before": NOVEMBER},
    ]
    for position, fields in enumerate(kinds):
        OverrideFactory(contract=contract, added_by_edit=edit, position=position, starting_at=OCTOBER, **fields)

    whose = {"customer_id": str(contract.customer.pk), "contract_id": str(contract.pk)}
    history = sdk.v2.contracts.get_edit_history(**whose).data
    (shown,) = [each.add_overrides for each in history if each.add_overrides]

    given = []
    for override in shown:
        fields = override.to_dict(mode="json")
        assert (fields.pop("id"), fields.pop("starting_at")) == (override.id, "2025-10-01T00:00:00Z")
        del fields["created_at"]
        given.append(fields)
    ordinary = {"is_commit_specific": False, "target": "LIST_RATE"}
    assert given == [
        {**TIERED, "override_tiers": [{"multiplier": 0.9, "size": 1000}, {"multiplier": 0.5}], **ordinary},
        {
            "type": "OVERWRITE",
            "overwrite_rate": {
                "rate_type": "TIERED",
                "tiers": [{"price": 2, "size": 10}, {"price": 1}],
                "credit_type": USD,
            },
            **ordinary,
        },
        {
            "type": "OVERWRITE",
            "overwrite_rate": {"rate_type": "PACKAGE", "price": 12, "package_size": 10, "credit_type": USD},
            **ordinary,
        },
        {
            "type": "OVERWRITE",
            "overwrite_rate": {
                "rate_type": "SUBSCRIPTION",
                "price": 3,
                "quantity": 2,
                "is_prorated": True,
                "credit_type": USD,
            },
            **ordinary,
        },
        {
            "type": "MULTIPLIER",
            "multiplier": 0.5,
            "override_specifiers": paying,
            "is_commit_specific": True,
            "target": "COMMIT_RATE",
        },
        {"entitled": False, "applicable_product_tags": ["a"], "ending_before": "2025-11-01T00:00:00Z", **ordinary},
    ]


@pytest.mark.django_db(transaction=True)
def test_a_new_contract_repeats_an_overwritten_rate_beside_it(sdk):
    card = ContractFactory().rate_card
    product = RateFactory(rate_card=card).product
    customer = ContractFactory(starting_at=NOVEMBER).customer

    created = sdk.v1.contracts.create(
        customer_id=str(customer.pk),
        starting_at=OCTOBER,
        ending_before=NOVEMBER,
        rate_card_id=str(card.pk),
        multiplier_override_prioritization="EXPLICIT",
        overrides=[
            {
                "type": "OVERWRITE",
                "starting_at": OCTOBER,
                "product_id": str(product.pk),
                "overwrite_rate": {"rate_type": "FLAT", "price": 0.25},
            },
            {"type": "MULTIPLIER", "multiplier": 0.5, "priority": 2, "starting_at": OCTOBER},
        ],
    ).data.contract

    own, half = created.overrides
    assert created.multiplier_override_prioritization == "EXPLICIT"
    assert (own.rate_type, own.price, own.credit_type.to_dict(), own.overwrite_rate.price) == ("FLAT", 0.25, USD, 0.25)
    assert own.product.id == str(product.pk)
    assert (half.rate_type, half.price, half.multiplier, half.priority) == (None, None, 0.5, 2)


@pytest.mark.django_db(transaction=True)
def test_the_rate_schedule_shows_what_every_kind_of_override_makes_of_a_price(sdk):
    contract = ContractFactory(multiplier_override_prioritization="EXPLICIT")

    def priced(name, **override):
        product = RateFactory(rate_card=contract.rate_card, product=ProductFactory(name=name), price=D(10)).product
        return OverrideFactory(contract=contract, product=product, **override) if override else None

    priced("Listed")
    half = priced("Half", multiplier=D("0.5"), priority=D(1))
    priced("Volume", type="OVERWRITE", rate_type="VOLUME", rate_tiers=[{"price": "3", "flat_fee": "7"}])
    tiered = priced("Tiered", **TIERED, tiers=[{"multiplier": "0.5", "size": "100"}])
    priced("Paying", is_commit_specific=True)
    rows = sdk.v1.contracts.retrieve_rate_schedule(
        customer_id=str(contract.customer.pk), contract_id=str(contract.pk), at=OCTOBER
    ).data

    def rate(shown):
        return shown and {k: v for k, v in shown.to_dict().items() if k not in ("credit_type", "rate_type")}

    assert {row.product_name: (rate(row.list_rate), rate(row.override_rate)) for row in rows} == {
        "Listed": ({"price": 10}, None),
        "Half": ({"price": 10}, {"price": 5}),
        "Volume": ({"price": 10}, {"tiers": [{"price": 3, "flat_fee": 7}]}),
        "Tiered": ({"price": 10}, {"tiers": [{"price": 5, "size": 100}, {"price": 10}]}),
        "Paying": ({"price": 10}, None),
    }
    named = {row.product_name: row.to_dict().get("override_id") for row in rows}
    assert (named["Listed"], named["Half"], named["Tiered"]) == (None, str(half.pk), str(tiered.pk))


@pytest.mark.django_db(transaction=True)
def test_every_kind_is_agreed_in_one_request_with_the_commit_that_it_names(sdk):
    contract, fixed = ContractFactory(starting_at=NOVEMBER), FixedProductFactory()
    product = RateFactory(rate_card=contract.rate_card, product=ProductFactory(name="Calls")).product
    amount = {"amount": 500}
    tiers = [{"price": 2, "size": 10}, {"price": 1}]
    on_calls = {"product_id": str(product.pk)}

    created = sdk.v1.contracts.create(
        customer_id=str(contract.customer.pk),
        starting_at=OCTOBER,
        ending_before=NOVEMBER,
        rate_card_id=str(contract.rate_card_id),
        multiplier_override_prioritization="EXPLICIT",
        commits=[
            {
                "type": "POSTPAID",
                "product_id": str(fixed.pk),
                "temporary_id": "pack",
                "access_schedule": {"schedule_items": [{**amount, "starting_at": OCTOBER, "ending_before": NOVEMBER}]},
                "invoice_schedule": {"schedule_items": [{**amount, "timestamp": NOVEMBER}]},
            }
        ],
        overrides=[
            {"starting_at": OCTOBER, **TIERED, "tiers": [{"multiplier": 0.5, "size": 100}, {"multiplier": 0.1}]},
            {
                "starting_at": OCTOBER,
                "type": "OVERWRITE",
                "overwrite_rate": {"rate_type": "TIERED", "tiers": tiers},
                "override_specifiers": [on_calls],
            },
            {
                "starting_at": OCTOBER,
                "type": "MULTIPLIER",
                "multiplier": 0.25,
                "priority": 2,
                "is_commit_specific": True,
                "target": "COMMIT_RATE",
                "override_specifiers": [{**on_calls, "commit_ids": ["pack"]}],
            },
        ],
    ).data.contract

    tiered, own, paying = created.overrides
    assert [tier.to_dict() for tier in tiered.override_tiers] == [
        {"multiplier": 0.5, "size": 100},
        {"multiplier": 0.1},
    ]
    assert (own.rate_type, [tier.to_dict() for tier in own.tiers]) == ("TIERED", tiers)
    assert own.overwrite_rate.to_dict() == {"rate_type": "TIERED", "tiers": tiers, "credit_type": USD}
    assert (paying.is_commit_specific, paying.target, paying.priority) == (True, "COMMIT_RATE", 2)
    assert [each.to_dict() for each in paying.override_specifiers] == [
        {**on_calls, "commit_ids": [created.commits[0].id]}
    ]
