"""Named schedules of rate cards; facts, and only inserted."""

import django.db.models.deletion
import django.db.models.lookups
from django.db import migrations, models

import billing_site.foundation.columns
import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0005_conversions_and_orders"),
        ("foundation", "0002_append_only_facts"),
    ]

    operations = [
        CreateModel(
            name="NamedScheduleSegment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("schedule_name", models.CharField(max_length=160)),
                ("starting_at", models.DateTimeField()),
                ("ending_before", models.DateTimeField(null=True)),
                ("value", models.TextField(help_text="JSON, with every digit as it was sent.")),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="named_schedule_segments",
                        to="pricing.publication",
                    ),
                ),
                (
                    "rate_card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="named_schedule_segments",
                        to="pricing.ratecard",
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
                        name="namedschedulesegment_starting_at_is_on_the_hour",
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
                        name="namedschedulesegment_ending_before_is_on_the_hour",
                        violation_error_message="ending_before must be on the hour (UTC).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ending_before__isnull", True),
                            ("starting_at__isnull", True),
                            ("ending_before__gt", models.F("starting_at")),
                            _connector="OR",
                        ),
                        name="namedschedulesegment_ends_after_it_starts",
                        violation_error_message="ending_before must be later than starting_at.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(billing_site.foundation.columns._IsJson(models.F("value"))),
                        name="namedschedulesegment_value_is_json",
                    ),
                    models.UniqueConstraint(
                        fields=("rate_card", "schedule_name", "publication"),
                        name="a_publication_writes_a_named_schedule_once",
                    ),
                ],
            },
        ),
        *append_only("pricing_namedschedulesegment"),
    ]
