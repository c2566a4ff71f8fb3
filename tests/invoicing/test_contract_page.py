"""The page of a contract: what it costs now, the deal in one form, its effect before it is made, and why."""

import re
from datetime import UTC, datetime
from decimal import Decimal as D
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts import services
from contracts.forms.edits import as_sent
from contracts.inputs import EditInput
from contracts.models import Contract, ContractEdit, Override
from contracts.queries import agreement, customer_terms
from invoicing.queries.documents import drafts_of
from pricing.engine.targets import Target
from tests.factories.contracts import (
    CommitFactory,
    ContractFactory,
    CustomerFactory,
    OverrideFactory,
    ScheduledChargeFactory,
)
from tests.factories.pricing import FixedProductFactory, ProductFactory, RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, OCTOBER, Acme, at, contract_for

pytestmark = pytest.mark.django_db

MID_OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)


@pytest.fixture
def revops(clock_at):
    """A browser in which Grace of RevOps is logged in, on 31 October."""
    clock_at("2025-10-31T23")
    browser = Client()
    browser.force_login(User.objects.create_superuser("grace"))
    return browser


def page(name: str, *args: object) -> str:
    return reverse(f"admin:contracts_contract_{name}", args=args)


def split(name, instant):
    """The two inputs of an instant."""
    return {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M:%S}"}


def text_of(response) -> str:
    """What a reader sees, on one line."""
    words = unescape(re.sub(r"<[^>]+>", " ", response.content.decode()))
    return re.sub(r"\s+", " ", words)


class Deal:
    """The form as a browser has it, and what is done with it."""

    def __init__(self, browser, contract):
        self.browser, self.contract = browser, contract
        shown = browser.get(page("edit", contract.pk)).context["form"]
        self.values = {}
        for field in (*shown, *shown.tariff):
            sent = as_sent(field) if field.name != "entitled" else {}
            self.values |= sent
            if field.field.show_hidden_initial:
                self.values |= {f"initial-{name}": value for name, value in sent.items()}

    def preview(self, **given):
        self.values |= {"entitled": "unknown", "reason": "the deal"} | given
        return self.browser.post(page("edit", self.contract.pk), self.values | {"preview": "1"})

    def save(self, **given):
        """Look, then make what was looked at."""
        looked_at = self.preview(**given)
        seen = looked_at.context["previewed"]
        return self.browser.post(page("edit", self.contract.pk), self.values | {"previewed": seen, "save": "1"})


def the_deal(acme, **more):
    """A commitment of $100, and half off from 15 October."""
    return {
        "commit_amount": "$100.00",
        "commit_name": "Year end",
        "commit_product": FixedProductFactory().pk,
        "discount": "50",
        "discount_products": [acme.prices.tokens.pk, acme.prices.calls.pk],
        **split("commit_starting_at", OCTOBER),
        **split("commit_ending_before", JANUARY),
        **split("discount_starting_at", MID_OCTOBER),
        **more,
    }


@pytest.fixture
def october(acme):
    """Tokens of $4 in each half of October, and 10 calls of 2 cents in the second."""
    acme.uses_tokens("2025-10-03T05", 10)
    acme.uses_tokens("2025-10-20T05", 10)
    acme.calls("2025-10-20T05", 10)
    return acme


