"""What lists are called where a name is not spelled by adding an s. Says nothing to the database."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0013_unique_custom_fields"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="ratecardalias",
            options={"verbose_name_plural": "rate card aliases"},
        ),
    ]
