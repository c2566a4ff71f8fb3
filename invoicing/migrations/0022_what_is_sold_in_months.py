"""What documents have sold, added up by the database as their lines are written: finance reads months of it, where it
would read every line. What was final before is added up by the next migration.
"""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.columns
from billing_site.foundation.operations import CreateModel

# What each line sells; of which kinds is said in words at `invoicing.queries.sold`. The one place that says it in SQL.
VIEW = """
CREATE VIEW invoicing_soldbyline AS
SELECT line.id AS line_id, line.invoice_id, line.customer_id,
       date_trunc('month', coalesce(invoice.starting_at, invoice.issued_at), 'UTC') AS month,
       coalesce((line.details #>> '{credit_type,id}')::uuid, invoice.unit_id) AS unit_id,
       (line.details ->> 'product_id')::uuid AS product_id,
       CASE line.type WHEN 'applied_commit_or_credit' THEN 0 ELSE line.total END AS amount,
       CASE line.type WHEN 'applied_commit_or_credit' THEN -line.total ELSE 0 END AS by_credits,
       CASE line.type WHEN 'applied_commit_or_credit' THEN NULL ELSE line.quantity END AS quantity
FROM invoicing_invoiceline AS line
JOIN invoicing_invoice AS invoice ON invoice.id = line.invoice_id
WHERE line.type IN ('usage', 'subscription', 'scheduled', 'cpu_conversion')
   OR line.type = 'commit_purchase' AND line.details ->> 'commit_type' = 'PostpaidCommit'
   OR line.type = 'applied_commit_or_credit' AND line.details #>> '{applied_commit_or_credit,type}' = 'CREDIT'
"""

# Lines are written before their document, which waits for its number; or after it. Whichever comes second is added up.
ADD_UP = """
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO invoicing_soldinmonth AS held (id, month, product_id, amount, by_credits,
        quantity, line_count, quantity_count, customer_id, unit_id)
    SELECT gen_random_uuid(), sold.month, sold.product_id, sum(sold.amount), sum(sold.by_credits),
           coalesce(sum(sold.quantity), 0), count(*), count(sold.quantity), sold.customer_id, sold.unit_id
    FROM written JOIN invoicing_soldbyline AS sold ON {condition}
    GROUP BY sold.customer_id, sold.month, sold.unit_id, sold.product_id
    ON CONFLICT (customer_id, month, unit_id, product_id) DO UPDATE
    SET amount = held.amount + EXCLUDED.amount, by_credits = held.by_credits + EXCLUDED.by_credits,
        quantity = held.quantity + EXCLUDED.quantity, line_count = held.line_count + EXCLUDED.line_count,
        quantity_count = held.quantity_count + EXCLUDED.quantity_count;
    RETURN NULL;
END $$;
CREATE TRIGGER {table}_added_up AFTER INSERT ON {table}
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION {function}();
"""


def add_up(table, function, condition):
    return migrations.RunSQL(
        ADD_UP.format(table=table, function=function, condition=condition),
        f"DROP TRIGGER {table}_added_up ON {table}; DROP FUNCTION {function}()",
    )


TAKE_OFF = """
CREATE FUNCTION take_off_what_is_void() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE invoicing_soldinmonth AS held
    SET amount = held.amount - void.amount, by_credits = held.by_credits - void.by_credits,
        quantity = held.quantity - void.quantity, line_count = held.line_count - void.line_count,
        quantity_count = held.quantity_count - void.quantity_count
    FROM (
        SELECT sold.customer_id, sold.month, sold.unit_id, sold.product_id, sum(sold.amount) AS amount,
               sum(sold.by_credits) AS by_credits, coalesce(sum(sold.quantity), 0) AS quantity,
               count(*) AS line_count, count(sold.quantity) AS quantity_count
        FROM invoicing_soldbyline AS sold
        WHERE sold.customer_id = NEW.customer_id AND sold.invoice_id = NEW.invoice_id
        GROUP BY sold.customer_id, sold.month, sold.unit_id, sold.product_id
    ) AS void
    WHERE held.customer_id = void.customer_id AND held.month = void.month AND held.unit_id = void.unit_id
      AND held.product_id IS NOT DISTINCT FROM void.product_id;
    DELETE FROM invoicing_soldinmonth WHERE customer_id = NEW.customer_id AND line_count = 0;
    RETURN NULL;
END $$;
CREATE TRIGGER invoicing_invoicevoid_taken_off AFTER INSERT ON invoicing_invoicevoid
FOR EACH ROW EXECUTE FUNCTION take_off_what_is_void();
"""

# Whoever waits for the customer meanwhile begins again: it may not have seen these rows.
ANEW = """
CREATE FUNCTION add_up_anew_what_is_sold(whose uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE contracts_customer SET money_version = money_version WHERE id = whose;
    DELETE FROM invoicing_soldinmonth WHERE customer_id = whose;
    INSERT INTO invoicing_soldinmonth (id, month, product_id, amount, by_credits,
        quantity, line_count, quantity_count, customer_id, unit_id)
    SELECT gen_random_uuid(), sold.month, sold.product_id, sum(sold.amount), sum(sold.by_credits),
           coalesce(sum(sold.quantity), 0), count(*), count(sold.quantity), sold.customer_id, sold.unit_id
    FROM invoicing_soldbyline AS sold
    WHERE sold.customer_id = whose
      AND NOT EXISTS (SELECT FROM invoicing_invoicevoid AS void WHERE void.invoice_id = sold.invoice_id)
    GROUP BY sold.customer_id, sold.month, sold.unit_id, sold.product_id;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0037_found_by_search"),
        ("invoicing", "0021_alerts_of_seats"),
        ("pricing", "0013_unique_custom_fields"),
    ]

    operations = [
        CreateModel(
            name="SoldInMonth",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("month", models.DateTimeField()),
                ("product_id", models.UUIDField(null=True)),
                ("amount", models.DecimalField(decimal_places=12, max_digits=38)),
                ("by_credits", models.DecimalField(decimal_places=12, max_digits=38)),
                ("quantity", models.DecimalField(decimal_places=12, max_digits=38)),
                ("line_count", models.IntegerField()),
                ("quantity_count", models.IntegerField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pricing.pricingunit"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "sold in months",
                "indexes": [models.Index(fields=["month"], name="sold_by_month")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "month", "unit", "product_id"),
                        name="sold_once_a_month",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("amount")))),
                        name="soldinmonth_amount_is_a_number",
                        violation_error_message="amount must be a number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("by_credits")))),
                        name="soldinmonth_by_credits_is_a_number",
                        violation_error_message="by_credits must be a number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("quantity")))),
                        name="soldinmonth_quantity_is_a_number",
                        violation_error_message="quantity must be a number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("line_count__gte", 0), ("quantity_count__gte", 0)),
                        name="what_is_sold_is_made_of_lines",
                    ),
                ],
            },
        ),
        migrations.RunSQL(VIEW, "DROP VIEW invoicing_soldbyline"),
        add_up("invoicing_invoiceline", "add_up_what_lines_sell", "sold.line_id = written.id"),
        add_up(
            "invoicing_invoice",
            "add_up_what_documents_sell",
            "sold.customer_id = written.customer_id AND sold.invoice_id = written.id",
        ),
        migrations.RunSQL(
            TAKE_OFF,
            "DROP TRIGGER invoicing_invoicevoid_taken_off ON invoicing_invoicevoid; "
            "DROP FUNCTION take_off_what_is_void()",
        ),
        migrations.RunSQL(ANEW, "DROP FUNCTION add_up_anew_what_is_sold(uuid)"),
    ]