class TestScreen:
    def test_it_opens_on_what_the_contract_costs_now(self, revops, october):
        shown = text_of(revops.get(page("change", october.contract.pk)))

        assert "October so far $8.20 final on 2 November 2025, 00:00 UTC" in shown
        assert "Tokens (model: xl) $0.40 20 $8.00" in shown
        assert "API calls $0.02 10 $0.20" in shown
        assert "List prices, nothing of its own yet." in shown

    def test_after_the_deal_it_shows_both_prices_the_commitment_and_the_change_in_words(self, revops, october):
        Deal(revops, october.contract).save(**the_deal(october))

        shown = text_of(revops.get(page("change", october.contract.pk)))

        assert "October so far $6.10" in shown
        assert "$2.10 saved since 15 October" in shown
        assert "Tokens (model: xl) $0.40 until 14 October, $0.20 since 20 10 + 10 $6.00 $4.00 + $2.00" in shown
        assert "$6.10 of $100.00" in shown
        assert "$93.90 left; at the present pace about" in shown
        assert "Postpaid commit “Year end”: $100.00 (1 October – 31 December 2025); the rest is billed on" in shown
        assert "50 % off the list price of API calls and Tokens from 15 October 2025." in shown
        assert "“the deal”" in shown
        assert "by grace, 31 October 2025, 23:00 UTC" in shown

    def test_names_are_escaped(self, revops, october):
        october.customer.name = "<script>alert(1)</script>"
        october.customer.save()
        assert "<script>alert(1)" not in revops.get(page("change", october.contract.pk)).content.decode()

    def test_it_takes_the_same_queries_with_few_terms_and_with_many(self, revops, october):
        counts = []
        for more in (1, 4):
            for _ in range(more):
                OverrideFactory(contract=october.contract, product=ProductFactory())
                CommitFactory(contract=october.contract)
            with CaptureQueriesContext(connection) as captured:
                revops.get(page("change", october.contract.pk))
            counts.append(len(captured))

        assert counts[0] == counts[1]

    def test_a_contract_without_a_rate_card_has_a_page_too(self, revops):
        contract = ContractFactory(rate_card=None)
        assert "without a rate card" in text_of(revops.get(page("change", contract.pk)))

    def test_a_contract_that_does_not_exist_has_no_page(self, revops, october):
        for name in ("change", "edit"):
            assert revops.get(page(name, october.customer.pk)).status_code == 404


class TestWhy:
    def test_each_line_says_where_it_comes_from(self, revops, october):
        Deal(revops, october.contract).save(**the_deal(october))
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]

        shown = text_of(revops.get(page("why", october.contract.pk, draft.id, 0)))

        assert "Tokens (model: xl) : $6.00 on Draft, 1–31 October 2025." in shown
        assert "the sum of “tokens” over this customer's events of type tokens. This is 20 of it." in shown
        assert "1–14 October 2025: 10 × $0.40 = $4.00" in shown
        assert "15–31 October 2025: 10 × $0.20 = $2.00" in shown
        assert "The contract has no price or discount of its own for it then." in shown
        assert "50 % off the list price of API calls and Tokens from 15 October 2025, agreed in edit" in shown
        assert "by grace on 31 October 2025, 23:00 UTC (“the deal”)." in shown
        assert "Counts toward the postpaid commit “Year end” of $100.00" in shown

    def test_a_part_leads_to_its_events(self, revops, october):
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]

        shown = revops.get(page("why", october.contract.pk, draft.id, 0)).content.decode()

        (link,) = re.findall(r'href="([^"]*)">acme</a>', shown)
        events = text_of(revops.get(unescape(link)))
        assert re.findall(r"tokens at 2025-10-\d\d", events) == ["tokens at 2025-10-03", "tokens at 2025-10-20"]

    def test_an_override_that_lost_is_named_with_the_reason(self, revops, october):
        OverrideFactory(contract=october.contract, multiplier=D("0.9"), starting_at=OCTOBER)
        OverrideFactory(contract=october.contract, multiplier=D("0.8"), starting_at=OCTOBER)
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]

        shown = text_of(revops.get(page("why", october.contract.pk, draft.id, 0)))

        assert "The contract has its own: 20 % off the list price" in shown
        assert "Not applied: 10 % off the list price" in shown
        assert "A smaller multiplier holds." in shown

    def test_a_line_as_it_was_known_before_the_deal_stands_beside_what_it_is_now(self, revops, october):
        Deal(revops, october.contract).save(**the_deal(october))
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]
        why = page("why", october.contract.pk, draft.id, 0)

        shown = text_of(revops.get(why, split("as_of", at("2025-10-30"))))
        assert "known on 30 October 2025, 00:00 UTC, and the usage known now. Now it is $6.00 on Draft" in shown
        assert "Tokens (model: xl) : $8.00 on Draft" in shown
        assert "agreed in edit" not in shown
        assert why in revops.get(why, split("as_of", at("2025-10-30"))).content.decode()

        shown = text_of(revops.get(why, split("as_of", at("2025-11-30"))))
        assert "Nothing is known yet of what comes after 31 October 2025, 23:00 UTC." in shown
        assert "Tokens (model: xl) : $6.00 on Draft" in shown

    def test_a_line_that_was_not_there_then_says_so(self, revops, october):
        Deal(revops, october.contract).save(**the_deal(october))
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]
        early = october.contract.starting_at.replace(year=2024)
        shown = text_of(revops.get(page("why", october.contract.pk, draft.id, 0), split("as_of", early)))
        assert "There was no such document then." in shown
        assert "Tokens (model: xl) : $6.00 on Draft" in shown

    def test_htmx_gets_the_panel_alone(self, revops, october):
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]
        panel = revops.get(page("why", october.contract.pk, draft.id, 0), headers={"HX-Request": "true"})
        assert "<html" not in panel.content.decode()

    def test_a_line_that_is_not_there_is_not_found(self, revops, october):
        draft = drafts_of(october.customer.pk, at=at("2025-10-31T23"))[0]
        assert revops.get(page("why", october.contract.pk, draft.id, 99)).status_code == 404
        assert revops.get(page("why", october.contract.pk, october.customer.pk, 0)).status_code == 404


