"""A contract from a package, and one like another one, by clicks: what would be agreed, its effect, then one click."""

import re
from decimal import Decimal as D
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from contracts import services
from contracts.inputs import (
    AccessScheduleInput,
    CommitInput,
    ContractInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    OverrideInput,
    RateInput,
    RecurringAmountInput,
    RecurringInput,
    ScheduledChargeInput,
    SegmentInput,
    StatementScheduleInput,
    TargetInput,
)
from contracts.models import Contract, Package
from contracts.queries import agreement
from contracts.services.copies import moved
from contracts.term_lines import term_lines, whole_lines
from pricing.models import Product
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db

TOLD = {"at": at("2025-10-15"), "by": ADA}
NONE = {"unit": "DAYS", "value": 0}


@pytest.fixture
def browser(clock_at):
    clock_at("2025-10-15")
    browser = Client()
    browser.force_login(User.objects.create_superuser("grace"))
    return browser


def text_of(response) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def on(day: str, hour: str = "00:00") -> dict[str, str]:
    return {"starting_at_0": day, "starting_at_1": hour}


def make(browser, page, **typed):
    """Look, then make what was looked at; the last answer."""
    looked_at = browser.post(page, {**typed, "preview": "1"})
    seen = looked_at.context["previewed"]
    return looked_at, browser.post(page, {**typed, "previewed": seen, "save": "1"})


@pytest.fixture
def package(price_list):
    fixed = FixedProductFactory(name="Platform")
    item = {"amount": D(50_000), "starting_at_offset": NONE, "duration": {"unit": "MONTHS", "value": 3}}
    template = {
        "contract_name": "Starter",
        "duration": {"unit": "YEARS", "value": 1},
        "rate_card_id": price_list.card.pk,
        "credits": [{"type": "CREDIT", "product_id": fixed.pk, "access_schedule": {"schedule_items": [item]}}],
    }
    return services.create_package(services.PackageInput("Starter plan", template), **TOLD)


class TestFromAPackage:
    def test_its_page_says_in_words_what_a_contract_from_a_date_would_be(self, browser, package):
        page = reverse("admin:contracts_package_change", args=[package.pk])
        shown = text_of(browser.get(page))
        assert "Starter plan A package · contracts run for 1 year" in shown
        assert "From 15 October 2025 up to 15 October 2026." in shown
        assert "Credit: $500.00 (15 October 2025 – 14 January 2026)" in shown
        assert "None yet. Make the first one" in shown
        shown = text_of(browser.get(page, {"start_0": "2024-02-29", "start_1": ""}))
        assert "From 29 February 2024 up to 28 February 2025." in shown
        listed = text_of(browser.get(reverse("admin:contracts_package_changelist")))
        assert "Starter plan" in listed
        assert "1 year" in listed

    def test_a_customer_gets_a_contract_in_two_clicks(self, browser, package):
        customer = CustomerFactory(name="Globex", aliases=["globex"])
        page = reverse("admin:contracts_contract_from_package", args=[package.pk])
        looked_at, made = make(browser, page, customer=customer.pk, reason="Signed up", **on("2025-11-01"))

        assert "From 1 November 2025 up to 1 November 2026." in text_of(looked_at)
        contract = Contract.objects.get()
        assert made.headers["Location"] == reverse("admin:contracts_contract_change", args=[contract.pk])
        assert (contract.customer, contract.package, contract.starting_at) == (customer, package, NOVEMBER)
        assert contract.history.get().history_change_reason == "Signed up"
        screen = text_of(browser.get(made.headers["Location"]))
        assert "made from Starter plan" in screen
        of_package = text_of(browser.get(reverse("admin:contracts_package_change", args=[package.pk])))
        assert "Globex 1 November 2025 – 31 October 2026" in of_package

    def test_what_is_refused_stands_beside_its_field_and_nothing_is_made(self, browser, package):
        customer = CustomerFactory(aliases=["globex"])
        page = reverse("admin:contracts_contract_from_package", args=[package.pk])
        form = browser.post(page, {"customer": customer.pk, "preview": "1", **on("2025-11-01", "00:30")}).context[
            "form"
        ]
        assert form.errors["starting_at"] == ["Must be on the hour (UTC)."]
        make(browser, page, customer=customer.pk, **on("2025-11-01"))
        twice = browser.post(page, {"customer": customer.pk, "preview": "1", **on("2025-12-01")}).context["form"]
        assert "overlap" in twice.errors["starting_at"][0] or "bill" in twice.errors["starting_at"][0]
        assert Contract.objects.count() == 1

    def test_an_archived_one_is_shown_and_makes_nothing(self, browser, package):
        browser.post(
            reverse("admin:contracts_package_changelist"),
            {"action": "archive", "_selected_action": [str(package.pk)], "reason": "Replaced"},
        )
        assert Package.objects.get().archived_at is not None
        page = reverse("admin:contracts_package_change", args=[package.pk])
        assert "New contract from this package" not in text_of(browser.get(page))
        form = reverse("admin:contracts_contract_from_package", args=[package.pk])
        customer = CustomerFactory(aliases=["globex"])
        refused = browser.post(form, {"customer": customer.pk, "preview": "1", **on("2025-11-01")}).context["form"]
        assert "archived package" in refused.non_field_errors()[0]


