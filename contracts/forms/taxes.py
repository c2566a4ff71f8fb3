from typing import Any

from django.db.models import Model

from contracts import services
from contracts.models import ProductTaxCode
from pricing.forms import ServiceForm


class NewTaxCodeForm(ServiceForm):
    class Meta:
        model = ProductTaxCode
        fields = ("product", "tax_code")

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        return services.set_tax_code(values["product"].pk, values["tax_code"], is_new=True, **told)


class TaxCodeForm(ServiceForm):
    class Meta:
        model = ProductTaxCode
        fields = ("tax_code",)

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        return services.set_tax_code(self.instance.product_id, values["tax_code"], **told)
