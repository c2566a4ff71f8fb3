"""Commits and credits that no row says, because they are functions of those that are agreed: what recurring ones have
granted, and what a renewal takes over.

They look like all others to whoever reads them. Of what was taken over, a segment's amount is what goes over as of now:
until the renewed contract's last document is final, it may still become less.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from contracts.models import AccessSegment, Commit, ContractEdit
from contracts.queries import AgreedCommit, Agreement, with_granted
from invoicing.engine.documents import Standing
from invoicing.queries.compute import Computation


def with_derived(agreed: Sequence[Agreement], computed: Computation) -> list[Agreement]:
    """All contracts of a customer, each with what it has been granted and what it has taken over among its commits."""
    agreed = [with_granted(each, at=computed.inputs.at) for each in agreed]
    known = {committed.commit.pk: committed.commit for each in agreed for committed in each.commits}
    return [
        replace(each, commits=(*each.commits, *_taken_over(each, known, computed.result.balances))) for each in agreed
    ]


def _taken_over(renewal: Agreement, known: dict[UUID, Commit], standings: Sequence[Standing]) -> Iterator[AgreedCommit]:
    for standing in standings:
        source = known.get(standing.commit.rolled_over_from) if standing.commit.rolled_over_from else None
        if source is not None and standing.commit.contract_id == renewal.contract.pk and standing.granted:
            yield _row(renewal, source, standing)


def _row(renewal: Agreement, source: Commit, standing: Standing) -> AgreedCommit:
    contract, commit, segment = renewal.contract, standing.commit, standing.segment
    assert segment.period.ending_before is not None, "access has an end"
    by = ContractEdit(created_at=contract.created_at, created_by=contract.created_by)
    row = Commit(
        id=commit.id,
        customer=contract.customer,
        contract=contract,
        type=commit.type,
        product=source.product,
        name=source.name,
        description=source.description,
        priority=source.priority,
        unit=source.unit,
        access_type=source.access_type,
        invoice_unit=source.invoice_unit,
        rate_type=source.rate_type,
        applicable_product_ids=source.applicable_product_ids,
        applicable_product_tags=source.applicable_product_tags,
        specifiers=source.specifiers,
        custom_fields=source.custom_fields,
        netsuite_sales_order_id=source.netsuite_sales_order_id,
        added_by_edit=by,
        created_at=contract.created_at,
    )
    part = AccessSegment(
        id=segment.id,
        commit=row,
        amount=standing.granted,
        starting_at=segment.period.starting_at,
        ending_before=segment.period.ending_before,
    )
    return AgreedCommit(row, (part,), (), rolled_over_from=source)
