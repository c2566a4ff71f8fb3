"""Granting a customer a commit or credit of its own in the back office: previewed in money, then made; what is refused
stands beside its field. API calls cost 2 cents.
"""

import re
from decimal import Decimal as D

import metronome
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from billing_site.foundation import tokens
from contracts.models import Commit, ContractEdit
from contracts.queries import shared_commits
from contracts.services import archive_contract
from invoicing.services import finalize_due
from pricing.models import PricingUnit
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, contract_for, sdk

pytestmark = pytest.mark.django_db


def split(name, instant):
    """An instant as the form's two inputs send it."""
    return {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M}"}


def segment(place, amount, start=OCTOBER, end=JANUARY):
    name = f"segment_{place}"
    return {f"{name}_amount": amount, **split(f"{name}_starting_at", start), **split(f"{name}_ending_before", end)}


class Page:
    """The page on which a customer is granted something, and what a browser would send from it."""

    def __init__(self, customer):
        self.browser = Client()
        self.browser.force_login(User.objects.create_superuser("ada"))
        self.url = reverse("admin:contracts_customer_grant", args=[customer.pk])
        self.product = FixedProductFactory(name="Credits")

    def filled(self, **typed):
        form = self.browser.get(self.url).context["form"]
        plain = {
            "key": form["key"].value(),
            "kind": "CREDIT",
            "product": str(self.product.pk),
            "rate_type": "LIST_RATE",
            "reason": "Agreed by phone",
        }
        return {**plain, **segment(0, "$1.00"), **typed}

    def preview(self, **typed):
        sent = self.filled(**typed)
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


@pytest.fixture
def page(acme, clock_at):
    clock_at("2025-10-20")
    return Page(acme.customer)


def own(acme):
    [committed] = shared_commits(acme.customer.pk)
    return committed


def test_a_credit_is_seen_in_the_drafts_before_it_is_granted(page, acme):
    acme.calls("2025-10-05T10", 40)
    typed = {"name": "Welcome", "priority": "5", "products": [str(acme.prices.calls.pk)]}
    _, seen = page.preview(**typed)
    text = re.sub(r"<[^>]+>", " ", seen.content.decode())
    assert "$0.80" in text
    assert "-$0.80" in text
    assert not Commit.objects.exists()

    saved = page.save(**typed)
    assert saved["Location"] == reverse("admin:contracts_customer_balances", args=[acme.customer.pk])
    commit, segments, items, *_ = (own(acme).commit, own(acme).segments, own(acme).invoice_items)
    assert (commit.type, commit.name, commit.priority, commit.contract_id) == ("CREDIT", "Welcome", 5, None)
    assert [(each.amount, each.starting_at, each.ending_before) for each in segments] == [(100, OCTOBER, JANUARY)]
    assert (items, commit.applicable_product_ids) == ((), [str(acme.prices.calls.pk)])
    edit = ContractEdit.objects.get(kind="BALANCE")
    assert (edit.reason, edit.contract_id) == ("Agreed by phone", None)
    [row] = page.browser.get(saved["Location"]).context["rows"]
    assert (row.name, row.contract, row.amounts) == ("Welcome", "All of the customer's", ("$1.00", "$0.20", "$0.80"))


def test_a_prepaid_commit_has_stretches_and_instalments_by_price_and_quantity(page, acme):
    other = contract_for(acme.customer, acme.prices, terms__name="Second")
    typed = {
        "kind": "PREPAID",
        **segment(0, "60", OCTOBER, DECEMBER),
        **segment(1, "$1,000.50", DECEMBER, JANUARY),
        "biller": str(other.pk),
        "contracts": [str(acme.contract.pk), str(other.pk)],
        **split("item_0_timestamp", NOVEMBER),
        "item_0_unit_price": "2.50",
        "item_0_quantity": "10",
        **split("item_1_timestamp", DECEMBER),
        "item_1_amount": "40",
        "tags": "compute\nstorage",
        "rate_type": "COMMIT_RATE",
        "description": "Two stretches",
    }
    _, seen = page.preview(**typed)
    assert [document.note for document in seen.context["preview"].documents] == ["New", "New"]
    assert page.save(**typed).status_code == 302
    committed = own(acme)
    commit = committed.commit
    assert [each.amount for each in committed.segments] == [6_000, 100_050]
    assert [(each.issued_at, each.amount, each.unit_price, each.quantity) for each in committed.invoice_items] == [
        (NOVEMBER, 2_500, 250, 10),
        (DECEMBER, 4_000, 4_000, 1),
    ]
    assert (commit.invoice_contract_id, commit.applicable_contract_ids) == (other.pk, typed["contracts"])
    assert (commit.applicable_product_tags, commit.rate_type, commit.description) == (
        ["compute", "storage"], "COMMIT_RATE", "Two stretches"
    )  # fmt: skip


