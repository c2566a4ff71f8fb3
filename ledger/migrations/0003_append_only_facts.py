from django.db import migrations

from billing_site.foundation.facts import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0002_append_only_facts"),
        ("ledger", "0002_events_by_month_hours_by_day"),
    ]
    operations = append_only(
        "ledger_ingestcall",
        "ledger_metricset",
        "ledger_eventkey",
        "ledger_eventbody",
        "ledger_series",
        "ledger_unreadvalue",
        "ledger_ledgerentry",
    )
