"""From when on usage is on documents of ours, where that is later than the contract's start."""

from django.db import migrations, models
from django.db.models import F, Q

from billing_site.foundation.columns import on_the_hour
from billing_site.foundation.operations import AddConstraint, AddField

COLUMN = "invoicing_starts_at"
HELP = "Usage before this is on no document of ours."


class Migration(migrations.Migration):
    dependencies = [("contracts", "0024_salesforce_accounts")]
    operations = [
        *(
            AddField(model, COLUMN, models.DateTimeField(blank=True, help_text=HELP, null=True))
            for model in ("contract", "historicalcontract")
        ),
        AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=on_the_hour(COLUMN)[0].condition,
                name="contract_invoicing_starts_at_is_on_the_hour",
                violation_error_message="invoicing_starts_at must be on the hour (UTC).",
            ),
        ),
        AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=Q(invoicing_starts_at__isnull=True) | Q(invoicing_starts_at__gte=F("starting_at")),
                name="a_contract_is_not_invoiced_before_it_starts",
            ),
        ),
    ]
