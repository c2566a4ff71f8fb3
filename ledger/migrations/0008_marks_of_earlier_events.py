"""Late marks of the events and corrections that came before marks were kept.

It reads bodies and locks nothing. The transaction with the greatest number stands for the last one to have written:
they may differ where two ran at once, which marks that are written from now on never guess at.
"""

from django.db import migrations

FILL = """
INSERT INTO ledger_latemark (subject, hour, xid)
SELECT late.subject, date_trunc('hour', late.timestamp, 'UTC'), max(late.xid)
FROM (
    SELECT body.subject, body.timestamp, call.xid
    FROM ledger_eventbody body JOIN ledger_ingestcall call ON call.id = body.call_id
    WHERE body.timestamp < body.received_at - interval '1 hour'
    UNION ALL
    SELECT made.subject, version.timestamp, made.xid
    FROM ledger_eventcorrection made
    JOIN ledger_eventbody body USING (subject, transaction_id)
    LEFT JOIN ledger_eventcorrection before
      ON (before.subject, before.transaction_id, before.number) = (made.subject, made.transaction_id, made.number - 1)
    CROSS JOIN LATERAL (VALUES (coalesce(before.timestamp, body.timestamp)), (made.timestamp)) version (timestamp)
    WHERE version.timestamp < made.created_at - interval '1 hour'
) late
GROUP BY 1, 2
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_late_marks")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