class TestPreview:
    def test_it_shows_each_line_before_and_after_and_saves_nothing(self, revops, october):
        shown = text_of(Deal(revops, october.contract).preview(**the_deal(october)))

        assert "This re-rates usage that is already in: 1–31 October 2025 is open" in shown
        assert "$8.20 → $6.10" in shown
        assert "1–14 October 2025, all products $4.00 $4.00 unchanged" in shown
        assert "Tokens (model: xl) 15–31 October 2025 $4.00 $2.00 -$2.00" in shown
        assert "API calls 15–31 October 2025 $0.20 $0.10 -$0.10" in shown
        assert "True-up, due 1 January 2026 New $93.90" in shown
        assert not ContractEdit.objects.filter(kind="EDIT").exists()

    def test_what_is_saved_is_what_was_looked_at(self, revops, october):
        deal = Deal(revops, october.contract)
        seen = deal.preview(**the_deal(october)).context["previewed"]

        changed = revops.post(
            page("edit", october.contract.pk), deal.values | {"previewed": seen, "save": "1", "discount": "60"}
        )

        assert "The form has changed since you looked" in text_of(changed)
        assert not ContractEdit.objects.filter(kind="EDIT").exists()

    def test_an_edit_for_later_says_that_no_draft_changes(self, revops, october):
        later = split("discount_starting_at", DECEMBER)
        assert "No draft changes now" in text_of(Deal(revops, october.contract).preview(discount="10", **later))


