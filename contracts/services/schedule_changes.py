"""Changes of the access and of the invoice schedule of a commit or credit, and of the dates of a scheduled charge.

    a segment of 100 from 1 October to 1 January, October being final           allowed
    nothing has been drawn on it                                                anything, taking it out too
    30 were drawn, 20 taken by hand: its amount                                 50 and more
    the same: its start                                                         earlier only
    the same: its end                                                           1 November and later
    the same: taking it out                                                     no
    an invoice item whose date has come                                         stays as it is
    a postpaid commit whose true-up has come                                    stays as it is
    any other postpaid commit                                                   one segment, one true-up after it, alike

A row is never overwritten: another stands in for it and keeps the id that readers and the ledger know.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from billing_site.foundation.periods import floor_day, format_instant
from billing_site.foundation.problems import Problems
from contracts.inputs import (
    AccessChangeInput,
    InvoiceItemChangeInput,
    InvoiceItemInput,
    InvoicesChangeInput,
    SegmentChangeInput,
    SegmentInput,
)
from contracts.models import (
    AccessSegment,
    Commit,
    InvoiceScheduleItem,
    ScheduledCharge,
    ScheduledChargeItem,
    SegmentUse,
)
from contracts.models.commits import ScheduledItem
from contracts.models.term import digits
from contracts.services.access import check_segment, segment_row
from contracts.services.checks import Deal, not_charged_yet, reaches_back
from contracts.services.schedules import MOST_ITEMS, dated_amount

Row = TypeVar("Row", AccessSegment, InvoiceScheduleItem, ScheduledChargeItem)
Item = TypeVar("Item", InvoiceScheduleItem, ScheduledChargeItem)
COMMIT, CHARGE = "commit or credit", "scheduled charge"
Change = TypeVar("Change", SegmentChangeInput, InvoiceItemChangeInput)


@dataclass(frozen=True, slots=True)
class RowChange:
    """Rows of one schedule that an edit takes out, and rows that it adds; a row that is changed is in both."""

    removed: tuple[Any, ...] = ()
    added: tuple[Any, ...] = ()

    def after(self, rows: Iterable[Row]) -> list[Row]:
        """The schedule as it stands then."""
        gone: set[UUID] = {row.pk for row in self.removed}
        kept: list[Row] = [row for row in rows if row.pk not in gone]
        return [*kept, *self.added]


def changed_segments(
    segments: Sequence[AccessSegment],
    given: AccessChangeInput,
    commit: Commit,
    uses: Mapping[UUID, SegmentUse],
    deal: Deal,
    problems: Problems,
    clashes: Problems,
) -> RowChange:
    """Rows, not saved. What is wrong goes to `problems`, what more has been taken than would be left to `clashes`."""
    if given == AccessChangeInput():
        return RowChange()
    standing = {segment.segment_id: segment for segment in segments}
    taken_out = _named(given.remove_schedule_items, standing, f"a segment of the {COMMIT}", problems)
    for name, segment in taken_out:
        use = uses.get(segment.segment_id)
        if use is not None and use.is_used:
            rule = "must not be taken out: final documents have drawn on it, or people have made entries"
            clashes.add(f"{name}.id", segment.segment_id, rule)
    removed, added = [segment for _, segment in taken_out], []
    noun = f"a segment of the {COMMIT}"
    for index, change, old in _changes(given.update_schedule_items, standing, removed, noun, problems):
        path = f"update_schedule_items[{index}]"
        new = segment_row(
            SegmentInput(
                old.amount if change.amount is None else change.amount,
                change.starting_at or old.starting_at,
                change.ending_before or old.ending_before,
            ),
            commit,
            old.position,
        )
        new.first_row_id = old.segment_id
        check_segment(SegmentInput(new.amount, new.starting_at, new.ending_before), problems.within(path))
        use = uses.get(old.segment_id)
        if use is not None and use.is_used:
            _keeps_what_was_taken(old, new, use, deal, problems.within(path), clashes.within(path))
        removed.append(old)
        added.append(new)
    for index, item in enumerate(given.add_schedule_items):
        check_segment(item, problems.within(f"add_schedule_items[{index}]"))
        added.append(segment_row(item, commit, len(segments) + index))
    change_of_rows = RowChange(tuple(removed), tuple(added))
    _check_number(change_of_rows.after(segments), COMMIT, problems, at_least=1)
    return change_of_rows


def changed_items(
    items: Sequence[InvoiceScheduleItem],
    given: InvoicesChangeInput,
    commit: Commit,
    deal: Deal,
    problems: Problems,
    *,
    at: datetime,
) -> RowChange:
    """Rows, not saved. What is wrong goes to `problems`."""
    if given == InvoicesChangeInput():
        return RowChange()
    if commit.is_credit:
        problems.add("add_schedule_items", "a schedule", "must not be given for a credit, which is never invoiced")
        return RowChange()
    make = partial(InvoiceScheduleItem, commit=commit)
    charged = deal if commit.is_invoiced else None
    change = _changed_dates(items, given, make, COMMIT, charged, problems, at=at)
    _check_number(change.after(items), COMMIT, problems, at_least=0)
    return change


def changed_charge_items(
    items: Sequence[ScheduledChargeItem],
    given: InvoicesChangeInput,
    charge: ScheduledCharge,
    deal: Deal,
    problems: Problems,
    *,
    at: datetime,
) -> RowChange:
    """Rows, not saved. What is wrong goes to `problems`."""
    make = partial(ScheduledChargeItem, charge=charge)
    change = _changed_dates(items, given, make, CHARGE, deal, problems, at=at)
    _check_number(change.after(items), CHARGE, problems, at_least=1)
    return change


def _changed_dates(
    items: Sequence[Item],
    given: InvoicesChangeInput,
    make: Callable[..., Item],
    owner: str,
    deal: Deal | None,
    problems: Problems,
    *,
    at: datetime,
) -> RowChange:
    """What has not fallen due changes. Of a `deal`, on whose invoices it is, dates that have been billed are closed."""
    noun, standing = f"an invoice item of the {owner}", {item.item_id: item for item in items}
    taken_out = _named(given.remove_schedule_items, standing, noun, problems)
    for name, item in taken_out:
        _has_not_come(f"{name}.id", item, problems, deal, at=at)
    removed, added = [item for _, item in taken_out], []
    dates = []
    for index, change, old in _changes(given.update_schedule_items, standing, removed, noun, problems):
        path = f"update_schedule_items[{index}]"
        _has_not_come(f"{path}.id", old, problems, deal, at=at)
        amount = dated_amount(_merged(change, old), problems.within(path))
        removed.append(old)
        if amount is not None:
            dates += [amount.issued_at] if amount.issued_at != old.issued_at else []
            added.append(make(first_row_id=old.item_id, position=old.position, **amount.columns()))
    for index, added_item in enumerate(given.add_schedule_items):
        amount = dated_amount(added_item, problems.within(f"add_schedule_items[{index}]"))
        if amount is not None:
            dates.append(amount.issued_at)
            added.append(make(position=len(items) + index, **amount.columns()))
    if deal is not None:
        not_charged_yet(problems, dates, deal)
    return RowChange(tuple(removed), tuple(added))


def check_postpaid(
    segments: Sequence[AccessSegment],
    items: Sequence[InvoiceScheduleItem],
    before: Sequence[AccessSegment],
    deal: Deal,
    problems: Problems,
) -> None:
    """What a postpaid commit is after a change: one segment, and after it one true-up of the same amount."""
    for name, rows in (("access_schedule", segments), ("invoice_schedule", items)):
        if len(rows) != 1:
            problems.add(name, f"{len(rows)} items", "must be exactly one for a postpaid commit")
    if len(segments) != 1 or len(items) != 1:
        return
    [segment], [item] = segments, items
    if item.amount != segment.amount:
        rule = f"must equal the access amount, {digits(segment.amount)}: change both"
        problems.add("invoice_schedule", digits(item.amount), rule)
    if item.issued_at < segment.ending_before:
        rule = f"must not be before the end of access, {format_instant(segment.ending_before)}"
        problems.add("invoice_schedule", item.issued_at.isoformat(), rule)
    through = deal.billed_through
    if through is not None and segment.starting_at < min([through, *(each.starting_at for each in before)]):
        problems.add("access_schedule", segment.starting_at.isoformat(), reaches_back(through))


def refuse_what_has_come(items: Iterable[InvoiceScheduleItem], problems: Problems, *, at: datetime) -> None:
    """What a postpaid commit has covered decides its true-up, which is settled once its date has come."""
    for item in items:
        _has_not_come("access_schedule", item, problems, at=at)


def _keeps_what_was_taken(
    old: AccessSegment, new: AccessSegment, use: SegmentUse, deal: Deal, problems: Problems, clashes: Problems
) -> None:
    if new.amount + use.posted < 0:
        rule = f"must not be less than {digits(-use.posted)}: so much of it has been taken, and stays taken"
        clashes.add("amount", new.amount, rule)
    if new.starting_at > old.starting_at:
        rule = f"must not be later than {format_instant(old.starting_at)}: something has been taken since"
        problems.add("starting_at", new.starting_at.isoformat(), rule)
    through = deal.billed_through
    if use.drawn and through is not None and new.ending_before < min(through, old.ending_before):
        problems.add("ending_before", new.ending_before.isoformat(), reaches_back(through))


def _has_not_come(
    name: str, item: ScheduledItem, problems: Problems, deal: Deal | None = None, *, at: datetime
) -> None:
    if item.issued_at <= at:
        rule = (
            f"must not be changed: it fell due on {format_instant(item.issued_at)}, and what has fallen due is billed"
        )
        problems.add(name, item.item_id, rule)
    elif deal is not None and deal.final_through is not None and floor_day(item.issued_at) <= deal.final_through:
        rule = f"must not be changed: usage invoices up to {format_instant(deal.final_through)} are final"
        problems.add(name, item.item_id, rule)


def _merged(change: InvoiceItemChangeInput, old: ScheduledItem) -> InvoiceItemInput:
    """The item as it is to be. Where nothing is said of the amount, it stays as it was written."""
    issued_at = change.timestamp or old.issued_at
    if change.amount is not None:
        return InvoiceItemInput(issued_at, change.amount, change.unit_price, change.quantity)
    return InvoiceItemInput(
        issued_at,
        unit_price=old.unit_price if change.unit_price is None else change.unit_price,
        quantity=old.quantity if change.quantity is None else change.quantity,
    )


def _named(ids: Sequence[UUID], standing: Mapping[UUID, Row], noun: str, problems: Problems) -> list[tuple[str, Row]]:
    """What is to be taken out, each with its place in the request."""
    found: dict[UUID, tuple[str, Row]] = {}
    for index, row_id in enumerate(ids):
        name = f"remove_schedule_items[{index}]"
        if _is_there(f"{name}.id", row_id, standing, found, noun, problems):
            found[row_id] = (name, standing[row_id])
    return list(found.values())


def _changes(
    given: Sequence[Change], standing: Mapping[UUID, Row], removed: Sequence[Row], noun: str, problems: Problems
) -> list[tuple[int, Change, Row]]:
    """What is to be changed, each with its place in the request and the row that stands."""
    seen = {row_id for row_id, row in standing.items() if row in removed}
    found = []
    for index, change in enumerate(given):
        if _is_there(f"update_schedule_items[{index}].id", change.id, standing, seen, noun, problems):
            found.append((index, change, standing[change.id]))
            seen.add(change.id)
    return found


def _is_there(name: str, row_id: UUID, standing: Mapping[UUID, Any], seen: Any, noun: str, problems: Problems) -> bool:
    if row_id not in standing:
        problems.add(name, row_id, f"must be the id of {noun}")
    elif row_id in seen:
        problems.add(name, row_id, "must be there only once")
    return row_id in standing and row_id not in seen


def _check_number(rows: Sequence[Any], owner: str, problems: Problems, *, at_least: int) -> None:
    if not at_least <= len(rows) <= MOST_ITEMS:
        rule = f"must leave from {at_least} to {MOST_ITEMS}; archive the {owner} to end all of it"
        problems.add("schedule_items", f"{len(rows)} items", rule)
