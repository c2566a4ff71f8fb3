"""What was used, and which events it was made of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock, cursors
from billing_site.foundation.periods import Period, format_instant, parse_instant
from billing_site.foundation.refusals import FieldError, NotFound, Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from contracts.views.base import bound_customer
from ledger.presentation import event_json, group_row, usage_row
from ledger.queries import tables
from ledger.queries.events import find_events
from ledger.serializers import (
    EventReply,
    EventSearchRequest,
    GroupUsageReply,
    GroupUsageRequest,
    PageQuery,
    UsageReply,
    UsageRequest,
)
from pricing import queries as catalog
from pricing.models import BillableMetric


class UsageView(GenericAPIView):
    """A read over usage, in one snapshot. A token bound to a customer sees that customer alone."""

    required_scope = "read"
    allows_customer_token = True

    def read(self, request: Request) -> dict[str, Any]:
        """The body in the view's shape; null counts as left out. Raises ValidationError."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return {name: value for name, value in serializer.validated_data.items() if value is not None}

    def page(self, request: Request) -> tuple[int, str]:
        """How many rows are wanted, and the cursor to go on from."""
        query = PageQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return query.validated_data["limit"], query.validated_data["next_page"]


class ListUsage(UsageView):
    """Usage of many customers and metrics, by the hour, by the UTC day, or over the whole range.

    There is one row for each customer, metric and window, in that order, whether anything was used or not. Whose
    usage it is follows the claims: what a subject sent counts for the customer that owned it in that hour.
    """

    serializer_class = UsageRequest

    @extend_schema(summary="List usage of many customers and metrics", responses=UsageReply(many=True))
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        limit, cursor = self.page(request)
        with read_snapshot():
            rows = tables.usage_table(
                self._customers(request, sent),
                self._metrics(sent),
                tables.Cut(Period(sent["starting_on"], sent["ending_before"]), sent["window_size"]),
                at=clock.now(),
                after=_row_position(cursor) if cursor else None,
                limit=limit + 1,
            )
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            following = cursors.encode(last.customer_id, last.metric.pk, format_instant(last.window.starting_at))
        return Response({"data": [usage_row(row) for row in rows[:limit]], "next_page": following})

    def _customers(self, request: Request, sent: dict[str, Any]) -> Sequence[UUID] | None:
        named, only = sent.get("customer_ids"), bound_customer(request)
        if named is None:
            return None if only is None else [only]
        for index, customer_id in enumerate(named):
            if only not in (None, customer_id):
                raise tables.no_such_customer(f"customer_ids[{index}]", customer_id)
        tables.known_customers(named, field="customer_ids")
        return named

    def _metrics(self, sent: dict[str, Any]) -> list[tables.AskedMetric]:
        if "billable_metrics" not in sent:
            every = catalog.metrics(include_archived=True)
            return [tables.AskedMetric(metric) for metric in every]
        wanted = sent["billable_metrics"]
        known = catalog.metrics(include_archived=True).in_bulk([asked["id"] for asked in wanted])
        found: dict[UUID, tables.AskedMetric] = {}
        for index, asked in enumerate(wanted):
            field = f"billable_metrics[{index}]"
            metric = _known(known.get(asked["id"]), asked["id"], field=f"{field}.id")
            if metric.pk in found:
                raise Refusal.of(f"{field}.id", metric.pk, "must be there only once")
            split = asked.get("group_by") or {}
            if split:
                _declared(metric, [split["key"]], field=f"{field}.group_by.key")
            values = split.get("values")
            found[metric.pk] = tables.AskedMetric(metric, split.get("key"), None if values is None else tuple(values))
        return list(found.values())


class ListGroupUsage(UsageView):
    """Usage of one metric by one customer, split by the values of one of the metric's group keys.

    There is one row for each window and each group with usage anywhere in the range; without a group key, one row
    for each window.
    """

    serializer_class = GroupUsageRequest

    @extend_schema(summary="List usage of one metric by group", responses=GroupUsageReply(many=True))
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        limit, cursor = self.page(request)
        customer_id = sent["customer_id"]
        if bound_customer(request) not in (None, customer_id):
            raise tables.no_such_customer("customer_id", customer_id)
        with read_snapshot():
            metric_id = sent["billable_metric_id"]
            metric = _known(BillableMetric.objects.filter(pk=metric_id).first(), metric_id, field="billable_metric_id")
            keys = _declared(metric, sent["group_key"], field="group_key") if sent["group_key"] else ()
            if not Customer.objects.filter(pk=customer_id).exists():
                raise tables.no_such_customer("customer_id", customer_id)
            rows = tables.group_table(
                customer_id,
                metric,
                tables.Cut(self._period(sent), sent["window_size"]),
                keys=keys,
                filters=sent["group_filters"],
                at=clock.now(),
                after=_group_position(cursor, len(keys)) if cursor else None,
                limit=limit + 1,
            )
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            following = cursors.encode(format_instant(last.window.starting_at), *last.group)
        return Response({"data": [group_row(row, keys) for row in rows[:limit]], "next_page": following})

    def _period(self, sent: dict[str, Any]) -> Period:
        if sent.get("current_period"):
            return tables.current_period(sent["customer_id"], at=clock.now())
        return Period(sent["starting_on"], sent["ending_before"])


class SearchEvents(UsageView):
    """Events by transaction id, each with the customer and the metrics that it counts for.

    An event that is missing was never accepted, or its body is no longer kept.
    """

    serializer_class = EventSearchRequest
    pagination_class = None

    @extend_schema(summary="Look up events by transaction id", responses=EventReply(many=True))
    def post(self, request: Request) -> Response:
        wanted = list(dict.fromkeys(self.read(request)["transactionIds"]))
        with read_snapshot():
            events = find_events(wanted, customer_id=bound_customer(request)) if wanted else []
            customers = Customer.objects.in_bulk({event.customer_id for event in events if event.customer_id})
        return Response([event_json(event, customers.get(event.customer_id)) for event in events])


def _known(metric: BillableMetric | None, metric_id: UUID, *, field: str) -> BillableMetric:
    if metric is None:
        raise NotFound(
            f"There is no billable metric {metric_id}.",
            FieldError(field, metric_id, "there is no such billable metric"),
        )
    return metric


def _declared(metric: BillableMetric, keys: Sequence[str], *, field: str) -> tuple[str, ...]:
    found = tables.declared_key(metric, keys)
    if found is None:
        declared = "; ".join(" + ".join(key) for key in metric.group_keys) or "none"
        given = " + ".join(keys)
        raise Refusal.of(field, given, f"must be one of the metric's group keys, which are: {declared}")
    return found


def _row_position(cursor: str) -> tuple[UUID, UUID, datetime]:
    customer_id, metric_id, start = cursors.decode(cursor, length=3)
    try:
        return UUID(customer_id), UUID(metric_id), parse_instant(start)
    except (AttributeError, TypeError, ValueError) as error:
        raise _foreign(cursor) from error


def _group_position(cursor: str, length: int) -> tuple[datetime, tables.Group]:
    start, *group = cursors.decode(cursor, length=1 + length)
    try:
        if all(value is None or isinstance(value, str) for value in group):
            return parse_instant(start), tuple(group)
    except (AttributeError, TypeError, ValueError) as error:
        raise _foreign(cursor) from error
    raise _foreign(cursor)


def _foreign(cursor: str) -> Refusal:
    return Refusal.of("next_page", cursor, "must be a cursor from an earlier page of the same list")
