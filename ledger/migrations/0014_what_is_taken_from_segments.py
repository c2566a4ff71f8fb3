"""The database adds up what is posted on each segment, where edits of commits look it up.

What was posted before is added up under the lock that the trigger needs: an entry is one segment of one document, so
there are few beside events.
"""

from django.db import migrations

ADD_UP = """
CREATE FUNCTION add_up_what_is_posted_on_segments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO contracts_segmentuse (segment_id, customer_id, posted, drawn, rolled_over)
    SELECT segment_id, customer_id, sum(amount),
           -coalesce(sum(amount) FILTER (WHERE type LIKE '%_AUTOMATED_INVOICE_DEDUCTION'), 0),
           -coalesce(sum(amount) FILTER (WHERE type LIKE '%_ROLLOVER'), 0)
    FROM posted_now
    WHERE segment_id IS NOT NULL AND type <> 'POSTPAID_COMMIT_TRUEUP'
    GROUP BY segment_id, customer_id
    ON CONFLICT (segment_id) DO UPDATE
    SET posted = contracts_segmentuse.posted + EXCLUDED.posted,
        drawn = contracts_segmentuse.drawn + EXCLUDED.drawn,
        rolled_over = contracts_segmentuse.rolled_over + EXCLUDED.rolled_over;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_ledgerentry_added_up AFTER INSERT ON ledger_ledgerentry
REFERENCING NEW TABLE AS posted_now FOR EACH STATEMENT EXECUTE FUNCTION add_up_what_is_posted_on_segments();
INSERT INTO contracts_segmentuse (segment_id, customer_id, posted, drawn, rolled_over)
SELECT segment_id, customer_id, sum(amount),
       -coalesce(sum(amount) FILTER (WHERE type LIKE '%_AUTOMATED_INVOICE_DEDUCTION'), 0),
       -coalesce(sum(amount) FILTER (WHERE type LIKE '%_ROLLOVER'), 0)
FROM ledger_ledgerentry
WHERE segment_id IS NOT NULL AND type <> 'POSTPAID_COMMIT_TRUEUP'
GROUP BY segment_id, customer_id
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0014_edits_of_commits"), ("ledger", "0013_order_of_postings")]

    operations = [
        migrations.RunSQL(
            ADD_UP,
            "DROP TRIGGER ledger_ledgerentry_added_up ON ledger_ledgerentry; "
            "DROP FUNCTION add_up_what_is_posted_on_segments(); "
            "DELETE FROM contracts_segmentuse",
        ),
    ]
