"""Commits: checked, and made into rows."""

from datetime import datetime
from decimal import Decimal

from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import NotSupported
from contracts.inputs import AccessScheduleInput, CommitInput, InvoiceScheduleInput, SegmentInput
from contracts.models import AccessSegment, Commit, InvoiceScheduleItem
from contracts.queries import AgreedCommit
from contracts.services import targeting
from contracts.services.checks import (
    Deal,
    fixed_product,
    in_fiat,
    not_billed_yet,
    priced_product,
    short_text,
    term_range,
)
from contracts.services.schedules import DatedAmount, dated_amounts

DEFAULT_PRIORITY = Decimal(100)


def commit_rows(given: CommitInput, position: int, deal: Deal, problems: Problems) -> AgreedCommit:
    """The rows of a postpaid commit, not saved. What is wrong goes to `problems`. Raises NotSupported."""
    if given.type == Commit.Type.PREPAID:
        raise NotSupported.of(f"{problems.path}type", given.type, "is not supported yet; POSTPAID is")
    if given.type != Commit.Type.POSTPAID:
        problems.add("type", given.type, "must be PREPAID or POSTPAID")
    fixed_product(problems, given.product_id, deal)
    short_text(problems, "name", given.name)
    short_text(problems, "description", given.description, length=10_000)
    problems.custom_fields(given.custom_fields)
    priority = DEFAULT_PRIORITY if given.priority is None else given.priority
    problems.number("priority", priority)
    commit = Commit(
        position=position,
        type=given.type,
        product_id=given.product_id,
        name=given.name,
        description=given.description,
        priority=priority,
        unit=deal.fiat,
        custom_fields=dict(given.custom_fields),
    )
    _target(commit, given, deal, problems)
    segment = _the_segment(given.access_schedule, deal, problems.within("access_schedule"))
    item = _the_true_up(given.invoice_schedule, segment, deal, problems.within("invoice_schedule"))
    segments = []
    if segment is not None:
        segments = [
            AccessSegment(
                commit=commit,
                amount=segment.amount,
                starting_at=segment.starting_at,
                ending_before=segment.ending_before,
            )
        ]
    items = [InvoiceScheduleItem(commit=commit, **item.columns())] if item else []
    return AgreedCommit(commit, tuple(segments), tuple(items))


def _target(commit: Commit, given: CommitInput, deal: Deal, problems: Problems) -> None:
    if given.specifiers and (given.applicable_product_ids or given.applicable_product_tags):
        problems.add(
            "specifiers",
            f"{len(given.specifiers)} specifiers",
            "cannot be combined with applicable_product_ids or applicable_product_tags",
        )
    for index, product_id in enumerate(given.applicable_product_ids):
        priced_product(problems, f"applicable_product_ids[{index}]", product_id, deal)
    commit.applicable_product_ids = [str(product_id) for product_id in given.applicable_product_ids]
    commit.applicable_product_tags = targeting.tags(problems, "applicable_product_tags", given.applicable_product_tags)
    commit.specifiers = targeting.specifiers(problems, "specifiers", given.specifiers, deal)


def _the_segment(given: AccessScheduleInput | None, deal: Deal, problems: Problems) -> SegmentInput | None:
    if given is None or len(given.schedule_items) != 1:
        count = 0 if given is None else len(given.schedule_items)
        problems.add("schedule_items", f"{count} items", "must be exactly one for a postpaid commit")
        return None
    in_fiat(problems, given.credit_type_id, deal)
    segment = given.schedule_items[0]
    inner = problems.within("schedule_items[0]")
    term_range(inner, segment.starting_at, segment.ending_before)
    not_billed_yet(inner, "starting_at", segment.starting_at, segment.starting_at, deal)
    if inner.number("amount", segment.amount) and segment.amount <= 0:
        inner.add("amount", segment.amount, "must be greater than 0")
    return segment


def _the_true_up(
    given: InvoiceScheduleInput | None, segment: SegmentInput | None, deal: Deal, problems: Problems
) -> DatedAmount | None:
    if given is None:
        problems.add("schedule_items", "0 items", "must be exactly one for a postpaid commit")
        return None
    in_fiat(problems, given.credit_type_id, deal)
    if given.do_not_invoice:
        problems.add("do_not_invoice", True, "must be false for a postpaid commit: what is missing is billed")
    found = len(problems.errors)
    items = dated_amounts(given, deal.fiat.to_unit(), problems)
    if len(problems.errors) > found:
        return None
    if len(items) != 1:
        problems.add("schedule_items", f"{len(items)} items", "must be exactly one for a postpaid commit")
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
