"""How balances stand by final documents alone: without what drafts would take.

What a renewal takes over is posted with the last document of the contract that it renews, or with its own first. Until
that is final, what would go over is what final documents have left, up to the limit:

    100 of October to January, all of which may go over; 30 used in November, which is not final; renewed on 1 December

    on 5 December              left of the old one    left of what went over
    with drafts                0                      70
    by final documents alone   0                      100
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_sum
from contracts.terms import Contract
from invoicing.engine.calendar import open_periods
from invoicing.engine.documents import Standing
from invoicing.engine.rollovers import can_go_over, is_left_to_the_renewal
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
        renewal = undecided.get(into.segment.id)
        if renewal is None:
            continue
        sources = [alone[each.segment.id] for each in _sources(into, standings, renewal)]
        granted = exact_sum([source.rolled_over for source in sources])
        for source in sources:
            amount = max(min(source.left, into.segment.amount - granted), Decimal(0))
            granted += amount
            alone[source.segment.id] = replace(source, rolled_over=source.rolled_over + amount)
        alone[into.segment.id] = replace(alone[into.segment.id], granted=granted)
    return alone


def _undecided(computed: Computation) -> dict[UUID, Contract]:
    """The renewals that take over what is not posted yet, by the segment that it becomes."""
    inputs = computed.inputs
    contracts = {contract.id: contract for contract in inputs.terms.contracts}
    not_final = {billing.contract.id for billing in open_periods(inputs) if billing.is_last}
    found: dict[UUID, Contract] = {}
    for into in computed.result.balances:
        commit_id, contract_id = into.commit.rolled_over_from, into.commit.contract_id
        renewal = None if contract_id is None else contracts.get(contract_id)  # none for what was archived
        if renewal is None or renewal.renews is None or commit_id is None:
            continue
        segments = [each.segment for each in _sources(into, computed.result.balances, renewal)]
        if renewal.renews in not_final or is_left_to_the_renewal(
            commit_id, segments, contracts[renewal.renews], inputs.posted
        ):
            found[into.segment.id] = renewal
    return found


def _sources(into: Standing, standings: Sequence[Standing], renewal: Contract) -> list[Standing]:
    """What may go over into it."""
    at = renewal.term.starting_at
    return [
        each for each in standings if each.commit.id == into.commit.rolled_over_from and can_go_over(each.segment, at)
    ]
