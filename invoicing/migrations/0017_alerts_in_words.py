"""What lists of how customers stand with alerts are called."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("invoicing", "0016_alerts"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="alertstate",
            options={"verbose_name_plural": "alerts by customer"},
        ),
        migrations.AlterModelOptions(
            name="alertturn",
            options={"verbose_name_plural": "history of alerts"},
        ),
    ]