@pytest.mark.parametrize(
    ("instant", "old", "new", "found"),
    [
        pytest.param("2026-01-01", "2025-01-01", "2025-03-15", "2026-03-15", id="a year stays a year"),
        pytest.param("2025-10-15T07", "2025-10-01", "2025-11-01", "2025-11-15T07", id="the middle of the month"),
        pytest.param("2025-02-28", "2025-01-31", "2025-03-31", "2025-04-30", id="the end of a short month is a month"),
        pytest.param("2024-02-29", "2023-03-01", "2024-03-01", "2025-03-01", id="11 months and 28 days"),
        pytest.param("2024-12-31", "2025-01-01", "2026-01-01", "2025-12-31", id="what lies before the start"),
        pytest.param("2025-03-01T05", "2025-02-01T05", "2024-02-29T09", "2024-03-29T09", id="into a leap year"),
    ],
)
def test_a_date_is_as_far_after_the_new_start(instant, old, new, found):
    assert moved(at(instant), at(old), at(new)) == at(found)


@pytest.fixture
def rich(price_list):
    """A contract with a term of every kind, from October to the end of the year."""
    fixed = FixedProductFactory(name="Platform").pk
    tokens: Product = price_list.tokens
    payments = InvoiceScheduleInput((InvoiceItemInput(NOVEMBER, unit_price=D(350), quantity=D(2)),))
    given = ContractInput(
        starting_at=OCTOBER,
        ending_before=JANUARY,
        rate_card_id=price_list.card.pk,
        name="Year one",
        net_payment_terms_days=D(30),
        usage_statement_schedule=StatementScheduleInput("MONTHLY", "CUSTOM_DATE", at("2025-10-10")),
        multiplier_override_prioritization="EXPLICIT",
        scheduled_charges_on_usage_invoices="ALL",
        commits=(
            CommitInput(
                fixed,
                "PREPAID",
                AccessScheduleInput((SegmentInput(D(900), OCTOBER, NOVEMBER), SegmentInput(D(100), NOVEMBER, JANUARY))),
                payments,
                name="Pack",
                description="Bought up front",
                rollover_fraction=D("0.5"),
                specifiers=(TargetInput(product_id=tokens.pk, pricing_group_values={"model": "xl"}),),
                custom_fields={"po": "7"},
                temporary_id="pack",
            ),
        ),
        credits=(
            CommitInput(
                fixed,
                "CREDIT",
                AccessScheduleInput((SegmentInput(D(40), OCTOBER, JANUARY),), None, "QUANTITY"),
                priority=D(1),
                applicable_product_tags=("text",),
            ),
        ),
        recurring_commits=(
            RecurringInput(
                fixed,
                "PREPAID",
                RecurringAmountInput(D(30), D(2)),
                D(2),
                NOVEMBER,
                D(5),
                invoice_amount=RecurringAmountInput(D(20), D(2)),
                recurrence_frequency="WEEKLY",
                proration="NONE",
                name="Weekly",
            ),
        ),
        scheduled_charges=(ScheduledChargeInput(fixed, payments, name="Setup"),),
        overrides=(
            OverrideInput(
                OCTOBER,
                NOVEMBER,
                "OVERWRITE",
                overwrite_rate=RateInput("FLAT", D("12.5")),
                override_specifiers=(TargetInput(product_id=tokens.pk, pricing_group_values={"model": "xl"}),),
            ),
            OverrideInput(
                NOVEMBER,
                type="MULTIPLIER",
                multiplier=D("0.8"),
                priority=D(1),
                is_commit_specific=True,
                override_specifiers=(TargetInput(product_id=price_list.calls.pk, commit_ids=("pack",)),),
            ),
        ),
    )
    customer = CustomerFactory(name="Acme", aliases=["acme"])
    contract = services.create_contract(customer, given, **TOLD)
    return agreement(customer.pk, contract.pk)


