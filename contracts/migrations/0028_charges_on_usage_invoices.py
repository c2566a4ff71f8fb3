"""Whether scheduled charges have documents of their own or are on usage invoices."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraint, AddField

FIELD = "scheduled_charges_on_usage_invoices"


def field(model: str) -> migrations.AddField:
    choices = [("", "documents of their own"), ("ALL", "the usage invoice that ends on their date")]
    column = models.CharField("scheduled charges are on", blank=True, choices=choices, default="", max_length=8)
    return AddField(model, FIELD, column)


class Migration(migrations.Migration):
    dependencies = [("contracts", "0027_what_netsuite_calls_terms")]
    operations = [
        field("contract"),
        field("historicalcontract"),
        AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q((f"{FIELD}__in", ["", "ALL"])),
                name="scheduled_charges_are_all_on_usage_invoices_or_none",
                violation_error_message=f"{FIELD} must be ALL or absent.",
            ),
        ),
    ]
