from typing import Any

from django import forms
from django.db.models import Model

from contracts import services
from contracts.forms.instants import InstantField
from contracts.inputs import ContractInput, StatementScheduleInput
from contracts.models import Contract
from pricing.forms import ServiceForm

DAYS = [
    ("FIRST_OF_MONTH", "the first of the month"),
    ("CONTRACT_START", "the contract's start"),
    ("CUSTOM_DATE", "the date below"),
]


class NewContractForm(ServiceForm):
    name = forms.CharField(required=False, max_length=160)
    ending_before = InstantField(help_text="On the hour, UTC; empty: open.")
    day = forms.ChoiceField(choices=DAYS, label="Billing periods are counted from")
    billing_anchor_date = InstantField(label="Date of its own")
    net_payment_terms_days = forms.DecimalField(required=False)
    shown_as = {
        "rate_card_id": "rate_card",
        "usage_statement_schedule.frequency": "frequency",
        "usage_statement_schedule.day": "day",
        "usage_statement_schedule.billing_anchor_date": "billing_anchor_date",
    }

    class Meta:
        model = Contract
        fields = [
            "customer",
            "rate_card",
            "starting_at",
            "frequency",
            "multiplier_override_prioritization",
            "uniqueness_key",
        ]

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        given = ContractInput(
            starting_at=values["starting_at"],
            ending_before=values["ending_before"],
            rate_card_id=values["rate_card"].pk if values["rate_card"] else None,
            name=values["name"],
            net_payment_terms_days=values["net_payment_terms_days"],
            uniqueness_key=values["uniqueness_key"] or None,
            usage_statement_schedule=StatementScheduleInput(
                values["frequency"], values["day"], values["billing_anchor_date"]
            ),
            multiplier_override_prioritization=values["multiplier_override_prioritization"],
        )
        return services.create_contract(values["customer"], given, **told)
