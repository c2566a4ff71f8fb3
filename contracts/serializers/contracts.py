"""Requests about contracts."""

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, TextField, text_map, texts
from contracts.inputs import ContractInput, EditInput, UsageFilterInput
from contracts.models import ContractTerms
from contracts.serializers.professional_services import ServiceShape
from contracts.serializers.providers import (
    BillingLookupShape,
    BillingUpdateShape,
    RevenueLookupShape,
    RevenueUpdateShape,
    RoyaltyEditShape,
    RoyaltyShape,
)
from contracts.serializers.recurring import (
    RecurringCommitShape,
    RecurringCommitUpdateShape,
    RecurringCreditShape,
    RecurringCreditUpdateShape,
)
from contracts.serializers.subscriptions import SubscriptionShape, SubscriptionUpdateShape
from contracts.serializers.terms import (
    BLANK,
    ON_USAGE,
    TAKEN_OFF,
    ChargeUpdateShape,
    ContractCommitShape,
    ContractCommitUpdateShape,
    ContractCreditShape,
    ContractCreditUpdateShape,
    EditCommitShape,
    IdShape,
    OverrideShape,
    ScheduledChargeShape,
    StatementScheduleShape,
    TransitionShape,
    UsageFilterShape,
)
from pricing.serializers.common import OPTIONAL, as_of_field, plain
from pricing.serializers.rates import RateSelectorShape

END_POLICIES = ContractTerms.EndPolicy.values
CLEARED_BY_NULL = ("update_contract_end_date", "update_contract_name", "update_net_payment_terms_days")


class CreateContractRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    starting_at = InstantField(help_text="On the hour.")
    ending_before = InstantField(help_text="On the hour; absent: open.", **OPTIONAL)
    package_id = serializers.UUIDField(help_text="Make it from a package, whose terms it gets.", **OPTIONAL)
    package_alias = TextField(help_text="Instead of the id: the package that it means at the start.", **BLANK)
    rate_card_id = serializers.UUIDField(**OPTIONAL)
    rate_card_alias = TextField(help_text="Instead of the id; what it means at the start is kept.", **BLANK)
    name = TextField(**BLANK)
    net_payment_terms_days = NumberField(**OPTIONAL)
    end_policy = CodeField(END_POLICIES, help_text="What happens at its end; STOP.", **OPTIONAL)
    uniqueness_key = TextField(help_text="A second contract with this key is refused with 409.", **OPTIONAL)
    usage_statement_schedule = StatementScheduleShape(help_text="Monthly from the 1st by default.", **OPTIONAL)
    multiplier_override_prioritization = CodeField(("LOWEST_MULTIPLIER", "EXPLICIT"), **OPTIONAL)
    scheduled_charges_on_usage_invoices = CodeField(("ALL",), help_text=ON_USAGE, **OPTIONAL)
    usage_filter = UsageFilterShape(help_text="By default all usage is the contract's.", **OPTIONAL)
    transition = TransitionShape(help_text="Renew a contract.", **OPTIONAL)
    overrides = OverrideShape(many=True, **OPTIONAL)
    commits = ContractCommitShape(many=True, **OPTIONAL)
    credits = ContractCreditShape(many=True, **OPTIONAL)
    recurring_commits = RecurringCommitShape(many=True, help_text="Granted anew each period.", **OPTIONAL)
    recurring_credits = RecurringCreditShape(many=True, help_text="Granted anew each period.", **OPTIONAL)
    scheduled_charges = ScheduledChargeShape(many=True, **OPTIONAL)
    discounts = ScheduledChargeShape(many=True, help_text=TAKEN_OFF, **OPTIONAL)
    professional_services = ServiceShape(many=True, help_text="Work, invoiced as it is done.", **OPTIONAL)
    subscriptions = SubscriptionShape(many=True, help_text="So many of a product, for a fee a period.", **OPTIONAL)
    custom_fields = text_map(**OPTIONAL)
    total_contract_value = NumberField(help_text="What the deal is worth; nothing is billed by it.", **OPTIONAL)
    salesforce_opportunity_id = TextField(**BLANK)
    netsuite_sales_order_id = TextField(**BLANK)
    billing_provider_configuration = BillingLookupShape(help_text="Kept and shown; nothing is sent.", **OPTIONAL)
    revenue_system_configuration = RevenueLookupShape(help_text="Kept and shown; nothing is sent.", **OPTIONAL)
    reseller_royalties = RoyaltyShape(many=True, help_text="Kept and shown; nothing is billed by it.", **OPTIONAL)

    def to_input(self) -> ContractInput:
        sent = plain(self.validated_data)
        del sent["customer_id"]
        return ContractInput(**sent)


class EditContractRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    contract_id = serializers.UUIDField()
    add_overrides = OverrideShape(many=True, **OPTIONAL)
    add_commits = EditCommitShape(many=True, **OPTIONAL)
    add_credits = ContractCreditShape(many=True, **OPTIONAL)
    add_recurring_commits = RecurringCommitShape(many=True, **OPTIONAL)
    add_recurring_credits = RecurringCreditShape(many=True, **OPTIONAL)
    add_scheduled_charges = ScheduledChargeShape(many=True, **OPTIONAL)
    add_discounts = ScheduledChargeShape(many=True, help_text=TAKEN_OFF, **OPTIONAL)
    add_professional_services = ServiceShape(many=True, help_text="Work, invoiced as it is done.", **OPTIONAL)
    add_subscriptions = SubscriptionShape(many=True, **OPTIONAL)
    remove_overrides = IdShape(many=True, **OPTIONAL)
    archive_commits = IdShape(many=True, **OPTIONAL)
    archive_credits = IdShape(many=True, **OPTIONAL)
    archive_scheduled_charges = IdShape(many=True, help_text="Discounts, too.", **OPTIONAL)
    archive_professional_services = IdShape(many=True, help_text="Of which nothing is invoiced.", **OPTIONAL)
    update_commits = ContractCommitUpdateShape(many=True, **OPTIONAL)
    update_credits = ContractCreditUpdateShape(many=True, **OPTIONAL)
    update_scheduled_charges = ChargeUpdateShape(many=True, help_text="Discounts, too.", **OPTIONAL)
    update_recurring_commits = RecurringCommitUpdateShape(
        many=True, help_text="For whatever has not begun.", **OPTIONAL
    )
    update_recurring_credits = RecurringCreditUpdateShape(
        many=True, help_text="For whatever has not begun.", **OPTIONAL
    )
    update_subscriptions = SubscriptionUpdateShape(
        many=True, help_text="Quantities and seats from a date on, an earlier end, the name.", **OPTIONAL
    )
    add_billing_provider_configuration_update = BillingUpdateShape(
        help_text="Of a contract that has none; nothing is sent.", **OPTIONAL
    )
    add_revenue_system_configuration_update = RevenueUpdateShape(
        help_text="Of a contract that has none; nothing is sent.", **OPTIONAL
    )
    add_reseller_royalties = RoyaltyEditShape(
        many=True, help_text="From their start on in the place of those of their type.", **OPTIONAL
    )
    update_contract_end_date = InstantField(help_text="On the hour; null opens the contract.", **OPTIONAL)
    update_contract_name = TextField(help_text="Null clears it.", **BLANK)
    update_net_payment_terms_days = NumberField(help_text="Null clears it.", **OPTIONAL)
    update_end_policy = CodeField(END_POLICIES, help_text="What happens at its end.", **OPTIONAL)
    uniqueness_key = TextField(help_text="A second edit with this key is refused with 409.", **OPTIONAL)

    def to_input(self) -> EditInput:
        sent = {
            name: value for name, value in self.validated_data.items() if name not in ("customer_id", "contract_id")
        }
        cleared = {name: None for name in CLEARED_BY_NULL if name in sent}
        return EditInput(**{**cleared, **plain(sent)})


class AmendContractRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    contract_id = serializers.UUIDField()
    starting_at = InstantField(help_text="On the hour, while the contract holds; each term has dates of its own.")
    overrides = OverrideShape(many=True, **OPTIONAL)
    commits = ContractCommitShape(many=True, **OPTIONAL)
    credits = ContractCreditShape(many=True, **OPTIONAL)
    scheduled_charges = ScheduledChargeShape(many=True, **OPTIONAL)
    discounts = ScheduledChargeShape(many=True, help_text=TAKEN_OFF, **OPTIONAL)
    professional_services = ServiceShape(many=True, help_text="Work, invoiced as it is done.", **OPTIONAL)
    reseller_royalties = RoyaltyEditShape(many=True, **OPTIONAL)
    custom_fields = text_map(help_text="Of the amendment.", **OPTIONAL)
    total_contract_value = NumberField(help_text="What the amendment is worth; nothing is billed by it.", **OPTIONAL)
    salesforce_opportunity_id = TextField(**BLANK)
    netsuite_sales_order_id = TextField(**BLANK)

    def to_input(self) -> EditInput:
        sent = plain(self.validated_data)
        charges = ("scheduled_charges", "discounts", "professional_services")
        lists = ("overrides", "commits", "credits", *charges, "reseller_royalties")
        of_itself = ("custom_fields", "total_contract_value", "salesforce_opportunity_id", "netsuite_sales_order_id")
        return EditInput(
            amends_from=sent["starting_at"],
            **{name: sent[name] for name in of_itself if name in sent},
            **{f"add_{name}": sent[name] for name in lists if name in sent},
        )


class SetUsageFilterRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    contract_id = serializers.UUIDField()
    group_key = TextField(help_text="A group key of every metric that the rate card measures by.")
    group_values = texts(help_text="Usage with one of them is the contract's.")
    starting_at = InstantField(help_text="On the hour; not in a month that is billed.")

    def to_input(self) -> EditInput:
        sent = plain(self.validated_data)
        return EditInput(
            add_usage_filters=(UsageFilterInput(sent["group_key"], sent["group_values"], sent["starting_at"]),)
        )


class ContractRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    contract_id = serializers.UUIDField()


class UndoEditRequest(ContractRequest):
    edit_id = serializers.UUIDField(help_text="Of an edit of the contract.")
    reason = TextField(help_text="Why; kept with the edit.", **BLANK)


class UpdateEndDateRequest(ContractRequest):
    ending_before = InstantField(help_text="On the hour; absent: the contract is open.", **OPTIONAL)
    allow_ending_before_finalized_invoice = serializers.BooleanField(
        help_text="Whatever it says, what final invoices have billed is not cut off.", **OPTIONAL
    )


class ArchiveContractRequest(ContractRequest):
    void_invoices = serializers.BooleanField(help_text="Void what is final of it, too.")


class ContractRateScheduleRequest(ContractRequest):
    at = InstantField(help_text="Now by default.", **OPTIONAL)
    selectors = RateSelectorShape(many=True, help_text="A rate is listed if any of them fits.", **OPTIONAL)
    as_of = as_of_field()
