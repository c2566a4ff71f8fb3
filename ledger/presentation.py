"""Usage and events in the words and shapes of the compatible API."""

import json
from typing import Any

from billing_site.foundation.ids import derived_id
from billing_site.foundation.periods import format_instant
from billing_site.foundation.refusals import shown as shown_value
from contracts.models import Customer
from ledger.queries.events import FoundEvent
from ledger.queries.tables import GroupRow, UsageRow
from ledger.services.corrections import Corrected
from ledger.services.dry_run import Trial
from pricing.presentation import metric_json


def usage_row(row: UsageRow) -> dict[str, Any]:
    assert row.window.ending_before is not None
    shown = {
        "customer_id": str(row.customer_id),
        "billable_metric_id": str(row.metric.pk),
        "billable_metric_name": row.metric.name,
        "start_timestamp": format_instant(row.window.starting_at),
        "end_timestamp": format_instant(row.window.ending_before),
        "value": row.value,
    }
    return shown if row.groups is None else shown | {"groups": dict(row.groups)}


def group_row(row: GroupRow, keys: tuple[str, ...]) -> dict[str, Any]:
    """`keys` are the properties whose values the row's group holds."""
    assert row.window.ending_before is not None
    shown = {
        "starting_on": format_instant(row.window.starting_at),
        "ending_before": format_instant(row.window.ending_before),
        "value": row.value,
        "group_key": keys[0] if len(keys) == 1 else None,
        "group_value": row.group[0] if len(keys) == 1 else None,
    }
    return shown | ({"group": dict(zip(keys, row.group, strict=True))} if keys else {})


def event_json(event: FoundEvent, owner: Customer | None) -> dict[str, Any]:
    """An event with the customer that it belongs to and the metrics that it was counted for."""
    shown = {
        # JSON keeps the two parts apart, whatever characters are in them.
        "id": str(derived_id("event", json.dumps([event.subject, event.transaction_id]))),
        "transaction_id": event.transaction_id,
        "customer_id": event.subject,
        "event_type": event.event_type,
        "timestamp": format_instant(event.timestamp),
        "properties": event.properties,
        "processed_at": format_instant(event.received_at),
        "is_duplicate": False,
        "matched_billable_metrics": [metric_json(metric) for metric in event.metrics],
    }
    if event.correction:
        shown |= {"is_void": event.is_void, "corrections": event.correction}
    return shown if owner is None else shown | {"matched_customer": {"id": str(owner.pk), "name": owner.name}}


def correction_json(corrected: Corrected) -> dict[str, Any]:
    correction = corrected.correction
    shown = {
        "customer_id": correction.subject,
        "transaction_id": correction.transaction_id,
        "number": correction.number,
        "kind": correction.kind,
        "reason": correction.reason,
        "created_at": format_instant(correction.created_at),
        "created_by": correction.created_by,
        "is_repeat": corrected.is_repeat,
    }
    if correction.timestamp is not None:
        shown |= {
            "event_type": correction.event_type,
            "timestamp": format_instant(correction.timestamp),
            "properties": correction.properties,
        }
    return shown


def trial_json(trial: Trial) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "index": trial.index,
        "customer_id": trial.customer_id,
        "transaction_id": trial.transaction_id,
        "outcome": trial.outcome,
        "errors": [{"field": e.field, "value": shown_value(e.value), "rule": e.rule} for e in trial.errors],
    }
    told = trial.explanation
    if told is None:
        return shown
    owner = None if told.owner is None else {"id": str(told.owner.pk), "name": told.owner.name}
    metrics = [
        {
            "id": str(verdict.metric.pk),
            "name": verdict.metric.name,
            "counts": verdict.counts,
            "why_not": verdict.why_not or None,
            "value": verdict.value or None,
            "group_values": verdict.group,
            "prices": list(verdict.prices),
        }
        for verdict in told.verdicts
    ]
    return shown | {"summary": told.summary, "matched_customer": owner, "billable_metrics": metrics}
