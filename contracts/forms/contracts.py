from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Model

from billing_site.foundation.money import wire_amount
from contracts import services
from contracts.forms.amounts import MajorField
from contracts.forms.instants import InstantField
from contracts.forms.providers import LookupChoice
from contracts.inputs import ContractInput, StatementScheduleInput, TransitionInput, UsageFilterInput
from contracts.models import Contract, ContractTerms
from contracts.queries import agreement
from contracts.services.provider_choice import BILLING, REVENUE
from pricing.forms import LinesField, ServiceForm
from pricing.queries import default_unit

DAYS = [
    ("FIRST_OF_MONTH", "the first of the month"),
    ("CONTRACT_START", "the contract's start"),
    ("CUSTOM_DATE", "the date below"),
]

TRUE_UPS = [
    ("AS_IS", "stay on their dates"),
    ("REMOVE", "are not billed any more"),
]
PRIORITIZATIONS = [
    (Contract.Prioritization.LOWEST_MULTIPLIER, "the one that makes it cheapest"),
    (Contract.Prioritization.EXPLICIT, "the one with the lowest priority number"),
]


class NewContractForm(ServiceForm):
    """A contract may renew another, which the page's address names: what is agreed there fills this in."""

    renewal_of = forms.ModelChoiceField(
        Contract.objects.none(),
        required=False,
        label="Renews",
        help_text="Chosen on the page of the contract that is renewed. That one ends when this one starts.",
    )
    true_ups = forms.ChoiceField(
        choices=TRUE_UPS, required=False, label="True-ups of the renewed one", help_text="Only of a renewal."
    )
    name = forms.CharField(required=False, max_length=160)
    rate_card_alias = forms.CharField(
        required=False,
        max_length=160,
        label="Or an alias of one",
        help_text="The card that it means at the contract's start.",
    )
    filter_key = forms.CharField(
        required=False,
        max_length=256,
        label="Only usage whose",
        help_text="A group key of what is measured, such as region. Empty: all usage of the customer.",
    )
    filter_values = LinesField(label="Is one of", help_text="One a line.")
    billing_provider = LookupChoice(BILLING, label="Billing provider")
    revenue_system = LookupChoice(REVENUE, label="Revenue system")
    starting_at = InstantField(required=True)
    ending_before = InstantField(help_text="On the hour, UTC; empty: open.")
    end_policy = forms.ChoiceField(choices=ContractTerms.EndPolicy.choices, required=False, label="At its end")
    day = forms.ChoiceField(choices=DAYS, label="Billing periods are counted from")
    billing_anchor_date = InstantField(label="Date of its own")
    invoice_generation_starting_at = InstantField(
        label="Invoice usage from",
        help_text="On the hour, UTC; empty: from the contract's start. Earlier usage is invoiced elsewhere: it is on no"
        " invoice here, and draws on no balance.",
    )
    net_payment_terms_days = forms.DecimalField(
        required=False, label="Due within days", help_text="After the invoice's date; empty: as the legal entity says."
    )
    multiplier_override_prioritization = forms.ChoiceField(choices=PRIORITIZATIONS, label="Of several discounts holds")
    total_contract_value = MajorField(
        label="Worth in all", help_text="In whole units of its money, such as dollars. Nothing is billed by it."
    )
    # Who and how long, how it is billed, what it renews, what other systems call it.
    field_order = (
        *("customer", "name", "rate_card", "rate_card_alias", "starting_at", "ending_before", "end_policy"),
        *("frequency", "day", "billing_anchor_date", "invoice_generation_starting_at"),
        *("scheduled_charges_on_usage_invoices", "net_payment_terms_days", "multiplier_override_prioritization"),
        *("filter_key", "filter_values", "billing_provider", "revenue_system", "renewal_of", "true_ups"),
        *("total_contract_value", "salesforce_opportunity_id", "netsuite_sales_order_id", "uniqueness_key", "reason"),
    )
    shown_as = {
        "transition.from_contract_id": "renewal_of",
        "rate_card_id": "rate_card",
        "usage_filter.group_key": "filter_key",
        "usage_filter": "filter_values",
        "billing_provider_configuration": "billing_provider",
        "revenue_system_configuration": "revenue_system",
        "usage_statement_schedule.frequency": "frequency",
        "usage_statement_schedule.day": "day",
        "usage_statement_schedule.billing_anchor_date": "billing_anchor_date",
        "usage_statement_schedule.invoice_generation_starting_at": "invoice_generation_starting_at",
    }

    class Meta:
        model = Contract
        fields = [
            "customer",
            "rate_card",
            "starting_at",
            "frequency",
            "multiplier_override_prioritization",
            "scheduled_charges_on_usage_invoices",
            "salesforce_opportunity_id",
            "netsuite_sales_order_id",
            "uniqueness_key",
        ]
        labels = {
            "salesforce_opportunity_id": "Salesforce opportunity",
            "netsuite_sales_order_id": "NetSuite sales order",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["rate_card"].required = False  # it may go by its alias
        choice: Any = self.fields["renewal_of"]
        try:
            named = UUID(str((self.data if self.is_bound else self.initial).get("renewal_of")))
        except ValueError:
            return  # none, or nothing that could be one
        choice.queryset = Contract.objects.filter(pk=named, archived_at=None).select_related("customer", "rate_card")
        renewed = choice.queryset.first()
        if renewed is not None and not self.is_bound:
            terms, anchor = agreement(renewed.customer_id, renewed.pk).terms, renewed.billing_anchor_at
            is_first = (anchor.day, anchor.hour) == (1, 0)
            told = terms.usage_filters[-1] if terms.usage_filters else {}
            self.initial = {
                **self.initial,
                "customer": renewed.customer,
                "rate_card": renewed.rate_card,
                "starting_at": terms.ending_before,
                "frequency": renewed.frequency,
                "day": "FIRST_OF_MONTH" if is_first else "CUSTOM_DATE",
                "billing_anchor_date": None if is_first else anchor,
                "name": terms.name,
                "filter_key": told.get("group_key", ""),
                "filter_values": list(told.get("group_values", ())),
                "net_payment_terms_days": terms.net_payment_terms_days,
                "multiplier_override_prioritization": renewed.multiplier_override_prioritization,
                "scheduled_charges_on_usage_invoices": renewed.scheduled_charges_on_usage_invoices,
            }

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        worth, card = values["total_contract_value"], values["rate_card"]
        unit = (card.fiat_unit if card else default_unit()).to_unit()
        given = ContractInput(
            starting_at=values["starting_at"],
            ending_before=values["ending_before"],
            rate_card_id=values["rate_card"].pk if values["rate_card"] else None,
            rate_card_alias=values["rate_card_alias"],
            usage_filter=_usage_filter(values),
            billing_provider_configuration=values["billing_provider"],
            revenue_system_configuration=values["revenue_system"],
            name=values["name"],
            net_payment_terms_days=values["net_payment_terms_days"],
            end_policy=values["end_policy"] or ContractTerms.EndPolicy.STOP,
            uniqueness_key=values["uniqueness_key"] or None,
            total_contract_value=None if worth is None else wire_amount(worth, unit),
            salesforce_opportunity_id=values["salesforce_opportunity_id"],
            netsuite_sales_order_id=values["netsuite_sales_order_id"],
            usage_statement_schedule=StatementScheduleInput(
                values["frequency"],
                values["day"],
                values["billing_anchor_date"],
                values["invoice_generation_starting_at"],
            ),
            multiplier_override_prioritization=values["multiplier_override_prioritization"],
            scheduled_charges_on_usage_invoices=values["scheduled_charges_on_usage_invoices"],
            transition=TransitionInput(values["renewal_of"].pk, values["true_ups"] or "AS_IS")
            if values["renewal_of"]
            else None,
        )
        return services.create_contract(values["customer"], given, **told)


def _usage_filter(values: dict[str, Any]) -> UsageFilterInput | None:
    """From the contract's start on; None where nothing is said of which usage is its own."""
    key, texts = values["filter_key"], tuple(values["filter_values"])
    return UsageFilterInput(key, texts) if key or texts else None