class TestEditPage:
    @pytest.fixture
    def contract(self):
        return ContractFactory(starting_at=OCTOBER, terms__name="Deal", terms__ending_before=JANUARY)

    def test_the_deal_is_made_on_one_page(self, revops, october):
        done = Deal(revops, october.contract).save(**the_deal(october))

        assert done.url == page("change", october.contract.pk)
        edit = ContractEdit.objects.get(contract=october.contract, kind="EDIT")
        assert (edit.reason, edit.created_by, edit.changes) == ("the deal", "grace", {})
        (compiled,) = customer_terms(october.customer.pk).contracts
        (override,), (commit,) = compiled.overrides, compiled.commits
        assert (override.multiplier, override.period.starting_at) == (D("0.5"), MID_OCTOBER)
        assert set(override.targets) == {
            Target(product_id=october.prices.tokens.pk),
            Target(product_id=october.prices.calls.pk),
        }
        assert (commit.name, commit.segments[0].amount, commit.invoice_items[0].issued_at) == (
            "Year end",
            D(10_000),
            JANUARY,
        )

    def test_prices_entitlements_and_charges_are_added_and_terms_changed(self, revops, contract):
        product = ProductFactory(version__pricing_group_key=["model"])
        RateFactory(rate_card=contract.rate_card, product=product, pricing_group_values={"model": "xl"})

        Deal(revops, contract).save(
            **{"price-price": "0.0025"},
            price_product=product.pk,
            price_group_values='{"model": "xl"}',
            entitled="false",
            entitled_product=product.pk,
            charge_product=FixedProductFactory().pk,
            charge_amount="5",
            name="Better deal",
            net_payment_terms_days="14",
            **split("ending_before", DECEMBER),
            **split("price_starting_at", OCTOBER),
            **split("entitled_starting_at", OCTOBER),
            **split("charge_at", MID_OCTOBER.replace(minute=30)),
        )

        agreed = agreement(contract.customer.pk, contract.pk)
        price, entitled = agreed.overrides
        assert (price.type, price.price, price.specifiers[0]["pricing_group_values"]) == (
            "OVERWRITE",
            D("0.25"),
            {"model": "xl"},
        )
        assert (entitled.type, entitled.entitled, entitled.product) == ("", False, product)
        assert [(item.issued_at, item.amount) for charged in agreed.charges for item in charged.items] == [
            (MID_OCTOBER.replace(minute=30), D(500))
        ]
        assert (agreed.terms.name, agreed.terms.ending_before, agreed.terms.net_payment_terms_days) == (
            "Better deal",
            DECEMBER,
            14,
        )

    def test_a_discount_by_quantity_is_typed_previewed_made_and_explained(self, revops, price_list):
        customer = CustomerFactory(aliases=["acme"])
        ranked = {"multiplier_override_prioritization": "EXPLICIT"}
        contract = contract_for(customer, price_list, **ranked)
        Acme(customer, contract, price_list).calls("2025-10-20T05", 100)
        deal = Deal(revops, contract)
        half = {"tiered": "50: 50", "tiered_products": [price_list.calls.pk], **split("tiered_starting_at", OCTOBER)}

        unranked = deal.preview(**half)
        assert unranked.context["form"].errors == {"tiered_priority": ["is required for the type TIERED"]}
        assert "$2.00 → $1.50" in text_of(deal.preview(tiered_priority="1"))
        deal.save()

        shown = text_of(revops.get(page("change", contract.pk)))
        assert "October so far $1.50" in shown
        assert (
            "First 50 units at 50 % of the list price, then the list price, for API calls from 1 October 2025,"
            " priority 1" in shown
        )
        assert "Of several discounts the one with the lowest priority number holds." in shown
        [draft] = drafts_of(customer.pk, at=at("2025-10-31T23"))
        why = text_of(revops.get(page("why", contract.pk, draft.id, 0)))
        assert "The contract has its own: First 50 units at 50 % of the list price" in why

    def test_tiers_of_its_own_are_typed_previewed_and_made(self, revops, price_list):
        customer = CustomerFactory(aliases=["acme"])
        contract = contract_for(customer, price_list)
        Acme(customer, contract, price_list).calls("2025-10-20T05", 100)
        deal = Deal(revops, contract)
        half = {"price_product": price_list.calls.pk, **split("price_starting_at", OCTOBER)}

        refused = deal.preview(**half, **{"price-rate_type": "TIERED", "price-tiers-0-price": "-1"})
        assert list(refused.context["form"].tariff.complaints()) == ["Tier 1, price: must not be negative"]
        assert "Nothing was changed" in text_of(refused)
        share = deal.preview(**{"price-rate_type": "PERCENTAGE", "price-percent": "5"})
        (complaint,) = share.context["form"].tariff.complaints()
        assert complaint.startswith("Charged as: must be one of FLAT, TIERED, VOLUME, PACKAGE for the USAGE product")

        tiers = {"price-tiers-0-up_to": "60", "price-tiers-0-price": "0.05", "price-tiers-1-price": "0.02"}
        assert "$2.00 → $3.80" in text_of(deal.preview(**tiers, **{"price-rate_type": "TIERED"}))
        deal.save()

        (override,) = agreement(customer.pk, contract.pk).overrides
        assert (override.rate_type, override.rate_tiers) == (
            "TIERED",
            [{"price": "5", "size": "60"}, {"price": "2"}],
        )
        shown = text_of(revops.get(page("change", contract.pk)))
        assert "October so far $3.80" in shown
        assert "$0.05 a unit for the first 60 units, then $0.02, whatever the list says, for API calls" in shown

    def test_standing_terms_are_taken_out_by_ticking_them(self, revops, contract):
        override, commit = OverrideFactory(contract=contract), CommitFactory(contract=contract, name="Year end")
        charge = ScheduledChargeFactory(contract=contract, item__issued_at=datetime(2030, 1, 1, tzinfo=UTC))
        shown = text_of(revops.get(page("edit", contract.pk)))
        assert "50 % off the list price of all products from 1 January 2025" in shown
        assert "Postpaid commit “Year end”: $100,000.00" in shown

        Deal(revops, contract).save(
            remove_overrides=[override.pk],
            archive_commits=[commit.pk],
            archive_scheduled_charges=[charge.pk],
        )

        agreed = agreement(contract.customer.pk, contract.pk)
        assert (agreed.overrides, agreed.commits, agreed.charges) == ((), (), ())
        history = text_of(revops.get(page("change", contract.pk)))
        assert "Taken out: 50 % off the list price of all products from 1 January 2025." in history
        assert "Taken out: the commit “Year end”." in history

    def test_what_is_refused_stands_beside_its_field_and_nothing_is_made(self, revops, contract):
        shown = Deal(revops, contract).preview(
            commit_product=FixedProductFactory().pk,
            commit_amount="5",
            discount="101",
            **split("commit_true_up_at", DECEMBER),
            **split("discount_starting_at", MID_OCTOBER.replace(minute=1)),
        )

        assert {field: list(errors) for field, errors in shown.context["form"].errors.items()} == {
            "discount": ["must not be negative"],
            "discount_starting_at": ["must be on the hour (UTC)"],
            "commit_true_up_at": ["must not be before the end of access, 2026-01-01T00:00:00+00:00"],
        }
        assert not Override.objects.exists()

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            pytest.param({"reason": ""}, "reason", id="no reason"),
            pytest.param({"commit_amount": "5"}, "commit_product", id="a commit that nothing names"),
            pytest.param({"commit_name": "Year end"}, "commit_amount", id="a commit of a name alone"),
            pytest.param({"commit_amount": "5,00"}, "commit_amount", id="a comma that groups nothing"),
            pytest.param({"charge_amount": "5"}, "charge_at", id="half a charge"),
            pytest.param({"discount": "50"}, "discount_starting_at", id="a discount from no time"),
            pytest.param({"price-price": "5"}, "price_product", id="a price of no product"),
            pytest.param({"price_group_values": "[1]"}, "price_group_values", id="a list for group values"),
        ],
    )
    def test_half_a_section_is_not_an_edit(self, revops, contract, given, field):
        shown = Deal(revops, contract).preview(**given)

        assert field in shown.context["form"].errors
        assert not ContractEdit.objects.filter(kind="EDIT").exists()

    def test_an_edit_that_changes_nothing_says_so(self, revops, contract):
        assert Deal(revops, contract).preview().context["form"].non_field_errors() == [
            "The edit changes nothing: give something to add, remove, archive or update."
        ]

    def test_the_second_of_two_editors_is_told_and_loses_nothing(self, revops, october):
        mine = Deal(revops, october.contract)
        services.edit_contract(
            october.customer.pk,
            october.contract.pk,
            EditInput(update_contract_name="Ada's deal", reason="renamed"),
            at=at("2025-10-31T22"),
            by=ADA,
        )

        told = mine.preview(**the_deal(october))

        (message,) = told.context["form"].non_field_errors()
        assert "Ada has edited this contract meanwhile" in message
        assert '"renamed"' in message
        assert told.context["form"]["commit_amount"].value() == "$100.00"
        mine.values["based_on_edit"] = told.context["form"]["based_on_edit"].value()
        assert mine.save().url == page("change", october.contract.pk)
        assert agreement(october.customer.pk, october.contract.pk).terms.name == "Ada's deal"

    def test_it_says_up_to_when_usage_is_billed(self, revops, contract):
        Contract.objects.filter(pk=contract.pk).update(billed_through=DECEMBER)

        assert "2025-12-01 00:00 UTC is on final invoices" in text_of(revops.get(page("edit", contract.pk)))

    def test_it_takes_the_permission_to_change_contracts(self, contract):
        viewer = User.objects.create_user("vera", is_staff=True)
        viewer.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
        browser = Client()
        browser.force_login(viewer)

        for name in ("change", "record"):
            assert browser.get(page(name, contract.pk)).status_code == 200
        assert "Make a deal" not in text_of(browser.get(page("change", contract.pk)))
        assert browser.get(page("edit", contract.pk)).status_code == 403
        assert browser.post(page("edit", contract.pk), {"name": "Mine"}).status_code == 403
        assert agreement(contract.customer.pk, contract.pk).terms.name == "Deal"
