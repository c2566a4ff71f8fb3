"""What is replied of edits of contracts."""

from rest_framework import serializers

from billing_site.foundation.fields import InstantField
from contracts.serializers.providers import RoyaltySegmentReply
from contracts.serializers.replies import (
    AddedChargeReply,
    AddedCommitReply,
    ChargeReply,
    OverrideReply,
    RecurringReply,
    ServiceReply,
    SetFilterReply,
)
from contracts.serializers.subscription_replies import SubscriptionReply
from pricing.serializers.common import IdReply


class UndoneReply(IdReply):
    number = serializers.IntegerField()


class EditReply(serializers.Serializer):
    id = serializers.UUIDField()
    timestamp = InstantField()
    uniqueness_key = serializers.CharField(required=False)
    undoes = UndoneReply(required=False, help_text="The edit that this one takes back.")
    add_commits = AddedCommitReply(many=True, required=False)
    add_credits = AddedCommitReply(many=True, required=False)
    add_overrides = OverrideReply(many=True, required=False)
    add_recurring_commits = RecurringReply(many=True, required=False)
    add_recurring_credits = RecurringReply(many=True, required=False)
    add_scheduled_charges = AddedChargeReply(many=True, required=False)
    add_discounts = ChargeReply(many=True, required=False)
    add_pro_services = ServiceReply(many=True, required=False)
    add_reseller_royalties = RoyaltySegmentReply(many=True, required=False)
    add_subscriptions = SubscriptionReply(many=True, required=False)
    add_usage_filters = SetFilterReply(many=True, required=False)
    remove_overrides = IdReply(many=True, required=False)
    archive_commits = IdReply(many=True, required=False)
    archive_credits = IdReply(many=True, required=False)
    archive_scheduled_charges = IdReply(many=True, required=False)
    archive_professional_services = IdReply(many=True, required=False)
    update_commits = serializers.ListField(child=serializers.DictField(), required=False)
    update_credits = serializers.ListField(child=serializers.DictField(), required=False)
    update_scheduled_charges = serializers.ListField(child=serializers.DictField(), required=False)
    update_discounts = serializers.ListField(child=serializers.DictField(), required=False)
    update_recurring_commits = serializers.ListField(child=serializers.DictField(), required=False)
    update_recurring_credits = serializers.ListField(child=serializers.DictField(), required=False)
    update_subscriptions = serializers.ListField(child=serializers.DictField(), required=False)
    update_contract_end_date = InstantField(required=False, allow_null=True)
    update_contract_name = serializers.CharField(required=False, allow_null=True)
    update_end_policy = serializers.CharField(required=False)


class EditHistoryReply(serializers.Serializer):
    data = EditReply(many=True)  # type: ignore[assignment]  # a field, whatever Serializer.data is


class EditedReply(IdReply):
    edit = EditReply()
