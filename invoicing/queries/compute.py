"""The shell around the invoice-compute engine: everything it is told is read here, in one snapshot."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import HOUR, floor_hour
from billing_site.foundation.problems import refuse_future
from billing_site.foundation.transactions import read_snapshot
from contracts.queries import customer_terms, edit_number_at, known_at
from contracts.terms import ClaimWindow, Commit, CustomerTerms
from invoicing.engine import walk
from invoicing.engine.documents import Document, Result
from invoicing.engine.inputs import Inputs, Posted
from invoicing.models import Invoice
from invoicing.queries import metering
from invoicing.queries.finals import Finals, Slot, charged_on_usage, final_documents
from invoicing.queries.going_on import GoingOn, cut_by_week
from invoicing.queries.late import closed_periods
from invoicing.queries.netting import netted
from invoicing.queries.unread import with_unread_values
from ledger.models import LedgerEntry
from ledger.queries.entries import posted_entries
from pricing.queries import catalog


@dataclass(frozen=True, slots=True)
class Computation:
    """What the engine was told beside usage, and what it answered."""

    inputs: Inputs
    result: Result

    @property
    def commits(self) -> tuple[Commit, ...]:
        """All commits and credits: those agreed, what has begun of those that recur, what renewals took over."""
        at = self.inputs.at
        return tuple(
            commit
            for commit in self.result.commits
            if commit.recurring_id is None or commit.segments[0].period.starting_at <= at
        )

    def draft(self, draft_id: UUID) -> Document | None:
        return next((draft for draft in self.result.documents if draft.id == draft_id), None)


def compute(
    customer_id: UUID, *, at: datetime, at_edit: int | None = None, at_publication: int | None = None
) -> Result:
    """All drafts of the customer as of `at`, with findings and traces.

    `at_edit` and `at_publication` name what was known of terms and prices (default: everything). Raises NotFound.
    """
    return computation(customer_id, at=at, at_edit=at_edit, at_publication=at_publication).result


def computation(
    customer_id: UUID,
    *,
    at: datetime,
    at_edit: int | None = None,
    at_publication: int | None = None,
    as_of: datetime | None = None,
    terms: CustomerTerms | None = None,
    reopened: Slot | None = None,
) -> Computation:
    """`compute`, with what it was computed from. `terms` stand in for those that are agreed: what would be, if …
    `reopened` is what a void document has billed and another is made for.

    With `as_of` the drafts are those that the prices and terms known then make of the usage known now, where only the
    documents that were final by then are. Raises Refusal where it is later than `at`.

    A fixed number of statements for a customer, and at most two more for each balance that runs out.
    """
    with read_snapshot():
        if as_of is not None:
            known = known_at(customer_id, as_of, at=at)
            at_edit, at_publication = known.at_edit, known.at_publication
        finals = final_documents(customer_id, as_of=as_of)
        terms = terms or customer_terms(customer_id, at_edit=at_edit)
        cards = {contract.rate_card_id for contract in terms.contracts if contract.rate_card_id is not None}
        inputs = Inputs(
            at=at,
            terms=terms,
            catalog=catalog(rate_card_ids=cards, at_publication=at_publication),
            posted=without(posted(terms, finals, as_of=as_of), reopened),
        )
        return computed_from(inputs, finals, reopened=reopened)


def computation_at(customer_id: UUID, *, at: datetime, as_of: datetime | None) -> Computation:
    """How the customer stands at `at`; or stood at `as_of`, by what was agreed, priced, posted and used by then.

    Of usage, whole hours are known: the one that `as_of` lies in counts. Raises NotFound, and Refusal where `as_of` is
    later than `at`.
    """
    if as_of is None:
        return computation(customer_id, at=at)
    with read_snapshot():
        refuse_future(as_of, at=at)
        terms = customer_terms(customer_id, at_edit=edit_number_at(customer_id, as_of))
        claims = tuple(_claimed_before(floor_hour(as_of) + HOUR, terms.claims))
        return computation(customer_id, at=as_of, as_of=as_of, terms=replace(terms, claims=claims))


def _claimed_before(instant: datetime, claims: Iterable[ClaimWindow]) -> Iterator[ClaimWindow]:
    """The claims without the time from `instant` on."""
    for claim in claims:
        if claim.starting_at is None or claim.starting_at < instant:
            yield replace(claim, ending_before=min(claim.ending_before or instant, instant))


def computed_from(
    inputs: Inputs, finals: Finals, *, reopened: Slot | None = None, goes_on_from: datetime | None = None
) -> Computation:
    """What the engine answers to these inputs, with these final documents, and to the usage that is known now. Call it
    inside the snapshot in which they were read. `reopened` is the slot that the inputs are `without`. From the hour
    `goes_on_from` on usage is what `going_on` assumes: for inputs of a later time."""
    claims = inputs.terms.claims
    plan = walk.plan(inputs)
    asked = metering.Asked.of(inputs.catalog, plan.metric_ids, plan.scopes)
    metered: metering.Metered | GoingOn = metering.Metered(claims, asked, inputs.at)
    if goes_on_from is not None:
        plan, metered = cut_by_week(plan, goes_on_from), GoingOn.read(claims, asked, goes_on_from)
    usage = metered.of(plan.slices)
    result = walk.answered(
        walk.compute(inputs, plan, usage, closed_periods(inputs, finals), netted(inputs, finals, reopened)),
        metered.finer,
    )
    return Computation(inputs, with_unread_values(result, inputs, plan.metric_ids))


def without(known: Posted, slot: Slot | None) -> Posted:
    """As if the slot had no final document."""
    return replace(known, documents=known.documents - {slot}, reopened=slot) if slot is not None else known


def posted(terms: CustomerTerms, finals: Finals, *, as_of: datetime | None = None, before: int | None = None) -> Posted:
    """What the customer's final documents have settled, and what was posted by hand; or had been by `as_of`, or before
    the customer's money version `before`."""
    documents = set(finals.occupied)
    drawn, billed, manual, rolled_over, trued_up = (defaultdict[UUID, list[Decimal]](list) for _ in range(5))
    for entry in posted_entries(terms.customer_id, as_of=as_of):
        if before is not None and entry.money_version is not None and entry.money_version >= before:
            continue
        if entry.type == LedgerEntry.Type.POSTPAID_COMMIT_TRUEUP and entry.contract_id is not None:
            # A true-up of zero leaves this entry and no document.
            documents.add((entry.contract_id, Invoice.Kind.TRUE_UP.value, str(entry.commit_id)))
            trued_up[entry.commit_id].append(-entry.billed_amount)
        elif entry.segment_id is not None and entry.type.endswith("_MANUAL"):
            manual[entry.segment_id].append(entry.amount)
        elif entry.segment_id is not None and entry.type.endswith("_ROLLOVER"):
            rolled_over[entry.segment_id].append(-entry.amount)
        elif entry.segment_id is not None:
            drawn[entry.segment_id].append(-entry.amount)
            billed[entry.commit_id].append(-entry.billed_amount)
    return Posted(
        documents=frozenset(documents),
        drawn=_sums(drawn),
        billed=_sums(billed),
        manual=_sums(manual),
        rolled_over=_sums(rolled_over),
        trued_up=_sums(trued_up),
        waiting=finals.waiting,
        charged=charged_on_usage(finals, terms),
    )


def _sums(found: Mapping[UUID, Sequence[Decimal]]) -> dict[UUID, Decimal]:
    return {key: exact_sum(amounts) for key, amounts in found.items()}
