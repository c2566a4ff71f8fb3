"""What is given back by voiding was drawn no more: the sums that are kept for segments count it against what was."""

from django.db import migrations

# %(drawn)s are the types of what was drawn, and of what was given back.
FUNCTION = """
CREATE OR REPLACE FUNCTION add_up_what_is_posted_on_segments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO contracts_segmentuse (segment_id, customer_id, posted, drawn, rolled_over)
    SELECT segment_id, customer_id, sum(amount),
           -coalesce(sum(amount) FILTER (WHERE %(drawn)s), 0),
           -coalesce(sum(amount) FILTER (WHERE type LIKE '%%_ROLLOVER'), 0)
    FROM posted_now
    WHERE segment_id IS NOT NULL AND type <> 'POSTPAID_COMMIT_TRUEUP'
    GROUP BY segment_id, customer_id
    ON CONFLICT (segment_id) DO UPDATE
    SET posted = contracts_segmentuse.posted + EXCLUDED.posted,
        drawn = contracts_segmentuse.drawn + EXCLUDED.drawn,
        rolled_over = contracts_segmentuse.rolled_over + EXCLUDED.rolled_over;
    RETURN NULL;
END $$
"""
DRAWN = "type LIKE '%_AUTOMATED_INVOICE_DEDUCTION'"
GIVEN_BACK = "type LIKE '%_CREDITED'"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0015_given_back_by_voiding")]
    operations = [
        migrations.RunSQL(FUNCTION % {"drawn": f"({DRAWN} OR {GIVEN_BACK})"}, FUNCTION % {"drawn": DRAWN}),
    ]
