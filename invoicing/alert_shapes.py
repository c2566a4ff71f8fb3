"""What the calls about alerts take and give."""

from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, Shape, TextField, texts
from billing_site.foundation.periods import format_instant
from invoicing.alert_wording import seen_text
from invoicing.engine.alerts import COMMIT_ENTITY, CONTRACT, CREDIT_ENTITY, EITHER, KINDS
from invoicing.models import Alert, AlertState
from invoicing.queries.alerts import AlertStanding
from invoicing.serializers import ACCESS_TYPES, TYPES
from invoicing.services.alerts import AlertInput
from pricing.serializers.common import OPTIONAL, UnitRefReply, plain

STATUSES = ("ENABLED", "DISABLED", "ARCHIVED")
# As they are sent, by how they are stored.
ENTITIES = {
    CONTRACT: "Contract",
    COMMIT_ENTITY: "Commit",
    CREDIT_ENTITY: "ContractCredit",
    EITHER: "ContractCreditOrCommit",
}


class FieldFilterShape(Shape):
    entity = CodeField(ENTITIES)
    key = TextField()
    value = TextField(help_text="Absent: any.", allow_blank=True, **OPTIONAL)


class AlertExclusionShape(Shape):
    custom_field_filters = FieldFilterShape(many=True, **OPTIONAL)


class AlertSpecifierShape(Shape):
    custom_field_filters = FieldFilterShape(many=True, **OPTIONAL)
    exclude = AlertExclusionShape(many=True, help_text="What fits any of these is left out.", **OPTIONAL)


class GroupValueShape(Shape):
    key = TextField()
    value = TextField(help_text="Absent: each value is watched by itself.", allow_blank=True, **OPTIONAL)


class SeatFilterShape(Shape):
    seat_group_key = TextField()
    seat_group_value = TextField(help_text="Absent: each seat is watched by itself.", **OPTIONAL)


class CreateAlertRequest(serializers.Serializer):
    alert_type = CodeField(KINDS, help_text="What is watched: docs/alerts.md.")
    name = TextField()
    threshold = NumberField(help_text="Money in its wire unit, units, a percentage from 0 to 100, or days.")
    customer_id = serializers.UUIDField(help_text="Absent: each of all customers.", **OPTIONAL)
    credit_type_id = serializers.UUIDField(help_text="USD by default.", **OPTIONAL)
    access_type = CodeField(ACCESS_TYPES, help_text="Of balances.", **OPTIONAL)
    billable_metric_id = serializers.UUIDField(help_text="Of usage_threshold_reached.", **OPTIONAL)
    group_values = GroupValueShape(many=True, help_text="Of spend_threshold_reached.", **OPTIONAL)
    custom_field_filters = FieldFilterShape(many=True, help_text="All of them have to hold.", **OPTIONAL)
    alert_specifiers = AlertSpecifierShape(many=True, help_text="One of them has to hold.", **OPTIONAL)
    invoice_types_filter = serializers.ListField(child=CodeField(TYPES), **OPTIONAL)
    credit_grant_type_filters = texts(**OPTIONAL)
    plan_id = serializers.UUIDField(**OPTIONAL)
    seat_filter = SeatFilterShape(help_text="Of low_remaining_seat_balance_reached.", **OPTIONAL)
    evaluate_on_create = serializers.BooleanField(
        help_text="False: who is past the threshold already is not in alarm before it came back once.", **OPTIONAL
    )
    uniqueness_key = TextField(help_text="A second alert with this key is refused with 409.", **OPTIONAL)

    def to_input(self) -> AlertInput:
        return AlertInput(**plain(self.validated_data))


class ArchiveAlertRequest(serializers.Serializer):
    id = serializers.UUIDField()
    release_uniqueness_key = serializers.BooleanField(help_text="The key can be used again.", **OPTIONAL)


class CustomerAlertRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    alert_id = serializers.UUIDField()


class GetCustomerAlertRequest(CustomerAlertRequest):
    group_values = GroupValueShape(many=True, help_text="One figure of an alert that watches each value.", **OPTIONAL)
    seat_filter = SeatFilterShape(help_text="The figure of one seat.", **OPTIONAL)
    plans_or_contracts = CodeField(("PLANS", "CONTRACTS"), help_text="There are no plans.", **OPTIONAL)


class ListCustomerAlertsRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    alert_statuses = serializers.ListField(
        child=CodeField(STATUSES), help_text="By default those that are enabled.", **OPTIONAL
    )


