from django.db import migrations, models

import billing_site.foundation.columns
from billing_site.foundation.operations import CreateModel

# Signals cost an ingest transaction as little as possible: what a crash loses is found by looking.
UNLOGGED = "ALTER TABLE foundation_touched SET UNLOGGED"
LOGGED = "ALTER TABLE foundation_touched SET LOGGED"


class Migration(migrations.Migration):
    dependencies = [("foundation", "0004_keys_of_callers")]
    operations = [
        CreateModel(
            name="Touched",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "kind",
                        "key",
                        "transaction",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("SUBJECT", "usage of a subject"),
                            ("CUSTOMER", "terms or money of a customer"),
                            ("PUBLICATION", "prices and products"),
                        ],
                        max_length=16,
                    ),
                ),
                ("key", models.TextField(db_collation="C")),
                ("transaction", billing_site.foundation.columns.XidField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["SUBJECT", "CUSTOMER", "PUBLICATION"])),
                        name="touched_kind_is_known",
                        violation_error_message="kind must be one of SUBJECT, CUSTOMER, PUBLICATION.",
                    )
                ],
            },
        ),
        migrations.RunSQL(UNLOGGED, LOGGED),
    ]
