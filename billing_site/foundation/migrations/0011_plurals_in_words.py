"""What lists are called where a name is not spelled by adding an s. Says nothing to the database."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0010_custom_fields_of_services"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="apitoken",
            options={"verbose_name": "API token"},
        ),
        migrations.AlterModelOptions(
            name="customfieldentity",
            options={"verbose_name_plural": "custom field entities"},
        ),
        migrations.AlterModelOptions(
            name="historicalapitoken",
            options={
                "get_latest_by": ("history_date", "history_id"),
                "ordering": ("-history_date", "-history_id"),
                "verbose_name": "historical API token",
                "verbose_name_plural": "historical API tokens",
            },
        ),
        migrations.AlterModelOptions(
            name="touched",
            options={"verbose_name_plural": "touched"},
        ),
    ]
