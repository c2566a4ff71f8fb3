"""What an edit adds, from input to rows: overrides, commits, credits, scheduled charges."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from billing_site.foundation.problems import Problems
from contracts.inputs import CommitInput, OverrideInput, ScheduledChargeInput
from contracts.models import Contract, ContractEdit, Override, Term
from contracts.queries import AgreedCharge, AgreedCommit
from contracts.services.charges import charge_rows
from contracts.services.checks import Deal, fiat_of
from contracts.services.commits import commit_rows
from contracts.services.overrides import override_row
from contracts.services.payers import standing_payers, with_added
from contracts.services.recording import add_terms, stamp
from pricing.queries import products_by_id, units_by_id


@dataclass(frozen=True, slots=True)
class Added:
    """What the caller wants to add; `prefix` is what its lists are called with (add_, or nothing)."""

    prefix: str
    overrides: Sequence[OverrideInput]
    commits: Sequence[CommitInput]
    credits: Sequence[CommitInput]
    charges: Sequence[ScheduledChargeInput]

    def product_ids(self) -> Iterator[UUID]:
        """Every product that is named anywhere."""
        for override in self.overrides:
            yield from filter(None, (override.product_id, *(t.product_id for t in override.override_specifiers)))
        for commit in (*self.commits, *self.credits):
            yield commit.product_id
            yield from commit.applicable_product_ids
            yield from filter(None, (target.product_id for target in commit.specifiers))
        for charge in self.charges:
            yield charge.product_id

    def unit_ids(self) -> set[UUID]:
        """Every pricing unit that a balance is to be held in."""
        schedules = (commit.access_schedule for commit in (*self.commits, *self.credits))
        return {each.credit_type_id for each in schedules if each is not None and each.credit_type_id is not None}


@dataclass(frozen=True, slots=True)
class AddedRows:
    """Rows that are not saved yet. Credits are among the commits."""

    overrides: tuple[Override, ...]
    commits: tuple[AgreedCommit, ...]
    charges: tuple[AgreedCharge, ...]

    def by_model(self) -> Iterator[Sequence[Term]]:
        """All of them, in the order in which they can be saved."""
        yield self.overrides
        yield [added.commit for added in self.commits]
        yield [added.charge for added in self.charges]
        yield [segment for added in self.commits for segment in added.segments]
        yield [item for added in self.commits for item in added.invoice_items]
        yield [item for added in self.charges for item in added.items]

    def stamp(self, contract: Contract, edit: ContractEdit) -> None:
        """Make them terms of `contract` that `edit` adds."""
        for override in self.overrides:
            override.contract = contract
        for added in self.commits:
            added.commit.contract = contract
        for charged in self.charges:
            charged.charge.contract = contract
        for terms in self.by_model():
            stamp(edit, terms)

    def save(self, contract: Contract, edit: ContractEdit) -> None:
        self.stamp(contract, edit)
        for terms in self.by_model():
            add_terms(edit, terms)


def deal_for(contract: Contract, added: Added, *, dates_charged: frozenset[datetime] = frozenset()) -> Deal:
    """What `added` is checked against; at most five queries."""
    return Deal(
        fiat=fiat_of(contract),
        prioritization=contract.multiplier_override_prioritization,
        products=products_by_id(added.product_ids()),
        billed_through=contract.billed_through,
        dates_charged=dates_charged,
        units=units_by_id(added.unit_ids()),
        payers=standing_payers(contract, added.overrides),
    )


def added_rows(added: Added, deal: Deal, problems: Problems) -> AddedRows:
    """The rows of everything added. What is wrong goes to `problems`."""
    commits = tuple(
        commit_rows(given, position, deal, problems.within(f"{added.prefix}commits[{position}]"))
        for position, given in enumerate(added.commits)
    )
    credits = tuple(
        commit_rows(given, len(commits) + index, deal, problems.within(f"{added.prefix}credits[{index}]"))
        for index, given in enumerate(added.credits)
    )
    rows = [committed.commit for committed in commits]
    payers = with_added(deal.payers, added.commits, rows, f"{added.prefix}commits", problems)
    deal = replace(deal, payers=payers)
    return AddedRows(
        overrides=tuple(
            override_row(given, position, deal, problems.within(f"{added.prefix}overrides[{position}]"))
            for position, given in enumerate(added.overrides)
        ),
        commits=(*commits, *credits),
        charges=tuple(
            charge_rows(given, position, deal, problems.within(f"{added.prefix}scheduled_charges[{position}]"))
            for position, given in enumerate(added.charges)
        ),
    )
