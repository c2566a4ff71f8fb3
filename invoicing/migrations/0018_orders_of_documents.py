"""What the list of all documents is ordered and filtered by. Documents go on being finalized meanwhile."""

from django.db import migrations, models

from billing_site.foundation.indexes import AddIndexBesideWriters

OF_DOCUMENTS = [
    models.Index(name="invoices_latest_first", fields=["-issued_at", "number", "-id"]),
    models.Index(name="invoices_by_due_date", fields=["due_at", "id"]),
    models.Index(name="invoices_by_total", fields=["total", "id"]),
    models.Index(name="invoices_by_period", fields=["starting_at", "id"]),
    models.Index(name="invoices_by_number", fields=["number"], opclasses=["text_pattern_ops"]),
]
LATE = models.Index(name="lines_of_late_usage", fields=["invoice"], condition=models.Q(details__has_key="adjustment"))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("invoicing", "0017_alerts_in_words")]
    operations = [
        *(AddIndexBesideWriters("invoice", index) for index in OF_DOCUMENTS),
        AddIndexBesideWriters("invoiceline", LATE),
    ]
