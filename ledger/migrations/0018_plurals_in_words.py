"""What lists are called where a name is not spelled by adding an s. Says nothing to the database."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0017_nothing_is_drawn_before_its_payment"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="eventbody",
            options={"verbose_name_plural": "event bodies"},
        ),
        migrations.AlterModelOptions(
            name="ledgerentry",
            options={"verbose_name_plural": "ledger entries"},
        ),
        migrations.AlterModelOptions(
            name="series",
            options={"verbose_name_plural": "series"},
        ),
    ]
