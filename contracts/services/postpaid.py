"""What a postpaid commit consists of: one segment of access, and one true-up after it of the same amount."""

from datetime import datetime
from decimal import Decimal

from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from contracts.inputs import AccessScheduleInput, InvoiceScheduleInput, SegmentInput
from contracts.services.access import check_segment
from contracts.services.checks import Deal, in_fiat, not_billed_yet
from contracts.services.schedules import DatedAmount, dated_amounts
from contracts.terms import SPEND

ONCE = "must be exactly one for a postpaid commit"


def the_segment(given: AccessScheduleInput | None, deal: Deal, problems: Problems) -> SegmentInput | None:
    if given is None or len(given.schedule_items) != 1:
        problems.add("schedule_items", f"{0 if given is None else len(given.schedule_items)} items", ONCE)
        return None
    in_fiat(problems, given.credit_type_id, deal)
    if given.access_type != SPEND:
        problems.add("access_type", given.access_type, f"must be {SPEND} for a postpaid commit")
    segment = given.schedule_items[0]
    inner = problems.within("schedule_items[0]")
    check_segment(segment, inner)
    not_billed_yet(inner, "starting_at", segment.starting_at, segment.starting_at, deal)
    return segment


def the_true_up(
    given: InvoiceScheduleInput | None, segment: SegmentInput | None, deal: Deal, problems: Problems
) -> DatedAmount | None:
    if given is None:
        problems.add("schedule_items", "0 items", ONCE)
        return None
    in_fiat(problems, given.credit_type_id, deal)
    if given.do_not_invoice:
        problems.add("do_not_invoice", True, "must be false for a postpaid commit: what is missing is billed")
    found = len(problems.errors)
    items = dated_amounts(given, deal.fiat.to_unit(), problems)
    if len(problems.errors) > found:
        return None
    if len(items) != 1:
        problems.add("schedule_items", f"{len(items)} items", ONCE)
        return None
    if segment is not None:
        _check_true_up(items[0].issued_at, items[0].amount, segment, problems)
    return items[0]


def _check_true_up(issued_at: datetime, amount: Decimal, segment: SegmentInput, problems: Problems) -> None:
    if amount != segment.amount:
        problems.add("schedule_items[0].amount", amount, f"must equal the access amount, {segment.amount}")
    if issued_at < segment.ending_before:
        problems.add(
            "schedule_items[0].timestamp",
            issued_at.isoformat(),
            f"must not be before the end of access, {format_instant(segment.ending_before)}",
        )
