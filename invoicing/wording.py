"""Drafts in words."""

from datetime import datetime

from billing_site.foundation.display import day_text, month_text, period_text
from billing_site.foundation.periods import Period, add_months
from invoicing.models import DraftSummary, Invoice

KINDS = {Invoice.Kind.TRUE_UP: "True-up", Invoice.Kind.CHARGES: "Scheduled charges"}


def draft_text(draft: DraftSummary, at: datetime) -> str:
    """What it is for: "October 2025 so far", "27 October – 2 November 2025", "True-up of 1 January 2026"."""
    if draft.starting_at is None or draft.ending_before is None:
        return f"{KINDS[Invoice.Kind(draft.kind)]} of {day_text(draft.issued_at)}"
    start, end = draft.starting_at, draft.ending_before
    is_month = start.day == 1 and start.hour == 0 and end == add_months(start, 1)
    period = month_text(start) if is_month else period_text(Period(start, end))
    return f"{period} so far" if start <= at < end else period
