"""Notes on final documents. What was finalized before is of the other kinds, so no row has to be looked at."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import (
    AddConstraint,
    AddConstraintNotValid,
    AlterField,
    CreateModel,
    RemoveConstraint,
)

KINDS = ["USAGE", "CHARGES", "TRUE_UP", "ADJUSTMENT", "NOTE"]
CHOICES = [
    ("USAGE", "usage of a billing period"),
    ("CHARGES", "scheduled charges of a date"),
    ("TRUE_UP", "true-up of a postpaid commit"),
    ("ADJUSTMENT", "late usage of a contract that is over"),
    ("NOTE", "credit or debit note"),
]


def kind_is_known(model):
    return models.CheckConstraint(
        condition=models.Q(("kind__in", KINDS)),
        name=f"{model}_kind_is_known",
        violation_error_message=f"kind must be one of {', '.join(KINDS)}.",
    )


def of(model, related_name):
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name=related_name, to=model)


class Migration(migrations.Migration):
    dependencies = [("contracts", "0017_numbers_over_all_customers"), ("invoicing", "0010_numbers_over_all_customers")]
    operations = [
        RemoveConstraint(model_name="invoice", name="invoice_kind_is_known"),
        RemoveConstraint(model_name="invoice", name="a_usage_invoice_has_a_period"),
        RemoveConstraint(model_name="draftsummary", name="draftsummary_kind_is_known"),
        AlterField(model_name="invoice", name="kind", field=models.CharField(choices=CHOICES, max_length=16)),
        AlterField(model_name="draftsummary", name="kind", field=models.CharField(choices=CHOICES, max_length=16)),
        AddConstraintNotValid(model_name="invoice", constraint=kind_is_known("invoice")),
        AddConstraintNotValid(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ending_before__gt", models.F("starting_at")),
                        ("ending_before__isnull", False),
                        ("kind__in", ["USAGE", "ADJUSTMENT"]),
                        ("starting_at__isnull", False),
                        ("type", "USAGE"),
                    ),
                    models.Q(
                        ("ending_before", None),
                        ("kind__in", ["CHARGES", "TRUE_UP", "NOTE"]),
                        ("starting_at", None),
                        ("type", "SCHEDULED"),
                    ),
                    _connector="OR",
                ),
                name="a_usage_invoice_has_a_period",
            ),
        ),
        AddConstraintNotValid(model_name="draftsummary", constraint=kind_is_known("draftsummary")),
        CreateModel(
            name="Note",
            fields=[
                (
                    "invoice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="note",
                        serialize=False,
                        to="invoicing.invoice",
                    ),
                ),
                ("is_rated", models.BooleanField()),
                ("standing", models.JSONField(default=list)),
                ("difference", models.CharField(blank=True, default="", max_length=64)),
                ("reason", models.TextField()),
                ("entered_by", models.CharField(blank=True, default="", max_length=160)),
                ("about", of("invoicing.invoice", "notes")),
                ("customer", of("contracts.customer", "+")),
            ],
        ),
        CreateModel(
            name="NoteDismissal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("difference", models.CharField(max_length=64)),
                ("edit_number", models.BigIntegerField()),
                ("publication", models.BigIntegerField()),
                ("reason", models.TextField()),
                ("dismissed_at", models.DateTimeField()),
                ("dismissed_by", models.CharField(max_length=160)),
                ("money_version", models.BigIntegerField()),
                ("about", of("invoicing.invoice", "dismissals")),
                ("customer", of("contracts.customer", "+")),
            ],
        ),
        AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="a_note_says_why"
            ),
        ),
        AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entered_by", ""), ("is_rated", True)),
                    models.Q(("is_rated", False), ("standing", []), models.Q(("entered_by", ""), _negated=True)),
                    _connector="OR",
                ),
                name="a_note_by_hand_says_who_asked_and_rates_nothing",
            ),
        ),
        AddConstraint(
            model_name="notedismissal",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="a_dismissal_says_why"
            ),
        ),
        AddConstraint(
            model_name="notedismissal",
            constraint=models.UniqueConstraint(fields=("about", "difference"), name="a_difference_is_dismissed_once"),
        ),
        *append_only("invoicing_note", "invoicing_notedismissal"),
    ]
