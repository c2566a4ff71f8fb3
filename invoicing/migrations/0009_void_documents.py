"""Voids of documents, and the documents made in their place. What is there has generation 1, so no row is looked at."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import AddConstraint, AddConstraintNotValid, AddField, CreateModel


class Migration(migrations.Migration):
    dependencies = [("contracts", "0016_contracts_are_archived_by_edits"), ("invoicing", "0008_late_usage_adjustments")]
    operations = [
        CreateModel(
            name="InvoiceVoid",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.TextField()),
                ("voided_at", models.DateTimeField()),
                ("voided_by", models.CharField(max_length=160)),
                ("money_version", models.BigIntegerField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
                    ),
                ),
                (
                    "invoice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="void", to="invoicing.invoice"
                    ),
                ),
            ],
            options={"verbose_name": "voided document"},
        ),
        AddConstraint(
            model_name="invoicevoid",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="a_void_says_why"
            ),
        ),
        *append_only("invoicing_invoicevoid"),
        AddField(
            model_name="invoice",
            name="regenerated_from",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="regenerated",
                to="invoicing.invoicevoid",
            ),
        ),
        AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("regenerated_from__isnull", False)),
                fields=("regenerated_from",),
                name="a_void_document_is_regenerated_once",
            ),
        ),
        AddConstraintNotValid(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("generation", 1), ("regenerated_from", None)),
                    models.Q(("generation__gt", 1), ("regenerated_from__isnull", False)),
                    _connector="OR",
                ),
                name="a_later_generation_stands_for_a_void_document",
            ),
        ),
    ]
