"""Packages carry subscriptions: what is made from one is what the same contract with dates is (`docs/packages.md`)."""

import metronome
import pytest
from django.urls import reverse

from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.recurring import monthly
from tests.invoicing.test_packages_api import drafts_of, months, refusals, without_ids
from tests.invoicing.test_subscriptions_api import seats, shop

pytestmark = pytest.mark.django_db
__all__ = ["shop"]  # the fixture

START = "2025-10-31T05:00:00Z"
OWN = {"invoice_placement": "ON_SCHEDULED_INVOICE"}


@pytest.fixture
def package(shop):
    """Of 10 seats from the start on, of 3 for a quarter from the second month on, and of 2 a year that nobody has."""
    rounding = {"decimal_places": 0, "rounding_method": "FLOOR"}
    proration = {"is_prorated": True, "invoice_behavior": "BILL_ON_NEXT_COLLECTION_DATE", "rounding": rounding}
    return [
        seats(shop, name="Team", description="For all", custom_fields={"a": "b"}, proration=proration),
        seats(shop, 3, starting_at_offset=months(1), duration=months(3), billing_cycle_config=OWN),
        seats(
            shop, None, "ANNUAL", collection_schedule="ARREARS", proration={"is_prorated": False},
            seat_config={"seat_group_key": "user", "initial_unassigned_seats": 2}, temporary_id="yearly",
        ) | {"quantity_management_mode": "SEAT_BASED"},
    ]  # fmt: skip


def made(shop, package, **more):
    terms = {"name": "Plan", "rate_card_id": shop.card, "duration": months(12), "subscriptions": package}
    return shop.v1.packages.create(**terms | more).data.id


def with_dates(package):
    team, quarter, yearly = package
    dated = {name: each for name, each in quarter.items() if name not in ("starting_at_offset", "duration")}
    dated |= {"starting_at": "2025-11-30T05:00Z", "ending_before": "2026-02-28T05:00Z"}
    return [team, dated, yearly | {"seat_config": yearly["seat_config"] | {"initial_seat_ids": []}}]


def test_a_contract_from_a_package_has_the_subscriptions_of_one_with_dates(shop, package, clock_at):
    package_id = made(shop, package)
    clock_at("2025-12-15")
    one, other = CustomerFactory(aliases=["one"]), CustomerFactory(aliases=["other"])
    create = shop.v1.contracts.create
    found = create(customer_id=str(one.pk), starting_at=START, package_id=package_id).data.contract
    typed = create(
        customer_id=str(other.pk), starting_at=START, rate_card_id=shop.card, ending_before="2026-10-31T05:00Z",
        subscriptions=with_dates(package),
    ).data.contract  # fmt: skip
    assert without_ids(found.to_dict())["subscriptions"] == without_ids(typed.to_dict())["subscriptions"]
    assert len(found.subscriptions) == 3
    drafts = [drafts_of(shop, each) for each in (one, other)]
    assert drafts[0] == drafts[1]
    assert sum(line["type"] == "subscription" for each in drafts[0] for line in each["line_items"]) >= 4


def test_a_package_shows_its_subscriptions_as_they_were_said(shop, package):
    shown = shop.v1.packages.retrieve(package_id=made(shop, package)).data.subscriptions
    team, quarter, yearly = (each.to_dict(mode="json") for each in shown)
    product = {"id": shop.products["Seats"], "name": "Seats"}
    assert team.pop("id") != quarter.pop("id")
    assert team == {
        "name": "Team",
        "description": "For all",
        "custom_fields": {"a": "b"},
        "collection_schedule": "ADVANCE",
        "quantity_management_mode": "QUANTITY_ONLY",
        "initial_quantity": 10,
        "subscription_rate": {"product": product, "billing_frequency": "MONTHLY"},
        "proration": {
            "is_prorated": True,
            "invoice_behavior": "BILL_ON_NEXT_COLLECTION_DATE",
            "rounding": {"decimal_places": 0, "rounding_method": "FLOOR"},
        },
        "billing_cycle_config": {"invoice_placement": "ON_USAGE_INVOICE"},
    }
    assert (quarter["starting_at_offset"], quarter["duration"]) == (months(1), months(3))
    assert (quarter["billing_cycle_config"], quarter["proration"]["invoice_behavior"]) == (OWN, "BILL_IMMEDIATELY")
    assert (yearly["proration"]["is_prorated"], yearly["seat_config"]["seat_group_key"]) == (False, "user")


