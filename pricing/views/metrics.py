from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pricing import queries, services
from pricing.presentation import id_json, metric_json
from pricing.serializers.common import IdReply, IdRequest, enveloped
from pricing.serializers.metrics import MetricCreate, MetricListQuery, MetricRename, MetricReply
from pricing.views.base import PricingView, PricingWrite

METRIC_ID = OpenApiParameter("billable_metric_id", location="path", type={"type": "string", "format": "uuid"})


class CreateMetric(PricingWrite):
    serializer_class = MetricCreate

    @extend_schema(summary="Define a billable metric", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        metric = services.create_metric(**self.sent(request).arguments(), **self.told(request))
        return Response(id_json(metric.id))


class ListMetrics(PricingView):
    serializer_class = MetricReply

    @extend_schema(summary="List billable metrics", parameters=[MetricListQuery], responses=MetricReply(many=True))
    def get(self, request: Request) -> Response:
        query = MetricListQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        page = self.paginate_queryset(queries.metrics(**query.validated_data)) or []
        return self.get_paginated_response([metric_json(metric) for metric in page])


class OneMetric(PricingView):
    serializer_class = MetricRename

    @property
    def required_scope(self) -> str:  # type: ignore[override]
        return "read" if self.request.method in ("GET", "HEAD", "OPTIONS") else "admin"

    @extend_schema(
        summary="Read a billable metric",
        parameters=[METRIC_ID],
        responses={200: enveloped(MetricReply)},
    )
    def get(self, request: Request, billable_metric_id: str) -> Response:
        metric = queries.metric(billable_metric_id, field="billable_metric_id")
        return Response({"data": metric_json(metric)})

    @extend_schema(
        summary="Rename a billable metric",
        parameters=[METRIC_ID],
        responses={200: enveloped(IdReply)},
    )
    def put(self, request: Request, billable_metric_id: str) -> Response:
        metric = queries.metric(billable_metric_id, field="billable_metric_id")
        services.rename_metric(metric.id, **self.read(request), **self.told(request))
        return Response(id_json(metric.id))


class ArchiveMetric(PricingWrite):
    serializer_class = IdRequest

    @extend_schema(summary="Archive a billable metric", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        metric = services.archive_metric(self.read(request)["id"], **self.told(request))
        return Response(id_json(metric.id))
