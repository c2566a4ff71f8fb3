"""Renewals: a contract that takes the place of another at its start, and takes over what its balances roll over.

    of the contract that is renewed, from the renewal on
    usage, and so all that draws                          is the renewal's
    charges and payments of prepaid commits               are not billed
    true-ups                                              stay on their dates (AS_IS), or are not billed (REMOVE)
    what is left of commits and credits                   goes over, up to their rollover fraction; the rest expires

What goes over is computed with every draft (`invoicing.engine.rollovers`): here it is only said who renews whom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from contracts.inputs import ContractInput, TransitionInput
from contracts.models import (
    AccessSegment,
    Commit,
    Contract,
    ContractEdit,
    ContractTerms,
    Customer,
    InvoiceScheduleItem,
    RecurringCommit,
    ScheduledCharge,
    ScheduledChargeItem,
)
from contracts.queries import Agreement, agreements
from contracts.queries.compiled import to_terms
from contracts.services.checks import reaches_back
from contracts.services.endings import charges_left_empty, moved_end
from contracts.services.recording import add_terms, record_edit, remove_terms
from contracts.services.subscription_ends import EndedSubscription, own_ends, refuse_collected_again

AS_IS, REMOVE = "AS_IS", "REMOVE"
TRUE_UPS = (AS_IS, REMOVE)


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a renewal does to the contract that it renews. Nothing is written yet."""

    renewed: Agreement
    terms: ContractTerms | None  # with the earlier end; None: it ends there already
    segments: Sequence[AccessSegment]
    shorter_segments: Sequence[AccessSegment]
    charge_items: Sequence[ScheduledChargeItem]
    charges: Sequence[ScheduledCharge]
    invoice_items: Sequence[InvoiceScheduleItem]
    recurring: Sequence[RecurringCommit]
    subscriptions: Sequence[EndedSubscription]

    @property
    def contract(self) -> Contract:
        return self.renewed.contract

    def save(self, renewal: Contract, *, at: datetime, by: Actor) -> None:
        """End the renewed contract by an edit of its own, where it has to change at all."""
        if self.terms is None and not self.invoice_items:
            return
        edit = record_edit(
            renewal.customer,
            ContractEdit.Kind.EDIT,
            contract=self.contract,
            changes=self._changes(),
            reason=f"Renewed by contract {renewal.pk}",
            at=at,
            by=by,
        )
        for gone in (self.segments, self.charge_items, self.charges, self.invoice_items):
            remove_terms(edit, gone)
        add_terms(edit, self.shorter_segments)
        add_terms(edit, self.recurring)
        if self.terms is not None:
            remove_terms(edit, [self.renewed.terms])
            add_terms(edit, [self.terms])
        remove_terms(edit, [each.agreed.terms for each in self.subscriptions])
        add_terms(edit, [each.terms for each in self.subscriptions])

    def _changes(self) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if self.terms is not None and self.terms.ending_before is not None:
            changes["update_contract_end_date"] = format_instant(self.terms.ending_before)
        by_commit: dict[str, list[dict[str, str]]] = {}
        for item in self.invoice_items:
            by_commit.setdefault(str(item.commit_id), []).append({"id": str(item.pk)})
        if by_commit:
            changes["update_commits"] = [
                {"id": commit_id, "invoice_schedule": {"remove_schedule_items": items}}
                for commit_id, items in by_commit.items()
            ]
        return changes


def plan_renewal(customer: Customer, given: ContractInput, problems: Problems, *, at: datetime) -> Renewal | None:
    """What the renewal that `given` describes does to the contract before it; None where it renews none.

    What is wrong goes to `problems`.
    """
    if given.transition is None:
        return None
    start = given.starting_at
    renewed = _renewed(customer, given.transition, start, problems.within("transition"), at=at)
    if renewed is None:
        return None
    moved = moved_end(renewed, start, apart_from=(), at=at)
    true_ups = _true_ups(renewed, start, given.transition)
    return Renewal(
        renewed=renewed,
        terms=None if renewed.terms.ending_before == start else _ended(renewed.terms, start),
        segments=moved.segments,
        shorter_segments=moved.shorter_segments,
        charge_items=moved.charge_items,
        charges=charges_left_empty(renewed, moved.charge_items),
        invoice_items=[*moved.payments, *true_ups],
        recurring=moved.recurring,
        subscriptions=list(own_ends(renewed, renewed.subscriptions, start, at=at)),
    )


def _renewed(
    customer: Customer, transition: TransitionInput, start: datetime, problems: Problems, *, at: datetime
) -> Agreement | None:
    name, contract_id = "from_contract_id", transition.from_contract_id
    found = agreements(customer.pk, contract_ids=[contract_id])
    if not found or found[0].contract.archived_at is not None:
        problems.add(name, contract_id, "must be the id of a contract of this customer that is not archived")
        return None
    [renewed] = found
    contract, end = renewed.contract, renewed.terms.ending_before
    if contract.starting_at >= start:
        rule = f"must be a contract that starts before its renewal; it starts at {format_instant(contract.starting_at)}"
        problems.add(name, contract_id, rule)
    elif end is not None and end < start:
        rule = f"must be a contract that runs up to its renewal; it ended at {format_instant(end)}"
        problems.add(name, contract_id, rule)
    elif contract.billed_through is not None and start < contract.billed_through:
        problems.add(name, contract_id, reaches_back(contract.billed_through))
    elif end is None or start < end:
        deal = to_terms(renewed)
        refuse_collected_again(problems, name, contract_id, deal.subscriptions, deal, start, at=at)
    by = Contract.objects.filter(customer=customer, renews=contract).first()
    if by is not None:
        problems.add(name, contract_id, f"must be a contract that is not renewed yet; contract {by.pk} renews it")
    return renewed


def _true_ups(renewed: Agreement, start: datetime, transition: TransitionInput) -> list[InvoiceScheduleItem]:
    """Those that are not billed any more."""
    if transition.true_ups != REMOVE:
        return []
    return [
        item
        for committed in renewed.commits
        if committed.commit.type == Commit.Type.POSTPAID
        for item in committed.invoice_items
        if item.issued_at >= start
    ]


def _ended(held: ContractTerms, end: datetime) -> ContractTerms:
    return ContractTerms(
        contract=held.contract,
        name=held.name,
        ending_before=end,
        net_payment_terms_days=held.net_payment_terms_days,
        end_policy=held.end_policy,
        grace_hours=held.grace_hours,
        usage_filters=held.usage_filters,
        providers=held.providers,
        royalties=held.royalties,
    )
