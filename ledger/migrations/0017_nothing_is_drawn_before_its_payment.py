"""Nothing is drawn from a commit, or given to it by hand, before the payment that it waits for was recorded."""

from django.db import migrations

PAID = """
CREATE FUNCTION refuse_a_draw_before_its_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM contracts_paymentgate AS gate
        LEFT JOIN contracts_paymentoutcome AS told ON told.gate_id = gate.id AND told.outcome = 'PAID'
        WHERE gate.commit_id = NEW.commit_id AND told.id IS NULL
    ) THEN
        RAISE EXCEPTION 'commit % waits for its payment', NEW.commit_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""
CHECKED = (
    "CREATE TRIGGER ledger_ledgerentry_after_its_payment AFTER INSERT ON ledger_ledgerentry "
    "FOR EACH ROW EXECUTE FUNCTION refuse_a_draw_before_its_payment()"
)


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0038_payment_gates"),
        ("ledger", "0016_given_back_to_segments"),
    ]

    operations = [
        migrations.RunSQL(PAID, "DROP FUNCTION refuse_a_draw_before_its_payment()"),
        migrations.RunSQL(CHECKED, "DROP TRIGGER ledger_ledgerentry_after_its_payment ON ledger_ledgerentry"),
    ]
