"""Alerts: made and archived; and how a customer stands with them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts.queries import customer
from contracts.serializers.unsupported import NO, Known, refuse_unsupported
from invoicing import services
from invoicing.alert_shapes import (
    ArchiveAlertRequest,
    CreateAlertRequest,
    CustomerAlertReply,
    CustomerAlertRequest,
    GetCustomerAlertRequest,
    ListCustomerAlertsRequest,
    customer_alert_json,
)
from invoicing.engine.alerts import group_label
from invoicing.models import Alert
from invoicing.queries.alerts import alert, alert_standings
from invoicing.views.base import BodyView, InvoicingView
from pricing.serializers.common import IdReply, enveloped, given

NARROWED: Known = {"alert_specifiers": NO}  # what a status cannot be narrowed to


class CreateAlert(InvoicingView):
    serializer_class = CreateAlertRequest
    required_scope = "admin"

    @extend_schema(
        summary="Create an alert",
        description="Watches a figure of one customer, or of each of all. It never changes; it can be archived.",
        responses={200: enveloped(IdReply)},
    )
    def post(self, request: Request) -> Response:
        sent = CreateAlertRequest(data=request.data)
        sent.is_valid(raise_exception=True)
        made = services.create_alert(sent.to_input(), at=clock.now(), by=Actor.of(request))
        return Response({"data": {"id": made.pk}})


class ArchiveAlert(InvoicingView):
    serializer_class = ArchiveAlertRequest
    required_scope = "admin"

    @extend_schema(
        summary="Archive an alert",
        description="Nothing is watched any more. Its uniqueness key stays used unless it is released.",
        responses={200: enveloped(IdReply)},
    )
    def post(self, request: Request) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = given(body.validated_data)
        released = sent.get("release_uniqueness_key", False)
        archived = services.archive_alert(sent["id"], is_key_released=released, at=clock.now(), by=Actor.of(request))
        return Response({"data": {"id": archived.pk}})


class GetCustomerAlert(BodyView):
    serializer_class = GetCustomerAlertRequest

    @extend_schema(summary="How a customer stands with an alert", responses={200: enveloped(CustomerAlertReply)})
    def post(self, request: Request) -> Response:
        if isinstance(request.data, Mapping):
            refuse_unsupported(request.data, NARROWED)
        asked = self.read(request)
        with read_snapshot():
            whose = customer(asked["customer_id"])
            found = alert(asked["alert_id"], customer_id=whose.pk)
            about = _group_asked_for(found, asked.get("group_values") or ()) or _seat_asked_for(
                found, asked.get("seat_filter")
            )
            standing = alert_standings([found], whose, at=clock.now(), about=about).get(found.pk)
        return Response({"data": customer_alert_json(found, standing)})


class ListCustomerAlerts(BodyView):
    serializer_class = ListCustomerAlertsRequest
    pagination_class: Any = api_settings.DEFAULT_PAGINATION_CLASS

    @extend_schema(summary="List the alerts of a customer, with its status", responses=CustomerAlertReply(many=True))
    def post(self, request: Request) -> Response:
        asked = self.read(request)
        statuses = set(asked.get("alert_statuses") or ["ENABLED"])
        with read_snapshot():
            whose = customer(asked["customer_id"])
            listed = Alert.objects.watching(whose.pk).select_related("unit", "metric")
            archived = [each for each in (False, True) if ("ARCHIVED" if each else "ENABLED") in statuses]
            listed = listed.alias(is_archived=Q(archived_at__isnull=False)).filter(is_archived__in=archived)
            page = self.paginate_queryset(listed) or []
            standings = alert_standings(page, whose, at=clock.now())
        return self.get_paginated_response([customer_alert_json(each, standings.get(each.pk)) for each in page])


class ResetCustomerAlert(InvoicingView):
    serializer_class = CustomerAlertRequest
    required_scope = "admin"

    @extend_schema(
        summary="Look at an alert of a customer anew",
        description="That it was in alarm is forgotten; if it still is past the threshold, it goes into alarm again.",
        responses={200: None},
    )
    def post(self, request: Request) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.reset_alert(body.validated_data["alert_id"], body.validated_data["customer_id"])
        return Response()


def _seat_asked_for(found: Alert, asked: Mapping[str, Any] | None) -> str | None:
    """Which seat is meant; None: all that the alert watches. Raises Refusal."""
    if asked is None:
        return None
    key, value = asked["seat_group_key"], asked.get("seat_group_value")
    if not found.is_of_seats or found.groups[0][0] != key:
        whose = found.groups[0][0] if found.is_of_seats else "none"
        raise Refusal.of(
            "seat_filter.seat_group_key", key, f"must be the property of the alert's seats, which is {whose}"
        )
    watched = found.groups[0][1]
    if value is None:
        return None
    if watched not in (None, value):
        raise Refusal.of("seat_filter.seat_group_value", value, f"must be the seat that the alert watches, {watched!r}")
    return group_label([(key, value)])


def _group_asked_for(found: Alert, asked: Sequence[Mapping[str, Any]]) -> str | None:
    """Which of the figures of an alert of spend is meant; None: all of them. Raises Refusal."""
    if not asked:
        return None
    if found.is_of_seats:
        raise Refusal.of("group_values", len(asked), "must not be given for an alert of seats; say seat_filter")
    values = {each["key"]: each.get("value") for each in asked}
    if set(values) != {key for key, _ in found.groups} or None in values.values():
        keys = ", ".join(key for key, _ in found.groups) or "none"
        shown = ", ".join(values)
        raise Refusal.of("group_values", shown, f"must be a value for each of the alert's keys, which are: {keys}")
    for key, value in found.groups:
        if value not in (None, values[key]):
            raise Refusal.of("group_values", values[key], f"must be the value that the alert watches, {value!r}")
    return group_label([(key, values[key]) for key, _ in found.groups])
