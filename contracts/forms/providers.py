"""Configurations of billing providers and revenue systems as they are typed: what a customer is called there, and which
of them a contract is for."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.db.models import Model

from contracts import services
from contracts.models import ProviderConfiguration
from contracts.provider_inputs import ConfigurationInput, LookupInput, LookupUpdateInput
from contracts.services.provider_choice import BILLING, BILLING_UPDATE, CURRENT, NEXT, REVENUE, REVENUE_UPDATE
from pricing.forms import ServiceForm

PERIODS = ((CURRENT, "the start of the billing period that is on"), (NEXT, "the start of the one after it"))
ONE_OF_A_CALL = "data[0]."
BETWEEN = "/"  # a provider and how documents get there, in one choice
# What the service calls a field, and which one it is here.
SHOWN_AS = (
    (f"{BILLING_UPDATE}.schedule", "provider_from"),
    (BILLING_UPDATE, "provider_billing"),
    (f"{REVENUE_UPDATE}.schedule", "provider_revenue_from"),
    (REVENUE_UPDATE, "provider_revenue"),
)


class NewConfigurationForm(ServiceForm):
    """One of a customer's. What it has already, word for word, is not added again."""

    configuration = forms.JSONField(
        required=False,
        label="What the provider calls the customer",
        help_text='{"stripe_customer_id": "cus_42"}; a revenue system needs {"netsuite_customer_id": "42"}. No secrets:'
        " whoever may read the customer may read it.",
    )

    class Meta:
        model = ProviderConfiguration
        fields = ["customer", "kind", "provider", "delivery_method", "tax_provider"]
        help_texts = {"tax_provider": "Of Stripe only; taxes are computed here all the same."}

    def clean_configuration(self) -> dict[str, Any]:
        said = self.cleaned_data["configuration"] or {}
        if not isinstance(said, dict):
            raise forms.ValidationError('Write an object: {"stripe_customer_id": "cus_42"}.')
        return said

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        customer, said = values.pop("customer"), values.pop("configuration")
        [made] = services.set_configurations([(customer.pk, ConfigurationInput(configuration=said, **values))], **told)
        return made

    def _show(self, path: str, rule: str) -> None:
        super()._show(path.removeprefix(ONE_OF_A_CALL), rule)


class ConfigurationChoice(forms.ModelChoiceField):
    """One of the customer's; the form says whose."""

    def __init__(self, label: str) -> None:
        super().__init__(
            ProviderConfiguration.objects.none(),
            required=False,
            label=label,
            help_text="Of those that its customer has.",
        )

    def offer(self, customer_id: Any, kind: str) -> None:
        held = ProviderConfiguration.objects.filter(customer=customer_id, kind=kind, archived_at=None)
        self.queryset = held.order_by("created_at", "id")

    def label_from_instance(self, obj: Any) -> str:
        said = "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in obj.configuration.items())
        return f"{obj} ({said})" if said else str(obj)


class ProviderFields(forms.Form):
    """The part of an edit that says which billing provider and revenue system a contract is for."""

    provider_billing = ConfigurationChoice("Billing provider")
    provider_from = forms.ChoiceField(choices=PERIODS, required=False, label="From")
    provider_revenue = ConfigurationChoice("Revenue system")
    provider_revenue_from = forms.ChoiceField(choices=PERIODS, required=False, label="From")

    PROVIDER = (
        "Billing provider and revenue system",
        ("provider_billing", "provider_from", "provider_revenue", "provider_revenue_from"),
    )

    def offer_configurations(self, customer_id: Any) -> None:
        for name, kind in (("provider_billing", BILLING), ("provider_revenue", REVENUE)):
            choice: Any = self.fields[name]
            choice.offer(customer_id, kind)

    def provider_updates(self) -> dict[str, Any]:
        """What a valid form sets, by the names of EditInput."""
        values, given = self.cleaned_data, dict[str, Any]()
        for name, start, field in (
            ("provider_billing", "provider_from", BILLING_UPDATE),
            ("provider_revenue", "provider_revenue_from", REVENUE_UPDATE),
        ):
            if values[name] is not None:
                given[field] = LookupUpdateInput(LookupInput(values[name].pk), values[start] or CURRENT)
        return given


class LookupChoice(forms.ChoiceField):
    """A provider and how documents get there, of those that some customer has; its clean value is a lookup, or None."""

    def __init__(self, kind: str, **options: Any) -> None:
        self.kind = kind
        super().__init__(
            required=False,
            choices=self._held,
            help_text="The customer needs exactly one configuration of it; nothing is sent.",
            **options,
        )

    def _held(self) -> Iterator[tuple[str, str]]:
        yield "", "---"
        held = ProviderConfiguration.objects.filter(kind=self.kind, archived_at=None)
        ways = held.order_by("provider", "delivery_method").values_list("provider", "delivery_method").distinct()
        for provider, delivery in ways:
            yield (
                f"{provider}{BETWEEN}{delivery}",
                str(ProviderConfiguration(provider=provider, delivery_method=delivery)),
            )

    def clean(self, value: Any) -> LookupInput | None:
        chosen = super().clean(value)
        return LookupInput(None, *chosen.split(BETWEEN)) if chosen else None
