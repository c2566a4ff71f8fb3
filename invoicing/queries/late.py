"""What the engine is told of closed periods that have missed something: what was posted for them, and their usage now.

A usage document, and one of late usage, carries whatever closed periods of its contract had missed when it became
final. So a period is looked at again only where something came in that the last of these did not see.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from billing_site.foundation.money import exact_sum
from contracts.queries import customer_terms
from invoicing.engine import walk
from invoicing.engine.calendar import BillingPeriod
from invoicing.engine.documents import Adjusted
from invoicing.engine.inputs import Inputs, Posted
from invoicing.engine.late.closed import Closed, Held
from invoicing.engine.late.recount import recount
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries import metering
from invoicing.queries.finals import Finals
from invoicing.queries.lateness import MissedUsage, missed_by
from invoicing.queries.traces import thawed
from pricing.queries import catalog

NOTHING_POSTED = Posted(frozenset(), {}, {})


def closed_periods(inputs: Inputs, finals: Finals) -> list[Closed]:
    """The periods of standing documents that have missed something, by (end, contract).

    One statement where none has. Contracts that are archived, or not agreed any more, are not looked at.
    """
    agreed = {contract.id for contract in inputs.terms.contracts}
    missed = missed_by(finals.of(agreed), inputs.terms.claims)
    if not missed:
        return []
    lines = _lines(inputs.terms.customer_id, missed, finals.standing)
    known = _known(inputs, [each.invoice for each in missed])
    return [_closed(each, known[_knowledge(each.invoice)], lines[each.invoice.pk], inputs) for each in missed]


def _closed(missed: MissedUsage, known: Inputs, lines: Sequence[tuple[InvoiceLine, bool]], inputs: Inputs) -> Closed:
    invoice, period = missed.invoice, missed.period
    assert period.ending_before is not None, "billing periods have an end"
    contract = next(each for each in known.terms.contracts if each.id == invoice.contract_id)
    billing = BillingPeriod(contract, period.starting_at, period.ending_before)
    claims = inputs.terms.claims
    plan = walk.plan(known, [billing])
    asked = metering.Asked.of(known.catalog, plan.metric_ids, plan.scopes)
    usage = metering.usage_of(claims, plan.slices, asked, until=inputs.at)
    now = walk.answered(
        recount(known, billing, plan, usage),
        lambda finer: metering.finer_usage(claims, finer, asked, until=inputs.at),
    )
    counted = [line for line, _ in lines if line.counts_toward_total]
    adjusts = Adjusted(
        invoice_id=invoice.pk,
        number=invoice.number,
        period=period,
        unrounded=exact_sum([line.unrounded_total for line in counted]),
        printed=exact_sum([line.total for line in counted]),
    )
    return Closed(adjusts, tuple(_held(lines)), now)


def _held(lines: Sequence[tuple[InvoiceLine, bool]]) -> Iterator[Held]:
    """Document by document, in the order in which their units were counted."""
    waiting: list[tuple[Decimal, Held]] = []
    for line, is_last in lines:
        if line.type == "usage":
            product_id, unit_id = UUID(line.details["product_id"]), UUID(line.details["credit_type"]["id"])
            waiting += [
                (part.above, Held.of(product_id, part.group_values, unit_id, part)) for part in map(thawed, line.trace)
            ]
        if is_last:
            yield from (held for _, held in sorted(waiting, key=lambda pair: pair[0]))
            waiting.clear()


def _lines(
    customer_id: UUID, missed: Sequence[MissedUsage], finals: Sequence[Invoice]
) -> Mapping[UUID, list[tuple[InvoiceLine, bool]]]:
    """By document: its own lines and those that adjust it, in the order in which documents became final, and whether a
    line is the last of its document. One query."""
    contracts = {each.invoice.contract_id for each in missed}
    order = {each.pk: place for place, each in enumerate(finals) if each.contract_id in contracts}
    own = {each.invoice.pk for each in missed}
    rows = InvoiceLine.objects.filter(
        Q(invoice_id__in=own) | Q(invoice_id__in=order, details__has_key="adjustment"), customer_id=customer_id
    )
    by_document: dict[UUID, dict[UUID, list[InvoiceLine]]] = {invoice_id: {} for invoice_id in own}
    for row in sorted(rows, key=lambda row: (order[row.invoice_id], row.position)):
        adjustment = row.details.get("adjustment")
        about = row.invoice_id if adjustment is None else UUID(adjustment["invoice_id"])
        if about in own:
            by_document[about].setdefault(row.invoice_id, []).append(row)
    return {
        about: [(line, line is found[-1]) for found in documents.values() for line in found]
        for about, documents in by_document.items()
    }


def _knowledge(invoice: Invoice) -> tuple[int, int]:
    return invoice.edit_number, invoice.publication


def _known(inputs: Inputs, invoices: Sequence[Invoice]) -> Mapping[tuple[int, int], Inputs]:
    """The terms and prices that documents were made of."""
    found: dict[tuple[int, int], Inputs] = {}
    for edit_number, publication in dict.fromkeys(map(_knowledge, invoices)):
        terms = customer_terms(inputs.terms.customer_id, at_edit=edit_number)
        cards = {contract.rate_card_id for contract in terms.contracts if contract.rate_card_id is not None}
        prices = catalog(rate_card_ids=cards, at_publication=publication)
        found[edit_number, publication] = Inputs(inputs.at, terms, prices, NOTHING_POSTED)
    return found
