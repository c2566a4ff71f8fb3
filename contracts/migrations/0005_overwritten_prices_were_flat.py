"""Overwritten prices say of which type they are; so far there was one.

Terms are never overwritten, and their trigger holds it. This changes no term, but how one is written down, so the
trigger is off for one statement.
"""

from django.db import migrations

NAME_THE_TYPE = """
ALTER TABLE contracts_override DISABLE TRIGGER contracts_override_never_overwritten;
UPDATE contracts_override SET rate_type = 'FLAT' WHERE type = 'OVERWRITE';
ALTER TABLE contracts_override ENABLE TRIGGER contracts_override_never_overwritten;
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0004_every_kind_of_override")]
    operations = [migrations.RunSQL(NAME_THE_TYPE, migrations.RunSQL.noop)]
