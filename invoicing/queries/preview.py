"""What an edit would do to the drafts, line by line, before it is made. Nothing is written.

Both sides are computed in one snapshot. A document is cut where the lines of either side begin or end, so that a
stretch that the edit leaves alone can be told from one that it prices anew:

    October        before      after
    1-14 October   $21,000     $21,000    unchanged
    15-31 October  $30,000     $15,000    API calls $1,200 -> $600, ...
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.periods import Period
from billing_site.foundation.transactions import read_snapshot
from contracts import services
from contracts.inputs import CommitChangeInput, EditInput, SharedCommitInput
from contracts.models import Customer
from contracts.queries import Agreement
from contracts.service_inputs import ServiceInvoiceInput
from contracts.terms import CustomerTerms
from invoicing.queries.breakdowns import pieces_of, with_fees_marked
from invoicing.queries.coming_periods import Coming, coming_periods
from invoicing.queries.compute import Computation, computation
from invoicing.queries.documents import shown_drafts
from invoicing.queries.finals import final_documents
from invoicing.queries.shown import ShownDocument, ShownLine
from pricing.models import PricingUnit

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Change:
    """An amount before and after the edit. A line or document that is on one side only is zero on the other."""

    name: str
    before: Decimal
    after: Decimal
    period: Period | None = None  # of a fee of a subscription: what it is for

    @property
    def is_change(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class WindowChange:
    """A stretch of a usage document, by product, without fees. What prepaid balances pay is a line of its own, below
    zero."""

    period: Period
    total: Change
    lines: tuple[Change, ...]

    @property
    def is_change(self) -> bool:
        return any(line.is_change for line in self.lines)


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """`windows` are those of a usage document, which has its fees in `lines`; another kind has all its lines there."""

    document: ShownDocument  # as it would be, or as it is where the edit takes it away
    unit: Unit
    is_new: bool
    is_gone: bool
    total: Change
    windows: tuple[WindowChange, ...] = ()
    lines: tuple[Change, ...] = ()

    @property
    def is_change(self) -> bool:
        return (
            self.is_new
            or self.is_gone
            or self.total.is_change
            or any(each.is_change for each in self.windows)
            or any(each.is_change for each in self.lines)
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """The drafts of the customer that the edit would change, and how many it leaves alone."""

    documents: tuple[DocumentChange, ...]
    unchanged: int
    coming: Coming | None = None  # of the contract that is edited


def preview_edit(customer_id: UUID, contract_id: UUID, given: EditInput, *, at: datetime) -> Preview:
    """What `edit_contract` would do to the customer's drafts. Raises what it raises."""
    return _preview(
        customer_id, lambda: services.terms_after_edit(customer_id, contract_id, given, at=at), at=at, of=contract_id
    )


def preview_contract(planned: Agreement, *, at: datetime) -> Preview:
    """What a contract that is planned would do to the drafts of its customer."""
    contract = planned.contract
    return _preview(contract.customer_id, lambda: services.terms_with(planned), at=at, of=contract.pk)


def preview_commit_edit(
    customer_id: UUID, given: CommitChangeInput, *, types: Collection[str], at: datetime
) -> Preview:
    """What `edit_commit` would do to the customer's drafts. Raises what it raises."""
    return _preview(
        customer_id, lambda: services.terms_after_commit_edit(customer_id, given, types=types, at=at), at=at
    )


def preview_shared_commit(customer_id: UUID, given: SharedCommitInput, *, at: datetime) -> Preview:
    """What `create_shared_commit` would do to the customer's drafts. Raises what it raises."""
    return _preview(customer_id, lambda: services.terms_after_shared_commit(customer_id, given, at=at), at=at)


def preview_archived_commit(customer_id: UUID, commit_id: UUID, *, types: Collection[str], at: datetime) -> Preview:
    """What `archive_commit` would do to the customer's drafts. Raises what it raises."""
    return _preview(
        customer_id, lambda: services.terms_after_archived_commit(customer_id, commit_id, types=types, at=at), at=at
    )


def preview_archived_contract(customer_id: UUID, contract_id: UUID, *, at: datetime) -> Preview:
    """What `archive_contract` would do to the customer's drafts. Raises what it raises."""
    return _preview(customer_id, lambda: services.terms_after_archived_contract(customer_id, contract_id, at=at), at=at)


def preview_services_invoice(
    customer_id: UUID, contract_id: UUID, given: ServiceInvoiceInput, *, at: datetime
) -> Preview:
    """What `schedule_services_invoice` would do to the customer's drafts. Raises what it raises."""
    return _preview(
        customer_id, lambda: services.terms_after_services_invoice(customer_id, contract_id, given, at=at), at=at
    )


def _preview(customer_id: UUID, plan: Callable[[], CustomerTerms], *, at: datetime, of: UUID | None = None) -> Preview:
    """`of` is the contract whose coming periods are told."""
    with read_snapshot():
        planned = plan()
        customer = Customer.objects.get(pk=customer_id)
        before = computation(customer_id, at=at)
        after = computation(customer_id, at=at, terms=planned)
        olds = {_key(draft): draft for draft in shown_drafts(before, customer)}
        news = {_key(draft): draft for draft in shown_drafts(after, customer)}
        units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
        changes = [
            _change(olds.get(key), news.get(key), before, after, units)
            for key in sorted({**olds, **news}, key=lambda key: _order(news.get(key) or olds[key]))
        ]
        coming = coming_periods(of, before, after, final_documents(customer_id)) if of is not None else None
    changed = tuple(change for change in changes if change.is_change)
    return Preview(changed, len(changes) - len(changed), coming)


