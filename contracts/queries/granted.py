"""What commits and credits that recur have granted by an instant, in the shape of those that were agreed one by one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from billing_site.foundation.periods import HOUR, floor_hour
from contracts import terms
from contracts.models import AccessSegment, Commit, InvoiceScheduleItem, RecurringCommit
from contracts.queries.agreements import AgreedCommit, Agreement
from contracts.queries.compiled import to_recurring, to_terms
from contracts.recurring import instances


def granted(agreed: Agreement, *, at: datetime) -> tuple[AgreedCommit, ...]:
    """The instances that have begun at `at`, in order of time for each recurring commit or credit; none after the
    contract was archived. No query.

    Their rows are not in the database and cannot be: they follow from the terms (`contracts/recurring.py`).
    """
    archived_at = agreed.contract.archived_at if agreed.is_archived else None
    last = at if archived_at is None else min(at, archived_at)
    return tuple(_granted(agreed, floor_hour(last) + HOUR)) if agreed.recurring else ()


def with_granted(agreed: Agreement, *, at: datetime) -> Agreement:
    """The contract with what has been granted by `at` among its commits. No query."""
    return replace(agreed, commits=(*agreed.commits, *granted(agreed, at=at)))


def _granted(agreed: Agreement, until: datetime) -> Iterator[AgreedCommit]:
    contract = to_terms(agreed)
    for each in agreed.recurring:
        for recurring in to_recurring(each):
            for instance in instances(contract, recurring, until=until):
                yield _as_agreed(instance, each.now)


def _as_agreed(instance: terms.Commit, row: RecurringCommit) -> AgreedCommit:
    commit = Commit(
        id=instance.id,
        customer_id=row.customer_id,
        contract_id=row.contract_id,
        type=instance.type,
        product=row.product,
        name=row.name,
        description=row.description,
        priority=row.priority,
        unit=row.unit,
        access_type=row.access_type,
        invoice_unit=row.invoice_unit,
        rate_type=instance.rate_type,
        rollover_fraction=instance.rollover_fraction,
        applicable_product_ids=row.applicable_product_ids,
        applicable_product_tags=row.applicable_product_tags,
        specifiers=row.specifiers,
        netsuite_sales_order_id=row.netsuite_sales_order_id,
        created_at=instance.created_at,
    )
    access = tuple(_segment(commit, each) for each in instance.segments)
    items = [
        InvoiceScheduleItem(
            id=item.id,
            commit=commit,
            issued_at=item.issued_at,
            amount=item.amount,
            unit_price=item.unit_price,
            quantity=item.quantity,
        )
        for item in instance.invoice_items
    ]
    return AgreedCommit(commit, access, tuple(items), recurring_id=instance.recurring_id)


def _segment(commit: Commit, segment: terms.AccessSegment) -> AccessSegment:
    assert segment.period.ending_before is not None, "an instance lasts for so many periods"
    return AccessSegment(
        id=segment.id,
        commit=commit,
        amount=segment.amount,
        starting_at=segment.period.starting_at,
        ending_before=segment.period.ending_before,
    )