def test_what_is_missing_of_a_postpaid_commit_is_billed_at_its_end_unless_a_date_is_typed(page, acme):
    typed = {"kind": "POSTPAID", "biller": str(acme.contract.pk)}
    assert page.save(**typed).status_code == 302
    later = JANUARY.replace(day=15)
    assert page.save(**typed, **split("item_0_timestamp", later)).status_code == 302
    first, second = shared_commits(acme.customer.pk)
    assert [(each.issued_at, each.amount) for each in first.invoice_items] == [(JANUARY, 100)]
    assert [(each.issued_at, each.amount) for each in second.invoice_items] == [(later, 100)]


def test_what_counts_sold_units_or_custom_credits_is_typed_in_these(page, acme):
    stars = PricingUnit.objects.create(name="Stars", created_at=OCTOBER, created_by="Ada")
    assert page.save(held_in="QUANTITY", **segment(0, "1,000")).status_code == 302
    assert page.save(held_in=str(stars.pk), **segment(0, "7.5")).status_code == 302
    units, custom = shared_commits(acme.customer.pk)
    assert (units.commit.access_type, units.segments[0].amount) == ("QUANTITY", 1_000)
    assert (custom.commit.unit, custom.segments[0].amount) == (stars, D("7.5"))


def test_only_some_usage_of_a_product_is_a_row_of_conditions(page, acme):
    typed = {"specifier_0_product": str(acme.prices.tokens.pk), "specifier_0_group_values": '{"model": "xl"}'}
    assert page.save(**typed).status_code == 302
    assert own(acme).commit.specifiers == [
        {"product_id": str(acme.prices.tokens.pk), "pricing_group_values": {"model": "xl"}}
    ]
    refused = page.errors(**typed | {"specifier_0_group_values": '{"planet": "mars"}'})
    assert list(refused) == ["specifier_0_group_values"]
    assert "must be among the keys that Tokens declares (model)" in refused["specifier_0_group_values"][0]


def test_it_is_what_the_api_makes_of_the_same(page, acme):
    _, secret = tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)
    items = [{"amount": 100, "starting_at": OCTOBER, "ending_before": JANUARY}]
    sdk(secret).v1.customers.commits.create(
        customer_id=str(acme.customer.pk),
        product_id=str(page.product.pk),
        type="PREPAID",
        priority=100,
        access_schedule={"schedule_items": items},
        invoice_schedule={"schedule_items": [{"unit_price": 45, "quantity": 2, "timestamp": DECEMBER}]},
        invoice_contract_id=str(acme.contract.pk),
        applicable_contract_ids=[str(acme.contract.pk)],
    )
    page.save(
        kind="PREPAID",
        biller=str(acme.contract.pk),
        contracts=[str(acme.contract.pk)],
        **split("item_0_timestamp", DECEMBER),
        item_0_unit_price="0.45",
        item_0_quantity="2",
    )
    by_api, by_form = (
        (
            each.commit.attributes(),
            each.commit.type,
            each.commit.unit,
            [(row.amount, row.starting_at, row.ending_before) for row in each.segments],
            [(row.issued_at, row.amount, row.unit_price, row.quantity) for row in each.invoice_items],
        )
        for each in shared_commits(acme.customer.pk)
    )
    assert by_api == by_form


@pytest.mark.parametrize(
    ("typed", "field", "rule"),
    [
        ({"reason": ""}, "reason", "required"),
        ({"product": ""}, "product", "Needed"),
        ({"segment_0_amount": ""}, "segment_0_amount", "Needed"),
        ({"segment_0_amount": "a lot"}, "segment_0_amount", "Write a number"),
        ({"segment_0_amount": "-1"}, "segment_0_amount", "greater than 0"),
        ({"segment_1_amount": "1", **split("segment_1_ending_before", JANUARY)}, "segment_1_starting_at", "Needed"),
        (segment(2, "$1", JANUARY, OCTOBER), "segment_2_ending_before", "later than starting_at"),
        ({"segment_0_starting_at_1": "00:30"}, "segment_0_starting_at", "hour"),
        ({"kind": "PREPAID", "item_0_amount": "9"}, "item_0_timestamp", "Needed"),
        ({"kind": "PREPAID", "item_0_amount": "9", **split("item_0_timestamp", DECEMBER)}, "biller", "Needed"),
        (split("item_0_timestamp", DECEMBER) | {"item_0_amount": "9"}, "item_0_timestamp", "for a credit"),
        ({"kind": "POSTPAID"}, "biller", "is required"),
        ({"kind": "POSTPAID", **segment(1, "$1")}, "segment_0_amount", "exactly one"),
        ({"name": "x" * 161}, "name", "160"),
        ({"biller": "0199a000-0000-7000-8000-000000000000"}, "biller", "valid choice"),
    ],
)  # fmt: skip
def test_what_is_refused_stands_beside_its_field(page, typed, field, rule):
    errors = page.errors(**typed)
    assert field in errors
    assert rule in errors[field][0]
    assert not Commit.objects.exists()


