"""A contract like another one, from another date on: what stands of that one, with its dates moved along.

    of the contract                             of the copy
    its name, end and what happens there,       the same; what is counted from the start is counted from the new one
    net terms, billing calendar
    what it has of its own                      all that stands, what is over too: each date as far after the new start
    a subscription                              as many as in the end, seats without anybody yet
    a usage filter                              the last one, from the start on
    custom fields                               those that another may have too (`foundation.custom_fields`)
    documents, draws, what renews it, keys      nothing

As far: whole months first, then days and hours. A year stays a year, and the 15th of a month stays the 15th where both
start on the 1st.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from billing_site.foundation.custom_fields import Entity, copied_custom_fields
from billing_site.foundation.periods import add_months, floor_day
from billing_site.foundation.refusals import Refusal
from contracts.inputs import (
    CommitInput,
    ContractInput,
    InvoiceScheduleInput,
    OverrideInput,
    RecurringInput,
    ScheduledChargeInput,
    StatementScheduleInput,
    UsageFilterInput,
)
from contracts.queries import Agreement
from contracts.services.as_given import (
    charge_as_given,
    commit_as_given,
    override_as_given,
    recurring_as_given,
    service_as_given,
    subscription_as_given,
)
from contracts.services.checks import EARLIEST, LATEST
from contracts.subscription_inputs import SubscriptionInput

Ranged = TypeVar("Ranged", OverrideInput, RecurringInput)


def contract_like(agreed: Agreement, start: datetime, *, keeps_orders: bool = False) -> ContractInput:
    """What would be sent to agree the same from `start` on; sold by the same orders, or by none that is known yet.

    Raises Refusal for a start beyond the calendar.
    """
    if not EARLIEST <= start < LATEST:
        raise Refusal.of("starting_at", start.isoformat(), "must lie between the years 1970 and 8999")
    contract, terms = agreed.contract, agreed.terms
    by = _Move(contract.starting_at, start, keeps_orders=keeps_orders)
    commits = [by.commit(commit_as_given(each)) for each in agreed.commits]
    recurring = [by.recurring(recurring_as_given(each.now)) for each in agreed.recurring]
    charges = [(each.charge.is_discount, by.charge(charge_as_given(each))) for each in agreed.charges]
    days = terms.net_payment_terms_days
    return ContractInput(
        starting_at=start,
        ending_before=by.to(terms.ending_before) if terms.ending_before else None,
        rate_card_id=contract.rate_card_id,
        name=terms.name,
        net_payment_terms_days=None if days is None else Decimal(days),
        end_policy=terms.end_policy,
        usage_statement_schedule=_schedule(agreed),
        multiplier_override_prioritization=contract.multiplier_override_prioritization,
        scheduled_charges_on_usage_invoices=contract.scheduled_charges_on_usage_invoices,
        usage_filter=_filter(agreed),
        overrides=tuple(by.ranged(override_as_given(each)) for each in agreed.overrides),
        commits=tuple(each for each in commits if each.type != "CREDIT"),
        credits=tuple(each for each in commits if each.type == "CREDIT"),
        recurring_commits=tuple(each for each in recurring if each.type != "CREDIT"),
        recurring_credits=tuple(each for each in recurring if each.type == "CREDIT"),
        scheduled_charges=tuple(charge for is_discount, charge in charges if not is_discount),
        discounts=tuple(charge for is_discount, charge in charges if is_discount),
        professional_services=tuple(map(service_as_given, agreed.services.services)),
        subscriptions=tuple(map(by.subscription, map(subscription_as_given, agreed.subscriptions))),
        custom_fields=copied_custom_fields(Entity.CONTRACT, contract.custom_fields),
    )


def moved(instant: datetime, old: datetime, new: datetime) -> datetime:
    """As far after `new` as `instant` is after `old`, or before it: whole months, then days and hours."""
    months = (instant.year - old.year) * 12 + instant.month - old.month
    while add_months(old, months) > instant:
        months -= 1
    return add_months(new, months) + (instant - add_months(old, months))


class _Move:
    def __init__(self, old: datetime, new: datetime, *, keeps_orders: bool) -> None:
        self.old, self.new = old, new
        self.orders: dict[str, Any] = {} if keeps_orders else {"netsuite_sales_order_id": ""}

    def to(self, instant: datetime) -> datetime:
        return moved(instant, self.old, self.new)

    def ranged(self, term: Ranged) -> Ranged:
        end = self.to(term.ending_before) if term.ending_before else None
        return replace(term, starting_at=self.to(term.starting_at), ending_before=end)

    def recurring(self, recurring: RecurringInput) -> RecurringInput:
        return replace(self.ranged(recurring), **self.orders)

    def commit(self, commit: CommitInput) -> CommitInput:
        access = commit.access_schedule
        assert access is not None  # of what stands
        segments = tuple(
            replace(each, starting_at=self.to(each.starting_at), ending_before=self.to(each.ending_before))
            for each in access.schedule_items
        )
        billed = commit.invoice_schedule
        return replace(
            commit,
            access_schedule=replace(access, schedule_items=segments),
            invoice_schedule=self._billed(billed) if billed else None,
            **self.orders,
        )

    def subscription(self, subscription: SubscriptionInput) -> SubscriptionInput:
        """An anchor of its own stays where it is, unless it would be after the start."""
        start, end, anchor = subscription.starting_at, subscription.ending_before, subscription.anchor_date
        assert start is not None  # of what stands
        begins = self.to(start)
        return replace(
            subscription,
            starting_at=begins,
            ending_before=self.to(end) if end else None,
            anchor_date=anchor if anchor is None or anchor <= begins else self.to(anchor),
        )

    def charge(self, charge: ScheduledChargeInput) -> ScheduledChargeInput:
        return replace(charge, schedule=self._billed(charge.schedule), **self.orders)

    def _billed(self, schedule: InvoiceScheduleInput) -> InvoiceScheduleInput:
        items = tuple(replace(each, timestamp=self.to(each.timestamp)) for each in schedule.schedule_items)
        return replace(schedule, schedule_items=items)


def _schedule(agreed: Agreement) -> StatementScheduleInput:
    """A calendar of its own stays where it is; one that follows the start follows the new one."""
    contract = agreed.contract
    anchor, start = contract.billing_anchor_at, contract.starting_at
    if anchor == floor_day(start).replace(day=1):
        return StatementScheduleInput(contract.frequency)
    if anchor == start:
        return StatementScheduleInput(contract.frequency, "CONTRACT_START")
    return StatementScheduleInput(contract.frequency, "CUSTOM_DATE", anchor)


def _filter(agreed: Agreement) -> UsageFilterInput | None:
    if not agreed.terms.usage_filters:
        return None
    last: dict[str, Any] = agreed.terms.usage_filters[-1]
    return UsageFilterInput(last["group_key"], tuple(last["group_values"]))
