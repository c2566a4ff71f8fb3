"""A job says how far it is. The column has a default, so no row is rewritten."""

from django.db import migrations, models

from billing_site.foundation.operations import AddField


class Migration(migrations.Migration):
    dependencies = [("foundation", "0005_touched")]

    operations = [
        AddField("job", "progress", models.CharField(blank=True, default="", max_length=160)),
    ]