# --- Replies -----------------------------------------------------------------------------------------------------


class FieldFilterReply(serializers.Serializer):
    entity = serializers.ChoiceField(list(ENTITIES.values()))
    key = serializers.CharField()
    value = serializers.CharField(required=False)


class AlertExclusionReply(serializers.Serializer):
    custom_field_filters = FieldFilterReply(many=True, required=False)


class AlertSpecifierReply(serializers.Serializer):
    custom_field_filters = FieldFilterReply(many=True, required=False)
    exclude = AlertExclusionReply(many=True, required=False)


class GroupValueReply(serializers.Serializer):
    key = serializers.CharField()
    value = serializers.CharField(required=False)


class SeatFilterReply(serializers.Serializer):
    seat_group_key = serializers.CharField()
    seat_group_value = serializers.CharField(required=False)


class AlertReply(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    type = serializers.ChoiceField([code.lower() for code in KINDS])
    status = serializers.ChoiceField(("enabled", "archived"))
    threshold = NumberField()
    updated_at = InstantField(help_text="When the customer's status became what it is.")
    access_type = serializers.ChoiceField(ACCESS_TYPES, required=False)
    credit_type = UnitRefReply(required=False)
    billable_metric_id = serializers.UUIDField(required=False)
    customer_id = serializers.UUIDField(required=False, help_text="Absent: it watches all customers.")
    group_values = GroupValueReply(many=True, required=False)
    seat_filter = SeatFilterReply(required=False)
    custom_field_filters = FieldFilterReply(many=True, required=False)
    alert_specifiers = AlertSpecifierReply(many=True, required=False)
    invoice_types_filter = texts(required=False)
    credit_grant_type_filters = texts(required=False)
    uniqueness_key = serializers.CharField(required=False)


class CustomerAlertReply(serializers.Serializer):
    alert = AlertReply()
    customer_status = serializers.ChoiceField(("ok", "in_alarm", "evaluating"), allow_null=True)
    triggered_by = serializers.CharField(required=False, help_text="The figure that is past the threshold, in words.")


def customer_alert_json(alert: Alert, standing: AlertStanding | None) -> dict[str, Any]:
    """How a customer stands with an alert; None: it is archived."""
    found: dict[str, Any] = {
        "alert": _alert_json(alert, standing),
        "customer_status": None if standing is None else (standing.status or "evaluating").lower(),
    }
    if standing is not None and standing.status == AlertState.Status.IN_ALARM and standing.worst is not None:
        found["triggered_by"] = seen_text(alert, standing.worst.figure, standing.worst.label)
    return found


def _alert_json(alert: Alert, standing: AlertStanding | None) -> dict[str, Any]:
    changed = (standing.since if standing is not None else None) or alert.archived_at or alert.created_at
    given: dict[str, Any] = {
        "access_type": alert.access_type,
        "credit_type": None if alert.unit is None else {"id": alert.unit.pk, "name": alert.unit.name},
        "billable_metric_id": alert.metric_id,
        "customer_id": alert.customer_id,
        "group_values": [] if alert.is_of_seats else alert.group_values,
        "seat_filter": _seats_json(alert) if alert.is_of_seats else None,
        "custom_field_filters": _filters_json(alert.custom_field_filters),
        "alert_specifiers": [
            {
                "custom_field_filters": _filters_json(each.get("custom_field_filters")),
                "exclude": [
                    {"custom_field_filters": _filters_json(one.get("custom_field_filters"))}
                    for one in each.get("exclude") or ()
                ],
            }
            for each in alert.specifiers
        ],
        "invoice_types_filter": alert.invoice_types,
        "credit_grant_type_filters": alert.credit_grant_types,
        "uniqueness_key": alert.uniqueness_key,
    }
    return {
        "id": alert.pk,
        "name": alert.name,
        "type": alert.type.lower(),
        "status": "enabled" if alert.archived_at is None else "archived",
        "threshold": alert.threshold,
        "updated_at": format_instant(changed),
        **{name: value for name, value in given.items() if value},
    }


def _seats_json(alert: Alert) -> dict[str, str]:
    [(key, value)] = alert.groups
    return {"seat_group_key": key} if value is None else {"seat_group_key": key, "seat_group_value": value}


def _filters_json(stored: Any) -> list[dict[str, str]]:
    return [each | {"entity": ENTITIES[each["entity"]]} for each in stored or ()]
