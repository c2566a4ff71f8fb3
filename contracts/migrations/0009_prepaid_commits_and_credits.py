"""What a prepaid commit grants and what is paid for it may be in different units; nobody pays for a credit."""

import django.db.models.deletion
from django.db import migrations, models

from billing_site.foundation.operations import AddConstraint, AddField, AlterField, RemoveConstraint

CREDITS_ARE_FREE = """
CREATE FUNCTION refuse_payments_for_a_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM contracts_commit WHERE id = NEW.commit_id AND type = 'CREDIT') THEN
        RAISE EXCEPTION 'a credit is never invoiced' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER contracts_invoicescheduleitem_not_of_a_credit AFTER INSERT ON contracts_invoicescheduleitem
FOR EACH ROW EXECUTE FUNCTION refuse_payments_for_a_credit()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0008_edits_were_looked_through"),
        ("pricing", "0008_rates_suit_their_products"),
    ]

    operations = [
        AddField(
            model_name="commit",
            name="access_type",
            field=models.CharField(default="SPEND", max_length=16),
        ),
        AddField(
            model_name="commit",
            name="is_invoiced",
            field=models.BooleanField(default=True),
        ),
        AddField(
            model_name="commit",
            name="invoice_unit",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="pricing.pricingunit",
            ),
        ),
        RemoveConstraint(model_name="commit", name="commit_type_is_known"),
        AlterField(
            model_name="commit",
            name="type",
            field=models.CharField(
                choices=[("PREPAID", "Prepaid"), ("POSTPAID", "Postpaid"), ("CREDIT", "Credit")], max_length=16
            ),
        ),
        AddConstraint(
            model_name="commit",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", ["PREPAID", "POSTPAID", "CREDIT"])),
                name="commit_type_is_known",
                violation_error_message="type must be one of PREPAID, POSTPAID, CREDIT.",
            ),
        ),
        AddConstraint(
            model_name="commit",
            constraint=models.CheckConstraint(
                condition=models.Q(("access_type__in", ["SPEND", "QUANTITY"])),
                name="commit_access_type_is_known",
                violation_error_message="access_type must be one of SPEND, QUANTITY.",
            ),
        ),
        AddConstraint(
            model_name="commit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("type", "POSTPAID"), _negated=True),
                    models.Q(("access_type", "SPEND"), ("invoice_unit", None), ("is_invoiced", True)),
                    _connector="OR",
                ),
                name="what_is_postpaid_is_counted_and_billed_in_one_money",
            ),
        ),
        migrations.RunSQL(
            CREDITS_ARE_FREE,
            "DROP TRIGGER contracts_invoicescheduleitem_not_of_a_credit ON contracts_invoicescheduleitem; "
            "DROP FUNCTION refuse_payments_for_a_credit()",
        ),
    ]
