"""The total of a document is its subtotal and its tax, which is told by its tax lines."""

from django.db import migrations

# %(tax)s is what the tax comes to; the lines are checked as before.
FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_a_sum_that_is_not_the_total() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found RECORD;
    tax numeric := %(tax)s;
BEGIN
    SELECT count(*) AS lines,
           coalesce(sum(total) FILTER (WHERE counts_toward_total), 0) AS total,
           coalesce(sum(unrounded_total) FILTER (WHERE counts_toward_total), 0) AS unrounded_total
    INTO found
    FROM invoicing_invoiceline
    WHERE customer_id = NEW.customer_id AND invoice_id = NEW.id;
    IF (found.lines, found.total, found.total + tax, found.unrounded_total)
       IS DISTINCT FROM (NEW.line_count::bigint, NEW.subtotal, NEW.total, NEW.unrounded_total) THEN
        RAISE EXCEPTION
            'the %% lines of document %% add up to %% (unrounded %%); it says %% lines and %% (unrounded %%), tax %%',
            found.lines, NEW.number, found.total, found.unrounded_total,
            NEW.line_count, NEW.total, NEW.unrounded_total, tax
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""

TAX_LINES = """(
        SELECT coalesce(sum((tax_line ->> 'amount')::numeric), 0)
        FROM jsonb_array_elements(coalesce(NEW.details -> 'tax_lines', '[]')) AS tax_line
    )"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0006_order_of_postings")]
    operations = [migrations.RunSQL(FUNCTION % {"tax": TAX_LINES}, FUNCTION % {"tax": "0"})]
