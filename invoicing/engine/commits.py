"""Everything that may be drawn on: what was agreed, what recurs, and what renewals take over."""

from collections.abc import Iterator

from billing_site.foundation.periods import full_period
from contracts.recurring import instances
from contracts.terms import Commit, Contract
from invoicing.engine.inputs import Inputs
from invoicing.engine.rollovers import rollover


def all_commits(inputs: Inputs) -> tuple[Commit, ...]:
    """The commits and credits of a customer and its contracts, instances of what recurs among them, as of `inputs.at`.

    Instances are there up to the end of the billing period that `at` lies in, what a renewal takes over from then on.
    """
    terms = inputs.terms
    of_contracts = {contract.id: tuple(_of_contract(contract, inputs)) for contract in terms.contracts}
    taken_over = (
        rollover(commit, renewal)
        for renewal in terms.contracts
        if renewal.renews is not None and renewal.term.starting_at <= inputs.at
        for commit in of_contracts.get(renewal.renews, ())
    )
    agreed = (commit for commits in of_contracts.values() for commit in commits)
    return (*terms.commits, *agreed, *(commit for commit in taken_over if commit is not None))


def _of_contract(contract: Contract, inputs: Inputs) -> Iterator[Commit]:
    yield from contract.commits
    until = full_period(contract.billing_anchor_at, contract.frequency, at=inputs.at).ending_before
    assert until is not None, "billing periods have an end"
    for recurring in contract.recurring:
        yield from instances(contract, recurring, until=until)
