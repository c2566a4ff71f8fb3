"""Numbers that are counted over all customers of the legal entity: each is a fact, given by one function."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import CreateModel

# The unique index sees what others have inserted, committed or not, whatever the transaction's snapshot: it waits for
# those who are not done yet. See services/numbering.py.
GIVE = """
CREATE FUNCTION give_entity_number(new_id uuid, of_prefix text, of_series text, to_customer uuid) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    next_number bigint;
    violated text;
BEGIN
    SELECT coalesce(max(number), 0) + 1 INTO next_number
    FROM invoicing_entitynumber WHERE prefix = of_prefix AND series = of_series;
    LOOP
        BEGIN
            INSERT INTO invoicing_entitynumber (id, prefix, series, number, customer_id)
            VALUES (new_id, of_prefix, of_series, next_number, to_customer);
            RETURN next_number;
        EXCEPTION WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
            IF violated <> 'an_entity_gives_a_number_once' THEN
                RAISE;
            END IF;
            next_number := next_number + 1;
        END;
    END LOOP;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0017_numbers_over_all_customers"),
        ("foundation", "0002_append_only_facts"),
        ("invoicing", "0009_void_documents"),
    ]

    operations = [
        CreateModel(
            name="EntityNumber",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("prefix", models.CharField(max_length=12)),
                ("series", models.CharField(max_length=16)),
                ("number", models.BigIntegerField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
                    ),
                ),
            ],
            options={
                "verbose_name": "number of the legal entity",
                "verbose_name_plural": "numbers of the legal entity",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("prefix", "series", "number"), name="an_entity_gives_a_number_once"
                    ),
                    models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="an_entity_counts_from_one"),
                ],
            },
        ),
        *append_only("invoicing_entitynumber"),
        migrations.RunSQL(GIVE, "DROP FUNCTION give_entity_number(uuid, text, text, uuid)"),
    ]
