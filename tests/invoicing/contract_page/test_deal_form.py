"""The deal in one form: its effect before it is made, what is made of it, and what is refused beside its field."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from contracts import services
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
from tests.invoicing.contract_page.deal_form import MID_OCTOBER, Deal, page, split, text_of, the_deal

pytestmark = pytest.mark.django_db


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
            "commit_true_up_at": ["must not be before the end of access, 1 January 2026"],
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
