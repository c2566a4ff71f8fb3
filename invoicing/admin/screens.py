"""What the contract's pages show, in finished words; templates add nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_site.foundation.display import (
    about_text,
    amount_text,
    day_text,
    instant_text,
    period_text,
)
from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.periods import HOUR, Period
from contracts.end_notices import EndNotice
from contracts.models import Contract
from contracts.queries import Agreement
from contracts.term_lines import TermLine, billing_lines, term_lines
from contracts.wording import EditInWords
from invoicing.admin.term_pictures import TermPicture
from invoicing.admin.term_rows import groups_of
from invoicing.models import Invoice
from invoicing.portal import Page, besides, page_of, percent_text
from invoicing.portal.words import last_day
from invoicing.queries.account import Account
from invoicing.queries.coming_periods import Coming
from invoicing.queries.commitments import Commitment
from invoicing.queries.lateness import MissedUsage
from invoicing.queries.preview import Change, DocumentChange, Preview, WindowChange
from invoicing.wording import KINDS

SUBJECTS_NAMED = 3


@dataclass(frozen=True, slots=True)
class CommitmentCard:
    title: str
    term: str
    standing: str
    outlook: str
    used_percent: str

    @classmethod
    def of(cls, held: Commitment, at: datetime) -> "CommitmentCard":
        unit = held.commit.held_in
        outlook = "; ".join(filter(None, [f"{amount_text(held.left, unit)} left", besides(held)]))
        if held.pace is not None and held.period.ending_before is not None:
            reached, due = about_text(held.pace.reached, unit), about_text(held.pace.due, unit)
            end = day_text(held.period.ending_before)
            outlook += f"; at the present pace about {reached} by {end}, true-up about {due}"
        elif held.due is not None and held.due_at is not None:
            outlook += f"; true-up of {amount_text(held.due, unit)} on {day_text(held.due_at)} if nothing more is used"
        elif held.commit.pays and held.period.ending_before is not None:
            outlook += f"; what is not used by {day_text(held.period.ending_before)} expires"
        return cls(
            title=held.commit.name or ("Commitment" if held.due is not None else "Balance"),
            term=period_text(held.period),
            standing=f"{amount_text(held.used, unit)} of {amount_text(held.amount, unit)}",
            outlook=f"{outlook}.",
            used_percent=percent_text(held.used, held.amount),
        )


@dataclass(frozen=True, slots=True)
class ContractLink:
    """Another contract of the customer, to go to."""

    id: UUID
    name: str

    @classmethod
    def among(cls, held: Account, contract_id: UUID | None) -> "ContractLink | None":
        names = {each.id: each.name or f"the one from {day_text(each.term.starting_at)}" for each in held.contracts}
        return None if contract_id is None else cls(contract_id, names.get(contract_id, "an archived one"))


@dataclass(frozen=True, slots=True)
class ContractScreen:
    """`page` has the drafts, prices to come and documents of the contract as its customer reads them."""

    title: str
    customer: str
    customer_id: UUID
    term: str
    rate_card: str
    billed: str  # how often, and when that is to be paid
    page: Page
    commitments: tuple[CommitmentCard, ...]
    terms: tuple[TermLine, ...]
    picture: TermPicture
    history: tuple[EditInWords, ...]
    late: tuple[str, ...]  # what final documents have missed
    renews: "ContractLink | None"
    renewed_by: "ContractLink | None"
    end_notice: EndNotice | None
    package: str  # what it was made from
    has_services: bool  # professional ones, to invoice

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
        own, lines = held.of_contract(contract.pk), tuple(term_lines(agreed))
        term = Period(contract.starting_at, agreed.terms.ending_before)
        return cls(
            title=agreed.terms.name or str(contract),
            customer=contract.customer.name,
            customer_id=contract.customer_id,
            term=period_text(term),
            rate_card=contract.rate_card.name if contract.rate_card else "",
            billed=" ".join(billing_lines(agreed)),
            page=page_of(own),
            commitments=tuple(CommitmentCard.of(each, at) for each in own.commitments),
            terms=lines,
            picture=TermPicture.of(groups_of(agreed, held.catalog, lines, at), term, at),
            history=tuple(history),
            late=tuple(map(_late_text, missed)),
            renews=ContractLink.among(held, contract.renews_id),
            renewed_by=ContractLink.among(held, agreed.renewed_by),
            end_notice=None
            if agreed.renewed_by is not None or contract.archived_at is not None
            else EndNotice.of(agreed.terms, at),
            package=contract.package.name if contract.package else "",
            has_services=bool(agreed.services.services),
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


@dataclass(frozen=True, slots=True)
class ChangeRow:
    name: str
    before: str
    after: str
    difference: str
    is_change: bool
    when: str  # of a fee of a subscription: what it is for

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
            when=period_text(change.period) if change.period else "",
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
class ComingCard:
    """`rows` where an edit changes something in the periods to come; `told` says what they rest on, or that there is
    nothing to tell."""

    rows: tuple[ChangeRow, ...]
    told: str

    @classmethod
    def of(cls, coming: Coming) -> "ComingCard":
        end = f"the contract ends with {last_day(coming.ends_at)}" if coming.ends_at else ""
        if not coming.follows:
            return cls((), f"No billing period follows the running one: {end}.")
        now = coming.week.ending_before
        assert now is not None, "the last seven days end now"
        as_now = f"if usage goes on hour for hour as in the seven days up to {instant_text(now)}"
        if not coming.is_change:
            return cls((), f"In the billing periods after the running one nothing changes, {as_now}.")
        rows = tuple(
            ChangeRow.of(Change(period_text(each.period), each.before, each.after), each.unit)
            for each in coming.periods
        )
        ending = f" No period follows: {end}." if end else ""
        return cls(rows, f"What invoices of the contract come to, before tax, {as_now}.{ending}")


@dataclass(frozen=True, slots=True)
class PreviewCard:
    documents: tuple[DocumentCard, ...]
    notes: tuple[str, ...]
    coming: ComingCard | None  # of the contract that is edited

    @classmethod
    def of(cls, preview: Preview, billed_through: datetime | None, *, is_changed: bool) -> "PreviewCard":
        """`is_changed`: the form is not the one that was looked at before."""
        notes = ["The form has changed since you looked: this is what it would do now."] if is_changed else []
        return cls(
            documents=tuple(map(DocumentCard.of, preview.documents)),
            notes=(*notes, *_notes(preview, billed_through)),
            coming=ComingCard.of(preview.coming) if preview.coming else None,
        )


def _notes(preview: Preview, billed_through: datetime | None) -> Iterator[str]:
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
    if billed_through is not None:
        yield f"Invoices up to {day_text(billed_through)} are final and stay as they are."
    if not preview.documents:
        yield "No draft changes now: the edit holds for what is still to come."
