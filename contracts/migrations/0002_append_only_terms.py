"""Edits and claims are facts; a term changes once, when an edit removes it; what a contract is born with stays."""

from django.db import migrations

from billing_site.foundation.facts import append_only

TERMS = [
    "contracts_contractterms",
    "contracts_override",
    "contracts_commit",
    "contracts_accesssegment",
    "contracts_invoicescheduleitem",
    "contracts_scheduledcharge",
    "contracts_scheduledchargeitem",
]

REFUSE_CHANGE_OF_A_TERM = """
CREATE FUNCTION refuse_change_of_a_term() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed RECORD;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        changed := NEW;
        changed.removed_by_edit_id := OLD.removed_by_edit_id;
        IF changed IS NOT DISTINCT FROM OLD
           AND OLD.removed_by_edit_id IS NULL AND NEW.removed_by_edit_id IS NOT NULL THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is never overwritten: an edit removes a term once and adds another', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

REFUSE_CHANGE_OF_A_CONTRACT = """
CREATE FUNCTION refuse_change_of_what_a_contract_is_born_with() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed RECORD;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        changed := NEW;
        changed.billed_through := OLD.billed_through;
        changed.archived_at := OLD.archived_at;
        changed.custom_fields := OLD.custom_fields;
        IF changed IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'what a contract is born with never changes: its terms do, by edits'
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def guard(table: str, function: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER {table}_never_overwritten BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}(); "
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
        f"DROP TRIGGER {table}_no_truncate ON {table}; DROP TRIGGER {table}_never_overwritten ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [("contracts", "0001_terms"), ("foundation", "0002_append_only_facts")]
    operations = [
        *append_only(
            "contracts_contractedit",
            "contracts_claim",
            "contracts_historicalcustomer",
            "contracts_historicalcontract",
        ),
        migrations.RunSQL(REFUSE_CHANGE_OF_A_TERM, "DROP FUNCTION refuse_change_of_a_term()"),
        *[guard(table, "refuse_change_of_a_term") for table in TERMS],
        migrations.RunSQL(REFUSE_CHANGE_OF_A_CONTRACT, "DROP FUNCTION refuse_change_of_what_a_contract_is_born_with()"),
        guard("contracts_contract", "refuse_change_of_what_a_contract_is_born_with"),
    ]
