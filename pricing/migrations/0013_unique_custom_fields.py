"""Values of unique keys of custom fields are one metric's, product's or rate card's alone."""

from django.db import migrations

from billing_site.foundation.custom_fields import guard


class Migration(migrations.Migration):
    dependencies = [("pricing", "0012_formulas"), ("foundation", "0008_custom_field_keys")]
    operations = [
        guard("pricing_billablemetric", "billable_metric"),
        guard("pricing_product", "contract_product"),
        guard("pricing_ratecard", "rate_card"),
    ]
