"""Keeping the summaries that lists read: made again when something has touched a customer, and looked at in time.

    signal     whoever writes leaves one (`foundation.touched`); subjects and publications are turned into customers
    refresh    one customer at a time: take its signals, compute, write what differs, all in one snapshot
    the hour   what holds from the hour on makes every summary of another hour due
    look       who was not looked at for long is compared by a cheap fingerprint: a lost signal heals

Any number of processes may do this at once: a customer that another one is at is passed over.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Model

from billing_site.foundation import clock, touched
from billing_site.foundation.transactions import repeatable_read
from contracts.models import Customer
from invoicing.models import AlertState, CommitmentSummary, CustomerSummary, DraftSummary, NoteSummary
from invoicing.queries.changes import version_of
from invoicing.queries.compute import computation
from invoicing.queries.notes import note_summaries
from invoicing.queries.summaries import (
    commitment_summaries,
    customers_to_look_at,
    customers_to_refresh,
    draft_summaries,
    touched_by_publications,
    touched_by_usage,
)
from invoicing.services.alert_states import follow_alerts

SIGNALS_AT_ONCE = 5_000
CUSTOMERS_AT_ONCE = 20  # then signals are looked for again
LOOK_AGAIN_AFTER = timedelta(seconds=30)
LOOKED_AT_ONCE = 50
ERROR_LENGTH = 2000

logger = logging.getLogger(__name__)


def refresh_what_is_due() -> int:
    """One pass: how many customers were refreshed. Call it again at once where there were any."""
    with clock.frozen_for_this_run():
        at = clock.now()
        pass_signals_on()
        refreshed = 0
        for customer_id in customers_to_refresh(at=at, limit=CUSTOMERS_AT_ONCE):
            refreshed += _refresh(customer_id, at=at)
        return refreshed or look_around(at=at)


def pass_signals_on() -> int:
    """Turn signals of subjects and publications into signals of customers, and say how many were turned."""
    with transaction.atomic():
        taken = touched.take([touched.SUBJECT, touched.PUBLICATION], limit=SIGNALS_AT_ONCE)
        subjects = [key for kind, key in taken if kind == touched.SUBJECT]
        publications = [int(key) for kind, key in taken if kind == touched.PUBLICATION]
        customers = touched_by_usage(subjects) if subjects else set()
        if publications:
            customers |= touched_by_publications(publications)
        touched.touch(touched.CUSTOMER, customers)
        return len(taken)


def look_around(*, at: datetime) -> int:
    """Find customers that nothing was kept of yet, and those that have changed without a signal."""
    now = clock.wall_time()
    _keep_of_everybody()
    changed = 0
    for summary in list(customers_to_look_at(before=now - LOOK_AGAIN_AFTER, limit=LOOKED_AT_ONCE)):
        CustomerSummary.objects.filter(pk=summary.pk).update(looked_at=now)
        if summary.as_of is None or version_of(summary.pk, at=at) != summary.version:
            changed += _refresh(summary.pk, at=at)
    return changed


@repeatable_read
def refresh_summary(customer_id: UUID, *, at: datetime) -> bool:
    """Make a customer's summaries again; False where another process is at it, or the test clock was moved since `at`
    was read: documents may be final by now that end after `at`.

    The signals taken are those of the snapshot that is computed in, so none is lost.
    """
    summary = _alone_with(customer_id)
    if summary is None or clock.was_moved_from(at):
        return False
    touched.take_customer(customer_id)
    computed = computation(customer_id, at=at)
    _refresh_notes(summary, computed.inputs.catalog.publication, at=at)
    _write(DraftSummary, customer_id, list(draft_summaries(computed, at=at)))
    _write(CommitmentSummary, customer_id, list(commitment_summaries(computed, at=at)))
    _write(AlertState, customer_id, follow_alerts(computed, at=at))
    _settle(customer_id, at=at, as_of=at, error="")
    return True


def _refresh_notes(summary: CustomerSummary, publication: int, *, at: datetime) -> None:
    """Usage changes no proposal, and periods are not rated again for it: whatever does is an edit, a document or a
    decision, which move the customer's money version, or a publication."""
    money_version = Customer.objects.values_list("money_version", flat=True).get(pk=summary.pk)
    known = {"notes_money_version": money_version, "notes_publication": publication}
    if any(getattr(summary, name) != value for name, value in known.items()):
        _write(NoteSummary, summary.pk, note_summaries(summary.pk, at=at))
        CustomerSummary.objects.filter(pk=summary.pk).update(**known)


def _refresh(customer_id: UUID, *, at: datetime) -> bool:
    """One customer's trouble is nobody else's: it is written down, and tried again when something changes."""
    _keep_of([customer_id])
    try:
        return refresh_summary(customer_id, at=at)
    except DatabaseError:
        raise
    except Exception as failure:
        logger.exception("The summary of customer %s could not be made", customer_id)
        _give_up(customer_id, f"{type(failure).__name__}: {failure}"[:ERROR_LENGTH], at=at)
        return False


@repeatable_read
def _give_up(customer_id: UUID, error: str, *, at: datetime) -> None:
    if _alone_with(customer_id) is not None:
        touched.take_customer(customer_id)
        _settle(customer_id, at=at, as_of=at, error=error)


def _alone_with(customer_id: UUID) -> CustomerSummary | None:
    rows = CustomerSummary.objects.filter(pk=customer_id)
    return rows.select_for_update(skip_locked=True, of=("self",)).first()


def _settle(customer_id: UUID, *, at: datetime, as_of: datetime, error: str) -> None:
    now = clock.wall_time()
    CustomerSummary.objects.filter(pk=customer_id).update(
        as_of=as_of, version=version_of(customer_id, at=at), refreshed_at=now, looked_at=now, error=error
    )


def _write(model: type[Any], customer_id: UUID, wanted: Sequence[Model]) -> None:
    """Bring the customer's rows to what is wanted, and touch none that is right already."""
    held = {row.pk: row for row in model.objects.filter(customer_id=customer_id)}
    names = [field.attname for field in model._meta.concrete_fields]
    differing = [
        row
        for row in wanted
        if row.pk not in held or any(getattr(row, name) != getattr(held[row.pk], name) for name in names)
    ]
    gone = held.keys() - {row.pk for row in wanted}
    if gone:
        model.objects.filter(customer_id=customer_id, pk__in=gone).delete()
    if differing:
        changeable = [name for name in names if name != "id"]
        model.objects.bulk_create(
            differing, update_conflicts=True, unique_fields=["id"], update_fields=_fields(model, changeable)
        )


def _fields(model: type[Any], attnames: Sequence[str]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if field.attname in attnames]


def _keep_of(customer_ids: Sequence[UUID]) -> None:
    CustomerSummary.objects.bulk_create(
        [CustomerSummary(customer_id=customer_id) for customer_id in customer_ids], ignore_conflicts=True
    )


def _keep_of_everybody() -> None:
    unknown = Customer.objects.filter(summary=None).order_by("pk").values_list("pk", flat=True)[:SIGNALS_AT_ONCE]
    _keep_of(list(unknown))
