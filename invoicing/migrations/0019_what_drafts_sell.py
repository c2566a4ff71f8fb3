"""What drafts sell by product, kept with their summaries: empty until each is made again, within the hour. And what was
paid for commits, to be found among all lines."""

from django.db import migrations, models

from billing_site.foundation.indexes import AddIndexBesideWriters
from billing_site.foundation.operations import AddField


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("invoicing", "0018_orders_of_documents")]
    operations = [
        AddField("draftsummary", "sold", models.JSONField(default=list)),
        AddIndexBesideWriters(
            "invoiceline",
            models.Index(name="lines_of_paid_commits", fields=["invoice"], condition=models.Q(type="commit_purchase")),
        ),
    ]
