"""A package made by click: what the same one by the API is, seen in words before (`docs/packages.md`).

A seat costs 20 dollars a month, a unit 1 cent.
"""

import html
import json
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing_site.foundation.ids import uuid7
from contracts.forms.edits import as_sent
from contracts.models import Package
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.test_subscriptions_api import shop

pytestmark = pytest.mark.django_db
__all__ = ["shop"]  # the fixture

TEAM = {"team": "red"}
NONE = {"unit": "DAYS", "value": 0}


def months(value):
    return {"unit": "MONTHS", "value": value}


class Page:
    def __init__(self, shop):
        self.shop, self.browser = shop, Client()
        self.browser.force_login(User.objects.create_superuser("ada"))
        self.url = reverse("admin:contracts_package_add")
        self.fixed = str(FixedProductFactory(name="Platform").pk)
        self.units, self.seats = shop.products["units"], shop.products["Seats"]
        self.whole = {
            "name": "Starter", "rate_card": shop.card, "frequency": "MONTHLY", "day": "CONTRACT_START",
            "multiplier_override_prioritization": "LOWEST_MULTIPLIER", "reason": "For the spring", "key": str(uuid7()),
        }  # fmt: skip

    def product_of_teams(self):
        return self.shop.product("teams", presentation_group_key=["team"])

    def preview(self, **typed):
        sent = {name: value for name, value in (self.whole | typed).items() if value is not None}
        return sent, self.browser.post(self.url, sent | {"preview": "1"})

    def save(self, **typed):
        sent, seen = self.preview(**typed)
        assert seen.context["preview"], seen.context["form"].errors
        self.browser.post(self.url, sent | {"previewed": seen.context["previewed"], "save": "1"})
        return Package.objects.latest("created_at", "id")

    def errors(self, **typed):
        _, seen = self.preview(**typed)
        assert not seen.context["preview"]
        return {field: list(errors) for field, errors in seen.context["form"].errors.items()}


@pytest.fixture
def page(shop, clock_at):
    clock_at("2025-10-16")
    return Page(shop)


def everything(page):
    return {
        "contract_name": "Starter deal", "duration": "1 year", "end_policy": "RENEW", "net_payment_terms_days": "14",
        "scheduled_charges_on_usage_invoices": "ALL", "invoice_from": "7 days",
        "alias_0_name": "start", "alias_0_starting_at_0": "2025-10-01",
        "override_0_percent": "20", "override_0_product": page.units, "override_0_lasts": "3 months",
        "override_1_what": "PRICE", "override_1_product": page.units,
        "tariff_1-rate_type": "FLAT", "tariff_1-price": "0.005", "override_1_after": "3 months",
        "commit_0_product": page.fixed, "commit_0_name": "Start", "commit_0_amount": "100", "commit_0_lasts": "1 month",
        "commit_0_times": "3", "commit_0_price": "90", "commit_0_paid_times": "2", "commit_0_paid_each": "6 months",
        "commit_0_rollover": "50", "commit_0_priority": "1", "commit_0_products": [page.units],
        "commit_1_kind": "CREDIT", "commit_1_product": page.fixed, "commit_1_amount": "5",
        "commit_1_after": "2 weeks", "commit_1_lasts": "14 days",
        "commit_2_kind": "POSTPAID", "commit_2_product": page.fixed, "commit_2_amount": "600",
        "commit_2_lasts": "12 months",
        "subscription_0_product": page.seats, "subscription_0_seat_group_key": "user", "subscription_0_quantity": "2",
        "subscription_0_collected": "in_arrears", "subscription_0_decimals": "2", "subscription_0_rounding": "FLOOR",
        "anew_0_product": page.fixed, "anew_0_amount": "5", "anew_0_of": "subscription 1", "anew_0_added": "FULL",
        "anew_1_kind": "PREPAID", "anew_1_product": page.fixed, "anew_1_amount": "10", "anew_1_billed": "8",
        "anew_1_each": "QUARTERLY", "anew_1_priority": "3",
        "charge_0_product": page.fixed, "charge_0_name": "Setup", "charge_0_price": "250", "charge_0_quantity": "2",
        "charge_0_paid_at": "1 month",
    }  # fmt: skip


