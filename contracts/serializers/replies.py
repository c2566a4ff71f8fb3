"""How contracts, terms and edits are shown; for the OpenAPI document."""

from rest_framework import serializers

from billing_site.foundation.fields import InstantField, NumberField, text_map, texts
from contracts.serializers.providers import (
    BillingConfigurationReply,
    BillingScheduleReply,
    RevenueScheduleReply,
    RoyaltyReply,
    RoyaltySegmentReply,
)
from contracts.serializers.subscription_replies import SubscriptionReply
from pricing.serializers.common import IdReply, UnitRefReply
from pricing.serializers.rates import RateReply, TierReply


class SegmentReply(serializers.Serializer):
    id = serializers.UUIDField()
    amount = NumberField()
    starting_at = InstantField()
    ending_before = InstantField()


class AccessScheduleReply(serializers.Serializer):
    access_type = serializers.CharField()
    credit_type = UnitRefReply()
    schedule_items = SegmentReply(many=True)


class InvoiceItemReply(serializers.Serializer):
    id = serializers.UUIDField()
    timestamp = InstantField()
    amount = NumberField()
    unit_price = NumberField()
    quantity = NumberField()


class InvoiceScheduleReply(serializers.Serializer):
    credit_type = UnitRefReply()
    do_not_invoice = serializers.BooleanField()
    schedule_items = InvoiceItemReply(many=True)


class SpecifierReply(serializers.Serializer):
    product_id = serializers.UUIDField(required=False)
    product_tags = texts(required=False)
    pricing_group_values = text_map(required=False)
    presentation_group_values = text_map(required=False)


class OverrideSpecifierReply(SpecifierReply):
    billing_frequency = serializers.CharField(required=False)
    commit_ids = texts(required=False)
    recurring_commit_ids = texts(required=False)
    any_commit_or_credit_ids = texts(required=False)


class MultiplierTierReply(serializers.Serializer):
    multiplier = NumberField()
    size = NumberField(required=False)


class StripeConfigReply(serializers.Serializer):
    payment_type = serializers.CharField()
    invoice_metadata = text_map()
    on_session_payment = serializers.BooleanField()


class GateReply(serializers.Serializer):
    payment_gate_type = serializers.CharField()
    tax_type = serializers.CharField()
    stripe_config = StripeConfigReply(required=False)
    workflow_id = serializers.UUIDField(help_text="By which the payment is recorded.")
    payment_status = serializers.ChoiceField(("waiting", "paid", "failed"))
    payment_recorded_at = InstantField(required=False)


class AddedCommitReply(serializers.Serializer):
    id = serializers.UUIDField()
    type = serializers.CharField()
    product = UnitRefReply()
    name = serializers.CharField(required=False)
    description = serializers.CharField(required=False)
    priority = NumberField()
    rate_type = serializers.CharField()
    applicable_product_ids = texts(required=False)
    applicable_product_tags = texts(required=False)
    specifiers = SpecifierReply(many=True, required=False)
    access_schedule = AccessScheduleReply()
    invoice_schedule = InvoiceScheduleReply(required=False, help_text="Absent where nothing is paid for it.")
    netsuite_sales_order_id = serializers.CharField(required=False)
    salesforce_opportunity_id = serializers.CharField(required=False, help_text="Of one of the customer.")
    payment_gate_config = GateReply(required=False, help_text="The payment that access to it waits for.")


class CommitReply(AddedCommitReply):
    created_at = InstantField()
    created_by = serializers.CharField(required=False, help_text="Absent where a recurring one has granted it.")
    recurring_commit_id = serializers.UUIDField(required=False, help_text="The recurring commit that has granted it.")
    recurring_credit_id = serializers.UUIDField(required=False, help_text="The recurring credit that has granted it.")
    contract = IdReply(required=False)
    applicable_contract_ids = texts(required=False)
    invoice_contract = IdReply(required=False, help_text="Which contract bills a commit of the customer.")
    uniqueness_key = serializers.CharField(required=False)
    cost_basis = NumberField(required=False, help_text="What is paid for each unit that a prepaid commit grants.")
    custom_fields = text_map()
    archived_at = InstantField(required=False)
    balance = NumberField(required=False, help_text="Only where balances are asked for.")
    ledger = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="Only where ledgers are asked for."
    )


