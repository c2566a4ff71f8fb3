"""Shapes of the calls that read usage. Events come in another way: `ledger.views.ingest` decodes them itself."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, Shape, TextField, text_map, texts
from billing_site.foundation.periods import DAY, floor_day
from pricing.serializers.common import OPTIONAL
from pricing.serializers.metrics import MetricReply

WINDOW_SIZES = ("HOUR", "DAY", "NONE")
MAX_PAGE = 100
MAX_VALUES = 200
MAX_LOOKUPS = 100


class SentEvent(serializers.Serializer):
    """For the reference page alone: `ledger.services.ingest.events` has the rules."""

    transaction_id = serializers.CharField(max_length=128, help_text="Makes a repeat harmless, for ever.")
    customer_id = serializers.CharField(max_length=128, help_text="Our id of the customer, or an ingest alias.")
    event_type = serializers.CharField(max_length=256)
    timestamp = serializers.CharField(help_text="RFC 3339; without an offset it is UTC. At most 24 hours ahead.")
    properties = serializers.DictField(required=False, help_text="Numbers may be sent as numbers or as text.")


class EventConflict(serializers.Serializer):
    index = serializers.IntegerField()
    transaction_id = serializers.CharField()
    customer_id = serializers.CharField()
    differs = serializers.ListField(child=serializers.CharField())


class IngestReply(serializers.Serializer):
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField(help_text="Known already, with the same content: nothing changed.")
    conflicts = EventConflict(many=True, help_text="Known already, with another content: the first one counts.")


class PageQuery(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=MAX_PAGE, default=MAX_PAGE)
    next_page = serializers.CharField(default="", help_text="From the page before.")


class GroupBy(serializers.Serializer):
    key = TextField()
    values = texts(max_length=MAX_VALUES, **OPTIONAL)


class MetricAsked(Shape):
    id = serializers.UUIDField()
    group_by = GroupBy(**OPTIONAL)


class UsageRequest(serializers.Serializer):
    starting_on = InstantField(help_text="A UTC midnight.")
    ending_before = InstantField(help_text="A UTC midnight, at least one day later.")
    window_size = CodeField(WINDOW_SIZES)
    customer_ids = serializers.ListField(
        child=serializers.UUIDField(), help_text="All customers where it is left out.", **OPTIONAL
    )
    billable_metrics = MetricAsked(many=True, help_text="All metrics where it is left out.", **OPTIONAL)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        check_days(sent["starting_on"], sent["ending_before"])
        return sent


class UsageReply(serializers.Serializer):
    customer_id = serializers.UUIDField()
    billable_metric_id = serializers.UUIDField()
    billable_metric_name = serializers.CharField()
    start_timestamp = InstantField()
    end_timestamp = InstantField()
    value = NumberField(help_text="Exact. 0 where nothing was used.")
    groups = serializers.DictField(
        child=NumberField(allow_null=True),
        required=False,
        help_text="Usage by value of the group key; null for a value asked for that was not used. "
        "Usage without the property is in `value` alone.",
    )


class GroupUsageRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    billable_metric_id = serializers.UUIDField()
    window_size = CodeField(WINDOW_SIZES)
    current_period = serializers.BooleanField(
        help_text="The customer's billing period instead of the two bounds.", **OPTIONAL
    )
    starting_on = InstantField(help_text="A UTC midnight.", **OPTIONAL)
    ending_before = InstantField(help_text="A UTC midnight, at least one day later.", **OPTIONAL)
    group_by = GroupBy(help_text="The older spelling of a group key with one property.", **OPTIONAL)
    group_key = texts(help_text="All properties of one of the metric's group keys.", **OPTIONAL)
    group_filters = serializers.DictField(
        child=texts(), help_text="Property of the group key: the values wanted; none are all.", **OPTIONAL
    )

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        sent = {name: value for name, value in sent.items() if value is not None}
        _check_bounds(sent)
        _check_groups(sent)
        return sent


class GroupUsageReply(serializers.Serializer):
    starting_on = InstantField()
    ending_before = InstantField()
    value = NumberField(help_text="Exact. 0 where nothing was used.")
    group = text_map(required=False, help_text="Property: value, null for usage without the property.")
    group_key = serializers.CharField(allow_null=True, help_text="The group key, where it has one property.")
    group_value = serializers.CharField(allow_null=True, help_text="Its value.")


class EventSearchRequest(serializers.Serializer):
    transactionIds = texts(max_length=MAX_LOOKUPS)  # noqa: N815 the one such name of the compatible API


class MatchedCustomerReply(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class EventReply(serializers.Serializer):
    id = serializers.UUIDField()
    transaction_id = serializers.CharField()
    customer_id = serializers.CharField(help_text="As it was sent.")
    event_type = serializers.CharField()
    timestamp = InstantField()
    properties = serializers.DictField()
    processed_at = InstantField()
    is_duplicate = serializers.BooleanField(help_text="Always false: of events that are repeated, the first is kept.")
    is_void = serializers.BooleanField(required=False, help_text="It was taken back. Where it was corrected.")
    corrections = serializers.IntegerField(required=False, help_text="How often; the content is what counts now.")
    matched_customer = MatchedCustomerReply(required=False, help_text="Who owned the subject at the event's time.")
    matched_billable_metrics = MetricReply(many=True)


class EventNamed(serializers.Serializer):
    transaction_id = serializers.CharField(max_length=128, trim_whitespace=False)
    customer_id = serializers.CharField(
        max_length=128,
        trim_whitespace=False,
        help_text="As the event was sent. May be left out where one customer_id alone has used the transaction id.",
        **OPTIONAL,
    )
    reason = serializers.CharField(max_length=2_000)


class VoidRequest(EventNamed):
    """Take an event back."""


class AmendRequest(EventNamed):
    """What is left out stays as it is. Properties are replaced as a whole."""

    event_type = serializers.CharField(max_length=256, trim_whitespace=False, **OPTIONAL)
    timestamp = serializers.CharField(max_length=64, **OPTIONAL)
    properties = serializers.DictField(**OPTIONAL)


class CorrectionReply(serializers.Serializer):
    customer_id = serializers.CharField()
    transaction_id = serializers.CharField()
    number = serializers.IntegerField(help_text="Corrections of an event are numbered; the last one counts.")
    kind = serializers.ChoiceField(("VOID", "AMEND"))
    reason = serializers.CharField()
    created_at = InstantField()
    created_by = serializers.CharField()
    is_repeat = serializers.BooleanField(help_text="It had been asked for before; nothing changed.")
    event_type = serializers.CharField(required=False)
    timestamp = InstantField(required=False)
    properties = serializers.DictField(required=False)


class BrokenRuleReply(serializers.Serializer):
    field = serializers.CharField()
    value = serializers.CharField()
    rule = serializers.CharField()


class VerdictReply(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    counts = serializers.BooleanField()
    why_not = serializers.CharField(allow_null=True)
    value = serializers.CharField(allow_null=True, help_text="How much it counts; for UNIQUE, what is told apart.")
    group_values = text_map(allow_null=True)
    prices = texts(help_text="At what price, by contract in force at the event's time; or why at none.")


class TrialReply(serializers.Serializer):
    index = serializers.IntegerField()
    customer_id = serializers.CharField()
    transaction_id = serializers.CharField()
    outcome = serializers.ChoiceField(("ACCEPTED", "DUPLICATE", "CONFLICT", "REFUSED"))
    errors = BrokenRuleReply(many=True)  # type: ignore[assignment]
    summary = serializers.CharField(required=False)
    matched_customer = MatchedCustomerReply(required=False, allow_null=True)
    billable_metrics = VerdictReply(many=True, required=False)


def check_days(starting_on: datetime, ending_before: datetime) -> None:
    """Raises ValidationError unless both are UTC midnights, in order."""
    problems = {
        field: "must be a UTC midnight"
        for field, instant in (("starting_on", starting_on), ("ending_before", ending_before))
        if instant != floor_day(instant)
    }
    if not problems and ending_before - starting_on < DAY:
        problems = {"ending_before": "must be at least one day after starting_on"}
    if problems:
        raise serializers.ValidationError(problems)


def _check_bounds(sent: dict[str, Any]) -> None:
    bounds = [field for field in ("starting_on", "ending_before") if field in sent]
    if sent.get("current_period"):
        if bounds:
            raise serializers.ValidationError(dict.fromkeys(bounds, "must be left out with current_period"))
        return
    missing = {"starting_on", "ending_before"} - set(bounds)
    if missing:
        raise serializers.ValidationError(dict.fromkeys(sorted(missing), "is needed unless current_period is true"))
    check_days(sent["starting_on"], sent["ending_before"])


def _check_groups(sent: dict[str, Any]) -> None:
    """Bring both spellings to `group_key` and `group_filters`."""
    older = sent.pop("group_by", None)
    if older is not None:
        for field in ("group_key", "group_filters"):
            if field in sent:
                raise serializers.ValidationError({field: "must be left out with group_by"})
        sent["group_key"] = [older["key"]]
        sent["group_filters"] = {older["key"]: older.get("values") or []}
    keys, filters = sent.setdefault("group_key", []), sent.setdefault("group_filters", {})
    for name in filters:
        if name not in keys:
            raise serializers.ValidationError({f"group_filters.{name}": "must be a property in group_key"})
    if sum(len(values) for values in filters.values()) > MAX_VALUES:
        raise serializers.ValidationError({"group_filters": f"must not have more than {MAX_VALUES} values in all"})
