"""Final documents never change, have all their lines from the start, and these add up to the total."""

from django.db import migrations

from billing_site.foundation.facts import append_only

# Both are checked when the transaction ends, so that document and lines may come in any order.
REFUSE_A_SUM_THAT_IS_NOT_THE_TOTAL = """
CREATE FUNCTION refuse_a_sum_that_is_not_the_total() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found RECORD;
BEGIN
    SELECT count(*) AS lines,
           coalesce(sum(total) FILTER (WHERE counts_toward_total), 0) AS total,
           coalesce(sum(unrounded_total) FILTER (WHERE counts_toward_total), 0) AS unrounded_total
    INTO found
    FROM invoicing_invoiceline
    WHERE customer_id = NEW.customer_id AND invoice_id = NEW.id;
    IF (found.lines, found.total, found.total, found.unrounded_total)
       IS DISTINCT FROM (NEW.line_count::bigint, NEW.subtotal, NEW.total, NEW.unrounded_total) THEN
        RAISE EXCEPTION 'the % lines of document % add up to % (unrounded %); it says % lines and % (unrounded %)',
            found.lines, NEW.number, found.total, found.unrounded_total,
            NEW.line_count, NEW.total, NEW.unrounded_total
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lines_add_up_to_the_total AFTER INSERT ON invoicing_invoice
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_a_sum_that_is_not_the_total()
"""

# Positions are unique and the document says how many there are: once all are taken no line can join.
REFUSE_A_LINE_TOO_MANY = """
CREATE FUNCTION refuse_a_line_too_many() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM invoicing_invoice
        WHERE customer_id = NEW.customer_id AND id = NEW.invoice_id AND NEW.position BETWEEN 1 AND line_count
    ) THEN
        RAISE EXCEPTION 'a document has the lines it was finalized with, and % is not one of them', NEW.position
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER no_line_too_many AFTER INSERT ON invoicing_invoiceline
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_a_line_too_many()
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0001_documents"), ("foundation", "0002_append_only_facts")]
    operations = [
        *append_only("invoicing_invoice", "invoicing_invoiceline"),
        migrations.RunSQL(
            REFUSE_A_SUM_THAT_IS_NOT_THE_TOTAL,
            "DROP TRIGGER lines_add_up_to_the_total ON invoicing_invoice; "
            "DROP FUNCTION refuse_a_sum_that_is_not_the_total()",
        ),
        migrations.RunSQL(
            REFUSE_A_LINE_TOO_MANY,
            "DROP TRIGGER no_line_too_many ON invoicing_invoiceline; DROP FUNCTION refuse_a_line_too_many()",
        ),
    ]
