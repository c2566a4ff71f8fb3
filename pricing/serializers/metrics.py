from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, Shape, TextField, text_map, texts
from pricing import services
from pricing.models import BillableMetric
from pricing.serializers.common import OPTIONAL, given


class EventTypeFilter(serializers.Serializer):
    in_values = texts(**OPTIONAL)
    not_in_values = texts(**OPTIONAL)


class PropertyFilterItem(Shape):
    name = TextField()
    exists = serializers.BooleanField(help_text="True: must be there. False: must not.", **OPTIONAL)
    in_values = texts(**OPTIONAL)
    not_in_values = texts(**OPTIONAL)


class MetricCreate(serializers.Serializer):
    name = serializers.CharField()
    aggregation_type = CodeField(
        BillableMetric.Aggregation.values,
        help_text="WEIGHTED_SUM is ours: events carry changes of a level, and it counts in unit-hours.",
        **OPTIONAL,
    )
    aggregation_key = TextField(allow_blank=True, help_text="The property that is measured.", **OPTIONAL)
    event_type_filter = EventTypeFilter(**OPTIONAL)
    property_filters = PropertyFilterItem(many=True, **OPTIONAL)
    group_keys = serializers.ListField(child=texts(), **OPTIONAL)
    custom_fields = text_map(**OPTIONAL)
    sql = serializers.CharField(allow_blank=True, help_text="Not supported.", **OPTIONAL)

    def arguments(self) -> dict[str, Any]:
        """What was sent, as `create_metric` takes it."""
        sent = given(self.validated_data)
        event_types = sent.pop("event_type_filter", {})
        filters = [services.PropertyFilter(**rule) for rule in sent.pop("property_filters", [])]
        return {
            "aggregation_type": None,
            "event_types": event_types.get("in_values"),
            "other_event_types": event_types.get("not_in_values"),
            "property_filters": filters,
            **sent,
        }


class MetricListQuery(serializers.Serializer):
    include_archived = serializers.BooleanField(default=False)


class MetricRename(serializers.Serializer):
    name = serializers.CharField()


class MetricReply(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    aggregation_type = serializers.ChoiceField(BillableMetric.Aggregation.values)
    aggregation_key = serializers.CharField(required=False)
    event_type_filter = EventTypeFilter(required=False)
    property_filters = PropertyFilterItem(many=True, required=False)
    group_keys = serializers.ListField(child=texts(), required=False)
    custom_fields = text_map()
    archived_at = InstantField(required=False)
