from typing import Any

from django.db.models import Model

from billing_site.foundation.models import CustomFieldKey
from contracts import services
from pricing.forms import ServiceForm


class NewKeyForm(ServiceForm):
    class Meta:
        model = CustomFieldKey
        fields = ["entity", "key", "enforce_uniqueness"]
        help_texts = {
            "entity": "From the first declared key on, these have no custom fields but the declared ones.",
            "key": "What the custom field is called, such as crm_id.",
            "enforce_uniqueness": "No two may have the same value.",
        }

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        entity, key = values.pop("entity"), values.pop("key")
        return services.declare_key(entity, key, **values, **told)