def _key(draft: ShownDocument) -> tuple[UUID, str, str]:
    """What makes it the same document on both sides."""
    return draft.contract_id, draft.kind, draft.slot


def _order(draft: ShownDocument) -> tuple[datetime, str]:
    return draft.issued_at, str(draft.id)


def _change(
    old: ShownDocument | None,
    new: ShownDocument | None,
    before: Computation,
    after: Computation,
    units: Mapping[UUID, Unit],
) -> DocumentChange:
    shown = new or old
    assert shown is not None
    total = Change("", old.subtotal if old else ZERO, new.subtotal if new else ZERO)
    windows: tuple[WindowChange, ...] = ()
    old_lines, new_lines = old.lines if old else (), new.lines if new else ()
    if shown.period is not None:
        windows = tuple(_windows(shown, old, new, before, after))
        old_lines, new_lines = _fees(old_lines), _fees(new_lines)
    return DocumentChange(
        document=shown,
        unit=units[shown.unit_id],
        is_new=old is None,
        is_gone=new is None,
        total=total,
        windows=windows,
        lines=tuple(_changes(old_lines, new_lines)),
    )


def _windows(
    shown: ShownDocument,
    old: ShownDocument | None,
    new: ShownDocument | None,
    before: Computation,
    after: Computation,
) -> Iterator[WindowChange]:
    """The document's stretches, neighbours that are both unchanged taken together."""
    waiting: WindowChange | None = None
    cut = _cut(shown, [*_usage(old.lines if old else ()), *_usage(new.lines if new else ())])
    olds = _lines_by_window(old, cut, before)
    news = _lines_by_window(new, cut, after)
    for window, old_lines, new_lines in zip(cut, olds, news, strict=True):
        changed = _window(window, tuple(_changes(old_lines, new_lines)))
        if waiting is not None and not waiting.is_change and not changed.is_change:
            waiting = _together(waiting, changed)
            continue
        if waiting is not None:
            yield waiting
        waiting = changed
    if waiting is not None:
        yield waiting


def _cut(shown: ShownDocument, lines: Sequence[ShownLine]) -> list[Period]:
    """The document's period, cut where any line begins or ends."""
    period = shown.period
    assert period is not None
    assert period.ending_before is not None
    instants = {period.starting_at, period.ending_before}
    for line in lines:
        if line.period is not None:
            instants |= {line.period.starting_at, line.period.ending_before or period.ending_before}
    inside = sorted(each for each in instants if period.starting_at <= each <= period.ending_before)
    return [Period(start, end) for start, end in pairwise(inside)]


def _lines_by_window(
    document: ShownDocument | None, windows: Sequence[Period], computed: Computation
) -> list[tuple[ShownLine, ...]]:
    if document is None:
        return [() for _ in windows]
    return [_usage(piece.lines) for piece in pieces_of(document, windows, computed.inputs)]


def _usage(lines: Sequence[ShownLine]) -> tuple[ShownLine, ...]:
    return tuple(line for line, is_of_fee in with_fees_marked(lines) if not is_of_fee)


def _fees(lines: Sequence[ShownLine]) -> tuple[ShownLine, ...]:
    return tuple(line for line, is_of_fee in with_fees_marked(lines) if is_of_fee)


def _window(period: Period, lines: tuple[Change, ...]) -> WindowChange:
    total = Change("", exact_sum([line.before for line in lines]), exact_sum([line.after for line in lines]))
    return WindowChange(period, total, lines)


def _together(one: WindowChange, other: WindowChange) -> WindowChange:
    sums: dict[str, Change] = {}
    for line in (*one.lines, *other.lines):
        so_far = sums.get(line.name, Change(line.name, ZERO, ZERO))
        sums[line.name] = Change(
            line.name, exact_sum([so_far.before, line.before]), exact_sum([so_far.after, line.after])
        )
    return _window(Period(one.period.starting_at, other.period.ending_before), tuple(sums.values()))


def _changes(old: Sequence[ShownLine], new: Sequence[ShownLine]) -> Iterator[Change]:
    """Amounts by name of the line, those of fees by their time, too, in the order of the lines that would be."""
    befores, afters = _by_name(old), _by_name(new)
    for key in {**afters, **befores}:
        before, after = befores.get(key, ZERO), afters.get(key, ZERO)
        if before or after:
            name, period = key
            yield Change(name, before, after, period)


def _by_name(lines: Sequence[ShownLine]) -> dict[tuple[str, Period | None], Decimal]:
    found: dict[tuple[str, Period | None], Decimal] = {}
    for line, is_of_fee in with_fees_marked(lines):
        if line.counts:
            key = line.name, line.period if is_of_fee else None
            found[key] = exact_sum([found.get(key, ZERO), line.total])
    return found