def words(agreed) -> list[str]:
    return [*whole_lines(agreed), *(line.text for line in term_lines(agreed))]


class TestLikeAnother:
    def test_a_copy_from_the_same_date_is_the_same_deal(self, rich, price_list):
        """As the engines take it, but for ids: what is agreed, what pays for what, and when."""
        other = CustomerFactory(name="Globex", aliases=["globex"])
        given = services.contract_like(rich, OCTOBER)
        made = services.create_contract(other, given, **TOLD)
        copied = agreement(other.pk, made.pk)
        assert words(copied) == words(rich)
        again = services.contract_like(copied, OCTOBER)
        own = {
            str(each.commit.pk): str(first.commit.pk) for each, first in zip(copied.commits, rich.commits, strict=True)
        }
        own |= {
            str(each.now.pk): str(first.now.pk) for each, first in zip(copied.recurring, rich.recurring, strict=True)
        }
        told = repr(again)
        for new, old in own.items():
            told = told.replace(new, old)
        assert told == repr(given)

    def test_a_contract_page_leads_to_one_for_another_customer_from_another_date(self, browser, rich):
        old = rich.contract
        page = reverse("admin:contracts_contract_copy", args=[old.pk])
        assert page in browser.get(reverse("admin:contracts_contract_change", args=[old.pk])).content.decode()
        form = browser.get(page).context["form"]
        assert (form["customer"].value(), form["name"].value(), form["starting_at"].value()) == (
            old.customer_id,
            "Year one",
            JANUARY,
        )
        other = CustomerFactory(name="Globex", aliases=["globex"])
        looked_at, _ = make(browser, page, customer=other.pk, name="Globex one", **on("2026-02-01"))
        assert "Prepaid commit “Pack”: $9.00 (February 2026), $1.00 (March – 30 April 2026)" not in text_of(looked_at)
        made = agreement(other.pk, Contract.objects.exclude(pk=old.pk).get().pk)
        [pack, gift] = made.commits
        assert [(each.starting_at, each.ending_before) for each in pack.segments] == [
            (at("2026-02-01"), at("2026-03-01")),
            (at("2026-03-01"), at("2026-05-01")),
        ]
        assert (made.terms.name, made.terms.ending_before) == ("Globex one", at("2026-05-01"))
        assert [each.issued_at for each in pack.invoice_items] == [at("2026-03-01")]
        assert made.contract.billing_anchor_at == at("2025-10-10")
        assert made.overrides[1].specifiers[0]["commit_ids"] == [str(pack.commit.pk)]
        assert gift.commit.access_type == "QUANTITY"

    def test_for_the_same_customer_at_the_same_time_it_is_refused(self, browser, rich):
        page = reverse("admin:contracts_contract_copy", args=[rich.contract.pk])
        typed = {"customer": rich.contract.customer_id, "name": "Twice", "preview": "1"}
        refused = browser.post(page, {**typed, **on("2025-11-01")}).context["form"]
        assert "starting_at" in refused.errors
        assert browser.post(page, {**typed, **on("2026-01-01")}).context["preview"] is not None
        assert Contract.objects.count() == 1


def test_who_may_not_make_contracts_makes_none(browser, package, rich):
    User.objects.create_user("reader", is_staff=True)
    reader = Client()
    reader.force_login(User.objects.get(username="reader"))
    for page in (
        reverse("admin:contracts_contract_from_package", args=[package.pk]),
        reverse("admin:contracts_contract_copy", args=[rich.contract.pk]),
        reverse("admin:contracts_package_change", args=[package.pk]),
    ):
        assert reader.get(page).status_code in (302, 403)
