"""Facts are only inserted. The database holds to it: a trigger refuses UPDATE, DELETE and TRUNCATE."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION refuse_change_of_a_fact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: correct a fact by a new one that points at it', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def append_only_function() -> migrations.RunSQL:
    """The trigger function; foundation's first migration creates it."""
    return migrations.RunSQL(FUNCTION, "DROP FUNCTION refuse_change_of_a_fact()")


def append_only(*tables: str) -> list[migrations.RunSQL]:
    """Operations that make `tables` append-only, with their reverse. A migration that uses them depends on
    foundation's `append_only` migration."""
    return [
        migrations.RunSQL(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_fact(); "
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_a_fact()",
            f"DROP TRIGGER {table}_no_truncate ON {table}; DROP TRIGGER {table}_append_only ON {table}",
        )
        for table in tables
    ]
