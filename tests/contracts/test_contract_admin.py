"""Customers and contracts in the admin: all that the API can do, in a fixed number of queries."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts.models import (
    AccessSegment,
    Claim,
    Commit,
    Contract,
    ContractEdit,
    ContractTerms,
    Customer,
    InvoiceScheduleItem,
    Override,
    ScheduledCharge,
    ScheduledChargeItem,
)
from contracts.queries import agreement, aliases_of, customer_terms
from pricing.engine.targets import Target
from tests.factories.contracts import (
    CommitFactory,
    ContractFactory,
    CustomerFactory,
    OverrideFactory,
    ScheduledChargeFactory,
)
from tests.factories.pricing import FixedProductFactory, ProductFactory, RateCardFactory

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
MID_OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)
DECEMBER = datetime(2025, 12, 1, tzinfo=UTC)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
MODELS = [
    AccessSegment,
    Claim,
    Commit,
    Contract,
    ContractEdit,
    ContractTerms,
    Customer,
    InvoiceScheduleItem,
    Override,
    ScheduledCharge,
    ScheduledChargeItem,
]
# What a browser sends for the list of contracts on a customer's page, which is only shown.
NO_INLINES = {"contracts-TOTAL_FORMS": "0", "contracts-INITIAL_FORMS": "0"}


@pytest.fixture
def revops(client):
    """A browser in which Grace of RevOps is logged in."""
    client.force_login(get_user_model().objects.create_superuser("grace"))
    return client


def page(model, name, *args):
    return reverse(f"admin:contracts_{model._meta.model_name}_{name}", args=args)


def split(name, instant):
    """The two inputs of an instant."""
    return {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M:%S}"}


def one_of_everything():
    contract = ContractFactory(customer=CustomerFactory(aliases=[f"alias-{Customer.objects.count()}"]))
    OverrideFactory(contract=contract, product=ProductFactory())
    OverrideFactory(contract=contract, type="OVERWRITE", price=3)
    CommitFactory(contract=contract)
    ScheduledChargeFactory(contract=contract)
    return contract


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_list_takes_the_same_queries_with_one_row_and_with_three(revops, model):
    counts = []
    for more in (1, 2):
        for _ in range(more):
            one_of_everything()
        with CaptureQueriesContext(connection) as captured:
            assert revops.get(page(model, "changelist")).status_code == 200
        counts.append(len(captured))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_row_has_a_page_and_can_be_searched(revops, model):
    one_of_everything()

    assert revops.get(page(model, "change", model.objects.first().pk)).status_code == 200
    assert revops.get(page(model, "changelist"), {"q": "acme"}).status_code == 200


@pytest.mark.parametrize("model", [model for model in MODELS if model not in (Customer, Contract)])
def test_facts_and_terms_can_only_be_looked_at(revops, model):
    one_of_everything()
    row = model.objects.first()

    assert revops.get(page(model, "add")).status_code == 403
    assert revops.post(page(model, "change", row.pk), {}).status_code == 403
    assert revops.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_a_contract_page_says_what_was_agreed(revops):
    shown = revops.get(page(Contract, "change", one_of_everything().pk)).content.decode()

    for agreed in (
        "0.5 × list price from 2025-01-01 00:00 UTC",
        "price 3 from 2025-01-01 00:00 UTC",
        "10000000 from 2025-01-01 00:00 up to 2026-01-01 00:00 UTC",
        "10000000 on 2026-01-01 00:00 UTC",
        "1000 on 2025-01-01 00:00 UTC",
    ):
        assert agreed in shown


def test_a_contract_page_takes_the_same_queries_with_few_terms_and_with_many(revops):
    contract = one_of_everything()
    counts = []
    for more in (0, 3):
        for _ in range(more):
            OverrideFactory(contract=contract, product=ProductFactory())
            CommitFactory(contract=contract)
        with CaptureQueriesContext(connection) as captured:
            revops.get(page(Contract, "change", contract.pk))
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_a_customer_is_added_and_changed(revops):
    added = {"name": "Acme", "ingest_aliases": "acme\n\n b ", "custom_fields": '{"crm": "42"}', "reason": "signed"}
    assert revops.post(page(Customer, "add"), added).status_code == 302
    customer = Customer.objects.get()
    assert (customer.name, customer.custom_fields, customer.created_by) == ("Acme", {"crm": "42"}, "grace")
    assert aliases_of([customer.pk])[customer.pk] == ["acme", "b"]
    assert customer.history.get().history_change_reason == "signed"

    changed = {"name": "Acme GmbH", "ingest_aliases": "b\nc", "reason": "incorporated"}
    assert revops.post(page(Customer, "change", customer.pk), changed | NO_INLINES).status_code == 302
    customer.refresh_from_db()
    assert (customer.name, aliases_of([customer.pk])[customer.pk]) == ("Acme GmbH", ["b", "c"])
    assert ContractEdit.objects.get(number=2).reason == "incorporated"
    newest = customer.history.first()
    assert (newest.history_change_reason, newest.actor_label, newest.source) == ("incorporated", "grace", "ADMIN")


def test_what_a_service_refuses_is_shown_beside_the_field(revops):
    CustomerFactory(aliases=["acme"])

    shown = revops.post(page(Customer, "add"), {"name": "Twin", "ingest_aliases": "acme"})

    assert shown.status_code == 200
    assert "is an alias of customer" in str(shown.context["adminform"].form.errors["ingest_aliases"])
    assert Customer.objects.count() == 1


def test_customers_are_archived_with_a_reason_unless_they_have_contracts(revops):
    gone, kept = CustomerFactory(name="Gone"), ContractFactory().customer
    action = {"action": "archive", "reason": "left", "_selected_action": [gone.pk, kept.pk]}

    shown = revops.post(page(Customer, "changelist"), action, follow=True)

    assert [str(message) for message in shown.context["messages"]] == [
        f"id: has contracts; archiving those is not supported yet (got {kept.pk}).",
        "1 archived.",
    ]
    archived = Customer.objects.exclude(archived_at=None).get()
    assert (archived, archived.history.first().history_change_reason) == (gone, "left")


def test_a_contract_is_added(revops):
    customer, card = CustomerFactory(), RateCardFactory()
    form = {
        "customer": customer.pk,
        "rate_card": card.pk,
        "frequency": "QUARTERLY",
        "multiplier_override_prioritization": "EXPLICIT",
        "name": "Deal",
        "day": "CUSTOM_DATE",
        "net_payment_terms_days": "30",
        "reason": "signed",
        **split("starting_at", OCTOBER),
        **split("ending_before", JANUARY),
        **split("billing_anchor_date", DECEMBER),
    }

    assert revops.post(page(Contract, "add"), form).status_code == 302
    contract = Contract.objects.get()
    assert (contract.customer, contract.rate_card, contract.starting_at) == (customer, card, OCTOBER)
    assert (contract.frequency, contract.billing_anchor_at) == ("QUARTERLY", DECEMBER)
    assert (contract.uniqueness_key, contract.multiplier_override_prioritization) == (None, "EXPLICIT")
    terms = agreement(customer.pk, contract.pk).terms
    assert (terms.name, terms.ending_before, terms.net_payment_terms_days) == ("Deal", JANUARY, 30)
    assert ContractEdit.objects.get(contract=contract).reason == "signed"

    again = revops.post(page(Contract, "add"), form | split("starting_at", MID_OCTOBER.replace(minute=5)))
    assert "must be on the hour (UTC)" in str(again.context["adminform"].form.errors["starting_at"])


class TestEditPage:
    @pytest.fixture
    def contract(self):
        return ContractFactory(starting_at=OCTOBER, terms__name="Deal", terms__ending_before=JANUARY)

    def form(self, **given):
        """The page as it is sent when nothing is filled in but `given`."""
        unchanged = {"name": "Deal", "entitled": "unknown", "reason": "the deal", **split("ending_before", JANUARY)}
        return unchanged | given

    def submit(self, revops, contract, **given):
        return revops.post(page(Contract, "edit", contract.pk), self.form(**given))

    def test_the_deal_is_made_on_one_page(self, revops, contract):
        fixed, calls, tokens = FixedProductFactory(), ProductFactory(name="Calls"), ProductFactory(name="Tokens")

        done = self.submit(
            revops,
            contract,
            commit_product=fixed.pk,
            commit_name="Year end",
            commit_amount="10000000",
            multiplier="0.5",
            multiplier_products=[calls.pk, tokens.pk],
            **split("commit_starting_at", OCTOBER),
            **split("commit_ending_before", JANUARY),
            **split("commit_true_up_at", JANUARY),
            **split("multiplier_starting_at", MID_OCTOBER),
        )

        assert done.url == page(Contract, "change", contract.pk)
        edit = ContractEdit.objects.get(contract=contract, kind="EDIT")
        assert (edit.reason, edit.created_by, edit.changes) == ("the deal", "grace", {})
        (compiled,) = customer_terms(contract.customer.pk).contracts
        (override,), (commit,) = compiled.overrides, compiled.commits
        assert (override.multiplier, override.period.starting_at) == (D("0.5"), MID_OCTOBER)
        assert set(override.targets) == {Target(product_id=calls.pk), Target(product_id=tokens.pk)}
        assert (commit.name, commit.segments[0].amount, commit.invoice_items[0].issued_at) == (
            "Year end",
            D(10_000_000),
            JANUARY,
        )

    def test_prices_entitlements_and_charges_are_added_and_terms_changed(self, revops, contract):
        product = ProductFactory(version__pricing_group_key=["model"])

        self.submit(
            revops,
            contract,
            price="0.25",
            price_product=product.pk,
            price_group_values='{"model": "xl"}',
            entitled="false",
            entitled_product=product.pk,
            charge_product=FixedProductFactory().pk,
            charge_amount="500",
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
        assert [item.issued_at for charged in agreed.charges for item in charged.items] == [
            MID_OCTOBER.replace(minute=30)
        ]
        assert (agreed.terms.name, agreed.terms.ending_before, agreed.terms.net_payment_terms_days) == (
            "Better deal",
            DECEMBER,
            14,
        )

    def test_standing_terms_are_removed_by_ticking_them(self, revops, contract):
        override, commit = OverrideFactory(contract=contract), CommitFactory(contract=contract, name="Year end")
        charge = ScheduledChargeFactory(contract=contract, item__issued_at=datetime(2030, 1, 1, tzinfo=UTC))
        shown = revops.get(page(Contract, "edit", contract.pk)).content.decode()
        assert "0.5 × list price from 2025-01-01 00:00 UTC" in shown
        assert "Postpaid commit Year end" in shown

        self.submit(
            revops,
            contract,
            remove_overrides=[override.pk],
            archive_commits=[commit.pk],
            archive_scheduled_charges=[charge.pk],
        )

        agreed = agreement(contract.customer.pk, contract.pk)
        assert (agreed.overrides, agreed.commits, agreed.charges) == ((), (), ())

    def test_what_is_refused_stands_beside_its_field_and_nothing_is_made(self, revops, contract):
        shown = self.submit(
            revops,
            contract,
            commit_product=FixedProductFactory().pk,
            commit_amount="5",
            multiplier="-1",
            **split("commit_starting_at", OCTOBER),
            **split("commit_ending_before", JANUARY),
            **split("commit_true_up_at", DECEMBER),
            **split("multiplier_starting_at", MID_OCTOBER.replace(minute=1)),
        )

        assert {field: list(errors) for field, errors in shown.context["form"].errors.items()} == {
            "multiplier": ["must not be negative"],
            "multiplier_starting_at": ["must be on the hour (UTC)"],
            "commit_true_up_at": ["must not be before the end of access, 2026-01-01T00:00:00+00:00"],
        }
        assert not Override.objects.exists()

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            pytest.param({"reason": ""}, "reason", id="no reason"),
            pytest.param({"commit_amount": "5"}, "commit_product", id="half a commit"),
            pytest.param({"commit_name": "Year end"}, "commit_amount", id="a commit of a name alone"),
            pytest.param({"charge_amount": "5"}, "charge_at", id="half a charge"),
            pytest.param({"multiplier": "0.5"}, "multiplier_starting_at", id="a multiplier from no time"),
            pytest.param(split("price_starting_at", OCTOBER), "price", id="a price without a number"),
            pytest.param({"price_group_values": "[1]"}, "price_group_values", id="a list for group values"),
        ],
    )
    def test_half_a_section_is_not_an_edit(self, revops, contract, given, field):
        shown = self.submit(revops, contract, **given)

        assert field in shown.context["form"].errors
        assert not ContractEdit.objects.filter(kind="EDIT").exists()

    def test_an_edit_that_changes_nothing_says_so(self, revops, contract):
        shown = self.submit(revops, contract)

        assert shown.context["form"].non_field_errors() == [
            "The edit changes nothing: give something to add, remove, archive or update."
        ]

    def test_it_says_up_to_when_usage_is_billed(self, revops, contract):
        Contract.objects.filter(pk=contract.pk).update(billed_through=DECEMBER)

        assert "2025-12-01 00:00 UTC is on final invoices" in revops.get(
            page(Contract, "edit", contract.pk)
        ).content.decode().replace("\n", " ")

    def test_it_takes_the_permission_to_change_contracts(self, client, contract):
        viewer = get_user_model().objects.create_user("vera", is_staff=True)
        viewer.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
        client.force_login(viewer)

        assert client.get(page(Contract, "change", contract.pk)).status_code == 200
        assert client.get(page(Customer, "change", contract.customer.pk)).status_code == 200
        assert client.get(page(Contract, "edit", contract.pk)).status_code == 403
        assert self.submit(client, contract, name="Mine").status_code == 403
        assert agreement(contract.customer.pk, contract.pk).terms.name == "Deal"

    def test_a_contract_that_does_not_exist_has_no_page(self, revops, contract):
        assert revops.get(page(Contract, "edit", contract.customer.pk)).status_code == 404
