from typing import Any

from django.db.models import Model

from contracts import services
from contracts.models import BillingProfile, LegalEntity
from pricing.forms import ServiceForm


class LegalEntityForm(ServiceForm):
    class Meta:
        model = LegalEntity
        fields = services.ENTITY_FIELDS

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        return services.set_legal_entity(values, **told)


class NewProfileForm(ServiceForm):
    class Meta:
        model = BillingProfile
        fields = ("customer", *services.PROFILE_FIELDS)

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        return services.set_billing_profile(values.pop("customer"), values, is_new=True, **told)


class ProfileForm(ServiceForm):
    class Meta:
        model = BillingProfile
        fields = services.PROFILE_FIELDS

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        return services.set_billing_profile(self.instance.customer_id, values, **told)
