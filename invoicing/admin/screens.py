"""What the contract's pages show, in finished words; templates add nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_site.foundation.display import (
    about_text,
    amount_text,
    day_text,
    exact_text,
    instant_text,
    period_text,
    quantity_text,
)
from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.periods import HOUR, Period
from contracts.models import Contract, Override
from contracts.queries import Agreement
from contracts.wording import EditInWords, charge_text, commit_text, names_in, override_text
from invoicing.models import Invoice
from invoicing.portal import Page, page_of, percent_text
from invoicing.queries.account import Account
from invoicing.queries.commitments import Commitment
from invoicing.queries.explained import ExplainedRow
from invoicing.queries.lateness import MissedUsage
from invoicing.queries.preview import Change, DocumentChange, Preview, WindowChange
from invoicing.queries.shown import ShownLine, ShownPart
from invoicing.wording import arithmetic_text, place_sentences, rate_text

SUBJECTS_NAMED = 3
KINDS = {Invoice.Kind.USAGE: "Usage", Invoice.Kind.TRUE_UP: "True-up", Invoice.Kind.CHARGES: "Scheduled charges"}


@dataclass(frozen=True, slots=True)
class CommitmentCard:
    title: str
    term: str
    standing: str
    outlook: str
    used_percent: str

    @classmethod
    def of(cls, held: Commitment, at: datetime) -> "CommitmentCard":
        unit = held.commit.unit
        outlook = f"{amount_text(held.left, unit)} left"
        if held.pace is not None and held.period.ending_before is not None:
            reached, due = about_text(held.pace.reached, unit), about_text(held.pace.due, unit)
            end = day_text(held.period.ending_before)
            outlook += f"; at the present pace about {reached} by {end}, true-up about {due}"
        elif held.due is not None and held.due_at is not None:
            outlook += f"; true-up of {amount_text(held.due, unit)} on {day_text(held.due_at)} if nothing more is used"
        return cls(
            title=held.commit.name or "Commitment",
            term=period_text(held.period),
            standing=f"{amount_text(held.used, unit)} of {amount_text(held.amount, unit)}",
            outlook=f"{outlook}.",
            used_percent=percent_text(held.used, held.amount),
        )


@dataclass(frozen=True, slots=True)
class ContractScreen:
    """`page` has the drafts, prices to come and documents of the contract as its customer reads them."""

    title: str
    customer: str
    customer_id: UUID
    term: str
    rate_card: str
    page: Page
    commitments: tuple[CommitmentCard, ...]
    terms: tuple[str, ...]
    history: tuple[EditInWords, ...]
    late: tuple[str, ...]  # what final documents have missed

    @classmethod
    def of(
        cls,
        contract: Contract,
        held: Account,
        agreed: Agreement,
        history: list[EditInWords],
        missed: list[MissedUsage],
        at: datetime,
    ) -> "ContractScreen":
        own = held.of_contract(contract.pk)
        return cls(
            title=agreed.terms.name or str(contract),
            customer=contract.customer.name,
            customer_id=contract.customer_id,
            term=period_text(Period(contract.starting_at, agreed.terms.ending_before)),
            rate_card=contract.rate_card.name if contract.rate_card else "",
            page=page_of(own),
            commitments=tuple(CommitmentCard.of(each, at) for each in own.commitments),
            terms=tuple(_terms(agreed)),
            history=tuple(history),
            late=tuple(map(_late_text, missed)),
        )


def _late_text(missed: MissedUsage) -> str:
    late = missed.late
    hours = "one hour" if late.hours == 1 else f"{late.hours} hours"
    first, last = instant_text(late.first), instant_text(late.last + HOUR)
    others = len(late.subjects) - SUBJECTS_NAMED
    subjects = ", ".join(late.subjects[:SUBJECTS_NAMED]) + (f" and {others} more" if others > 0 else "")
    return (
        f"{missed.invoice.number}, {period_text(missed.period)}: since it became final, events of {hours} between "
        f"{first} and {last} came in late or were corrected ({subjects})."
    )


def _terms(agreed: Agreement) -> Iterator[str]:
    names = names_in(agreed.overrides)
    for committed in agreed.commits:
        yield commit_text(committed)
    for override in agreed.overrides:
        yield override_text(override, names)
    if agreed.contract.multiplier_override_prioritization == Contract.Prioritization.EXPLICIT:
        yield "Of several discounts the one with the lowest priority number holds."
    for charged in agreed.charges:
        yield charge_text(charged)


@dataclass(frozen=True, slots=True)
class ChangeRow:
    name: str
    before: str
    after: str
    difference: str
    is_change: bool

    @classmethod
    def of(cls, change: Change, unit: Unit, name: str = "") -> "ChangeRow":
        difference = exact_sum([change.after, -change.before])
        sign = "+" if difference > 0 else ""
        return cls(
            name=name or change.name,
            before=amount_text(change.before, unit),
            after=amount_text(change.after, unit),
            difference=f"{sign}{amount_text(difference, unit)}" if difference else "",
            is_change=change.is_change,
        )


@dataclass(frozen=True, slots=True)
class WindowCard:
    title: str
    total: ChangeRow
    rows: tuple[ChangeRow, ...]
    is_change: bool

    @classmethod
    def of(cls, window: WindowChange, unit: Unit) -> "WindowCard":
        title = period_text(window.period)
        return cls(
            title=title,
            total=ChangeRow.of(window.total, unit, title),
            rows=tuple(ChangeRow.of(line, unit) for line in window.lines),
            is_change=window.is_change,
        )


@dataclass(frozen=True, slots=True)
class DocumentCard:
    title: str
    note: str
    total: ChangeRow
    windows: tuple[WindowCard, ...]
    rows: tuple[ChangeRow, ...]

    @classmethod
    def of(cls, change: DocumentChange) -> "DocumentCard":
        shown, unit = change.document, change.unit
        title = KINDS[Invoice.Kind(shown.kind)]
        title += f", {period_text(shown.period)}" if shown.period else f", due {day_text(shown.issued_at)}"
        return cls(
            title=title,
            note="New" if change.is_new else "No longer there" if change.is_gone else "",
            total=ChangeRow.of(change.total, unit, "Total"),
            windows=tuple(WindowCard.of(window, unit) for window in change.windows),
            rows=tuple(ChangeRow.of(line, unit) for line in change.lines),
        )


@dataclass(frozen=True, slots=True)
class PreviewCard:
    documents: tuple[DocumentCard, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, preview: Preview, contract: Contract, *, is_changed: bool) -> "PreviewCard":
        """`is_changed`: the form is not the one that was looked at before."""
        notes = ["The form has changed since you looked: this is what it would do now."] if is_changed else []
        return cls(tuple(map(DocumentCard.of, preview.documents)), (*notes, *_notes(preview, contract)))


def _notes(preview: Preview, contract: Contract) -> Iterator[str]:
    """What the author should know before it is made."""
    rerated = [
        change.document
        for change in preview.documents
        if change.document.period is not None and not change.is_new and not change.is_gone
    ]
    if rerated:
        which = ", ".join(period_text(document.period) for document in rerated if document.period)
        until = min(document.finalizes_at for document in rerated if document.finalizes_at)
        yield (
            f"This re-rates usage that is already in: {which} is open and is priced anew at once. "
            f"Nothing is final before {instant_text(until)}."
        )
    if contract.billed_through is not None:
        yield f"Invoices up to {day_text(contract.billed_through)} are final and stay as they are."
    if not preview.documents:
        yield "No draft changes now: the edit holds for what is still to come."


@dataclass(frozen=True, slots=True)
class PartCard:
    """One decision: the arithmetic, and the sentences behind it."""

    when: str
    arithmetic: str
    amount: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhyCard:
    title: str
    document: str
    total: str
    exact: str
    metered: tuple[str, ...]
    parts: tuple[PartCard, ...]

    @classmethod
    def of(cls, row: ExplainedRow) -> "WhyCard":
        shown, first = row.document, row.lines[0]
        total = exact_sum([line.total for line in row.lines])
        name = f"Invoice {shown.number}" if shown.number else "Draft"
        name += f", {period_text(shown.period)}" if shown.period else f", due {day_text(shown.issued_at)}"
        exact = exact_text(total, row.unit)
        return cls(
            title=first.name,
            document=name,
            total=amount_text(total, row.unit),
            exact="" if exact == amount_text(total, row.unit) else exact,
            metered=tuple(_metered(row)),
            parts=tuple(_part(part, row) for line in row.lines for part in line.parts) or tuple(_flat(row)),
        )


def _metered(row: ExplainedRow) -> Iterator[str]:
    """How the quantity came about: what was measured, and how it is sold."""
    for metric in row.metrics.values():
        types = metric.event_type_filter.get("in_values") or ["every type"]
        what = {"COUNT": "the number", "SUM": f"the sum of “{metric.aggregation_key}”"}.get(
            metric.aggregation_type, f"{metric.aggregation_type} of “{metric.aggregation_key}”"
        )
        metered = exact_sum([part.metric_quantity for line in row.lines for part in line.parts])
        yield (
            f"Measured by “{metric.name}”: {what} over events of type {', '.join(types)}"
            f" sent for this customer: {quantity_text(metered)}."
        )
    version = row.version
    if version is not None and version.conversion_factor is not None:
        sold = version.conversion_name or "sold units"
        verb = "divided" if version.conversion_operation == "DIVIDE" else "multiplied"
        yield f"Sold in {sold}: what is measured is {verb} by {quantity_text(version.conversion_factor)}."


def _part(part: ShownPart, row: ExplainedRow) -> PartCard:
    return PartCard(
        when=period_text(part.period),
        arithmetic=arithmetic_text(part, row.unit),
        amount=exact_text(part.amount, row.unit),
        reasons=tuple(_reasons(part, row)),
    )


def _flat(row: ExplainedRow) -> Iterator[PartCard]:
    """Lines that no usage stands behind: a true-up, a scheduled charge."""
    for line in row.lines:
        yield PartCard(_when(line), _how(line, row.unit), exact_text(line.total, row.unit), tuple(_why(line)))


def _when(line: ShownLine) -> str:
    return period_text(line.period) if line.period else ""


def _how(line: ShownLine, unit: Unit) -> str:
    if line.quantity is None or line.unit_price is None:
        return ""
    return f"{quantity_text(line.quantity)} × {exact_text(line.unit_price, unit)}"


def _why(line: ShownLine) -> Iterator[str]:
    if line.type == "commit_purchase" and "postpaid_commit" in line.fields:
        yield "What is still missing of the commitment: the amount agreed, less what has counted toward it."
    elif line.type == "usage":
        yield "Nothing was used."
    else:
        yield "Agreed in the contract for this date."


def _reasons(part: ShownPart, row: ExplainedRow) -> Iterator[str]:
    yield from place_sentences(part)
    rate = row.rates.get(part.rate_id)
    if rate is not None:
        publication = rate.publication
        yield (
            f"{rate_text(part, rate.unit.to_unit())} of “{rate.rate_card.name}”"
            f" {period_text(Period(rate.starting_at, rate.ending_before))}: publication {part.publication} by"
            f" {part.published_by} on {instant_text(publication.published_at)}"
            f"{_because(publication.price_change.reason)}."
        )
    override = row.overrides.get(part.override_id) if part.override_id else None
    if override is not None:
        yield f"The contract has its own: {_agreed(override, row.names)}."
    elif rate is not None:
        yield "The contract has no price or discount of its own for it then."
    for loser_id, reason in part.losing_overrides:
        loser = row.overrides.get(loser_id)
        if loser is not None:
            yield f"Not applied: {_agreed(loser, row.names)}. {reason}"
    segment = row.segments.get(part.segment_id) if part.segment_id else None
    if segment is not None:
        commit = segment.commit
        verb = "Counts toward" if commit.type == "POSTPAID" else "Paid by"
        whole = exact_text(segment.amount, commit.unit.to_unit())
        window = period_text(Period(segment.starting_at, segment.ending_before))
        yield f"{verb} the commitment “{commit.name}” of {whole}, {window}."


def _agreed(override: Override, names: Mapping[str, str]) -> str:
    edit = override.added_by_edit
    return (
        f"{override_text(override, names)}, agreed in edit {edit.number} by {edit.created_by}"
        f" on {instant_text(edit.created_at)}{_because(edit.reason)}"
    )


def _because(reason: str) -> str:
    return f" (“{reason}”)" if reason else ""