def test_a_package_made_by_click_is_that_of_the_api(page, shop):
    made = page.save(**everything(page))
    shown = shop.v1.packages.retrieve(package_id=str(made.pk)).data.to_dict(mode="json")
    assert (shown["name"], shown["contract_name"], shown["end_policy"]) == ("Starter", "Starter deal", "RENEW")
    assert (shown["duration"], shown["net_payment_terms_days"]) == ({"unit": "YEARS", "value": 1}, 14)
    assert shown["aliases"] == [{"name": "start", "starting_at": "2025-10-01T00:00:00Z"}]
    assert shown["usage_statement_schedule"] == {
        "frequency": "MONTHLY",
        "day": "CONTRACT_START",
        "invoice_generation_starting_at_offset": {"unit": "DAYS", "value": 7},
    }
    discount, price = shown["overrides"]
    assert (discount["multiplier"], discount["starting_at_offset"], discount["duration"]) == (0.8, NONE, months(3))
    assert (price["overwrite_rate"]["price"], price["starting_at_offset"]) == (0.5, months(3))
    prepaid, postpaid = shown["commits"]
    assert [
        (item["amount"], item["starting_at_offset"], item["duration"])
        for item in prepaid["access_schedule"]["schedule_items"]
    ] == [(10_000, NONE, months(1)), (10_000, months(1), months(1)), (10_000, months(2), months(1))]
    assert [
        (item["unit_price"], item["quantity"], item["date_offset"])
        for item in prepaid["invoice_schedule"]["schedule_items"]
    ] == [(9_000, 1, NONE), (9_000, 1, months(6))]
    assert (prepaid["rollover_fraction"], prepaid["priority"], prepaid["applicable_product_ids"]) == (
        0.5, 1, [page.units],
    )  # fmt: skip
    [true_up] = postpaid["invoice_schedule"]["schedule_items"]
    assert (true_up["unit_price"], true_up["date_offset"]) == (60_000, months(12))
    [credit] = shown["credits"]
    assert credit["access_schedule"]["schedule_items"][0]["starting_at_offset"] == {"unit": "WEEKS", "value": 2}
    [seats] = shown["subscriptions"]
    assert seats["seat_config"] == {"seat_group_key": "user", "initial_unassigned_seats": 2}
    assert seats["proration"]["rounding"] == {"decimal_places": 0, "rounding_method": "FLOOR"}
    [each_seat], [each_quarter] = shown["recurring_credits"], shown["recurring_commits"]
    assert each_seat["subscription_config"] == {
        "subscription_template_id": seats["id"],
        "allocation": "POOLED",
        "apply_seat_increase_config": {"is_prorated": False},
    }
    assert (each_quarter["invoice_amount"]["unit_price"], each_quarter["recurrence_frequency"]) == (800, "QUARTERLY")
    [setup] = shown["scheduled_charges"]
    assert [
        (item["unit_price"], item["quantity"], item["date_offset"]) for item in setup["schedule"]["schedule_items"]
    ] == [(25_000, 2, months(1))]
    assert made.history.latest().history_change_reason == "For the spring"


def ranked(page):
    """What takes more than a percent and a price: by quantity, while a balance pays, of some usage alone."""
    teams = page.product_of_teams()
    return {
        "multiplier_override_prioritization": "EXPLICIT",
        "override_0_what": "TIERED", "override_0_steps": "1,000: 50\nrest: 12.5", "override_0_priority": "1",
        "override_0_product": teams, "override_0_presentation": '{"team": "red"}',
        "override_1_what": "PRICE", "override_1_product": teams, "tariff_1-rate_type": "TIERED",
        "tariff_1-tiers-0-up_to": "100", "tariff_1-tiers-0-price": "0.02", "tariff_1-tiers-0-flat_fee": "3",
        "tariff_1-tiers-1-price": "0.01", "override_1_payers": ["commit 1", "anew 1"], "override_1_after": "3 months",
        "override_2_percent": "10", "override_2_priority": "2", "override_2_payers": ["ANY"],
        "override_2_target": "COMMIT_RATE",
        "override_3_what": "OUT", "override_3_product": teams, "override_3_after": "2 years",
        "commit_0_product": page.fixed, "commit_0_amount": "100", "commit_0_lasts": "1 month",
        "commit_0_products": [teams], "commit_0_presentation": '{"team": "red"}',
        "anew_0_product": page.fixed, "anew_0_amount": "5",
    }  # fmt: skip


