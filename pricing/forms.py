"""Admin forms whose saving is a service: its refusals appear beside the fields they are about."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.db import transaction
from django.db.models import Model
from rest_framework.serializers import Serializer

from billing_site.foundation.actor import Actor
from billing_site.foundation.admin import ReasonForm
from billing_site.foundation.refusals import Refusal
from pricing import services
from pricing.models import BillableMetric, PricingUnit, RateCard, RateCardAlias
from pricing.serializers.metrics import MetricCreate


class ServiceForm(ReasonForm):
    """Saves by calling a service, in the transaction that the admin opens around a submitted form."""

    at: ClassVar[datetime]
    by: ClassVar[Actor]
    shown_as: Mapping[str, str] = {}  # what the service calls a field, where the form calls it otherwise

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        """Call the service with the cleaned values; `told` is reason, at and by."""
        raise NotImplementedError

    def _post_clean(self) -> None:
        if self.errors:
            return
        values = dict(self.cleaned_data)
        told = {"reason": values.pop("reason", ""), "at": self.at, "by": self.by}
        try:
            with transaction.atomic():
                self.instance = self.perform(values, **told)
        except Refusal as refusal:
            for error in refusal.errors:
                self._show(error.field, error.rule)
            if not refusal.errors:
                self.add_error(None, refusal.message)

    def checked(self, request: Serializer) -> Any:
        """The API's own serializer over the form's values, so that both doors read alike."""
        if not request.is_valid():
            field, errors = next(iter(request.errors.items()))
            raise Refusal.of(field, request.initial_data[field], _first(errors))
        return request

    def save(self, commit: bool = True) -> Model:
        """What the service saved."""
        return self.instance

    def save_m2m(self) -> None:
        """There is nothing left to save."""

    def _show(self, path: str, rule: str) -> None:
        own = path.partition("].")[2] if path.startswith("aliases[") else path
        head = own.partition("[")[0]
        for name in (own, head, head.partition(".")[0]):
            field = self.shown_as.get(name, name)
            if field in self.fields:
                self.add_error(field, rule if name == own else f"{own}: {rule}")
                return
        self.add_error(None, f"{own}: {rule}")


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 3, "cols": 40}), **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        lines = initial.splitlines() if isinstance(initial, str) else initial or []
        return self.to_python(data) != lines


class UnitForm(ServiceForm):
    class Meta:
        model = PricingUnit
        fields = ["name"]

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        del told["reason"]
        return services.create_pricing_unit(**values, **told)


class MetricForm(ServiceForm):
    aggregation_type = forms.ChoiceField(choices=[(code, code) for code in BillableMetric.Aggregation.values])
    event_type_filter = forms.JSONField(
        required=False, help_text='{"in_values": ["completion"]}; empty: events of every type.'
    )
    property_filters = forms.JSONField(
        required=False, help_text='[{"name": "tokens", "exists": true}, {"name": "model", "in_values": ["xl"]}]'
    )
    group_keys = forms.JSONField(
        required=False, help_text='[["model"], ["model", "region"]]: what products may split usage by.'
    )

    class Meta:
        model = BillableMetric
        fields = ["name", "aggregation_type", "aggregation_key"]

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        del told["reason"]
        request = self.checked(MetricCreate(data=values))
        return services.create_metric(**request.arguments(), **told)


class MetricNameForm(ServiceForm):
    class Meta:
        model = BillableMetric
        fields = ["name"]

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        return services.rename_metric(self.instance.pk, **values, **told)


class RateCardForm(ServiceForm):
    fiat_unit = forms.ModelChoiceField(
        PricingUnit.objects.filter(is_currency=True, archived_at=None), label="Currency", initial=None
    )
    shown_as = {"fiat_credit_type_id": "fiat_unit"}

    class Meta:
        model = RateCard
        fields = ["name", "description", "fiat_unit"]

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        fiat = values.pop("fiat_unit")
        return services.create_rate_card(**values, fiat_credit_type_id=fiat.pk, **told)


class RateCardNameForm(ServiceForm):
    class Meta:
        model = RateCard
        fields = ["name", "description"]

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        return services.update_rate_card(self.instance.pk, **values, **told)


class AliasForm(ServiceForm):
    class Meta:
        model = RateCardAlias
        fields = ["rate_card", "name", "starting_at", "ending_before"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rate_card"].queryset = RateCard.objects.filter(archived_at=None)  # type: ignore[attr-defined]
        for name in ("starting_at", "ending_before"):
            self.fields[name].required = False

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        card = values.pop("rate_card")
        return services.add_aliases(card.pk, [services.Alias(**values)], **told)[0]


def _first(errors: Any) -> str:
    """The first rule in what a serializer says about a field, however deep."""
    while isinstance(errors, (list, dict)):
        errors = errors[0] if isinstance(errors, list) else next(value for value in errors.values() if value)
    return str(errors)
