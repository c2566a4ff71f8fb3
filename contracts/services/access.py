"""Access schedules of prepaid commits and credits: how much can be drawn, over which hours.

Each item is a segment, a balance of its own; segments may overlap, and begin in the past: what is on final documents
stays there, and whatever is billed from now on may draw on them.

    access_type   amounts are                                       credit_type_id
    SPEND         money, or a custom unit that prices are in        of one of these; the rate card's money by default
    QUANTITY      units of what is sold, whatever they would cost   none
"""

from collections.abc import Iterable
from datetime import datetime

from billing_site.foundation.problems import Problems
from contracts.inputs import AccessScheduleInput, RecurringAmountInput, SegmentInput
from contracts.models import AccessSegment, Commit
from contracts.services.checks import Deal, term_range
from contracts.services.schedules import MOST_ITEMS
from contracts.terms import QUANTITY, SPEND
from pricing.models import PricingUnit

ACCESS_TYPES = (SPEND, QUANTITY)


def access_type(given: AccessScheduleInput | RecurringAmountInput | None, problems: Problems) -> str:
    if given is None:
        return SPEND
    if given.access_type not in ACCESS_TYPES:
        problems.add("access_type", given.access_type, f"must be one of {', '.join(ACCESS_TYPES)}")
    return given.access_type


def held_in(given: AccessScheduleInput | RecurringAmountInput | None, deal: Deal, problems: Problems) -> PricingUnit:
    """The unit that the amounts are in: the money of the deal, or a custom unit."""
    unit_id = given.credit_type_id if given is not None else None
    if given is None or unit_id is None:
        return deal.fiat
    if given.access_type == QUANTITY:
        problems.add("credit_type_id", unit_id, "cannot be combined with QUANTITY, which counts no unit of pricing")
        return deal.fiat
    unit = deal.units.get(unit_id)
    if unit is None or unit.archived_at is not None:
        problems.add("credit_type_id", unit_id, "must be the id of a pricing unit that is not archived")
    elif unit.is_currency and unit.pk != deal.fiat.pk:
        problems.add("credit_type_id", unit_id, f"must be {deal.fiat.pk} ({deal.fiat}), or a custom unit")
    else:
        return unit
    return deal.fiat


def segment_rows(given: AccessScheduleInput | None, commit: Commit, problems: Problems) -> tuple[AccessSegment, ...]:
    """The segments of a prepaid commit or credit, not saved. What is wrong goes to `problems`."""
    items = given.schedule_items if given is not None else ()
    if not 1 <= len(items) <= MOST_ITEMS:
        problems.add("schedule_items", f"{len(items)} items", f"must have from 1 to {MOST_ITEMS} items")
        return ()
    for index, item in enumerate(items):
        check_segment(item, problems.within(f"schedule_items[{index}]"))
    return tuple(segment_row(item, commit, position) for position, item in enumerate(items))


def check_segment(item: SegmentInput, problems: Problems) -> None:
    term_range(problems, item.starting_at, item.ending_before)
    if problems.number("amount", item.amount) and item.amount <= 0:
        problems.add("amount", item.amount, "must be greater than 0")


def segment_row(item: SegmentInput, commit: Commit, position: int = 0) -> AccessSegment:
    return AccessSegment(
        commit=commit,
        position=position,
        amount=item.amount,
        starting_at=item.starting_at,
        ending_before=item.ending_before,
    )


def cut(segments: Iterable[AccessSegment], end: datetime) -> tuple[list[AccessSegment], list[AccessSegment]]:
    """What an earlier end of access takes out, and the shorter segments that stand in for what had begun by then."""
    gone = [segment for segment in segments if segment.ending_before > end]
    shorter = [
        AccessSegment(
            commit=segment.commit,
            first_row=segment.first_row or segment,
            position=segment.position,
            amount=segment.amount,
            starting_at=segment.starting_at,
            ending_before=end,
        )
        for segment in gone
        if segment.starting_at < end
    ]
    return gone, shorter
