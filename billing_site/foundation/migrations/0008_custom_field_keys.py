"""Keys of custom fields, and whose the values of unique ones are."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import CreateModel

# Runs as whoever writes the row. A value that another entity has is told as a failure to serialize: who checks first is
# refused by the check, and who comes here was overtaken by a twin, and is refused in words when tried again.
CLAIM_VALUES = """
CREATE FUNCTION claim_custom_field_values() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_entity text := TG_ARGV[0];
BEGIN
    IF of_entity = 'commit' AND to_jsonb(NEW) ->> 'type' = 'CREDIT' THEN
        of_entity := 'contract_credit';
    END IF;
    INSERT INTO foundation_customfieldentity (name, version) VALUES (of_entity, 0) ON CONFLICT DO NOTHING;
    PERFORM FROM foundation_customfieldentity WHERE name = of_entity FOR SHARE;
    DELETE FROM foundation_customfieldclaim AS held
    WHERE held.entity = of_entity AND held.entity_id = NEW.id
        AND NEW.custom_fields ->> held.key IS DISTINCT FROM held.value;
    INSERT INTO foundation_customfieldclaim (entity, key, value, entity_id)
    SELECT of_entity, declared.key, NEW.custom_fields ->> declared.key, NEW.id
    FROM foundation_customfieldkey AS declared
    WHERE declared.entity = of_entity AND declared.enforce_uniqueness AND declared.removed_at IS NULL
        AND jsonb_exists(NEW.custom_fields, declared.key)
        AND NOT EXISTS (
            SELECT FROM foundation_customfieldclaim AS held
            WHERE held.entity = of_entity AND held.key = declared.key AND held.entity_id = NEW.id
        );
    RETURN NULL;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'the value of a unique custom field is that of one % alone', of_entity
        USING ERRCODE = 'serialization_failure';
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0007_lost_processes_of_jobs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="CustomFieldEntity",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(default=0)),
            ],
        ),
        CreateModel(
            name="CustomFieldClaim",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "entity", "key", "value", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("entity", models.CharField(max_length=32)),
                ("key", models.CharField(max_length=256)),
                ("value", models.TextField()),
                ("entity_id", models.UUIDField()),
            ],
            options={
                "indexes": [models.Index(fields=["entity_id"], name="claims_by_entity")],
            },
        ),
        CreateModel(
            name="CustomFieldKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "entity",
                    models.CharField(
                        choices=[
                            ("billable_metric", "billable metrics"),
                            ("commit", "commits"),
                            ("contract", "contracts"),
                            ("contract_credit", "credits"),
                            ("contract_product", "products"),
                            ("customer", "customers"),
                            ("rate_card", "rate cards"),
                            ("scheduled_charge", "scheduled charges"),
                            ("subscription", "subscriptions"),
                        ],
                        max_length=32,
                        verbose_name="of",
                    ),
                ),
                ("key", models.CharField(max_length=256)),
                ("enforce_uniqueness", models.BooleanField(default=False, verbose_name="values are unique")),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=160)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "custom field key",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "entity__in",
                                [
                                    "billable_metric",
                                    "commit",
                                    "contract",
                                    "contract_credit",
                                    "contract_product",
                                    "customer",
                                    "rate_card",
                                    "scheduled_charge",
                                    "subscription",
                                ],
                            )
                        ),
                        name="customfieldkey_entity_is_known",
                        violation_error_message="entity must be one of billable_metric, commit, contract, contract_credit, contract_product, customer, rate_card, scheduled_charge, subscription.",  # noqa: E501
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("removed_at__isnull", True)),
                        fields=("entity", "key"),
                        name="a_key_of_an_entity_stands_once",
                    ),
                ],
            },
        ),
        CreateModel(
            name="HistoricalCustomFieldKey",
            fields=[
                ("actor_kind", models.CharField(default="", max_length=16)),
                ("actor_label", models.CharField(default="", max_length=160)),
                ("actor_id", models.CharField(default="", max_length=64)),
                ("source", models.CharField(default="", max_length=16)),
                ("request_id", models.CharField(default="", max_length=64)),
                ("id", models.UUIDField(db_index=True, default=billing_site.foundation.ids.uuid7, editable=False)),
                (
                    "entity",
                    models.CharField(
                        choices=[
                            ("billable_metric", "billable metrics"),
                            ("commit", "commits"),
                            ("contract", "contracts"),
                            ("contract_credit", "credits"),
                            ("contract_product", "products"),
                            ("customer", "customers"),
                            ("rate_card", "rate cards"),
                            ("scheduled_charge", "scheduled charges"),
                            ("subscription", "subscriptions"),
                        ],
                        max_length=32,
                        verbose_name="of",
                    ),
                ),
                ("key", models.CharField(max_length=256)),
                ("enforce_uniqueness", models.BooleanField(default=False, verbose_name="values are unique")),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=160)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("history_date", models.DateTimeField()),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical custom field key",
                "verbose_name_plural": "historical custom field keys",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [models.Index(fields=["history_date", "id"], name="foundation__history_a762df_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        *append_only("foundation_historicalcustomfieldkey"),
        migrations.RunSQL(CLAIM_VALUES, "DROP FUNCTION claim_custom_field_values()"),
    ]
