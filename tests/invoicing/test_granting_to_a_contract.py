"""Granting one contract a commit or credit in full: payments at a regular distance, and what is granted anew each
period. API calls cost 2 cents.
"""

import re
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from contracts.models import Commit, ContractEdit
from contracts.queries import agreement
from contracts.services import archive_contract
from pricing.models import PricingUnit
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db


def split(name, instant):
    """An instant as the form's two inputs send it."""
    return {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M}"}


def segment(place, amount, start=OCTOBER, end=JANUARY):
    name = f"segment_{place}"
    return {f"{name}_amount": amount, **split(f"{name}_starting_at", start), **split(f"{name}_ending_before", end)}


ONE = segment(0, "$90.00")
EACH_MONTH = {"plan_frequency": "MONTHLY", **split("plan_starting_at", OCTOBER)}
ANEW = {"anew_each": "USAGE", "anew_amount": "1", **split("anew_starting_at", OCTOBER)}


class Page:
    """The page on which a contract is granted something, and what a browser would send from it."""

    def __init__(self, acme):
        self.acme = acme
        self.browser = Client()
        self.browser.force_login(User.objects.create_superuser("ada"))
        self.url = reverse("admin:contracts_contract_grant", args=[acme.contract.pk])
        self.product = FixedProductFactory(name="Credits")

    def preview(self, **typed):
        form = self.browser.get(self.url).context["form"]
        sent = {
            "key": form["key"].value(),
            "kind": "PREPAID",
            "product": str(self.product.pk),
            "rate_type": "LIST_RATE",
            "anew_proration": "FIRST_AND_LAST",
            "reason": "Agreed by phone",
            **typed,
        }
        return sent, self.browser.post(self.url, {**sent, "preview": "1"})

    def save(self, **typed):
        """Look, then make it."""
        sent, seen = self.preview(**typed)
        assert seen.context["preview"], seen.context["form"].errors
        return self.browser.post(self.url, {**sent, "previewed": seen.context["previewed"], "save": "1"})

    def errors(self, **typed):
        _, seen = self.preview(**typed)
        assert seen.context["preview"] is None
        return {field: list(errors) for field, errors in seen.context["form"].errors.items()}

    def agreed(self):
        return agreement(self.acme.customer.pk, self.acme.contract.pk)


@pytest.fixture
def page(acme, clock_at):
    clock_at("2025-10-20")
    return Page(acme)


@pytest.mark.parametrize(
    ("typed", "billed"),
    [
        ({"plan_amount": "10"}, [(OCTOBER, 1_000), (NOVEMBER, 1_000), (DECEMBER, 1_000)]),
        ({"plan_amount": "10", **split("plan_ending_before", DECEMBER)}, [(OCTOBER, 1_000), (NOVEMBER, 1_000)]),
        (
            {"plan_amount": "100", "plan_amount_distribution": "DIVIDED_ROUNDED"},
            [(OCTOBER, 3_333), (NOVEMBER, 3_333), (DECEMBER, 3_334)],
        ),
        ({"plan_unit_price": "2.50", "plan_quantity": "4", "plan_frequency": "QUARTERLY"}, [(OCTOBER, 1_000)]),
    ],
    ids=["each", "up to a date of its own", "in parts", "a price and a quantity"],
)
def test_instalments_at_a_regular_distance(page, typed, billed):
    given = ONE | EACH_MONTH | typed
    _, seen = page.preview(**given)
    assert len(seen.context["preview"].documents) == len(billed)
    assert page.save(**given)["Location"] == reverse("admin:contracts_contract_change", args=[page.acme.contract.pk])
    [committed] = page.agreed().commits
    assert [(each.issued_at, each.amount) for each in committed.invoice_items] == billed
    assert (committed.commit.type, committed.commit.contract_id) == ("PREPAID", page.acme.contract.pk)
    edit = ContractEdit.objects.get(kind="EDIT")
    assert (edit.reason, edit.created_by) == ("Agreed by phone", "ada")


