"""Notes that people ask for by hand, and what others decided about them."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import AddConstraint, CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0017_numbers_over_all_customers"),
        ("invoicing", "0012_holds"),
    ]
    operations = [
        CreateModel(
            name="EnteredNote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(choices=[("CREDIT", "credit note"), ("DEBIT", "debit note")], max_length=8)),
                ("lines", models.JSONField()),
                ("reason", models.TextField()),
                ("entered_at", models.DateTimeField()),
                ("entered_by", models.CharField(max_length=160)),
                ("actor_id", models.CharField(blank=True, default="", max_length=64)),
                ("money_version", models.BigIntegerField()),
                (
                    "about",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entered_notes",
                        to="invoicing.invoice",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
                    ),
                ),
            ],
            options={
                "verbose_name": "note entered by hand",
                "verbose_name_plural": "notes entered by hand",
            },
        ),
        CreateModel(
            name="EnteredNoteDecision",
            fields=[
                (
                    "entered",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="decision",
                        serialize=False,
                        to="invoicing.enterednote",
                    ),
                ),
                ("entered_by", models.CharField(max_length=160)),
                ("decided_by", models.CharField(max_length=160)),
                ("decided_at", models.DateTimeField()),
                ("reason", models.TextField()),
                ("money_version", models.BigIntegerField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="invoicing.note",
                    ),
                ),
            ],
            options={
                "verbose_name": "decision on a note entered by hand",
                "verbose_name_plural": "decisions on notes entered by hand",
            },
        ),
        AddConstraint(
            model_name="enterednote",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["CREDIT", "DEBIT"])),
                name="enterednote_kind_is_known",
                violation_error_message="kind must be one of CREDIT, DEBIT.",
            ),
        ),
        AddConstraint(
            model_name="enterednote",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="an_entered_note_says_why"
            ),
        ),
        AddConstraint(
            model_name="enterednote",
            constraint=models.CheckConstraint(
                condition=models.Q(("entered_by", ""), _negated=True), name="an_entered_note_says_who"
            ),
        ),
        AddConstraint(
            model_name="enterednotedecision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("note__isnull", False)), fields=("note",), name="a_note_is_approved_once"
            ),
        ),
        AddConstraint(
            model_name="enterednotedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="a_decision_on_a_note_says_why"
            ),
        ),
        AddConstraint(
            model_name="enterednotedecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("note", None), models.Q(("entered_by", models.F("decided_by")), _negated=True), _connector="OR"
                ),
                name="who_enters_a_note_does_not_approve_it",
            ),
        ),
        *append_only("invoicing_enterednote", "invoicing_enterednotedecision"),
    ]
