"""Named schedules of customers and contracts: facts, with an edit for each."""

import django.db.models.deletion
import django.db.models.lookups
from django.db import migrations, models

import billing_site.foundation.columns
import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import AddConstraintNotValid, AlterField, CreateModel, RemoveConstraint


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0006_what_an_override_needs"),
        ("foundation", "0002_append_only_facts"),
    ]

    operations = [
        AlterField(
            model_name="contractedit",
            name="kind",
            field=models.CharField(
                choices=[
                    ("CLAIMS", "subjects claimed or released"),
                    ("CREATION", "contract created"),
                    ("EDIT", "contract edited"),
                    ("NAMED_SCHEDULE", "named schedule written"),
                ],
                max_length=16,
            ),
        ),
        RemoveConstraint(model_name="contractedit", name="contractedit_kind_is_known"),
        RemoveConstraint(model_name="contractedit", name="only_an_edit_of_claims_has_no_contract"),
        # Edits may be many: these hold for new ones at once, and the next migration validates them.
        AddConstraintNotValid(
            model_name="contractedit",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["CLAIMS", "CREATION", "EDIT", "NAMED_SCHEDULE"])),
                name="contractedit_kind_is_known",
                violation_error_message="kind must be one of CLAIMS, CREATION, EDIT, NAMED_SCHEDULE.",
            ),
        ),
        AddConstraintNotValid(
            model_name="contractedit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("contract__isnull", True), ("kind", "CLAIMS")),
                    models.Q(("contract__isnull", False), ("kind__in", ["CREATION", "EDIT"])),
                    ("kind", "NAMED_SCHEDULE"),
                    _connector="OR",
                ),
                name="what_is_agreed_is_edited_in_a_contract",
            ),
        ),
        CreateModel(
            name="CustomerScheduleSegment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("schedule_name", models.CharField(max_length=160)),
                ("properties", models.JSONField(default=dict)),
                ("starting_at", models.DateTimeField()),
                ("ending_before", models.DateTimeField(null=True)),
                ("value", models.TextField(help_text="JSON, with every digit as it was sent.")),
                (
                    "contract",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="named_schedule_segments",
                        to="contracts.contract",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="named_schedule_segments",
                        to="contracts.customer",
                    ),
                ),
                (
                    "edit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="named_schedule_segments",
                        to="contracts.contractedit",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starting_at__isnull", True),
                            django.db.models.lookups.Exact(
                                billing_site.foundation.columns._EpochHour(models.F("starting_at")), models.Value(0)
                            ),
                            _connector="OR",
                        ),
                        name="customerschedulesegment_starting_at_is_on_the_hour",
                        violation_error_message="starting_at must be on the hour (UTC).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ending_before__isnull", True),
                            django.db.models.lookups.Exact(
                                billing_site.foundation.columns._EpochHour(models.F("ending_before")), models.Value(0)
                            ),
                            _connector="OR",
                        ),
                        name="customerschedulesegment_ending_before_is_on_the_hour",
                        violation_error_message="ending_before must be on the hour (UTC).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ending_before__isnull", True),
                            ("starting_at__isnull", True),
                            ("ending_before__gt", models.F("starting_at")),
                            _connector="OR",
                        ),
                        name="customerschedulesegment_ends_after_it_starts",
                        violation_error_message="ending_before must be later than starting_at.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(billing_site.foundation.columns._IsJson(models.F("value"))),
                        name="customerschedulesegment_value_is_json",
                    ),
                    models.UniqueConstraint(fields=("customer", "edit"), name="an_edit_writes_a_named_schedule_once"),
                    models.CheckConstraint(
                        condition=models.Q(("contract__isnull", False), ("properties", {}), _connector="OR"),
                        name="only_schedules_of_contracts_have_properties",
                    ),
                ]
            },
        ),
        *append_only("contracts_customerschedulesegment"),
    ]