@pytest.mark.parametrize(
    ("typed", "field", "rule"),
    [
        ({"item_0_amount": "9", "item_0_quantity": "2"}, "item_0_amount", "cannot be combined"),
        ({"item_0_quantity": "2"}, "item_0_unit_price", "is required"),
        ({"item_0_amount": "-9"}, "item_0_amount", "must not be negative"),
    ],
)
def test_an_instalment_is_an_amount_or_a_price_and_a_quantity(page, acme, typed, field, rule):
    given = {"kind": "PREPAID", "biller": str(acme.contract.pk), **split("item_0_timestamp", DECEMBER)}
    errors = page.errors(**given, **typed)
    assert rule in errors[field][0]


def test_a_form_sent_twice_grants_once(page, acme):
    sent, seen = page.preview()
    save = {**sent, "previewed": seen.context["previewed"], "save": "1"}
    assert page.browser.post(page.url, save).status_code == 302
    again = page.browser.post(page.url, save)
    assert "was already used for this customer" in again.content.decode()
    assert own(acme).commit.uniqueness_key == sent["key"]


def test_what_was_not_looked_at_is_previewed_again(page):
    sent, seen = page.preview()
    other = {**sent, "segment_0_amount": "$2", "previewed": seen.context["previewed"], "save": "1"}
    again = page.browser.post(page.url, other)
    assert "has changed since you looked" in again.content.decode()
    assert not Commit.objects.exists()


def test_an_archived_contract_is_not_offered_and_the_service_refuses_it(page, acme):
    gone = contract_for(acme.customer, acme.prices, terms__name="Gone")
    archive_contract(acme.customer, gone.pk, at=OCTOBER, by=ADA)
    _, secret = tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)
    given = {
        "customer_id": str(acme.customer.pk),
        "product_id": str(page.product.pk),
        "priority": 1,
        "access_schedule": {"schedule_items": [{"amount": 1, "starting_at": OCTOBER, "ending_before": JANUARY}]},
    }
    with pytest.raises(metronome.BadRequestError, match=r"applicable_contract_ids.*not archived"):
        sdk(secret).v1.customers.credits.create(**given, applicable_contract_ids=[str(gone.pk)])
    with pytest.raises(metronome.BadRequestError, match=r"invoice_contract_id.*not archived"):
        sdk(secret).v1.customers.commits.create(
            **given,
            type="PREPAID",
            invoice_contract_id=str(gone.pk),
            invoice_schedule={"schedule_items": [{"amount": 1, "timestamp": DECEMBER}]},
        )
    assert not Commit.objects.exists()
    form = page.browser.get(page.url).context["form"]
    assert [choice[0] for choice in form.fields["contracts"].choices] == [str(acme.contract.pk)]


def test_whoever_may_only_look_is_offered_nothing(page, acme):
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_contract"))
    browser = Client()
    browser.force_login(reader)
    listed = browser.get(reverse("admin:contracts_customer_balances", args=[acme.customer.pk]))
    assert page.url not in listed.content.decode()
    assert browser.get(page.url).status_code == 403
    assert page.url in page.browser.get(listed.request["PATH_INFO"]).content.decode()


def test_a_customer_without_contracts_can_be_granted_a_credit(clock_at):
    clock_at("2025-10-20")
    customer = CustomerFactory()
    page = Page(customer)
    assert "There is no contract yet" in page.browser.get(page.url).content.decode()
    assert page.save().status_code == 302
    assert len(shared_commits(customer.pk)) == 1


def test_a_settled_date_of_charges_is_refused_beside_the_date(page, acme):
    """What fell due on it is on a final document: nothing can be added to that."""
    given = {
        "kind": "PREPAID",
        "biller": str(acme.contract.pk),
        **split("item_0_timestamp", OCTOBER),
        "item_0_amount": "9",
    }
    assert page.save(**given).status_code == 302
    finalize_due(acme.customer.pk, at=at("2025-10-20"), by=ADA)
    errors = page.errors(**given)
    assert "must not be a date on which charges of this contract have fallen due" in errors["item_0_timestamp"][0]
