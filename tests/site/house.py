"""One of each thing that the back office shows, made by the official client and the services, as people make them.

`say` gives every text that somebody outside or inside may choose: names, ids, properties, reasons.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, User

from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import Job, TestClock
from billing_site.roles import Role
from contracts.models import Customer, ProductTaxCode
from invoicing import services
from invoicing.models import DraftSummary, Invoice, NoteDismissal
from invoicing.services import summaries
from ledger.models import DroppedMonth, MetricBackfill, RefusedCall
from ledger.services.authority import declare_authority
from pricing.models import Rate
from pricing.services import withdraw_rates
from pricing.units import USD_ID
from tests.factories.contracts import BillingProfileFactory, CustomerLoginFactory, LegalEntityFactory, TaxRateFactory
from tests.factories.ledger import event, post
from tests.invoicing.conftest import at, sdk
from tests.invoicing.desk import access, invoiced

ADA, BEA = Actor("USER", "ada", "1", "ADMIN"), Actor("USER", "bea", "2", "ADMIN")
OCTOBER, NOVEMBER, JANUARY = "2025-10-01T00:00:00Z", "2025-11-01T00:00:00Z", "2026-01-01T00:00:00Z"
NOW = at("2025-11-10T12")
Say = Callable[[str], str]


def plain(word: str) -> str:
    return word


@dataclass
class House:
    """What was made, by the names that URLs have for it."""

    say: Say

    def build(self) -> "House":
        TestClock.objects.create(instant=at("2025-10-02"))
        _, secret = tokens.create_token(self.say("desk"), scope="admin", at=at(OCTOBER), by=ADA)
        client = sdk(secret)
        self.v1, self.v2 = client.v1, client.v2
        self._price_list()
        self._customers()
        self._contract()
        self._usage()
        self._documents()
        self._the_house()
        return self

    def _price_list(self) -> None:
        say, prices = self.say, self.v1.contracts
        self.metric = self.v1.billable_metrics.create(
            name=say("Tokens used"),
            aggregation_type="SUM",
            aggregation_key=say("tokens"),
            event_type_filter={"in_values": [say("used")]},
            group_keys=[[say("model")]],
        ).data.id
        self.product = prices.products.create(
            name=say("Tokens"),
            type="USAGE",
            billable_metric_id=self.metric,
            pricing_group_key=[say("model")],
            tags=[say("ai")],
        ).data.id
        self.fixed = prices.products.create(name=say("Support"), type="FIXED").data.id
        self.seats = prices.products.create(name=say("Seats"), type="SUBSCRIPTION").data.id
        self.work = prices.products.create(name=say("Work"), type="PRO_SERVICE").data.id
        self.card = prices.rate_cards.create(
            name=say("List"), description=say("for all"), aliases=[{"name": say("list")}]
        ).data.id
        flat = {"rate_type": "FLAT", "entitled": True, "starting_at": OCTOBER}
        tokens_of = {"product_id": self.product, "pricing_group_values": {say("model"): say("xl")}}
        seats = {"product_id": self.seats, "billing_frequency": "MONTHLY"}
        prices.rate_cards.rates.add_many(
            rate_card_id=self.card,
            rates=[
                {**flat, **tokens_of, "price": 40},
                {**flat, **tokens_of, "price": 50, "starting_at": "2025-12-01T00:00:00Z"},
                {**flat, **seats, "price": 2000},
            ],
        )

        withdrawn = Rate.objects.get(price=50).pk
        withdraw_rates([withdrawn], reason=say("too dear"), at=at(OCTOBER), by=ADA)
        dearer = {**flat, **tokens_of, "price": 60, "starting_at": "2025-12-01T00:00:00Z"}
        prices.rate_cards.rates.add(rate_card_id=self.card, **dearer)
        self.rate = Rate.objects.get(price=60).pk
        ProductTaxCode.objects.create(product_id=self.fixed, tax_code=say("service"))

    def _customers(self) -> None:
        say = self.say
        self.customer = self.v1.customers.create(
            name=say("Acme"),
            ingest_aliases=[say("acme")],
            customer_billing_provider_configurations=[
                {
                    "billing_provider": "stripe",
                    "delivery_method": "direct_to_billing_provider",
                    "configuration": {"stripe_customer_id": say("cus"), "stripe_collection_method": "send_invoice"},
                }
            ],
        ).data.id
        self.other = self.v1.customers.create(name=say("Globex"), ingest_aliases=[say("globex")]).data.id
        LegalEntityFactory(name=say("Seller"), address=say("Row"), tax_id=say("IE1"), remittance=say("IBAN"))
        TaxRateFactory(name=say("VAT"))
        BillingProfileFactory(
            customer_id=self.customer,
            **{name: say(name) for name in ("legal_name", "address", "tax_id", "purchase_order", "contacts")},
        )

    def _contract(self) -> None:
        say = self.say
        self.contract, self.foreign = (
            self.v1.contracts.create(
                customer_id=customer,
                name=say("Deal"),
                rate_card_id=self.card,
                starting_at=OCTOBER,
                ending_before=JANUARY,
                salesforce_opportunity_id=say("opportunity"),
            ).data.id
            for customer in (self.customer, self.other)
        )
        of = {"customer_id": self.customer, "contract_id": self.contract}
        whole = {"starting_at": OCTOBER, "ending_before": JANUARY}
        commit = {
            "product_id": self.fixed,
            "type": "POSTPAID",
            "name": say("Promise"),
            "description": say("promised"),
            "access_schedule": access((100_000, OCTOBER, JANUARY)),
            "invoice_schedule": invoiced((100_000, JANUARY)),
        }
        edit = self.v2.contracts.edit(
            **of,
            add_commits=[commit],
            add_credits=[
                {"product_id": self.fixed, "name": say("Gift"), "access_schedule": access((500, OCTOBER, JANUARY))}
            ],
            add_overrides=[{"type": "MULTIPLIER", "multiplier": 0.5, "product_id": self.product, **whole}],
            add_scheduled_charges=[
                {"product_id": self.fixed, "name": say("Set-up"), "schedule": invoiced((900, NOVEMBER))}
            ],
            add_professional_services=[
                {
                    "product_id": self.work,
                    "max_amount": 1000,
                    "quantity": 1,
                    "unit_price": 1000,
                    "description": say("advice"),
                }
            ],
            add_recurring_credits=[
                {
                    "product_id": self.fixed,
                    "name": say("Monthly gift"),
                    "priority": 1,
                    "starting_at": OCTOBER,
                    "commit_duration": {"value": 1},
                    "access_amount": {"credit_type_id": str(USD_ID), "quantity": 1, "unit_price": 10},
                }
            ],
            add_subscriptions=[
                {
                    "name": say("Team"),
                    "subscription_rate": {"product_id": self.seats, "billing_frequency": "MONTHLY"},
                    "collection_schedule": "ADVANCE",
                    "proration": {"is_prorated": True},
                    "initial_quantity": 2,
                }
            ],
        ).data.edit
        self.commit = edit.add_commits[0].id
        self.credit = edit.add_credits[0].id
        self.charge = edit.add_scheduled_charges[0].id
        self.recurring = edit.add_recurring_credits[0].id
        self.subscription = edit.add_subscriptions[0].id
        self.v1.contracts.schedule_pro_services_invoice(
            **of,
            issued_at="2025-12-01T09:00:00Z",
            line_items=[{"professional_service_id": edit.add_pro_services[0].id, "amount": 200}],
        )
        self.package = self.v1.packages.create(
            name=say("Starter"),
            rate_card_id=self.card,
            contract_name=say("Starter"),
            duration={"value": 1, "unit": "years"},
        ).data.id

    def _usage(self) -> None:
        say = self.say
        used = {
            "customer_id": say("acme"),
            "event_type": say("used"),
            "properties": {say("model"): say("xl"), say("tokens"): "20", say("note"): say("value")},
        }
        post(
            event(say("one"), **used),
            event(say("other"), **used | {"timestamp": "2025-11-03T05:00:00Z"}),
            event(say("third"), **used | {"customer_id": say("nobody")}),
            event(say("fourth"), **used | {"event_type": say("unwanted")}),
            event(say("globex"), **used | {"customer_id": say("globex")}),
            at=at("2025-11-03T06"),
            source=say("source"),
        )

    def _documents(self) -> None:
        say = self.say
        TestClock.objects.update(instant=NOW)
        [self.other_invoice, *_] = services.finalize_due(self.other, at=NOW, by=ADA).finalized
        made = services.finalize_due(self.customer, at=NOW, by=ADA).finalized
        by_kind = {invoice.kind: invoice for invoice in made}
        self.invoice, voided = by_kind[Invoice.Kind.USAGE], by_kind[Invoice.Kind.CHARGES]
        services.void_invoice(self.customer, voided.pk, reason=say("wrong"), at=NOW, by=ADA)
        self.entered = self._note(ADA)
        services.approve_entered_note(self.customer, self.entered.pk, reason=say("agreed"), at=NOW, by=BEA)
        services.reject_entered_note(self.customer, self._note(ADA).pk, reason=say("no"), at=NOW, by=BEA)
        self._note(ADA)
        self.alert = self.v1.alerts.create(
            alert_type="spend_threshold_reached", name=say("Runs away"), threshold=1, customer_id=self.customer
        ).data.id
        self.v1.customers.named_schedules.update(
            customer_id=self.customer, schedule_name=say("limits"), starting_at=OCTOBER, value=say("high")
        )
        summaries.look_around(at=NOW)
        for customer in (self.customer, self.other):
            summaries.refresh_summary(Customer.objects.get(pk=customer).pk, at=NOW)
        self.draft = (
            DraftSummary.objects.filter(customer=self.customer, kind=Invoice.Kind.USAGE).earliest("finalizes_at").pk
        )
        services.hold_draft(self.customer, self.draft, reason=say("wait"), at=NOW, by=ADA)
        summaries.refresh_summary(Customer.objects.get(pk=self.customer).pk, at=NOW)

    def _the_house(self) -> None:
        say = self.say
        self.v1.custom_fields.add_key(entity="customer", key=say("segment"), enforce_uniqueness=False)
        self.v1.custom_fields.set_values(
            entity="customer", entity_id=self.customer, custom_fields={say("segment"): say("large")}
        )
        RefusedCall.objects.create(
            source=say("other"), event_type=say("billed"), authority=say("source"), events=1, refused_at=NOW
        )
        DroppedMonth.objects.create(month=date(2023, 1, 1), events=1, dropped_at=NOW, dropped_by=say("ada"))
        MetricBackfill.objects.create(metric_id=self.metric, started_at=NOW, finished_at=NOW, events_before=0)
        NoteDismissal.objects.create(
            customer_id=self.customer,
            about=self.invoice,
            difference="another",
            edit_number=1,
            publication=1,
            reason=say("not worth it"),
            dismissed_at=NOW,
            dismissed_by=say("ada"),
            money_version=1,
        )
        declare_authority(say("billed"), say("source"), reason=say("one truth"), at=NOW, by=ADA)
        Job.objects.create(
            kind="finalize_due",
            key=say("key"),
            payload={"customer_id": self.customer, "due_at": OCTOBER},
            state=Job.State.FAILED,
            error=say("It broke"),
            created_at=NOW,
        )
        self.viewer = User.objects.create_user(say("dana")[:150], password="x")
        self.viewer.groups.add(Group.objects.get(name=Role.CUSTOMER_VIEWER))
        CustomerLoginFactory(customer_id=self.customer, user=self.viewer)

    def _note(self, by: Actor) -> Any:
        line = services.NoteLineInput(Decimal(1), self.say("Outage"), line=1)
        given = services.NoteInput(uuid7(), "CREDIT", (line,), self.say("They complained"))
        return services.enter_note(Customer.objects.get(pk=self.customer), self.invoice.pk, given, at=NOW, by=by)
