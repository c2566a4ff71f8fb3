"""Commits change by versions, their invoice items by rows that stand in for others; the ledger tells what is taken."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.columns import is_a_number
from billing_site.foundation.operations import AddConstraint, AddField, CreateModel

GUARD_VERSIONS = """
CREATE TRIGGER contracts_commitversion_never_overwritten BEFORE UPDATE OR DELETE ON contracts_commitversion
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_term();
CREATE TRIGGER contracts_commitversion_no_truncate BEFORE TRUNCATE ON contracts_commitversion
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_a_term()
"""
UNGUARD_VERSIONS = """
DROP TRIGGER contracts_commitversion_no_truncate ON contracts_commitversion;
DROP TRIGGER contracts_commitversion_never_overwritten ON contracts_commitversion
"""

EACH_KIND_HAS_ITS_OWN = """
CREATE FUNCTION refuse_what_a_commit_of_its_kind_lacks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.invoice_contract_id IS NOT NULL OR NEW.applicable_contract_ids <> '[]'::jsonb)
       AND EXISTS (SELECT FROM contracts_commit WHERE id = NEW.commit_id AND contract_id IS NOT NULL) THEN
        RAISE EXCEPTION 'only a commit of the customer names contracts'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.rollover_fraction IS NOT NULL
       AND EXISTS (SELECT FROM contracts_commit WHERE id = NEW.commit_id AND contract_id IS NULL) THEN
        RAISE EXCEPTION 'only a commit of a contract rolls over'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER contracts_commitversion_suits_its_commit AFTER INSERT ON contracts_commitversion
FOR EACH ROW EXECUTE FUNCTION refuse_what_a_commit_of_its_kind_lacks()
"""

NO_LESS_THAN_WAS_TAKEN = """
CREATE FUNCTION refuse_less_than_was_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM contracts_segmentuse WHERE segment_id = NEW.first_row_id AND NEW.amount + posted < 0
    ) THEN
        RAISE EXCEPTION 'more has been taken from the segment than it would hold'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER contracts_accesssegment_holds_what_was_taken AFTER INSERT ON contracts_accesssegment
FOR EACH ROW WHEN (NEW.first_row_id IS NOT NULL) EXECUTE FUNCTION refuse_less_than_was_taken()
"""


def link(to, **options):
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=to, **{"related_name": "+", **options})


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0013_tax_rates"),
        ("pricing", "0012_formulas"),
    ]

    operations = [
        CreateModel(
            name="CommitVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("name", models.CharField(blank=True, default="", max_length=160)),
                ("description", models.TextField(blank=True, default="")),
                ("priority", models.DecimalField(decimal_places=12, default=100, max_digits=28)),
                ("rate_type", models.CharField(default="LIST_RATE", max_length=16)),
                ("rollover_fraction", models.DecimalField(decimal_places=12, max_digits=28, null=True)),
                ("applicable_product_ids", models.JSONField(default=list)),
                ("applicable_product_tags", models.JSONField(default=list)),
                ("specifiers", models.JSONField(default=list)),
                ("applicable_contract_ids", models.JSONField(default=list)),
                ("added_by_edit", link("contracts.contractedit", related_name="added_%(class)ss")),
                ("removed_by_edit", link("contracts.contractedit", null=True, related_name="removed_%(class)ss")),
                ("commit", link("contracts.commit", related_name="versions")),
                ("customer", link("contracts.customer")),
                ("invoice_contract", link("contracts.contract", null=True)),
                ("product", link("pricing.product")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("rate_type__in", ["LIST_RATE", "COMMIT_RATE"])),
                        name="commitversion_rate_type_is_known",
                        violation_error_message="rate_type must be one of LIST_RATE, COMMIT_RATE.",
                    ),
                    *(
                        models.CheckConstraint(
                            condition=is_a_number(name).condition,
                            name=f"commitversion_{name}_is_a_number",
                            violation_error_message=f"{name} must be a number.",
                        )
                        for name in ("priority", "rollover_fraction")
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rollover_fraction", None),
                            models.Q(("rollover_fraction__gte", 0), ("rollover_fraction__lte", 1)),
                            _connector="OR",
                        ),
                        name="no_more_than_all_of_a_commitversion_rolls_over",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("removed_by_edit", None)),
                        fields=("commit",),
                        name="a_commit_has_one_version_at_a_time",
                    ),
                ],
            },
        ),
        CreateModel(
            name="SegmentUse",
            fields=[
                ("segment_id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("posted", models.DecimalField(decimal_places=12, max_digits=38)),
                ("drawn", models.DecimalField(decimal_places=12, max_digits=38)),
                ("rolled_over", models.DecimalField(decimal_places=12, max_digits=38)),
                ("customer", link("contracts.customer")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=is_a_number(name).condition,
                        name=f"segmentuse_{name}_is_a_number",
                        violation_error_message=f"{name} must be a number.",
                    )
                    for name in ("posted", "drawn", "rolled_over")
                ],
            },
        ),
        AddField(
            model_name="invoicescheduleitem",
            name="first_row",
            field=link("contracts.invoicescheduleitem", null=True),
        ),
        AddConstraint(
            model_name="invoicescheduleitem",
            constraint=models.UniqueConstraint(
                condition=models.Q(("first_row__isnull", False), ("removed_by_edit", None)),
                fields=("first_row",),
                name="an_invoice_item_stands_once",
            ),
        ),
        migrations.RunSQL(GUARD_VERSIONS, UNGUARD_VERSIONS),
        migrations.RunSQL(
            EACH_KIND_HAS_ITS_OWN,
            "DROP TRIGGER contracts_commitversion_suits_its_commit ON contracts_commitversion; "
            "DROP FUNCTION refuse_what_a_commit_of_its_kind_lacks()",
        ),
        migrations.RunSQL(
            NO_LESS_THAN_WAS_TAKEN,
            "DROP TRIGGER contracts_accesssegment_holds_what_was_taken ON contracts_accesssegment; "
            "DROP FUNCTION refuse_less_than_was_taken()",
        ),
    ]