class RecurringInvoiceAmountReply(serializers.Serializer):
    credit_type_id = serializers.UUIDField()
    unit_price = NumberField()
    quantity = NumberField()


class RecurringAmountReply(RecurringInvoiceAmountReply):
    quantity = NumberField(required=False, help_text="Absent with a subscription_config.")
    access_type = serializers.CharField()


class CommitDurationReply(serializers.Serializer):
    value = serializers.IntegerField()
    unit = serializers.CharField()


class RoundingReply(serializers.Serializer):
    decimal_places = serializers.IntegerField()
    rounding_method = serializers.CharField()


class ProrationRoundingReply(serializers.Serializer):
    access = RoundingReply(required=False)
    invoice = RoundingReply(required=False)


class SeatIncreaseReply(serializers.Serializer):
    is_prorated = serializers.BooleanField()


class SubscriptionConfigReply(serializers.Serializer):
    subscription_id = serializers.UUIDField()
    allocation = serializers.CharField()
    apply_seat_increase_config = SeatIncreaseReply()


class RecurringReply(serializers.Serializer):
    id = serializers.UUIDField()
    contract = IdReply()
    product = UnitRefReply()
    name = serializers.CharField(required=False)
    description = serializers.CharField(required=False)
    priority = NumberField()
    rate_type = serializers.CharField()
    applicable_product_ids = texts(required=False)
    applicable_product_tags = texts(required=False)
    specifiers = SpecifierReply(many=True, required=False)
    access_amount = RecurringAmountReply(help_text="What each whole period grants.")
    invoice_amount = RecurringInvoiceAmountReply(required=False, help_text="Absent where nobody pays for it.")
    commit_duration = CommitDurationReply()
    anchor_date = InstantField(help_text="Its periods are counted from here.")
    starting_at = InstantField()
    ending_before = InstantField(required=False)
    recurrence_frequency = serializers.CharField(required=False, help_text="Absent: with the usage documents.")
    proration = serializers.CharField()
    proration_rounding = ProrationRoundingReply(required=False)
    rollover_fraction = NumberField(required=False)
    netsuite_sales_order_id = serializers.CharField(required=False)
    subscription_config = SubscriptionConfigReply(required=False)


class OverrideReply(serializers.Serializer):
    id = serializers.UUIDField()
    created_at = InstantField()
    starting_at = InstantField()
    ending_before = InstantField(required=False)
    type = serializers.CharField(required=False)
    multiplier = NumberField(required=False)
    override_tiers = MultiplierTierReply(many=True, required=False)
    overwrite_rate = RateReply(required=False)
    priority = NumberField(required=False)
    entitled = serializers.BooleanField(required=False)
    product = UnitRefReply(required=False)
    applicable_product_tags = texts(required=False)
    override_specifiers = OverrideSpecifierReply(many=True, required=False)
    is_commit_specific = serializers.BooleanField()
    target = serializers.CharField()


class FirstOverrideReply(OverrideReply):
    """The first version of the API repeats an overwritten rate beside it."""

    rate_type = serializers.CharField(required=False)
    price = NumberField(required=False)
    tiers = TierReply(many=True, required=False)
    package_size = NumberField(required=False)
    quantity = NumberField(required=False)
    is_prorated = serializers.BooleanField(required=False)
    credit_type = UnitRefReply(required=False)


class AddedChargeReply(serializers.Serializer):
    id = serializers.UUIDField()
    product = UnitRefReply()
    name = serializers.CharField(required=False)
    schedule = InvoiceScheduleReply()
    netsuite_sales_order_id = serializers.CharField(required=False)


class ChargeReply(AddedChargeReply):
    custom_fields = text_map()
    archived_at = InstantField(required=False)


class ServiceReply(serializers.Serializer):
    id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    quantity = NumberField()
    unit_price = NumberField()
    max_amount = NumberField(help_text="No more of it is ever invoiced.")
    description = serializers.CharField(required=False)
    custom_fields = text_map()
    netsuite_sales_order_id = serializers.CharField(required=False)


class StatementScheduleReply(serializers.Serializer):
    frequency = serializers.CharField()
    billing_anchor_date = InstantField()
    invoice_generation_starting_at = InstantField(required=False)


class HasMoreReply(serializers.Serializer):
    commits = serializers.BooleanField()
    credits = serializers.BooleanField()


