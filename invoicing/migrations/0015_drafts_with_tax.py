"""Lists show drafts with their tax. What is there shows its total before tax until its customer is looked at again,
within the hour."""

from django.db import migrations, models

import billing_site.foundation.columns
from billing_site.foundation.operations import AddConstraint, AddField


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0014_summaries_of_proposed_notes")]
    operations = [
        AddField(
            model_name="draftsummary",
            name="total_with_tax",
            field=models.DecimalField(decimal_places=12, default=0, max_digits=38),
            preserve_default=False,
        ),
        migrations.RunSQL("UPDATE invoicing_draftsummary SET total_with_tax = total", migrations.RunSQL.noop),
        AddConstraint(
            model_name="draftsummary",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("total_with_tax")))),
                name="draftsummary_total_with_tax_is_a_number",
                violation_error_message="total_with_tax must be a number.",
            ),
        ),
    ]
