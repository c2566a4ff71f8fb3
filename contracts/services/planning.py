"""What an edit of a contract would do, worked out and checked before anything is written.

`edit_contract` writes what is planned here; a preview computes with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from billing_site.foundation.periods import Period
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import Refusal
from contracts.inputs import UNCHANGED, EditInput
from contracts.models import (
    AccessSegment,
    Contract,
    ContractEdit,
    ContractTerms,
    Customer,
    InvoiceScheduleItem,
    RecurringCommit,
    Term,
)
from contracts.queries import (
    AMENDED_FROM,
    AgreedCharge,
    AgreedRecurring,
    AgreedServices,
    Agreement,
    agreement,
    by_what_recurs,
    dates_charged,
)
from contracts.services.additions import Added, AddedRows, added_rows, deal_for
from contracts.services.charges import ChargeChange, plan_charge_changes
from contracts.services.checks import Deal, days, instant, short_text, uniqueness_key
from contracts.services.commercial import commercial_changes
from contracts.services.commit_changes import CommitChange, plan_changes, refuse_used
from contracts.services.contracts import key_was_used, refuse_archived, within
from contracts.services.edit_changes import FILTERS, DealsTold, changes_told, is_empty
from contracts.services.end_checks import policy_after
from contracts.services.endings import MovedEnd, charges_left_empty, check_end, moved_end
from contracts.services.meanwhile import refuse_edited_meanwhile
from contracts.services.named_terms import (
    charges_to_archive,
    commits_to_archive,
    commits_to_change,
    overrides_to_remove,
    services_to_archive,
)
from contracts.services.overlaps import check_overlap
from contracts.services.provider_choice import providers_updated, with_updates
from contracts.services.recording import stamp
from contracts.services.recurring import later_rows
from contracts.services.royalties import ROYALTIES, royalties_updated
from contracts.services.schedule_changes import RowChange
from contracts.services.seats import check_ends_of_allowances
from contracts.services.subscription_changes import (
    SubscriptionChange,
    after_changes,
    plan_subscriptions,
)
from contracts.services.subscription_undoing import put_back
from contracts.services.usage_filters import with_filters

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PlannedEdit:
    """An edit that has passed every check, with what it would add and remove. Nothing is written yet."""

    customer: Customer
    agreed: Agreement  # what stands
    changes: Mapping[str, Any]
    at: datetime
    rows: AddedRows
    terms: ContractTerms | None  # what replaces the standing ones
    commits: Sequence[CommitChange]
    charges: Sequence[ChargeChange]
    shorter_segments: Sequence[AccessSegment]
    earlier_true_ups: Sequence[InvoiceScheduleItem]
    later_recurring: Sequence[RecurringCommit]  # what takes over for whatever has not begun
    subscriptions: Sequence[SubscriptionChange]
    removed: tuple[Sequence[Term], ...]  # each of one model

    @property
    def added(self) -> Iterator[Sequence[Term]]:
        """What is added to commits and charges that stand and to what recurs, each of one model."""
        for change in self.commits:
            yield from change.added
        for charged in self.charges:
            yield charged.items.added
            yield charged.versions.added
        yield self.shorter_segments
        yield self.earlier_true_ups
        yield self.later_recurring
        for subscribed in self.subscriptions:
            yield from subscribed.added

    def after(self) -> Agreement:
        """The contract as it would stand after the edit, under the number that the edit would have."""
        edit = ContractEdit(customer=self.customer, number=self.customer.last_edit_number + 1, created_at=self.at)
        self.rows.stamp(self.agreed.contract, edit)
        for terms in self.added:
            stamp(edit, terms)
        changed = {change.committed.commit.pk: change.after() for change in self.commits}
        standing = [changed.get(each.commit.pk, each) for each in self.agreed.commits]
        gone = {term.pk for terms in self.removed for term in terms}
        commits = [
            replace(
                each,
                segments=(
                    *(segment for segment in each.segments if segment.pk not in gone),
                    *(segment for segment in self.shorter_segments if segment.commit_id == each.commit.pk),
                ),
                invoice_items=(
                    *(item for item in each.invoice_items if item.pk not in gone),
                    *(item for item in self.earlier_true_ups if item.commit_id == each.commit.pk),
                ),
            )
            for each in standing
            if each.commit.pk not in gone
        ]
        charged = {change.charged.charge.pk: change.after() for change in self.charges}
        charges = [
            AgreedCharge(each.charge, tuple(item for item in each.items if item.pk not in gone))
            for each in (charged.get(each.charge.pk, each) for each in self.agreed.charges)
            if each.charge.pk not in gone
        ]
        return Agreement(
            contract=self.agreed.contract,
            terms=self.terms or self.agreed.terms,
            overrides=(*(each for each in self.agreed.overrides if each.pk not in gone), *self.rows.overrides),
            commits=(*commits, *self.rows.commits),
            charges=(*charges, *self.rows.charges),
            recurring=by_what_recurs(
                [
                    *(row for each in self.agreed.recurring for row in each.rows),
                    *self.rows.recurring,
                    *self.later_recurring,
                ]
            ),
            subscriptions=(*after_changes(self.agreed.subscriptions, self.subscriptions), *self.rows.subscriptions),
            services=AgreedServices(
                (*(each for each in self.agreed.services.services if each.pk not in gone), *self.rows.services),
                self.agreed.services.invoices,
            ),
            renewed_by=self.agreed.renewed_by,
            providers=self.agreed.providers,
        )


def plan_edit(customer: Customer, contract_id: UUID, given: EditInput, *, at: datetime) -> PlannedEdit:
    """Check an edit against what stands, and work out what it adds and removes. Raises as `edit_contract` does."""
    agreed = agreement(customer.pk, contract_id)
    refuse_archived(customer)
    if agreed.contract.archived_at is not None:
        raise Refusal.of("contract_id", contract_id, "must be the id of a contract that is not archived")
    key = given.uniqueness_key
    if key and ContractEdit.objects.filter(customer=customer, uniqueness_key=key).exists():
        raise key_was_used(key)
    refuse_edited_meanwhile(customer, contract_id, given.based_on_edit)
    if is_empty(given):
        raise Refusal("The edit changes nothing: give something to add, remove, archive or update.")

    problems = Problems()
    uniqueness_key(problems, key)
    if given.amends_from is not None:
        _check_amendment(given.amends_from, agreed, problems)
    problems.custom_fields(given.custom_fields)
    commercial = commercial_changes(given, problems)
    added = Added(
        "add_" if given.amends_from is None else "",
        given.add_overrides,
        given.add_commits,
        given.add_credits,
        given.add_scheduled_charges,
        given.add_discounts,
        given.add_professional_services,
        given.add_recurring_commits,
        given.add_recurring_credits,
        given.add_subscriptions,
    )
    deal = deal_for(agreed.contract, added, dates_charged=dates_charged(agreed.contract, at=at))
    deals = _deals(given, agreed, problems, at=at)
    terms = _new_terms(given, agreed, deals, problems, at=at)
    term = within(agreed.contract.starting_at, (terms or agreed.terms).ending_before)
    rows = added_rows(
        added,
        deal,
        problems,
        contract=agreed.contract,
        term=term,
        at=at,
        standing=agreed.recurring,
        subscribed=agreed.subscriptions,
    )
    overrides = overrides_to_remove(given.remove_overrides, agreed, problems)
    commits = commits_to_archive(given, agreed, problems)
    charges = charges_to_archive(given.archive_scheduled_charges, agreed, problems, at=at)
    services = services_to_archive(given.archive_professional_services, agreed, problems)
    subscriptions = plan_subscriptions(given, agreed, (terms or agreed.terms).ending_before, problems, at=at)
    if given.undoes is not None and given.undoes.subscriptions:
        subscriptions = put_back(given.undoes, agreed, subscriptions, (terms or agreed.terms).ending_before, at=at)
    check_ends_of_allowances(given.update_subscriptions, agreed, problems, at=at)
    later = _updated_recurring(given, agreed, deal, problems)
    if terms is not None and terms.ending_before != agreed.terms.ending_before:
        check_end(problems, customer, agreed, terms.ending_before, terms.to_filters())
    elif terms is not None and given.add_usage_filters:
        _check_filters(given, customer, agreed.contract, terms, problems)
    changes = plan_changes(customer, commits_to_change(given, agreed, problems), problems, at=at)
    charged = plan_charge_changes(
        given.update_scheduled_charges,
        agreed.charges,
        deal,
        problems,
        archived=given.archive_scheduled_charges,
        at=at,
    )
    problems.refuse()
    refuse_used(commits, at=at)
    archived = [committed for _, committed in commits]

    items_gone = [item for charged in charges for item in charged.items if item.issued_at > at]
    bills_gone = [item for committed in archived for item in committed.invoice_items]
    moved = MovedEnd()
    if terms is not None:
        # What the same edit says of a commit or charge goes before what a new end would do to it.
        said = [change.committed for change in changes if (change.segments, change.items) != (RowChange(), RowChange())]
        apart_from = [*archived, *said]
        moved = moved_end(agreed, terms.ending_before, apart_from=apart_from, at=at)
        kept = {item for change in charged if change.items != RowChange() for item in change.charged.items}
        items_gone += [item for item in moved.charge_items if item not in items_gone and item not in kept]
        bills_gone += [*moved.later_true_ups, *moved.payments]
        updated = {row.recurring_id for row in later}
        later += [row for row in moved.recurring if row.recurring_id not in updated]
    return PlannedEdit(
        customer=customer,
        agreed=agreed,
        changes=changes_told(given, agreed, terms, deals) | commercial,
        at=at,
        rows=rows,
        terms=terms,
        commits=changes,
        charges=charged,
        shorter_segments=moved.shorter_segments,
        earlier_true_ups=moved.earlier_true_ups,
        later_recurring=later,
        subscriptions=subscriptions,
        removed=(
            overrides,
            [committed.commit for committed in archived],
            [*(segment for committed in archived for segment in committed.segments), *moved.segments],
            [agreed.terms] if terms is not None else [],
            items_gone,
            bills_gone,
            charges_left_empty(agreed, items_gone),
            services,
            *(rows for change in changes for rows in change.removed),
            *(change.items.removed for change in charged),
            *(change.versions.removed for change in charged),
            *(rows for subscribed in subscriptions for rows in subscribed.removed),
        ),
    )


def _check_amendment(starting_at: datetime, agreed: Agreement, problems: Problems) -> None:
    """Whether an amendment may begin at that instant."""
    instant(problems, AMENDED_FROM, starting_at)
    problems.hour(AMENDED_FROM, starting_at)
    term = Period(agreed.contract.starting_at, agreed.terms.ending_before)
    if starting_at not in term:
        problems.add(AMENDED_FROM, starting_at.isoformat(), "must be an instant at which the contract holds")


def _deals(given: EditInput, agreed: Agreement, problems: Problems, *, at: datetime) -> DealsTold:
    """What is set of providers and royalties."""
    field = ROYALTIES if given.amends_from is None else ROYALTIES.removeprefix("add_")
    royalties, added = royalties_updated(agreed.terms.royalties, given.add_reseller_royalties, field, problems)
    return DealsTold(providers_updated(given, agreed, problems, at=at), added, royalties)


def _new_terms(
    given: EditInput, agreed: Agreement, deals: DealsTold, problems: Problems, *, at: datetime
) -> ContractTerms | None:
    """The row that replaces the standing one, or None where nothing of it changes."""
    name, end, net_days = (
        given.update_contract_name,
        given.update_contract_end_date,
        given.update_net_payment_terms_days,
    )
    told = (name, end, net_days, given.update_end_policy)
    if all(each is UNCHANGED for each in told) and not (given.add_usage_filters or deals.providers or deals.royalties):
        return None
    held = agreed.terms
    new = ContractTerms(
        contract=agreed.contract,
        name=held.name,
        ending_before=held.ending_before,
        net_payment_terms_days=held.net_payment_terms_days,
        grace_hours=held.grace_hours,
        usage_filters=with_filters(
            held.usage_filters,
            [(problems.within(f"{FILTERS}[{index}]"), each) for index, each in enumerate(given.add_usage_filters)],
            agreed.contract,
        ),
        providers=with_updates(held.providers, deals.providers),
        royalties=list(deals.royalties_after),
    )
    if name is not UNCHANGED:
        new.name = name or ""
        short_text(problems, "update_contract_name", new.name)
    if end is not UNCHANGED:
        new.ending_before = end
    if net_days is not UNCHANGED:
        new.net_payment_terms_days = days(problems, "update_net_payment_terms_days", net_days)
    new.end_policy = policy_after(given, held, new.ending_before, problems, at=at)
    return new


def _check_filters(
    given: EditInput, customer: Customer, contract: Contract, terms: ContractTerms, problems: Problems
) -> None:
    """Whether the contract's filters, once these are set, keep it apart from others."""
    check_overlap(
        problems,
        f"{FILTERS}[{len(given.add_usage_filters) - 1}].group_values",
        list(given.add_usage_filters[-1].group_values),
        customer,
        starting_at=contract.starting_at,
        ending_before=terms.ending_before,
        rate_card_id=contract.rate_card_id,
        filters=terms.to_filters(),
        apart_from=contract,
    )


def _updated_recurring(given: EditInput, agreed: Agreement, deal: Deal, problems: Problems) -> list[RecurringCommit]:
    """What takes over for whatever has not begun."""
    was = Period(agreed.contract.starting_at, agreed.terms.ending_before)
    standing: dict[bool, dict[UUID, AgreedRecurring]] = {False: {}, True: {}}
    for each in agreed.recurring:
        standing[each.now.is_credit][each.now.recurring_id] = each
    return [
        *later_rows("update_recurring_commits", given.update_recurring_commits, standing[False], deal, was, problems),
        *later_rows("update_recurring_credits", given.update_recurring_credits, standing[True], deal, was, problems),
    ]
