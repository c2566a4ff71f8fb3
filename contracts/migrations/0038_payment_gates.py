"""Payments that access to a commit waits for, and what became of them."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.operations import AddConstraint, AddField, AlterField, CreateModel, RemoveConstraint

TABLES = ("contracts_paymentgate", "contracts_paymentoutcome")
NEVER_OVERWRITTEN = """
CREATE TRIGGER {0}_never_overwritten BEFORE UPDATE OR DELETE ON {0}
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_term();
CREATE TRIGGER {0}_no_truncate BEFORE TRUNCATE ON {0}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_a_term()
"""
OVERWRITTEN = """
DROP TRIGGER {0}_no_truncate ON {0};
DROP TRIGGER {0}_never_overwritten ON {0}
"""
PREPAID = """
CREATE FUNCTION refuse_a_gate_of_what_nobody_pays_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM contracts_commit
        WHERE id = NEW.commit_id AND type = 'PREPAID' AND contract_id IS NOT NULL AND is_invoiced
    ) THEN
        RAISE EXCEPTION 'only a prepaid commit that a contract bills waits for a payment'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""
CHECKED = (
    "CREATE TRIGGER contracts_paymentgate_of_a_prepaid_commit AFTER INSERT ON contracts_paymentgate "
    "FOR EACH ROW EXECUTE FUNCTION refuse_a_gate_of_what_nobody_pays_first()"
)


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0037_found_by_search"),
    ]

    operations = [
        CreateModel(
            name="PaymentGate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                (
                    "type",
                    models.CharField(
                        choices=[("EXTERNAL", "collected elsewhere"), ("STRIPE", "collected by Stripe")], max_length=16
                    ),
                ),
                ("stripe_config", models.JSONField(null=True)),
            ],
        ),
        CreateModel(
            name="PaymentOutcome",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("outcome", models.CharField(choices=[("PAID", "paid"), ("FAILED", "failed")], max_length=16)),
            ],
        ),
        RemoveConstraint(
            model_name="contractedit",
            name="contractedit_kind_is_known",
        ),
        RemoveConstraint(
            model_name="contractedit",
            name="what_is_agreed_is_edited_in_a_contract",
        ),
        AlterField(
            model_name="contractedit",
            name="kind",
            field=models.CharField(
                choices=[
                    ("CLAIMS", "subjects claimed or released"),
                    ("CREATION", "contract created"),
                    ("EDIT", "contract edited"),
                    ("ARCHIVE", "contract archived"),
                    ("NAMED_SCHEDULE", "named schedule written"),
                    ("BALANCE", "commit or credit of the customer"),
                    ("SERVICES", "professional services invoiced"),
                    ("PAYMENT", "payment for a commit recorded"),
                ],
                max_length=16,
            ),
        ),
        AddConstraint(
            model_name="contractedit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        ["CLAIMS", "CREATION", "EDIT", "ARCHIVE", "NAMED_SCHEDULE", "BALANCE", "SERVICES", "PAYMENT"],
                    )
                ),
                name="contractedit_kind_is_known",
                violation_error_message="kind must be one of CLAIMS, CREATION, EDIT, ARCHIVE, NAMED_SCHEDULE, BALANCE, SERVICES, PAYMENT.",  # noqa: E501
            ),
        ),
        AddConstraint(
            model_name="contractedit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("contract__isnull", True), ("kind__in", ["CLAIMS", "BALANCE"])),
                    models.Q(
                        ("contract__isnull", False),
                        ("kind__in", ["CREATION", "EDIT", "ARCHIVE", "SERVICES", "PAYMENT"]),
                    ),
                    ("kind", "NAMED_SCHEDULE"),
                    _connector="OR",
                ),
                name="what_is_agreed_is_edited_in_a_contract",
            ),
        ),
        AddField(
            model_name="paymentgate",
            name="added_by_edit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="added_%(class)ss",
                to="contracts.contractedit",
            ),
        ),
        AddField(
            model_name="paymentgate",
            name="commit",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="gate", to="contracts.commit"
            ),
        ),
        AddField(
            model_name="paymentgate",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
            ),
        ),
        AddField(
            model_name="paymentgate",
            name="removed_by_edit",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="removed_%(class)ss",
                to="contracts.contractedit",
            ),
        ),
        AddField(
            model_name="paymentoutcome",
            name="added_by_edit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="added_%(class)ss",
                to="contracts.contractedit",
            ),
        ),
        AddField(
            model_name="paymentoutcome",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
            ),
        ),
        AddField(
            model_name="paymentoutcome",
            name="gate",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="outcome", to="contracts.paymentgate"
            ),
        ),
        AddField(
            model_name="paymentoutcome",
            name="removed_by_edit",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="removed_%(class)ss",
                to="contracts.contractedit",
            ),
        ),
        AddConstraint(
            model_name="paymentgate",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", ["EXTERNAL", "STRIPE"])),
                name="paymentgate_type_is_known",
                violation_error_message="type must be one of EXTERNAL, STRIPE.",
            ),
        ),
        AddConstraint(
            model_name="paymentgate",
            constraint=models.CheckConstraint(
                condition=models.Q(("type", "STRIPE"), ("stripe_config__isnull", True), _connector="OR"),
                name="only_what_stripe_collects_is_configured_for_it",
            ),
        ),
        AddConstraint(
            model_name="paymentoutcome",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["PAID", "FAILED"])),
                name="paymentoutcome_outcome_is_known",
                violation_error_message="outcome must be one of PAID, FAILED.",
            ),
        ),
        AddConstraint(
            model_name="paymentoutcome",
            constraint=models.CheckConstraint(
                condition=models.Q(("removed_by_edit", None)), name="what_became_of_a_payment_stays"
            ),
        ),
        *(migrations.RunSQL(NEVER_OVERWRITTEN.format(table), OVERWRITTEN.format(table)) for table in TABLES),
        migrations.RunSQL(PREPAID, "DROP FUNCTION refuse_a_gate_of_what_nobody_pays_first()"),
        migrations.RunSQL(CHECKED, "DROP TRIGGER contracts_paymentgate_of_a_prepaid_commit ON contracts_paymentgate"),
    ]
