"""A job counts its lost processes apart from its failures. The column has a default, so no row is rewritten."""

from django.db import migrations, models

from billing_site.foundation.operations import AddField


class Migration(migrations.Migration):
    dependencies = [("foundation", "0006_progress_of_jobs")]

    operations = [
        AddField("job", "losses", models.PositiveIntegerField(default=0)),
    ]
