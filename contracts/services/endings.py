"""What a new end does to a contract."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from billing_site.foundation.periods import Period, earliest, format_instant, full_period
from billing_site.foundation.problems import Problems
from contracts.models import (
    AccessSegment,
    Commit,
    Customer,
    InvoiceScheduleItem,
    RecurringCommit,
    ScheduledCharge,
    ScheduledChargeItem,
)
from contracts.queries import AgreedCommit, Agreement
from contracts.services import access
from contracts.services.checks import instant, is_on_final_usage, reaches_back
from contracts.services.overlaps import check_overlap
from contracts.services.recurring import taking_over
from contracts.terms import UsageFilter

FIELD = "update_contract_end_date"


@dataclass(frozen=True, slots=True)
class MovedEnd:
    """What an earlier end takes away; access that it cuts, and true-ups that it brings forward, as they were and as
    they are then. Of what recurs, any new end changes only what has not begun."""

    segments: list[AccessSegment] = field(default_factory=list)
    shorter_segments: list[AccessSegment] = field(default_factory=list)
    charge_items: list[ScheduledChargeItem] = field(default_factory=list)
    payments: list[InvoiceScheduleItem] = field(default_factory=list)
    later_true_ups: list[InvoiceScheduleItem] = field(default_factory=list)
    earlier_true_ups: list[InvoiceScheduleItem] = field(default_factory=list)
    recurring: list[RecurringCommit] = field(default_factory=list)  # what takes over for whatever has not begun


def check_end(
    problems: Problems,
    customer: Customer,
    agreed: Agreement,
    end: datetime | None,
    filters: Sequence[UsageFilter],
) -> None:
    """Whether a contract may end at `end` (None: never) instead of where it ends, with these usage filters then."""
    contract, old_end = agreed.contract, agreed.terms.ending_before
    if end is not None:
        instant(problems, FIELD, end)
        problems.hour(FIELD, end)
        if end <= contract.starting_at:
            rule = f"must be later than the contract's start, {format_instant(contract.starting_at)}"
            problems.add(FIELD, end.isoformat(), rule)
            return
    billed_through = contract.billed_through
    changed_from = earliest(old_end, end)
    if billed_through is not None and changed_from is not None:
        shown = None if end is None else end.isoformat()
        if changed_from < billed_through:
            problems.add(FIELD, shown, reaches_back(billed_through))
        elif changed_from == old_end == billed_through and not _ends_a_full_period(agreed, billed_through):
            # The longer period would begin where the billed one did, and one period has one invoice.
            problems.add(
                FIELD,
                shown,
                f"cannot be moved: the contract's last period ended on {format_instant(billed_through)} and is billed; "
                "create a contract that starts there",
            )
    check_overlap(
        problems,
        FIELD,
        end,
        customer,
        starting_at=contract.starting_at,
        ending_before=end,
        rate_card_id=contract.rate_card_id,
        filters=filters,
        apart_from=contract,
    )


def moved_end(agreed: Agreement, end: datetime | None, *, apart_from: Sequence[AgreedCommit], at: datetime) -> MovedEnd:
    """What goes when the contract ends at `end`: access after it, charges and payments dated later, unless they have
    fallen due.

    A true-up dated later is due at the end, in full. Commits in `apart_from` are left alone. A later end brings nothing
    to what was agreed once: it stays as long as it was.
    """
    old_end = agreed.terms.ending_before
    if end == old_end:
        return MovedEnd()
    was = Period(agreed.contract.starting_at, old_end)
    recurring = [taking_over(each.now, was) for each in agreed.recurring]
    if end is None or (old_end is not None and end > old_end):
        return MovedEnd(recurring=recurring)
    kept = [committed for committed in agreed.commits if committed not in apart_from]
    cut_short = (segment for each in kept for segment in each.segments if _is_cut(each, segment, end))
    segments, shorter = access.cut(cut_short, end)
    late_items = [
        item
        for charged in agreed.charges
        for item in charged.items
        if item.issued_at > max(end, at) and not is_on_final_usage(agreed.contract, item.issued_at)
    ]
    late = [(committed.commit, item) for committed in kept for item in committed.invoice_items if item.issued_at > end]
    late_true_ups = [item for commit, item in late if commit.type == Commit.Type.POSTPAID]
    late_payments = [
        item
        for commit, item in late
        if commit.type == Commit.Type.PREPAID and commit.is_invoiced and item.issued_at > at
    ]
    earlier = [
        InvoiceScheduleItem(
            commit_id=item.commit_id,
            first_row_id=item.item_id,
            position=item.position,
            issued_at=end,
            amount=item.amount,
            unit_price=item.unit_price,
            quantity=item.quantity,
        )
        for item in late_true_ups
    ]
    return MovedEnd(segments, shorter, late_items, late_payments, late_true_ups, earlier, recurring)


def _is_cut(committed: AgreedCommit, segment: AccessSegment, end: datetime) -> bool:
    """Not what is owed from a later date on: that stays as it was agreed."""
    return committed.commit.type != Commit.Type.POSTPAID or segment.starting_at < end


def charges_left_empty(agreed: Agreement, gone: Sequence[ScheduledChargeItem]) -> list[ScheduledCharge]:
    """The charges of which nothing is left without the items that are gone."""
    return [charged.charge for charged in agreed.charges if set(charged.items) <= set(gone)]


def _ends_a_full_period(agreed: Agreement, instant: datetime) -> bool:
    period: Period = full_period(agreed.contract.billing_anchor_at, agreed.contract.frequency, at=instant)
    return period.starting_at == instant
