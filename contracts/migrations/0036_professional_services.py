"""Professional services, their invoices, and the limit that what is invoiced of one never exceeds."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.columns
import billing_site.foundation.ids
from billing_site.foundation.custom_fields import guard
from billing_site.foundation.operations import AddConstraint, AddField, AlterField, CreateModel, RemoveConstraint

TABLES = ("contracts_professionalservice", "contracts_serviceinvoice", "contracts_serviceinvoiceline")
NEVER_OVERWRITTEN = """
CREATE TRIGGER {0}_never_overwritten BEFORE UPDATE OR DELETE ON {0}
FOR EACH ROW EXECUTE FUNCTION {1}();
CREATE TRIGGER {0}_no_truncate BEFORE TRUNCATE ON {0}
FOR EACH STATEMENT EXECUTE FUNCTION {1}()
"""
OVERWRITTEN = """
DROP TRIGGER {0}_no_truncate ON {0};
DROP TRIGGER {0}_never_overwritten ON {0}
"""
TERM, CUSTOM = "refuse_change_of_a_term", "refuse_change_of_a_term_but_its_custom_fields"
GUARDS = dict.fromkeys(TABLES, TERM) | {TABLES[0]: CUSTOM}

# The service's row is taken, so that of two who invoice it at once the second one counts what the first one has added.
LIMIT = """
CREATE FUNCTION refuse_work_beyond_its_limit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    service RECORD;
BEGIN
    SELECT max_amount, contract_id INTO service FROM contracts_professionalservice
    WHERE id = NEW.service_id FOR NO KEY UPDATE;
    IF service.contract_id <> (SELECT contract_id FROM contracts_serviceinvoice WHERE id = NEW.invoice_id) THEN
        RAISE EXCEPTION 'a professional service is invoiced by its own contract'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (SELECT sum(amount) FROM contracts_serviceinvoiceline
        WHERE service_id = NEW.service_id AND removed_by_edit_id IS NULL) > service.max_amount THEN
        RAISE EXCEPTION 'no more of professional service % is invoiced than its max_amount', NEW.service_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""
