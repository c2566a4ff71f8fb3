"""The value of a metric over some hours of some subjects, for each combination of group values, whatever it
aggregates. Each question is answered by itself: a maximum over a month is no sum of the days' maxima."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_sum
from ledger.queries.levels import levels_by_slot, unit_hours
from ledger.queries.scoped import Slot, parts_by_slot
from ledger.queries.usage import Window, usage_by_slot
from pricing.engine.catalog import GroupValues
from pricing.models import BillableMetric

Group = tuple[str | None, ...]  # the values of a group key's properties; None where an event had none
Answer = dict[Group, Decimal]  # groups without usage are absent

LEVEL = BillableMetric.Aggregation.WEIGHTED_SUM
SUMS = (BillableMetric.Aggregation.COUNT, BillableMetric.Aggregation.SUM)


@dataclass(frozen=True, slots=True)
class Question:
    """`windows` share no hour of a subject. Without `keys` there is one group, of everything."""

    metric: BillableMetric
    windows: tuple[Window, ...]
    keys: tuple[str, ...] = ()


def values_of(questions: Sequence[Question], *, until: datetime) -> list[Answer]:
    """An answer to each; levels count up to `until`. One statement for each aggregation that is asked about."""
    answers: list[Answer] = [{} for _ in questions]
    _sums(questions, answers)
    _levels(questions, answers, until)
    scoped = [number for number, one in enumerate(questions) if one.metric.aggregation_type not in (*SUMS, LEVEL)]
    parts = parts_by_slot([_slot(questions[number]) for number in scoped])
    for number, found in zip(scoped, parts, strict=True):
        answer, keys = answers[number], questions[number].keys
        for part in found:
            group = _group(part.values, keys)
            answer[group] = answer.get(group, Decimal(0)) + part.quantity
    return answers


def _sums(questions: Sequence[Question], answers: list[Answer]) -> None:
    slots, numbers, metric_ids = _slots(questions, SUMS)
    found = usage_by_slot(slots, metric_ids=metric_ids)
    for number, slot in numbers:
        asked = questions[number]
        parts: dict[Group, list[Decimal]] = {}
        for series, quantity in found[slot].quantities.items():
            if series.metric_id == asked.metric.pk:
                parts.setdefault(_group(series.values, asked.keys), []).append(quantity)
        answers[number].update({group: exact_sum(quantities) for group, quantities in parts.items()})


def _levels(questions: Sequence[Question], answers: list[Answer], until: datetime) -> None:
    slots, numbers, metric_ids = _slots(questions, (LEVEL,))
    if not numbers:
        return
    found = levels_by_slot(slots, metric_ids=metric_ids, until=until)
    for number, slot in numbers:
        asked = questions[number]
        moments: dict[Group, int] = {}
        for level in found[slot]:
            if level.series.metric_id == asked.metric.pk:
                group = _group(level.series.values, asked.keys)
                moments[group] = moments.get(group, 0) + level.moment
        answers[number].update({group: unit_hours(moment) for group, moment in moments.items()})


def _slots(
    questions: Sequence[Question], aggregations: Collection[str]
) -> tuple[list[tuple[Window, ...]], list[tuple[int, int]], set[UUID]]:
    """The windows asked about, once each; which question asks for which; and the metrics."""
    slots: dict[tuple[Window, ...], int] = {}
    numbers: list[tuple[int, int]] = []
    metric_ids: set[UUID] = set()
    for number, asked in enumerate(questions):
        if asked.metric.aggregation_type in aggregations:
            numbers.append((number, slots.setdefault(asked.windows, len(slots))))
            metric_ids.add(asked.metric.pk)
    return list(slots), numbers, metric_ids


def _slot(asked: Question) -> Slot:
    return Slot(asked.windows, asked.metric.pk, asked.metric.aggregation_type, tuple(sorted(asked.keys)))


def _group(values: GroupValues, keys: Sequence[str]) -> Group:
    known = dict(values)
    return tuple([known.get(key) for key in keys])
