"""How balances stand by final documents alone: without what drafts would take.

What a renewal takes over is posted with the last document of the contract that it renews. Until that is final, what
would go over is what final documents have left, up to the limit:

    100 of October to January, all of which may go over; 30 used in November, which is not final; renewed on 1 December

    on 5 December              left of the old one    left of what went over
    with drafts                0                      70
    by final documents alone   0                      100
"""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from contracts.terms import Contract
from invoicing.engine.calendar import open_periods
from invoicing.engine.documents import Standing
from invoicing.engine.rollovers import can_go_over
from invoicing.queries.compute import Computation


def settled(computed: Computation) -> dict[UUID, Standing]:
    """By segment."""
    standings, inputs = computed.result.balances, computed.inputs
    alone = {
        each.segment.id: replace(
            each, pending=(), rolled_over=inputs.posted.rolled_over.get(each.segment.id, Decimal(0))
        )
        for each in standings
    }
    undecided = _undecided(computed)
    for into in standings:
        renewal = undecided.get(into.commit.contract_id) if into.commit.contract_id else None
        source_id = into.commit.rolled_over_from
        if renewal is None or source_id is None:
            continue
        limit = most = into.segment.amount
        for each in standings:
            if each.commit.id == source_id and can_go_over(each.segment, renewal.term.starting_at):
                source = alone[each.segment.id]
                amount = max(min(source.left, most), Decimal(0))
                most -= amount
                alone[each.segment.id] = replace(source, rolled_over=source.rolled_over + amount)
        alone[into.segment.id] = replace(alone[into.segment.id], granted=limit - most)
    return alone


def _undecided(computed: Computation) -> dict[UUID, Contract]:
    """The renewals that take over what is not posted yet, by id."""
    inputs = computed.inputs
    contracts = {contract.id: contract for contract in inputs.terms.contracts}
    not_final = {billing.contract.id for billing in open_periods(inputs) if billing.is_last}
    return {
        contract.id: contract
        for contract in contracts.values()
        if contract.renews is not None
        and (contract.renews in not_final or contracts[contract.renews].rate_card_id is None)
    }
