"""Final documents as PDF, kept as they were first made."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0011_legal_entity_and_billing_profiles"),
        ("invoicing", "0004_balances_counted_in_units"),
    ]

    operations = [
        CreateModel(
            name="InvoicePdf",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("content", models.BinaryField()),
                ("content_hash", models.BinaryField(max_length=32)),
                ("made_at", models.DateTimeField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="invoicing.invoice"
                    ),
                ),
            ],
            options={
                "verbose_name": "PDF of an invoice",
                "verbose_name_plural": "PDFs of invoices",
                "constraints": [models.UniqueConstraint(fields=("customer", "invoice"), name="an_invoice_has_one_pdf")],
            },
        ),
        *append_only("invoicing_invoicepdf"),
    ]