class SetFilterReply(serializers.Serializer):
    group_key = serializers.CharField()
    group_values = texts()
    starting_at = InstantField()


class UsageFilterReply(SetFilterReply):
    ending_before = InstantField(required=False, help_text="When the next one takes over.")


class FiltersReply(serializers.Serializer):
    initial = SetFilterReply()
    updates = SetFilterReply(many=True)
    current = SetFilterReply(required=False, help_text="The one in force.")


class TermsReply(serializers.Serializer):
    """What both versions of the API say of a contract's terms."""

    name = serializers.CharField(required=False)
    created_at = InstantField()
    created_by = serializers.CharField()
    starting_at = InstantField()
    ending_before = InstantField(required=False)
    rate_card_id = serializers.UUIDField(required=False)
    net_payment_terms_days = serializers.IntegerField(required=False)
    end_policy = serializers.CharField(help_text="What happens at its end: STOP, LIST_PRICE, RENEW.")
    total_contract_value = NumberField(required=False)
    salesforce_opportunity_id = serializers.CharField(required=False)
    netsuite_sales_order_id = serializers.CharField(required=False)
    usage_statement_schedule = StatementScheduleReply()
    scheduled_charges_on_usage_invoices = serializers.CharField(required=False)
    commits = CommitReply(many=True)
    overrides = OverrideReply(many=True)
    scheduled_charges = ChargeReply(many=True)
    credits = CommitReply(many=True)
    discounts = ChargeReply(many=True)
    professional_services = ServiceReply(many=True)
    recurring_commits = RecurringReply(many=True)
    recurring_credits = RecurringReply(many=True)
    transitions = serializers.ListField(child=serializers.DictField())


class WholeReply(TermsReply):
    """What the second version says, and the first of a contract that was just made."""

    customer_billing_provider_configuration = BillingConfigurationReply(
        required=False, help_text="In force now; nothing is sent by it."
    )
    id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    archived_at = InstantField(required=False)
    package_id = serializers.UUIDField(required=False, help_text="What the contract was made from.")
    multiplier_override_prioritization = serializers.CharField()
    uniqueness_key = serializers.CharField(required=False)
    custom_fields = text_map()
    subscriptions = SubscriptionReply(many=True)
    usage_filter = UsageFilterReply(many=True)
    has_more = HasMoreReply()


class ContractReply(WholeReply):
    reseller_royalties = RoyaltyReply(many=True)
    billing_provider_configuration_schedule = BillingScheduleReply(many=True, required=False)
    revenue_system_configuration_schedule = RevenueScheduleReply(many=True, required=False)


class FirstContractReply(WholeReply):
    reseller_royalties = RoyaltySegmentReply(many=True)
    overrides = FirstOverrideReply(many=True)


class CreatedContractReply(IdReply):
    contract = FirstContractReply()


class FirstTermsReply(TermsReply):
    reseller_royalties = RoyaltySegmentReply(many=True)
    overrides = FirstOverrideReply(many=True)
    usage_filter = FiltersReply(required=False)


class AmendmentReply(serializers.Serializer):
    id = serializers.UUIDField()
    starting_at = InstantField()
    created_at = InstantField()
    created_by = serializers.CharField()
    commits = CommitReply(many=True)
    credits = CommitReply(many=True)
    overrides = FirstOverrideReply(many=True)
    scheduled_charges = ChargeReply(many=True)
    discounts = ChargeReply(many=True)
    professional_services = ServiceReply(many=True)
    reseller_royalties = RoyaltySegmentReply(many=True)
    custom_fields = text_map(required=False)
    total_contract_value = NumberField(required=False)
    salesforce_opportunity_id = serializers.CharField(required=False)
    netsuite_sales_order_id = serializers.CharField(required=False)


class FirstShapeOfContractReply(serializers.Serializer):
    id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    archived_at = InstantField(required=False)
    package_id = serializers.UUIDField(required=False)
    customer_billing_provider_configuration = BillingConfigurationReply(required=False)
    uniqueness_key = serializers.CharField(required=False)
    custom_fields = text_map()
    subscriptions = SubscriptionReply(many=True)
    scheduled_charges_on_usage_invoices = serializers.CharField(required=False)
    initial = FirstTermsReply(help_text="As it was agreed when it was created.")
    current = FirstTermsReply(help_text="As it stands after every amendment and edit.")
    amendments = AmendmentReply(many=True)
