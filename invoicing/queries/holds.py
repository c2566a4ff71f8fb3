"""What holds drafts: what was found in them, what is unlike the documents before, what people decided.

Only a draft whose period is over is compared with what is usual, and only the first one of its contract: the documents
before it are final, and those after it wait.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings

from billing_site.foundation.display import amount_text, count_text
from billing_site.foundation.money import round_to
from billing_site.foundation.periods import Period
from contracts.queries import customer
from invoicing.engine.bounds import ABOVE, Billed, out_of_bounds
from invoicing.engine.documents import Document
from invoicing.engine.quiet import DOCUMENTS, Source, end_of, gone_quiet
from invoicing.engine.reasons import (
    BY_HAND,
    FINANCE,
    NO_TAX_RATE,
    OPERATIONS,
    QUIET,
    Reason,
    Seen,
    of_bounds,
    who_mends,
)
from invoicing.engine.rounding import finalized
from invoicing.engine.sellers import sellers
from invoicing.models import HoldDecision, Invoice
from invoicing.queries.addressees import addressee
from invoicing.queries.compute import Computation
from invoicing.queries.silent import silences
from invoicing.queries.taxation import taxation
from invoicing.queries.usual import billed_before, bounds_for
from ledger.queries.sources import heard_of


@dataclass(frozen=True, slots=True)
class Judged:
    """A usage draft whose period is over, and the last usage documents before it, the last one first."""

    draft: Document
    period: Period
    before: tuple[Billed, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """What people decided about one draft: the hold by hand that stands, and all that was ever reviewed."""

    hold: HoldDecision | None = None
    seen: tuple[Seen, ...] = ()


def reasons_to_hold(
    computed: Computation, drafts: Sequence[Document] | None = None, *, at: datetime
) -> dict[UUID, tuple[Reason, ...]]:
    """Why each of `drafts` (None: each that was computed, and what stands in for silence) is held; those that nothing
    holds are absent.

    A missing tax rate is not among the reasons: see `missing_tax_rates`. At most three queries, and one more where a
    period without usage is over.
    """
    silent = silences(computed) if drafts is None or not all(draft.lines for draft in drafts) else {}
    if drafts is None:
        drafts = [*computed.result.documents, *(draft for draft, _ in silent.values())]
    decided = decisions(computed.inputs.terms.customer_id, [draft.id for draft in drafts])
    unlike = _unlike_before(computed, [draft for draft in drafts if draft.id not in silent], at=at)
    found: dict[UUID, tuple[Reason, ...]] = {}
    for draft in drafts:
        known = decided.get(draft.id, Decided())
        is_silent = [silent[draft.id][1]] if draft.id in silent else []
        reasons = [*_of_findings(draft), *_by_hand(known), *is_silent, *unlike.get(draft.id, ())]
        held = tuple(reason for reason in reasons if not reason.is_covered_by(known.seen))
        if held:
            found[draft.id] = held
    return found


def held_silences(computed: Computation) -> list[Document]:
    """The empty drafts that stand in for periods of silence and are held, in order of time. Two queries; none where
    there is no such period."""
    drafts = [draft for draft, _ in silences(computed).values()]
    if not drafts:
        return []
    held = reasons_to_hold(computed, drafts, at=computed.inputs.at)
    return sorted((draft for draft in drafts if draft.id in held), key=lambda draft: draft.issued_at)


def draft_or_silence(computed: Computation, draft_id: UUID) -> Document | None:
    """The draft of that id, or the empty one that stands in for a period of silence."""
    draft = computed.draft(draft_id)
    if draft is not None:
        return draft
    return next((each for each in held_silences(computed) if each.id == draft_id), None)


def all_reasons(computed: Computation, *, at: datetime) -> dict[UUID, tuple[Reason, ...]]:
    """Why each draft is held, a missing tax rate included; those that nothing holds are absent."""
    untaxed = missing_tax_rates(computed, at=at)
    held = reasons_to_hold(computed, at=at)
    for draft_id, reason in untaxed.items():
        held[draft_id] = (*held.get(draft_id, ()), reason)
    return held


def missing_tax_rates(computed: Computation, *, at: datetime) -> dict[UUID, Reason]:
    """Which drafts that are issued by now lack a tax rate. At most six queries; none where nothing is issued."""
    issued = [draft for draft in computed.result.documents if draft.issued_at <= at]
    if not issued:
        return {}
    to = addressee(customer(computed.inputs.terms.customer_id))
    if not to.is_taxed:
        return {}
    problems = {draft.id: taxation(finalized(draft), to.tax_port).problem for draft in issued}
    return {draft_id: Reason(NO_TAX_RATE, problem, FINANCE) for draft_id, problem in problems.items() if problem}


def decisions(customer_id: UUID, document_ids: Sequence[UUID]) -> dict[UUID, Decided]:
    """What was decided about these documents. One query."""
    rows = HoldDecision.objects.filter(customer_id=customer_id, document_id__in=document_ids)
    by_document: dict[UUID, list[HoldDecision]] = defaultdict(list)
    for row in rows.order_by("money_version"):
        by_document[row.document_id].append(row)
    return {document_id: _decided(found) for document_id, found in by_document.items()}


def _decided(rows: Iterable[HoldDecision]) -> Decided:
    hold, seen = None, []
    for row in rows:
        if row.kind == HoldDecision.Kind.HELD:
            hold = row
        elif row.releases_id is not None:
            hold = None
        seen += [
            Seen(each["kind"], each["about"], None if each["measure"] is None else Decimal(each["measure"]))
            for each in row.reviewed
        ]
    return Decided(hold, tuple(seen))


def _of_findings(draft: Document) -> Iterator[Reason]:
    for finding in draft.findings:
        if finding.blocking:
            yield Reason(str(finding.kind), finding.message, who_mends(finding.kind))


def _by_hand(known: Decided) -> Iterator[Reason]:
    if known.hold is not None:
        message = f"Held by {known.hold.created_by}: {known.hold.reason}"
        yield Reason(BY_HAND, message, FINANCE, about=str(known.hold.pk), since=known.hold.created_at)


def _unlike_before(computed: Computation, drafts: Iterable[Document], *, at: datetime) -> dict[UUID, list[Reason]]:
    judged = _judged(computed, drafts, at=at)
    found: dict[UUID, list[Reason]] = defaultdict(list)
    for each in judged:
        found[each.draft.id] += _bounds_reasons(each)
    for each, sources in _quiet(computed, judged):
        found[each.draft.id] += [_quiet_reason(source, computed) for source in sources]
    return found


def _judged(computed: Computation, drafts: Iterable[Document], *, at: datetime) -> list[Judged]:
    """The drafts to be compared, which have enough documents before them. One query."""
    first: dict[UUID, Document] = {}
    for draft in computed.result.documents:  # in the order of their periods
        if draft.kind == Invoice.Kind.USAGE:
            first.setdefault(draft.contract_id, draft)
    over = {
        draft.contract_id: (draft, draft.period)
        for draft in drafts
        if draft.period is not None and first.get(draft.contract_id) is draft and draft.issued_at <= at
    }
    places = [(draft.contract_id, draft.unit.id, period.starting_at) for draft, period in over.values()]
    before = billed_before(computed.inputs.terms.customer_id, places)
    return [
        Judged(draft, period, before[contract_id])
        for contract_id, (draft, period) in over.items()
        if len(before.get(contract_id, ())) >= DOCUMENTS
    ]


def _bounds_reasons(judged: Judged) -> Iterator[Reason]:
    unit, bounds = judged.draft.unit, bounds_for(judged.draft.unit)
    now = Billed(judged.draft.total_of_usage, judged.period)
    found = out_of_bounds(now, judged.before, bounds)
    if found is None:
        return
    besides = "" if now.total == judged.draft.total else ", without what is charged by schedule,"
    far = "above" if found.kind == ABOVE else "below"
    usual = amount_text(round_to(found.usual, unit.minor_step), unit)
    message = (
        f"{amount_text(now.total, unit)}{besides} is far {far} the {usual} that its last {found.documents} "
        f"usage invoices make usual for as long a period."
    )
    yield of_bounds(found, now, bounds, message)


def _quiet(computed: Computation, judged: Sequence[Judged]) -> Iterator[tuple[Judged, list[Source]]]:
    """Sources gone quiet, for those that have any. One query."""
    ends = {each.draft.id: [end_of(period, settings.HOLD_QUIET_DAYS) for period in _periods(each)] for each in judged}
    asked = [end for found in ends.values() for end in found]
    metrics = {each.draft.id: _metrics_sold(computed, each.draft.contract_id) for each in judged}
    claims = computed.inputs.terms.claims
    heard = heard_of(claims, asked, metric_ids=frozenset().union(*metrics.values())) if asked else []
    answers = iter(heard)
    for each in judged:
        now, *before = [
            {Source(subject, metric) for subject, metric in next(answers) if metric in metrics[each.draft.id]}
            for _ in ends[each.draft.id]
        ]
        end = each.period.ending_before
        assert end is not None
        claimed = {claim.subject for claim in claims if claim.ending_before is None or claim.ending_before >= end}
        sources = [source for source in gone_quiet(now, before) if source.subject in claimed]
        if sources:
            yield each, sources


def _periods(judged: Judged) -> Iterator[Period]:
    yield judged.period
    for billed in judged.before[:DOCUMENTS]:
        yield billed.period


def _metrics_sold(computed: Computation, contract_id: UUID) -> frozenset[UUID]:
    catalog = computed.inputs.catalog
    return frozenset(
        version.metric_id
        for product_id in sellers(computed.inputs.terms, catalog)[contract_id].product_ids
        for version in catalog.products[product_id]
        if version.metric_id is not None
    )


def _quiet_reason(source: Source, computed: Computation) -> Reason:
    name = computed.inputs.catalog.metrics[source.metric_id].name
    days = count_text(settings.HOLD_QUIET_DAYS, "day", "days")
    message = f"{source.subject} has gone quiet: no {name} in the last {days} of the period, as there was before."
    return Reason(QUIET, message, OPERATIONS, about=f"{source.metric_id} {source.subject}")