@pytest.mark.parametrize("place", ["100", "999999999999"])
def test_rows_are_limited_whatever_place_is_named(page, place):
    """Who sends a form names the places of its rows; fields are made for so many only."""
    _, seen = page.preview(**ONE, **{f"segment_{place}_amount": "1"})
    form = seen.context["form"]
    assert form.errors == {"__all__": ["There are at the most 100 rows of a kind; use the first ones."]}
    assert sum(name.startswith("segment_") for name in form.fields) == 300


def test_a_place_that_is_no_number_is_no_row(page):
    _, seen = page.preview(**ONE, **{"segment_²_amount": "1"})
    assert seen.context["preview"]


def test_a_postpaid_commit_a_credit_in_custom_units_and_one_of_sold_units(page):
    stars = PricingUnit.objects.create(name="Stars", created_at=OCTOBER, created_by="Ada")
    assert page.save(kind="POSTPAID", **segment(0, "600", start=DECEMBER)).status_code == 302
    assert page.save(kind="CREDIT", held_in=str(stars.pk), **segment(0, "7.5"), rollover="50").status_code == 302
    condition = {"specifier_0_product": str(page.acme.prices.tokens.pk), "specifier_0_group_values": '{"model": "xl"}'}
    assert page.save(held_in="QUANTITY", **segment(0, "1,000"), tags="compute").status_code == 302
    assert page.save(kind="CREDIT", **segment(0, "2"), **condition).status_code == 302
    promised, custom, units, some = page.agreed().commits
    assert [(each.issued_at, each.amount) for each in promised.invoice_items] == [(JANUARY, 60_000)]
    assert (custom.commit.unit, custom.segments[0].amount, custom.commit.rollover_fraction) == (
        stars,
        D("7.5"),
        D("0.5"),
    )
    assert (units.commit.access_type, units.segments[0].amount, units.commit.applicable_product_tags) == (
        "QUANTITY", 1_000, ["compute"]
    )  # fmt: skip
    assert some.commit.specifiers == [
        {"product_id": str(page.acme.prices.tokens.pk), "pricing_group_values": {"model": "xl"}}
    ]


def test_what_is_granted_anew_has_a_quantity_a_duration_and_is_seen_in_the_drafts(page):
    page.acme.calls("2025-10-05T10", 40)
    typed = {
        **ANEW,
        "anew_quantity": "3",
        "anew_billed": "0.50",
        "anew_billed_quantity": "2",
        "anew_lasts": "2",
        "anew_proration": "NONE",
        "anew_decimals": "2",
        "anew_rounding": "FLOOR",
        "name": "Monthly",
        "products": [str(page.acme.prices.calls.pk)],
        **split("anew_ending_before", JANUARY),
    }
    _, seen = page.preview(**typed)
    assert "-$0.80" in re.sub(r"<[^>]+>", " ", seen.content.decode())
    assert page.save(**typed).status_code == 302
    [recurring] = page.agreed().recurring
    row = recurring.now
    assert (row.type, row.name, row.frequency, row.duration, row.proration, row.priority) == (
        "PREPAID", "Monthly", "", 2, "NONE", 100
    )  # fmt: skip
    assert (row.access_unit_price, row.access_quantity, row.invoice_unit_price, row.invoice_quantity) == (100, 3, 50, 2)
    assert (row.starting_at, row.ending_before) == (OCTOBER, JANUARY)
    rounded = (row.access_decimal_places, row.access_rounding_method, row.invoice_decimal_places)
    assert rounded == (0, "FLOOR", None)  # of cents
    assert row.applicable_product_ids == [str(page.acme.prices.calls.pk)]
    shown = page.browser.get(reverse("admin:contracts_contract_change", args=[page.acme.contract.pk])).content.decode()
    assert "Recurring commit “Monthly”: $3.00 each usage period" in shown
    assert page.url in shown


def test_a_credit_granted_anew_may_count_sold_units_or_custom_ones(page):
    stars = PricingUnit.objects.create(name="Stars", created_at=OCTOBER, created_by="Ada")
    assert page.save(kind="CREDIT", held_in="QUANTITY", **ANEW, priority="3").status_code == 302
    assert page.save(kind="CREDIT", held_in=str(stars.pk), **ANEW | {"anew_each": "WEEKLY"}).status_code == 302
    units, custom = (each.now for each in page.agreed().recurring)
    assert (units.access_type, units.access_amount, units.type, units.priority) == ("QUANTITY", 1, "CREDIT", 3)
    assert (custom.unit, custom.access_amount, custom.frequency) == (stars, 1, "WEEKLY")


