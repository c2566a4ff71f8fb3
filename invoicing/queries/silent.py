"""Contracts that have gone wholly quiet: a period is over in which nothing at all was used, right after documents.

A period without lines has no document, so there would be nothing to hold and nobody to notice. For as long as it holds
its contract, an empty draft stands in its place: in the review queue and among what is due, and not among the
documents that the customer reads.

    usage documents before it             the period that is over   what it is
    $200, $200, $200                      nothing used              SILENT: held
    $200, $200, $200                      nothing but a fee         a document; below what is usual
    $0.40, $0.40, $0.40                   nothing used              no document: it differs by less than $100
    $200, $200                            nothing used              no document: nothing is usual yet
    $200, $200, $200, a reviewed silence  nothing used              no document: somebody knows

Who reviews it lets the contract go on without a document for that period. Usage that comes later makes one.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from billing_site.foundation.display import amount_text
from billing_site.foundation.money import round_to
from invoicing.engine.bounds import BELOW, Billed, out_of_bounds
from invoicing.engine.calendar import USAGE, BillingPeriod, invoiced_periods
from invoicing.engine.documents import Document
from invoicing.engine.reasons import OPERATIONS, SILENT, Reason
from invoicing.engine.sellers import sellers
from invoicing.queries.compute import Computation
from invoicing.queries.usual import billed_before, bounds_for


def silences(computed: Computation) -> Mapping[UUID, tuple[Document, Reason]]:
    """By the id of its draft: each period over which a contract has been silent, with an empty draft and the reason
    that speaks against passing it by, whether or not somebody has reviewed it. One query; none where there is no such
    period."""
    unmade = list(_unmade(computed))
    drafts = list(_stand_ins(unmade, computed)) if unmade else []
    places = [(draft.contract_id, draft.unit.id, draft.period.starting_at) for draft in drafts if draft.period]
    before = billed_before(computed.inputs.terms.customer_id, places)
    found = ((draft, _reason(draft, before.get(draft.contract_id, ()))) for draft in drafts)
    return {draft.id: (draft, reason) for draft, reason in found if reason is not None}


def _unmade(computed: Computation) -> Iterator[BillingPeriod]:
    """The first period of each contract that is over and has no document, where the one before it has one."""
    inputs = computed.inputs
    made = {(each.contract_id, each.slot) for each in computed.result.documents if each.kind == USAGE}
    final = {(contract_id, slot) for contract_id, kind, slot in inputs.posted.documents if kind == USAGE}
    waiting = {(contract_id, slot) for contract_id, kind, slot in inputs.posted.waiting if kind == USAGE}
    billed = {contract_id for contract_id, _ in final}
    for contract in inputs.terms.contracts:
        if contract.rate_card_id is None or contract.id not in billed:
            continue
        for before, period in pairwise(invoiced_periods(contract)):
            if period.ending_before is None or period.ending_before > inputs.at:
                break
            assert before.ending_before is not None
            last = (contract.id, BillingPeriod(contract, before.starting_at, before.ending_before).slot)
            this = BillingPeriod(contract, period.starting_at, period.ending_before)
            if last in final - waiting and (contract.id, this.slot) not in final | made:
                yield this


def _stand_ins(unmade: list[BillingPeriod], computed: Computation) -> Iterator[Document]:
    selling = sellers(computed.inputs.terms, computed.inputs.catalog)
    for each in unmade:
        yield Document(
            id=each.document_id,
            contract_id=each.contract.id,
            kind=USAGE,
            slot=each.slot,
            type="USAGE",
            period=each.period,
            issued_at=each.ending_before,
            finalizes_at=each.finalizes_at,
            unit=selling[each.contract.id].card.fiat,
            lines=(),
            total=Decimal(0),
        )


def _reason(draft: Document, before: tuple[Billed, ...]) -> Reason | None:
    assert draft.period is not None, "it is of usage"
    found = out_of_bounds(Billed(draft.total, draft.period), before, bounds_for(draft.unit))
    if found is None or found.kind != BELOW:
        return None
    usual = amount_text(round_to(found.usual, draft.unit.minor_step), draft.unit)
    message = (
        f"No usage at all, whereas its last {found.documents} usage invoices make {usual} usual for as long a period."
    )
    return Reason(SILENT, message, OPERATIONS)
