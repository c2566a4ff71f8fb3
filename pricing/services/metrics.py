"""Billable metrics: defined once, renamed, archived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.custom_fields import Entity, check_custom_fields
from billing_site.foundation.jobs import enqueue
from billing_site.foundation.problems import Problems, save
from billing_site.foundation.refusals import NotSupported
from pricing.models import BillableMetric
from pricing.queries import metric

MEASURE_BACK = "measure_back"  # a job that the ledger does: count what came before the metric


@dataclass(frozen=True, slots=True)
class PropertyFilter:
    """A rule on one property; all that are given must hold. Values are compared as text."""

    name: str
    exists: bool | None = None  # None: it does not matter
    in_values: Sequence[str] | None = None
    not_in_values: Sequence[str] | None = None

    def to_json(self) -> dict[str, Any]:
        exists = {} if self.exists is None else {"exists": self.exists}
        return {"name": self.name, **exists, **value_lists(self.in_values, self.not_in_values)}


def create_metric(
    name: str,
    *,
    aggregation_type: str | None,
    aggregation_key: str = "",
    event_types: Sequence[str] | None = None,
    other_event_types: Sequence[str] | None = None,
    property_filters: Sequence[PropertyFilter] = (),
    group_keys: Sequence[Sequence[str]] = (),
    custom_fields: Mapping[str, str] | None = None,
    sql: str | None = None,
    at: datetime,
    by: Actor,
) -> BillableMetric:
    """Define a measure over usage events. It never changes afterwards, except for its name.

    `event_types` lets only those types pass, `other_event_types` all but those. Each of `group_keys` is a set of
    properties that usage can be split by together.

    Raises Refusal with every field that breaks a rule, and NotSupported for SQL.
    """
    if sql is not None:
        raise NotSupported.of("sql", sql, "metrics defined by SQL are not supported")
    problems = Problems()
    problems.name("name", name)
    check_custom_fields(problems, Entity.BILLABLE_METRIC, custom_fields or {})
    if aggregation_type is None or aggregation_type not in BillableMetric.Aggregation.values:
        listed = ", ".join(BillableMetric.Aggregation.values)
        problems.add("aggregation_type", aggregation_type, f"must be one of {listed}")
    elif aggregation_type != BillableMetric.Aggregation.COUNT or aggregation_key:
        problems.key("aggregation_key", aggregation_key)
    _check_values(problems, "event_type_filter", event_types, other_event_types)
    _check_filters(problems, property_filters)
    _check_group_keys(problems, group_keys)
    problems.refuse()
    assert aggregation_type is not None
    with transaction.atomic(), acting(by):
        made = BillableMetric.objects.create(
            name=name.strip(),
            aggregation_type=aggregation_type,
            aggregation_key=aggregation_key,
            event_type_filter=value_lists(event_types, other_event_types),
            property_filters=[rule.to_json() for rule in property_filters],
            group_keys=[list(key) for key in group_keys],
            custom_fields=dict(custom_fields or {}),
            created_at=at,
            created_by=by.label,
        )
        enqueue(MEASURE_BACK, str(made.pk), {"metric_id": str(made.pk)})
        return made


def rename_metric(metric_id: UUID, name: str, *, reason: str = "", at: datetime, by: Actor) -> BillableMetric:
    """Give a metric another name; what it measures stays. Raises NotFound, Refusal."""
    problems = Problems()
    problems.name("name", name)
    problems.refuse()
    with transaction.atomic(), acting(by):
        found = metric(metric_id, locked=True)
        if found.name != name.strip():
            found.name = name.strip()
            save(found, reason=reason)
        return found


def archive_metric(metric_id: UUID, *, reason: str = "", at: datetime, by: Actor) -> BillableMetric:
    """No new product may use the metric; products that do keep metering. Twice is as good as once.

    Raises NotFound.
    """
    with transaction.atomic(), acting(by):
        found = metric(metric_id, locked=True)
        if found.archived_at is None:
            found.archived_at = at
            save(found, reason=reason)
        return found


def value_lists(in_values: Sequence[str] | None, not_in_values: Sequence[str] | None) -> dict[str, list[str]]:
    """Both lists as they are stored: there only where they were given."""
    lists = {"in_values": in_values, "not_in_values": not_in_values}
    return {name: list(values) for name, values in lists.items() if values is not None}


def _check_values(
    problems: Problems, field: str, in_values: Sequence[str] | None, not_in_values: Sequence[str] | None
) -> None:
    for name, values in value_lists(in_values, not_in_values).items():
        if not values:
            problems.add(f"{field}.{name}", values, "must not be an empty list")
        for index, value in enumerate(values):
            problems.key(f"{field}.{name}[{index}]", value, may_be_empty=True)


def _check_filters(problems: Problems, filters: Sequence[PropertyFilter]) -> None:
    for index, rule in enumerate(filters):
        field = f"property_filters[{index}]"
        problems.key(f"{field}.name", rule.name)
        _check_values(problems, field, rule.in_values, rule.not_in_values)
        if rule.exists is False and (rule.in_values or rule.not_in_values):
            problems.add(f"{field}.exists", False, "cannot be false where values are listed")


def _check_group_keys(problems: Problems, group_keys: Sequence[Sequence[str]]) -> None:
    seen: list[frozenset[str]] = []
    for index, key in enumerate(group_keys):
        field = f"group_keys[{index}]"
        if not key:
            problems.add(field, key, "must name at least one property")
        problems.keys(field, key)
        if frozenset(key) in seen:
            problems.add(field, key, "must be there only once, in whatever order")
        seen.append(frozenset(key))
