"""Packages as they are sent: the shapes of a contract's terms, with offsets instead of dates. Each becomes a part of a
template."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, Shape, TextField
from contracts.models import Contract, ContractTerms
from contracts.offsets import MOST, UNITS, Offset
from contracts.queries.packages import ALL, ARCHIVED, NOT_ARCHIVED
from contracts.serializers.providers import CONTRACT_PROVIDERS, DELIVERIES, WordField
from contracts.serializers.recurring import RecurringCommitShape, RecurringCreditShape
from contracts.serializers.subscriptions import BillingCycleShape, SeatConfigShape, SubscriptionShape
from contracts.serializers.terms import (
    BLANK,
    ON_USAGE,
    AccessScheduleShape,
    ContractCommitShape,
    CreditShape,
    InvoiceScheduleShape,
    OverrideShape,
    OverrideSpecifierShape,
    ScheduledChargeShape,
)
from contracts.services import PackageInput
from pricing.serializers.common import OPTIONAL, InputShape, plain
from pricing.serializers.rate_cards import AliasShape
from pricing.services.rate_cards import Alias

NO_PLACE: Any = None  # takes a field of a contract's shape away
OF_THE_PACKAGE = ("name", "aliases", "uniqueness_key")


class OffsetShape(Shape):
    """Validates into an offset."""

    unit = CodeField(UNITS)
    value = NumberField(help_text="Whole.")

    def __init__(self, *, least: int = 0, **options: Any) -> None:
        self.least = least
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Offset:
        sent = super().to_internal_value(data)
        value, most = sent["value"], MOST[sent["unit"]]
        if value != value.to_integral_value() or not self.least <= value <= most:
            rule = f"must be a whole number from {self.least} to {most} where the unit is {sent['unit']}"
            raise serializers.ValidationError({"value": rule})
        return Offset(sent["unit"], int(value))


class TemplateShape(InputShape):
    becomes: Any = dict


class PackageSegmentShape(TemplateShape):
    amount = NumberField()
    starting_at_offset = OffsetShape(help_text="After the contract's start.")
    duration = OffsetShape(least=1)


class PackageAccessScheduleShape(AccessScheduleShape):
    becomes: Any = dict

    schedule_items: Any = PackageSegmentShape(many=True)


class PackageInvoiceItemShape(TemplateShape):
    date_offset = OffsetShape(help_text="After the contract's start.")
    unit_price = NumberField()
    quantity = NumberField()


class PackageInvoiceScheduleShape(InvoiceScheduleShape):
    becomes: Any = dict

    schedule_items: Any = PackageInvoiceItemShape(many=True)
    recurring_schedule = NO_PLACE


class PackageCommitShape(ContractCommitShape):
    becomes: Any = dict

    netsuite_sales_order_id = NO_PLACE
    access_schedule: Any = PackageAccessScheduleShape(help_text="How much can be drawn, and when.")
    invoice_schedule: Any = PackageInvoiceScheduleShape(
        help_text="What is paid for it, and when; absent: nothing. Of a postpaid commit: the true-up.", **OPTIONAL
    )


class PackageCreditShape(CreditShape):
    becomes: Any = partial(dict, type="CREDIT")

    netsuite_sales_order_id = NO_PLACE
    access_schedule: Any = PackageAccessScheduleShape(help_text="How much can be drawn, and when.")


class PackageOverrideShape(OverrideShape):
    becomes: Any = dict

    starting_at = NO_PLACE
    ending_before = NO_PLACE
    product_id = NO_PLACE
    applicable_product_tags = NO_PLACE
    override_specifiers = OverrideSpecifierShape(many=True, help_text="Any of them.")
    starting_at_offset = OffsetShape(help_text="After the contract's start.")
    duration = OffsetShape(least=1, help_text="Absent: as long as the contract runs.", **OPTIONAL)


class PackageRecurringCommitShape(RecurringCommitShape):
    becomes: Any = partial(dict, type="PREPAID")

    netsuite_sales_order_id = NO_PLACE
    starting_at = NO_PLACE
    ending_before = NO_PLACE
    starting_at_offset = OffsetShape(help_text="After the contract's start.")
    duration = OffsetShape(least=1, help_text="Absent: as long as the contract runs.", **OPTIONAL)


class PackageRecurringCreditShape(RecurringCreditShape):
    becomes: Any = partial(dict, type="CREDIT")

    netsuite_sales_order_id = NO_PLACE
    starting_at = NO_PLACE
    ending_before = NO_PLACE
    starting_at_offset = OffsetShape(help_text="After the contract's start.")
    duration = OffsetShape(least=1, help_text="Absent: as long as the contract runs.", **OPTIONAL)


class PackageBillingCycleShape(BillingCycleShape):
    anchor_date = NO_PLACE


class PackageSeatConfigShape(SeatConfigShape):
    becomes: Any = dict

    initial_seat_ids = NO_PLACE


class PackageSubscriptionShape(SubscriptionShape):
    becomes: Any = dict

    starting_at = NO_PLACE
    ending_before = NO_PLACE
    starting_at_offset = OffsetShape(help_text="After the contract's start; absent: with it.", **OPTIONAL)
    duration = OffsetShape(least=1, help_text="Absent: as long as the contract runs.", **OPTIONAL)
    billing_cycle_config: Any = PackageBillingCycleShape(**OPTIONAL)
    seat_config: Any = PackageSeatConfigShape(help_text="Required for the mode SEAT_BASED.", **OPTIONAL)


class PackageChargeShape(ScheduledChargeShape):
    becomes: Any = dict

    netsuite_sales_order_id = NO_PLACE
    schedule: Any = PackageInvoiceScheduleShape()


class PackageStatementScheduleShape(TemplateShape):
    frequency = CodeField(Contract.Frequency.values)
    day = CodeField(
        ("FIRST_OF_MONTH", "CONTRACT_START"), help_text="A package has no date for CUSTOM_DATE.", **OPTIONAL
    )
    invoice_generation_starting_at_offset = OffsetShape(
        help_text="Usage before it is on no document; absent: the contract's start.", **OPTIONAL
    )


class CreatePackageRequest(serializers.Serializer):
    name = TextField()
    aliases = AliasShape(many=True, help_text="A package made later that has one takes it over.", **OPTIONAL)
    uniqueness_key = TextField(help_text="A second package with this key is refused with 409.", **OPTIONAL)
    contract_name = TextField(help_text="What contracts made from it are called.", **BLANK)
    duration = OffsetShape(least=1, help_text="How long contracts run; absent: open.", **OPTIONAL)
    rate_card_id = serializers.UUIDField(**OPTIONAL)
    rate_card_alias = TextField(help_text="Instead of the id; what it means at a contract's start.", **BLANK)
    net_payment_terms_days = NumberField(**OPTIONAL)
    end_policy = CodeField(ContractTerms.EndPolicy.values, help_text="What happens at its end; STOP.", **OPTIONAL)
    billing_provider = WordField(
        CONTRACT_PROVIDERS, help_text="A customer needs exactly one configuration of both; nothing is sent.", **OPTIONAL
    )
    delivery_method = WordField(DELIVERIES, help_text="With billing_provider.", **OPTIONAL)
    usage_statement_schedule = PackageStatementScheduleShape(help_text="Monthly from the 1st by default.", **OPTIONAL)
    multiplier_override_prioritization = CodeField(("LOWEST_MULTIPLIER", "EXPLICIT"), **OPTIONAL)
    scheduled_charges_on_usage_invoices = CodeField(("ALL",), help_text=ON_USAGE, **OPTIONAL)
    overrides = PackageOverrideShape(many=True, **OPTIONAL)
    commits = PackageCommitShape(many=True, **OPTIONAL)
    credits = PackageCreditShape(many=True, **OPTIONAL)
    recurring_commits = PackageRecurringCommitShape(many=True, help_text="Granted anew each period.", **OPTIONAL)
    recurring_credits = PackageRecurringCreditShape(many=True, help_text="Granted anew each period.", **OPTIONAL)
    scheduled_charges = PackageChargeShape(many=True, **OPTIONAL)
    subscriptions = PackageSubscriptionShape(
        many=True, help_text="So many of a product, for a fee a period.", **OPTIONAL
    )

    def to_input(self) -> PackageInput:
        sent: Mapping[str, Any] = plain(self.validated_data)
        return PackageInput(
            name=sent["name"],
            template={name: value for name, value in sent.items() if name not in OF_THE_PACKAGE},
            aliases=[Alias(**plain(alias)) for alias in sent.get("aliases", ())],
            uniqueness_key=sent.get("uniqueness_key"),
        )


class PackageRequest(serializers.Serializer):
    package_id = serializers.UUIDField()


class ListPackagesRequest(serializers.Serializer):
    archive_filter = CodeField((ARCHIVED, NOT_ARCHIVED, ALL), help_text="NOT_ARCHIVED.", **OPTIONAL)


class ContractsOnPackageRequest(PackageRequest):
    covering_date = InstantField(help_text="In force then.", **OPTIONAL)
    starting_at = InstantField(help_text="Starting then or later.", **OPTIONAL)
    include_archived = serializers.BooleanField(**OPTIONAL)


class PackageReply(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    created_at = InstantField()
    created_by = serializers.CharField()
    archived_at = InstantField(required=False)
    aliases = AliasShape(many=True)
    uniqueness_key = serializers.CharField(required=False)
    contract_name = serializers.CharField(required=False)
    duration = serializers.DictField(required=False)
    rate_card_id = serializers.UUIDField(required=False)
    rate_card_alias = serializers.CharField(required=False)
    net_payment_terms_days = serializers.IntegerField(required=False)
    end_policy = serializers.CharField()
    billing_provider = serializers.CharField(required=False)
    delivery_method = serializers.CharField(required=False)
    multiplier_override_prioritization = serializers.CharField()
    scheduled_charges_on_usage_invoices = serializers.CharField(required=False)
    usage_statement_schedule = serializers.DictField()
    overrides = serializers.ListField(child=serializers.DictField())
    commits = serializers.ListField(child=serializers.DictField())
    credits = serializers.ListField(child=serializers.DictField())
    recurring_commits = serializers.ListField(child=serializers.DictField())
    recurring_credits = serializers.ListField(child=serializers.DictField())
    scheduled_charges = serializers.ListField(child=serializers.DictField())
    subscriptions = serializers.ListField(child=serializers.DictField())


class ContractOnPackageReply(serializers.Serializer):
    contract_id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    starting_at = InstantField()
    ending_before = InstantField(required=False)
    archived_at = InstantField(required=False)