COUNTED = (
    "CREATE TRIGGER contracts_serviceinvoiceline_within_limit AFTER INSERT ON contracts_serviceinvoiceline "
    "FOR EACH ROW EXECUTE FUNCTION refuse_work_beyond_its_limit()"
)


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0010_custom_fields_of_services"),
        ("contracts", "0035_discounts"),
        ("pricing", "0013_unique_custom_fields"),
    ]

    operations = [
        CreateModel(
            name="ProfessionalService",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("quantity", models.DecimalField(decimal_places=12, max_digits=38)),
                ("unit_price", models.DecimalField(decimal_places=12, max_digits=38)),
                ("max_amount", models.DecimalField(decimal_places=12, max_digits=38)),
                ("description", models.TextField(blank=True, default="")),
                ("custom_fields", models.JSONField(default=dict)),
                ("netsuite_sales_order_id", models.CharField(blank=True, default="", max_length=160)),
            ],
        ),
        CreateModel(
            name="ServiceInvoice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("issued_at", models.DateTimeField()),
                ("netsuite_header_start", models.DateTimeField(null=True)),
                ("netsuite_header_end", models.DateTimeField(null=True)),
            ],
        ),
        CreateModel(
            name="ServiceInvoiceLine",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("amount", models.DecimalField(decimal_places=12, max_digits=38)),
                ("unit_price", models.DecimalField(decimal_places=12, max_digits=38)),
                ("quantity", models.DecimalField(decimal_places=12, max_digits=38)),
                ("metadata", models.TextField(blank=True, default="")),
                ("netsuite_billing_start", models.DateTimeField(null=True)),
                ("netsuite_billing_end", models.DateTimeField(null=True)),
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
        RemoveConstraint(
            model_name="customfieldschange",
            name="customfieldschange_entity_is_known",
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
                ],
                max_length=16,
            ),
        ),
        AddConstraint(
            model_name="contractedit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["CLAIMS", "CREATION", "EDIT", "ARCHIVE", "NAMED_SCHEDULE", "BALANCE", "SERVICES"])
                ),
                name="contractedit_kind_is_known",
                violation_error_message="kind must be one of CLAIMS, CREATION, EDIT, ARCHIVE, NAMED_SCHEDULE, BALANCE, SERVICES.",  # noqa: E501
            ),
        ),
        AddConstraint(
            model_name="contractedit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("contract__isnull", True), ("kind__in", ["CLAIMS", "BALANCE"])),
                    models.Q(("contract__isnull", False), ("kind__in", ["CREATION", "EDIT", "ARCHIVE", "SERVICES"])),
                    ("kind", "NAMED_SCHEDULE"),
                    _connector="OR",
                ),
                name="what_is_agreed_is_edited_in_a_contract",
            ),
        ),
        AddConstraint(
            model_name="customfieldschange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "entity__in",
                        [
                            "commit",
                            "contract_credit",
                            "discount",
                            "professional_service",
                            "scheduled_charge",
                            "subscription",
                        ],
                    )
                ),
                name="customfieldschange_entity_is_known",
                violation_error_message="entity must be one of commit, contract_credit, discount, professional_service, scheduled_charge, subscription.",  # noqa: E501
            ),
        ),
        AddField(
            model_name="professionalservice",
            name="added_by_edit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="added_%(class)ss",
                to="contracts.contractedit",
            ),
        ),
        AddField(
            model_name="professionalservice",
            name="contract",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="professional_services",
                to="contracts.contract",
            ),
        ),
        AddField(
            model_name="professionalservice",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
            ),
        ),
        AddField(
            model_name="professionalservice",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pricing.product"
            ),
        ),
        AddField(
            model_name="professionalservice",
            name="removed_by_edit",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="removed_%(class)ss",
                to="contracts.contractedit",
            ),
        ),
        AddField(
            model_name="professionalservice",
            name="unit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pricing.pricingunit"
            ),
        ),
        AddField(
            model_name="serviceinvoice",
            name="added_by_edit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="added_%(class)ss",
                to="contracts.contractedit",
            ),
        ),
        AddField(
            model_name="serviceinvoice",
            name="contract",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="service_invoices", to="contracts.contract"
            ),
        ),
        AddField(
            model_name="serviceinvoice",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
            ),
        ),
        AddField(
            model_name="serviceinvoice",
            name="removed_by_edit",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="removed_%(class)ss",
                to="contracts.contractedit",
            ),
        ),
        AddField(
            model_name="serviceinvoiceline",
            name="added_by_edit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="added_%(class)ss",
                to="contracts.contractedit",
            ),
        ),
        AddField(
            model_name="serviceinvoiceline",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
            ),
        ),
        AddField(
            model_name="serviceinvoiceline",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="contracts.serviceinvoice"
            ),
        ),
        AddField(
            model_name="serviceinvoiceline",
            name="removed_by_edit",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="removed_%(class)ss",
                to="contracts.contractedit",
            ),
        ),
        AddField(
            model_name="serviceinvoiceline",
            name="service",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="contracts.professionalservice"
            ),
        ),
        AddConstraint(
            model_name="professionalservice",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("quantity")))),
                name="professionalservice_quantity_is_a_number",
                violation_error_message="quantity must be a number.",
            ),
        ),
        AddConstraint(
            model_name="professionalservice",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("unit_price")))),
                name="professionalservice_unit_price_is_a_number",
                violation_error_message="unit_price must be a number.",
            ),
        ),
        AddConstraint(
            model_name="professionalservice",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("max_amount")))),
                name="professionalservice_max_amount_is_a_number",
                violation_error_message="max_amount must be a number.",
            ),
        ),
        AddConstraint(
            model_name="professionalservice",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_amount__gte", 0), ("quantity__gte", 0), ("unit_price__gte", 0)),
                name="work_is_agreed_at_no_less_than_zero",
            ),
        ),
        AddConstraint(
            model_name="serviceinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("netsuite_header_end__isnull", True),
                    ("netsuite_header_start__isnull", True),
                    ("netsuite_header_end__gt", models.F("netsuite_header_start")),
                    _connector="OR",
                ),
                name="serviceinvoice_ends_after_it_starts",
                violation_error_message="netsuite_header_end must be later than netsuite_header_start.",
            ),
        ),
        AddConstraint(
            model_name="serviceinvoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("amount")))),
                name="serviceinvoiceline_amount_is_a_number",
                violation_error_message="amount must be a number.",
            ),
        ),
        AddConstraint(
            model_name="serviceinvoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("unit_price")))),
                name="serviceinvoiceline_unit_price_is_a_number",
                violation_error_message="unit_price must be a number.",
            ),
        ),
        AddConstraint(
            model_name="serviceinvoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("quantity")))),
                name="serviceinvoiceline_quantity_is_a_number",
                violation_error_message="quantity must be a number.",
            ),
        ),
        AddConstraint(
            model_name="serviceinvoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("netsuite_billing_end__isnull", True),
                    ("netsuite_billing_start__isnull", True),
                    ("netsuite_billing_end__gt", models.F("netsuite_billing_start")),
                    _connector="OR",
                ),
                name="serviceinvoiceline_ends_after_it_starts",
                violation_error_message="netsuite_billing_end must be later than netsuite_billing_start.",
            ),
        ),
        AddConstraint(
            model_name="serviceinvoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="work_is_invoiced_above_zero"
            ),
        ),
        *(
            migrations.RunSQL(NEVER_OVERWRITTEN.format(table, function), OVERWRITTEN.format(table))
            for table, function in GUARDS.items()
        ),
        migrations.RunSQL(LIMIT, "DROP FUNCTION refuse_work_beyond_its_limit()"),
        migrations.RunSQL(
            COUNTED, "DROP TRIGGER contracts_serviceinvoiceline_within_limit ON contracts_serviceinvoiceline"
        ),
        guard(TABLES[0], "professional_service"),
    ]
