from typing import Any

from django import forms
from django.db.models import Model

from contracts import services
from contracts.models import Customer
from contracts.queries import aliases_of
from pricing.forms import LinesField, ServiceForm


class NewCustomerForm(ServiceForm):
    ingest_aliases = LinesField(help_text="Other names under which the customer's events are sent, one a line.")
    custom_fields = forms.JSONField(required=False, initial=dict, help_text='{"crm": "42"}')

    class Meta:
        model = Customer
        fields = ["name"]

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        return services.create_customer(**values, **told)


class CustomerForm(ServiceForm):
    ingest_aliases = LinesField(
        help_text="One a line. A name taken off is given up as far back as nothing is billed, with its usage."
    )

    class Meta:
        model = Customer
        fields = ["name", "salesforce_account_id"]
        labels = {"salesforce_account_id": "Salesforce account"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ingest_aliases"].initial = "\n".join(aliases_of([self.instance.pk])[self.instance.pk])

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        customer_id = self.instance.pk
        services.set_ingest_aliases(customer_id, values["ingest_aliases"], **told)
        if "salesforce_account_id" in self.changed_data:
            services.set_salesforce_account(customer_id, values["salesforce_account_id"], **told)
        if "name" in self.changed_data:
            return services.set_name(customer_id, values["name"], **told)
        return Customer.objects.get(pk=customer_id)
