"""What the named schedules of a customer and of its contracts say."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q, QuerySet

from contracts.models import CustomerScheduleSegment
from pricing.queries import NamedValue, values_over_time

Place = tuple[str, str, str]  # of a schedule in a list: contract, name, and properties as JSON


@dataclass(frozen=True, slots=True)
class ContractSchedule:
    """A named schedule of a contract; no values where none covers the instant asked for."""

    contract_id: UUID
    schedule_name: str
    properties: Mapping[str, str]
    values: tuple[NamedValue, ...]

    @property
    def place(self) -> Place:
        return _place(self.contract_id, self.schedule_name, self.properties)


def named_schedule(
    customer_id: UUID,
    schedule_name: str,
    *,
    contract_id: UUID | None = None,
    properties: Mapping[str, str] | None = None,
    covering: datetime | None = None,
    at_edit: int | None = None,
) -> list[NamedValue]:
    """The values of a schedule of the customer, or of a contract, in the order of time, or the one that holds at
    `covering`; none where nobody wrote any. `at_edit` is what was known of it (default: everything). One query."""
    written = written_of(customer_id, contract_id, schedule_name, properties or {})
    return values_over_time(_known(written, at_edit), covering=covering)


def contract_schedules(
    customer_id: UUID,
    *,
    contract_id: UUID | None = None,
    schedule_name: str | None = None,
    properties: Mapping[str, str] | None = None,
    covering: datetime | None = None,
    at_edit: int | None = None,
    limit: int,
    after: Place | None = None,
) -> tuple[list[ContractSchedule], Place | None]:
    """One page of the schedules of the customer's contracts, and where it ends if another follows; of them those of a
    contract, of a name, or that have at least these properties. Two queries."""
    written = _known(CustomerScheduleSegment.objects.filter(customer=customer_id, contract__isnull=False), at_edit)
    if contract_id is not None:
        written = written.filter(contract=contract_id)
    if schedule_name is not None:
        written = written.filter(schedule_name=schedule_name)
    if properties:
        written = written.filter(properties__contains=properties)
    found = {
        _place(*key): key
        for key in written.order_by().values_list("contract", "schedule_name", "properties").distinct()
    }
    places = sorted(place for place in found if after is None or place > after)
    page = [found[place] for place in places[:limit]]
    segments = defaultdict(list)
    for segment in written.filter(_one_of(page)) if page else ():
        segments[_place(segment.contract_id, segment.schedule_name, segment.properties)].append(segment)
    schedules = [
        ContractSchedule(*key, values=tuple(values_over_time(segments[_place(*key)], covering=covering)))
        for key in page
    ]
    return schedules, schedules[-1].place if len(places) > limit else None


def written_of(
    customer_id: UUID, contract_id: UUID | None, schedule_name: str, properties: Mapping[str, str]
) -> QuerySet[CustomerScheduleSegment]:
    """What was written of one schedule, in that order."""
    return CustomerScheduleSegment.objects.filter(
        customer=customer_id, contract=contract_id, schedule_name=schedule_name, properties=properties
    ).order_by("edit__number")


def _known(written: QuerySet[CustomerScheduleSegment], at_edit: int | None) -> QuerySet[CustomerScheduleSegment]:
    ordered = written.order_by("edit__number")
    return ordered if at_edit is None else ordered.filter(edit__number__lte=at_edit)


def _one_of(keys: list[tuple[UUID, str, Mapping[str, str]]]) -> Q:
    wanted = (
        Q(contract=contract_id, schedule_name=schedule_name, properties=properties)
        for contract_id, schedule_name, properties in keys
    )
    return reduce(or_, wanted)


def _place(contract_id: UUID | None, schedule_name: str, properties: Mapping[str, str]) -> Place:
    return str(contract_id), schedule_name, json.dumps(properties, sort_keys=True)
