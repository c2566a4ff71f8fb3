"""By which order a scheduled charge is sold may change: a version stands in, as with commits."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.operations import CreateModel

NEVER_OVERWRITTEN = """
CREATE TRIGGER contracts_chargeversion_never_overwritten BEFORE UPDATE OR DELETE ON contracts_chargeversion
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_term();
CREATE TRIGGER contracts_chargeversion_no_truncate BEFORE TRUNCATE ON contracts_chargeversion
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_a_term()
"""
OVERWRITTEN = """
DROP TRIGGER contracts_chargeversion_no_truncate ON contracts_chargeversion;
DROP TRIGGER contracts_chargeversion_never_overwritten ON contracts_chargeversion
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0038_payment_gates"),
    ]

    operations = [
        CreateModel(
            name="ChargeVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("netsuite_sales_order_id", models.CharField(blank=True, default="", max_length=160)),
                (
                    "added_by_edit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="added_%(class)ss",
                        to="contracts.contractedit",
                    ),
                ),
                (
                    "charge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="contracts.scheduledcharge",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
                    ),
                ),
                (
                    "removed_by_edit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="removed_%(class)ss",
                        to="contracts.contractedit",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("removed_by_edit", None)),
                        fields=("charge",),
                        name="a_charge_has_one_version_at_a_time",
                    )
                ],
            },
        ),
        migrations.RunSQL(NEVER_OVERWRITTEN, OVERWRITTEN),
    ]