@pytest.mark.parametrize(
    ("typed", "field", "rule"),
    [
        (ONE | {"plan_amount": "9"}, "plan_frequency", "Needed: how often"),
        (ONE | {"plan_frequency": "MONTHLY", "plan_amount": "9"}, "plan_starting_at", "Needed"),
        (ONE | EACH_MONTH, "plan_amount", "is required"),
        (ONE | EACH_MONTH | {"plan_amount": "9", "plan_quantity": "2"}, "plan_amount", "cannot be combined"),
        (ONE | EACH_MONTH | {"plan_unit_price": "9"}, "plan_quantity", "is required"),
        (
            ONE | EACH_MONTH | {"plan_amount": "9", **split("plan_ending_before", OCTOBER)},
            "plan_ending_before",
            "later than starting_at",
        ),
        (
            ONE | EACH_MONTH | {"plan_amount": "9", "item_0_amount": "9", **split("item_0_timestamp", DECEMBER)},
            "plan_frequency",
            "both are too much",
        ),
        (ONE | EACH_MONTH | {"plan_amount": "9", "kind": "CREDIT"}, "plan_frequency", "for a credit"),
        (ONE | EACH_MONTH | {"plan_amount": "9", "kind": "POSTPAID"}, "plan_frequency", "exactly one"),
        (ONE | ANEW, "anew_each", "both are too much"),
        (ANEW | {"kind": "POSTPAID"}, "anew_each", "Only a prepaid commit or a credit"),
        (ANEW | {"anew_amount": ""}, "anew_amount", "Needed"),
        (ANEW | {"anew_starting_at_0": "", "anew_starting_at_1": ""}, "anew_starting_at", "Needed"),
        (ANEW | {"anew_amount": "-1"}, "anew_amount", "greater than 0"),
        (ANEW | {"anew_lasts": "1.5"}, "anew_lasts", "whole"),
        (ANEW | {"anew_lasts": "0"}, "anew_lasts", "whole"),
        (ANEW | {"anew_quantity": "0"}, "anew_quantity", "greater than 0"),
        (ANEW | {"anew_billed_quantity": "2"}, "anew_billed", "Needed"),
        (ANEW | {"anew_billed": "2", "kind": "CREDIT"}, "anew_billed", "credit"),
        (ONE | {"anew_amount": "3"}, "anew_each", "Needed: how often"),
        (ONE | {"rollover": "101"}, "rollover", "from 0 to 100"),
        (ONE | {"rollover": "x"}, "rollover", "Write a number"),
        (segment(0, "-1"), "segment_0_amount", "greater than 0"),
        ({}, "segment_0_amount", "Needed"),
    ],
)
def test_what_is_refused_stands_beside_its_field(page, typed, field, rule):
    errors = page.errors(**typed)
    assert field in errors
    assert rule in errors[field][0]
    assert not Commit.objects.exists()


def test_a_form_sent_twice_grants_once(page):
    sent, seen = page.preview(**ONE)
    save = {**sent, "previewed": seen.context["previewed"], "save": "1"}
    assert page.browser.post(page.url, save).status_code == 302
    again = page.browser.post(page.url, save)
    assert "was already used" in again.content.decode()
    assert len(page.agreed().commits) == 1


def test_what_was_not_looked_at_is_previewed_again(page):
    sent, seen = page.preview(**ONE)
    other = {**sent, "segment_0_amount": "$2", "previewed": seen.context["previewed"], "save": "1"}
    assert "has changed since you looked" in page.browser.post(page.url, other).content.decode()
    assert page.agreed().commits == ()


def test_an_archived_contract_is_granted_nothing_and_a_reader_grants_none(page):
    archive_contract(page.acme.customer, page.acme.contract.pk, at=at("2025-10-20"), by=ADA)
    assert "archived" in page.errors(**ONE)["__all__"][0]
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_contract"))
    browser = Client()
    browser.force_login(reader)
    assert browser.get(page.url).status_code == 403
