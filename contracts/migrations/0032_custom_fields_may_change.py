"""Custom fields of commits, charges and subscriptions change as a fact says; values of unique keys are one's alone."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.custom_fields import guard
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import CreateModel

TERMS = ("contracts_commit", "contracts_scheduledcharge", "contracts_subscription")

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change_of_a_term_but_its_custom_fields() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed RECORD;
    told RECORD;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        changed := NEW;
        changed.removed_by_edit_id := OLD.removed_by_edit_id;
        IF changed IS NOT DISTINCT FROM OLD
           AND OLD.removed_by_edit_id IS NULL AND NEW.removed_by_edit_id IS NOT NULL THEN
            RETURN NEW;
        END IF;
        changed := NEW;
        changed.custom_fields := OLD.custom_fields;
        IF changed IS NOT DISTINCT FROM OLD AND NEW.custom_fields <> OLD.custom_fields THEN
            SELECT before, after INTO told FROM contracts_customfieldschange
            WHERE term_id = NEW.id ORDER BY number DESC LIMIT 1;
            IF told.before = OLD.custom_fields AND told.after = NEW.custom_fields THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'custom fields of % change only as a change of custom fields says', TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RAISE EXCEPTION '% is never overwritten: an edit removes a term once and adds another', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def guarded_by(function: str, table: str) -> str:
    return (
        f"CREATE OR REPLACE TRIGGER {table}_never_overwritten BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}()"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0008_custom_field_keys"),
        ("contracts", "0031_balances_of_seats"),
    ]

    operations = [
        CreateModel(
            name="CustomFieldsChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("entity", models.CharField(max_length=32)),
                ("term_id", models.UUIDField()),
                ("number", models.PositiveIntegerField()),
                ("before", models.JSONField()),
                ("after", models.JSONField()),
                ("changed_at", models.DateTimeField()),
                ("changed_by", models.CharField(max_length=160)),
                ("reason", models.TextField(blank=True, default="")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "changes of custom fields",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("entity__in", ["commit", "contract_credit", "scheduled_charge", "subscription"])
                        ),
                        name="customfieldschange_entity_is_known",
                        violation_error_message="entity must be one of commit, contract_credit, scheduled_charge, subscription.",  # noqa: E501
                    ),
                    models.UniqueConstraint(fields=("term_id", "number"), name="changes_of_custom_fields_are_counted"),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)), name="changes_of_custom_fields_count_from_one"
                    ),
                ],
            },
        ),
        *append_only("contracts_customfieldschange"),
        migrations.RunSQL(REFUSE_CHANGE, "DROP FUNCTION refuse_change_of_a_term_but_its_custom_fields()"),
        *(
            migrations.RunSQL(
                guarded_by("refuse_change_of_a_term_but_its_custom_fields", table),
                guarded_by("refuse_change_of_a_term", table),
            )
            for table in TERMS
        ),
        guard("contracts_customer", "customer"),
        guard("contracts_contract", "contract"),
        guard("contracts_commit", "commit"),
        guard("contracts_scheduledcharge", "scheduled_charge"),
        guard("contracts_subscription", "subscription"),
    ]