def test_its_page_says_what_is_subscribed_to(shop, package, admin_client):
    page = reverse("admin:contracts_package_change", args=[made(shop, package)])
    said = admin_client.get(page, {"start_0": "2025-10-31", "start_1": "05:00"}).content.decode()
    assert "Subscription “Team”: 10 of Seats each month from 31 October 2025" in said


def test_what_breaks_a_rule_is_named_as_the_package_names_it(shop, package):
    def refused(**more):
        return refusals(lambda: made(shop, [package[0] | more]))

    assert refused(starting_at_offset=months(12))[0][0] == "subscriptions[0].starting_at_offset"
    assert refused(initial_quantity=-1) == [("subscriptions[0].initial_quantity", "must not be negative")]
    rate = package[0]["subscription_rate"] | {"billing_frequency": "WEEKLY"}
    assert [field for field, _ in refused(subscription_rate=rate)] == [
        "subscriptions[0].subscription_rate.billing_frequency"
    ]
    anchored = [package[0] | {"billing_cycle_config": {"anchor_date": START}}]
    [(field, _)] = refusals(lambda: made(shop, anchored), metronome.InternalServerError)
    assert field == "subscriptions[0].billing_cycle_config.anchor_date"


@pytest.mark.parametrize("config", [{}, {"allocation": "INDIVIDUAL"}], ids=["pooled", "individual"])
def test_an_allowance_for_each_seat_comes_with_the_package(shop, package, config):
    """What is linked by a temporary id is linked on each contract to its own subscription."""
    linked = {"subscription_id": "yearly", "apply_seat_increase_config": {"is_prorated": False}, **config}
    shop.fixed = str(FixedProductFactory().pk)
    allowance = monthly(shop, access_amount={"unit_price": 500}, subscription_config=linked)
    del allowance["starting_at"]
    package_id = made(
        shop, package, recurring_credits=[allowance | {"starting_at_offset": {"unit": "DAYS", "value": 0}}]
    )
    shown = shop.v1.packages.retrieve(package_id=package_id).data
    [credit] = shown.recurring_credits
    assert credit.subscription_config.subscription_template_id == shown.subscriptions[2].id
    assert credit.subscription_config.allocation == config.get("allocation", "POOLED")
    customer_id = str(CustomerFactory().pk)
    found = shop.v1.contracts.create(customer_id=customer_id, starting_at=START, package_id=package_id).data.contract
    yearly = next(each for each in found.subscriptions if each.quantity_management_mode == "SEAT_BASED")
    assert found.recurring_credits[0].subscription_config.subscription_id == yearly.id
    assert not found.recurring_credits[0].subscription_config.apply_seat_increase_config.is_prorated


def test_an_allowance_for_no_subscription_of_the_package_is_refused(shop, package):
    linked = {"subscription_id": "nobody", "apply_seat_increase_config": {"is_prorated": True}}
    shop.fixed = str(FixedProductFactory().pk)
    allowance = monthly(shop, access_amount={"unit_price": 500}, subscription_config=linked)
    del allowance["starting_at"]
    allowance["starting_at_offset"] = {"unit": "DAYS", "value": 0}
    [(field, rule)] = refusals(lambda: made(shop, package, recurring_commits=[allowance]))
    assert field == "recurring_commits[0].subscription_config.subscription_id"
    assert rule.startswith("must be the id of a subscription of the contract, or the temporary_id of a new one")
