"""A job says how far it is. The column has a default, so no row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("foundation", "0005_touched")]

    operations = [
        migrations.AddField("job", "progress", models.CharField(blank=True, default="", max_length=160)),
    ]
