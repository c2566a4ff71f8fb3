"""What an edit adds, from input to rows: overrides, commits, credits, what recurs, scheduled charges, discounts,
professional services, subscriptions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from billing_site.foundation.periods import Period
from billing_site.foundation.problems import Problems
from contracts.inputs import CommitInput, OverrideInput, RecurringInput, ScheduledChargeInput
from contracts.models import Contract, ContractEdit, Override, ProfessionalService, RecurringCommit, Term
from contracts.queries import AgreedCharge, AgreedCommit, AgreedRecurring, AgreedSubscription
from contracts.service_inputs import ServiceInput
from contracts.services.charges import charge_rows
from contracts.services.checks import Deal, fiat_of
from contracts.services.commits import commit_rows
from contracts.services.overrides import override_row
from contracts.services.payers import ANY, standing_payers, with_added
from contracts.services.professional_services import service_row
from contracts.services.recording import add_terms, stamp
from contracts.services.recurring import check_daily, recurring_row
from contracts.services.seats import subscriptions_by_name
from contracts.services.subscriptions import subscription_rows
from contracts.subscription_inputs import SubscriptionInput
from pricing.queries import products_by_id, units_by_id


@dataclass(frozen=True, slots=True)
class Added:
    """What the caller wants to add; `prefix` is what its lists are called with (add_, or nothing)."""

    prefix: str
    overrides: Sequence[OverrideInput]
    commits: Sequence[CommitInput]
    credits: Sequence[CommitInput]
    charges: Sequence[ScheduledChargeInput]
    discounts: Sequence[ScheduledChargeInput] = ()
    services: Sequence[ServiceInput] = ()
    recurring_commits: Sequence[RecurringInput] = ()
    recurring_credits: Sequence[RecurringInput] = ()
    subscriptions: Sequence[SubscriptionInput] = ()

    @property
    def balances(self) -> tuple[CommitInput | RecurringInput, ...]:
        return *self.commits, *self.credits, *self.recurring_commits, *self.recurring_credits

    def product_ids(self) -> Iterator[UUID]:
        """Every product that is named anywhere."""
        for override in self.overrides:
            yield from filter(None, (override.product_id, *(t.product_id for t in override.override_specifiers)))
        for commit in self.balances:
            yield commit.product_id
            yield from commit.applicable_product_ids
            yield from filter(None, (target.product_id for target in commit.specifiers))
        for charge in (*self.charges, *self.discounts):
            yield charge.product_id
        for service in self.services:
            yield service.product_id
        for subscription in self.subscriptions:
            yield subscription.product_id

    def unit_ids(self) -> set[UUID]:
        """Every pricing unit that a balance is to be held in."""
        schedules = (commit.access_schedule for commit in (*self.commits, *self.credits))
        amounts = (recurring.access_amount for recurring in (*self.recurring_commits, *self.recurring_credits))
        held = (*schedules, *amounts)
        return {each.credit_type_id for each in held if each is not None and each.credit_type_id is not None}


@dataclass(frozen=True, slots=True)
class AddedRows:
    """Rows that are not saved yet. Credits are among the commits, discounts among the charges."""

    overrides: tuple[Override, ...]
    commits: tuple[AgreedCommit, ...]
    charges: tuple[AgreedCharge, ...]
    recurring: tuple[RecurringCommit, ...]
    subscriptions: tuple[AgreedSubscription, ...] = ()
    services: tuple[ProfessionalService, ...] = ()

    def by_model(self) -> Iterator[Sequence[Term]]:
        """All of them, in the order in which they can be saved."""
        yield self.overrides
        yield [added.commit for added in self.commits]
        yield [added.gate.gate for added in self.commits if added.gate is not None]
        yield [added.charge for added in self.charges]
        yield [added.subscription for added in self.subscriptions]
        yield self.recurring
        yield self.services
        yield [added.terms for added in self.subscriptions]
        yield [quantity for added in self.subscriptions for quantity in added.quantities]
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
        for recurring in self.recurring:
            recurring.contract = contract
        for service in self.services:
            service.contract = contract
        for subscribed in self.subscriptions:
            subscribed.subscription.contract = contract
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
        final_through=contract.billed_through if contract.charges_on_usage else None,
        dates_charged=dates_charged,
        units=units_by_id(added.unit_ids()),
        payers=standing_payers(contract, added.overrides),
    )


def added_rows(
    added: Added,
    deal: Deal,
    problems: Problems,
    *,
    contract: Contract,
    term: Period,
    at: datetime,
    standing: Sequence[AgreedRecurring] = (),
    subscribed: Sequence[AgreedSubscription] = (),
) -> AddedRows:
    """The rows of everything added to a contract of this term, in which `standing` recurs and what is `subscribed` to
    stands. What is wrong goes to `problems`."""
    subscriptions = tuple(
        subscription_rows(
            given, position, contract, term, deal, problems.within(f"{added.prefix}subscriptions[{position}]")
        )
        for position, given in enumerate(added.subscriptions)
    )
    seats = subscriptions_by_name(
        subscribed, added.subscriptions, subscriptions, f"{added.prefix}subscriptions", problems
    )
    commits = tuple(
        commit_rows(given, position, deal, problems.within(f"{added.prefix}commits[{position}]"))
        for position, given in enumerate(added.commits)
    )
    credits = tuple(
        commit_rows(given, len(commits) + index, deal, problems.within(f"{added.prefix}credits[{index}]"))
        for index, given in enumerate(added.credits)
    )
    paths = [f"{added.prefix}recurring_commits[{index}]" for index in range(len(added.recurring_commits))]
    paths += [f"{added.prefix}recurring_credits[{index}]" for index in range(len(added.recurring_credits))]
    recurring = tuple(
        recurring_row(given, position, contract, term, deal, problems.within(path), at=at, subscriptions=seats)
        for position, (path, given) in enumerate(
            zip(paths, (*added.recurring_commits, *added.recurring_credits), strict=True)
        )
    )
    check_daily(list(zip(paths, recurring, strict=True)), standing, problems)
    of_commits = [each for each in recurring if not each.is_credit]
    of_credits = [each for each in recurring if each.is_credit]
    payers = deal.payers
    for name, given_, rows, lists in (
        ("commits", added.commits, [each.commit for each in commits], ("commit_ids", ANY)),
        ("recurring_commits", added.recurring_commits, of_commits, ("recurring_commit_ids", ANY)),
        ("recurring_credits", added.recurring_credits, of_credits, (ANY,)),
    ):
        payers = with_added(payers, given_, rows, f"{added.prefix}{name}", problems, lists=lists)
    deal = replace(deal, payers=payers)
    charges = [
        charge_rows(given, position, deal, problems.within(f"{added.prefix}scheduled_charges[{position}]"))
        for position, given in enumerate(added.charges)
    ]
    discounts = [
        charge_rows(
            given,
            len(charges) + index,
            deal,
            problems.within(f"{added.prefix}discounts[{index}]"),
            is_discount=True,
        )
        for index, given in enumerate(added.discounts)
    ]
    return AddedRows(
        overrides=tuple(
            override_row(given, position, deal, problems.within(f"{added.prefix}overrides[{position}]"))
            for position, given in enumerate(added.overrides)
        ),
        commits=(*commits, *credits),
        charges=(*charges, *discounts),
        recurring=recurring,
        subscriptions=subscriptions,
        services=tuple(
            service_row(given, position, deal, problems.within(f"{added.prefix}professional_services[{position}]"))
            for position, given in enumerate(added.services)
        ),
    )