def told(shop, made):
    """A package as the API tells it, without the ids of its parts; references by place."""
    told = shop.v1.packages.retrieve(package_id=str(made.pk)).data.to_dict(mode="json")
    parts = (part for each in told.values() if isinstance(each, list) for part in each if "id" in part)
    text = json.dumps({name: told[name] for name in told.keys() - {"aliases", "created_at", "uniqueness_key"}})
    for place, part in enumerate(parts):
        text = text.replace(part["id"], f"part {place}")
    return re.sub(r'"id": "(?!part)[^"]*"', '"id": ""', text)


def test_what_takes_more_than_a_percent_is_typed_too(page, shop):
    made = page.save(**ranked(page))
    shown = shop.v1.packages.retrieve(package_id=str(made.pk)).data.to_dict(mode="json")
    steps, price, paying, out = shown["overrides"]
    [balance], [anew] = shown["commits"], shown["recurring_credits"]
    assert steps["override_tiers"] == [{"multiplier": 0.5, "size": 1_000}, {"multiplier": 0.875}]
    red = {"product_id": page.shop.products["teams"], "pricing_group_values": {}, "presentation_group_values": TEAM}
    assert steps["override_specifiers"] == balance["specifiers"] == [red]
    [paid_by] = price["override_specifiers"]
    assert paid_by["any_commit_or_credit_template_ids"] == [balance["id"], anew["id"]]
    assert (price["is_commit_specific"], paying["is_commit_specific"], paying["target"]) == (True, True, "COMMIT_RATE")
    assert (paying["override_specifiers"], out["entitled"]) == ([], False)


@pytest.mark.parametrize("typed", [everything, ranked])
def test_a_package_like_another_says_the_same(page, shop, typed):
    first = page.save(**typed(page))
    form = page.browser.get(f"{page.url}?like={first.pk}").context["form"]
    assert form.left == []
    sent = {}
    for each in (form, *form.tariffs, *(row for tariff in form.tariffs for row in tariff.rows)):
        for field in each:
            is_list = getattr(field.field.widget, "allow_multiple_selected", False)
            sent |= {field.html_name: field.value() or []} if is_list else as_sent(field)
    second = page.save(**sent)
    assert second != first
    assert told(shop, second) == told(shop, first)


def test_what_cannot_be_typed_is_named_and_not_filled_in(page, shop):
    items = [{"amount": amount, "starting_at_offset": NONE, "duration": months(2)} for amount in (100, 300)]
    item = {"date_offset": NONE, "unit_price": 5, "quantity": 1}
    made = shop.v1.packages.create(
        name="Of two kinds",
        rate_card_id=shop.card,
        commits=[{
            "product_id": page.fixed, "name": "Uneven", "type": "PREPAID", "access_schedule": {"schedule_items": items},
        }],
        scheduled_charges=[
            {"product_id": page.fixed, "schedule": {"schedule_items": [item]}},
            {"product_id": page.fixed, "schedule": {"schedule_items": [item, item | {"date_offset": months(1)}, item]}},
        ],
    )  # fmt: skip
    seen = page.browser.get(f"{page.url}?like={made.data.id}")
    assert seen.context["form"].left == ["commit 1, “Uneven”", "scheduled charge 2"]
    assert "Not filled in, as it cannot be typed here" in seen.content.decode()
    assert [seen.context["form"][f"charge_{place}_price"].value() for place in (0, 1)] == ["0.05", None]
    assert page.browser.get(f"{page.url}?like={uuid7()}").status_code == 404


def test_it_is_seen_in_words_before_and_a_contract_is_made_from_it(page, shop):
    _, seen = page.preview(**everything(page))
    said = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", seen.content.decode())))
    assert "A contract that starts on 16 October 2025" in said
    assert "From 16 October 2025 up to 16 October 2026." in said
    assert "$5.00 for each of Seats, in one pool" in said
    assert not Package.objects.exists(), "nothing is saved by looking"
    assert [tariff.errors for tariff in seen.context["form"].tariffs[1:]] == [{}, {}], "the one for a third is empty"
    page.save(**everything(page))
    given = {"customer_id": str(shop.customer.pk), "starting_at": "2025-10-16T00:00Z", "package_alias": "start"}
    made = shop.v1.contracts.create(**given).data.contract
    assert (len(made.credits), len(made.subscriptions), len(made.overrides)) == (2, 1, 2)


