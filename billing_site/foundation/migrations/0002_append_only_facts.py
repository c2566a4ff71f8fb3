"""The trigger function that facts of all apps use, and history that cannot be rewritten."""

from django.db import migrations

from billing_site.foundation.facts import append_only, append_only_function


class Migration(migrations.Migration):
    dependencies = [("foundation", "0001_house")]
    operations = [
        append_only_function(),
        *append_only("foundation_historicaltestclock", "foundation_historicalapitoken"),
    ]
