"""What documents that were final before have sold: a customer after the other, each in a transaction of its own, so
that nobody waits longer than for one of them."""

from django.db import migrations


def add_up(apps, editor):
    with editor.connection.cursor() as cursor:
        for customer_id in apps.get_model("contracts", "Customer").objects.order_by("pk").values_list("pk", flat=True):
            cursor.execute("SELECT add_up_anew_what_is_sold(%s)", [customer_id])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("invoicing", "0022_what_is_sold_in_months")]
    operations = [migrations.RunPython(add_up, migrations.RunPython.noop)]