@pytest.mark.parametrize(
    ("typed", "field", "rule"),
    [
        ({"name": ""}, "name", "This field is required"),
        ({"duration": "a while"}, "duration", "14 days, 3 months"),
        ({"duration": "0 days"}, "duration", "Must be from 1 to 36,500 in days"),
        ({"override_0_after": "1 month"}, "override_0_percent", "Needed"),
        ({"override_0_percent": "-x"}, "override_0_percent", "Write a number"),
        ({"commit_0_amount": "5"}, "commit_0_product", "Needed"),
        ({"commit_0_amount": "-5", "commit_0_product": "fixed", "commit_0_lasts": "1 month"},
         "commit_0_amount", "greater than 0"),
        ({"commit_0_amount": "5", "commit_0_product": "fixed", "commit_0_lasts": "1 month", "commit_0_times": "2",
          "commit_0_after": "3 days"}, "commit_0_lasts", "both in days and weeks"),
        ({"commit_0_amount": "5", "commit_0_product": "fixed", "commit_0_lasts": "1 month", "commit_0_times": "1.5"},
         "commit_0_times", "whole number"),
        ({"commit_0_kind": "CREDIT", "commit_0_amount": "5", "commit_0_product": "fixed", "commit_0_lasts": "1 day",
          "commit_0_price": "4"}, "commit_0_price", "credit"),
        ({"charge_0_product": "fixed", "charge_0_price": "5", "charge_0_paid_times": "3"},
         "charge_0_paid_each", "Needed"),
        ({"subscription_0_product": "seats", "subscription_0_quantity": "1", "subscription_0_frequency": "WEEKLY"},
         "subscription_0_frequency", "must be one by which"),
        ({"anew_0_product": "fixed", "anew_0_amount": "5", "anew_0_periods": "0"}, "anew_0_periods", "whole number"),
        ({"anew_0_product": "fixed", "anew_0_amount": "5", "anew_0_quantity": "0"},
         "anew_0_quantity", "greater than 0"),
        ({"anew_0_product": "fixed", "anew_0_amount": "5", "anew_0_of": "subscription 1"}, "anew_0_of", "subscription"),
        ({"anew_0_product": "fixed", "anew_0_amount": "5", "anew_0_of": "subscription 1", "anew_0_quantity": "2"},
         "anew_0_quantity", "the subscription says how many"),
        ({"alias_0_starting_at_0": "2025-10-01"}, "alias_0_name", "Needed"),
        ({"billing_provider": "stripe"}, "delivery_method", "is required beside billing_provider"),
        ({"rate_card": None}, "rate_card", "is required, or rate_card_alias"),
        ({"override_0_what": "PRICE", "tariff_0-rate_type": "FLAT", "tariff_0-price": "1"},
         "override_0_product", "Needed"),
        ({"override_0_percent": "20", "tariff_0-rate_type": "FLAT", "tariff_0-price": "1"},
         "override_0_what", "A price of its own"),
        ({"override_0_what": "TIERED", "override_0_steps": "1000: 50"}, "override_0_what", "EXPLICIT"),
        ({"override_0_percent": "20", "override_0_target": "COMMIT_RATE"}, "override_0_payers", "Needed"),
        ({"override_0_percent": "20", "override_0_payers": ["commit 1"]}, "override_0_payers", "temporary id"),
        ({"override_0_percent": "20", "override_0_product": "units", "override_0_group_values": '{"model": "xl"}'},
         "override_0_group_values", "must be among the keys"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field(page, typed, field, rule):
    named = {"fixed": page.fixed, "seats": page.seats, "units": page.units}
    errors = page.errors(**{name: named.get(str(value), value) for name, value in typed.items()})
    assert field in errors, errors
    assert any(rule in each for each in errors[field]), errors
    assert not Package.objects.exists()


def test_a_form_sent_twice_makes_one(page):
    sent, seen = page.preview(duration="1 year")
    for _ in range(2):
        answer = page.browser.post(page.url, sent | {"previewed": seen.context["previewed"], "save": "1"})
    assert "was already used for a package" in answer.content.decode()
    assert Package.objects.count() == 1


def test_who_may_only_look_makes_none(page):
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_package"))
    page.browser.force_login(reader)
    assert page.browser.get(page.url).status_code == 403
    assert "package/add/" not in page.browser.get(reverse("admin:contracts_package_changelist")).content.decode()


def test_the_form_costs_the_same_queries_for_any_number_of_rows(page):
    def queries(**typed):
        with CaptureQueriesContext(connection) as counted:
            page.preview(duration="nonsense", **typed)
        return len(counted)

    queries()
    assert queries() == queries(**{f"charge_{place}_name": "x" for place in range(9)})
