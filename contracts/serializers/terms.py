"""Terms as they are sent: each shape becomes the input of a service."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, Shape, TextField, text_map, texts
from contracts import gate_inputs, inputs
from contracts.services.access import ACCESS_TYPES
from contracts.services.commits import RATES_CHARGED
from contracts.services.gates import GATE_TYPES, PAYMENT_TYPES
from contracts.services.renewals import AS_IS, TRUE_UPS
from contracts.services.schedules import DISTRIBUTIONS
from contracts.services.schedules import FREQUENCIES as SCHEDULE_FREQUENCIES
from pricing.engine.tariffs import RATE_TYPES
from pricing.models.rates import FREQUENCIES
from pricing.serializers.common import OPTIONAL, InputShape, plain
from pricing.serializers.rates import TierShape

ON_USAGE = "ALL: on the usage invoice that ends on their date, where one does. Absent: on invoices of their own."
TAKEN_OFF = "Amounts of zero and more that are taken off on their dates."
BLANK: dict[str, Any] = {**OPTIONAL, "allow_blank": True}
ROLLS_OVER: dict[str, Any] = {**OPTIONAL, "help_text": "How much of it at the most a renewal takes over, 0 to 1."}


class SpecifierShape(InputShape):
    becomes = inputs.TargetInput

    product_id = serializers.UUIDField(**OPTIONAL)
    product_tags = texts(help_text="A product must have all of them.", **OPTIONAL)
    pricing_group_values = text_map(help_text="A subset of the values that choose the price.", **OPTIONAL)
    presentation_group_values = text_map(help_text="Values of the dimensions that split lines.", **OPTIONAL)


class OverrideSpecifierShape(SpecifierShape):
    billing_frequency = CodeField(FREQUENCIES, help_text="Required beside a SUBSCRIPTION product.", **OPTIONAL)
    commit_ids = texts(help_text="Commits, one of which has to pay; by id or by temporary id.", **OPTIONAL)
    recurring_commit_ids = texts(help_text="Or one that these recurring commits grant.", **OPTIONAL)
    any_commit_or_credit_ids = texts(help_text="Instead of both lists: commits and credits of any kind.", **OPTIONAL)


class OverwriteRateShape(InputShape):
    becomes = inputs.RateInput

    rate_type = CodeField((*RATE_TYPES, "CUSTOM"), help_text="CUSTOM is not supported.")
    price = NumberField(**OPTIONAL)
    credit_type_id = serializers.UUIDField(help_text="The rate card's unit, which is the default.", **OPTIONAL)
    tiers = TierShape(many=True, help_text="For TIERED, VOLUME and TIERED_PERCENTAGE.", **OPTIONAL)
    package_size = NumberField(help_text="For PACKAGE: how many units one price buys.", **OPTIONAL)
    quantity = NumberField(help_text="For SUBSCRIPTION.", **OPTIONAL)
    is_prorated = serializers.BooleanField(help_text="For SUBSCRIPTION: true.", **OPTIONAL)


class MultiplierTierShape(InputShape):
    becomes = inputs.MultiplierTierInput

    multiplier = NumberField(help_text="0.5 is half the list price.")
    size = NumberField(help_text="How many units the tier is wide.", **OPTIONAL)


class OverrideShape(InputShape):
    becomes = inputs.OverrideInput

    starting_at = InstantField(help_text="On the hour.")
    ending_before = InstantField(help_text="On the hour; absent: open.", **OPTIONAL)
    type = CodeField(("MULTIPLIER", "OVERWRITE", "TIERED"), **OPTIONAL)
    multiplier = NumberField(help_text="0.5 is half the list price.", **OPTIONAL)
    tiers = MultiplierTierShape(
        many=True, help_text="For TIERED; beyond the last size the list price holds.", **OPTIONAL
    )
    overwrite_rate = OverwriteRateShape(**OPTIONAL)
    priority = NumberField(help_text="Where multipliers are ranked explicitly: the lowest holds.", **OPTIONAL)
    entitled = serializers.BooleanField(**OPTIONAL)
    is_commit_specific = serializers.BooleanField(help_text="Holds only while a commit or credit pays.", **OPTIONAL)
    target = CodeField(
        ("LIST_RATE", "COMMIT_RATE"), help_text="COMMIT_RATE only where it is commit-specific.", **OPTIONAL
    )
    product_id = serializers.UUIDField(**OPTIONAL)
    applicable_product_tags = texts(help_text="A product must have any of them.", **OPTIONAL)
    override_specifiers = OverrideSpecifierShape(
        many=True, help_text="Any of them. Without a target the override is on all products.", **OPTIONAL
    )


class SegmentShape(InputShape):
    becomes = inputs.SegmentInput

    amount = NumberField()
    starting_at = InstantField(help_text="On the hour.")
    ending_before = InstantField(help_text="On the hour.")


class AccessScheduleShape(InputShape):
    becomes = inputs.AccessScheduleInput

    schedule_items = SegmentShape(many=True)
    credit_type_id = serializers.UUIDField(help_text="The rate card's unit by default, or a custom one.", **OPTIONAL)
    access_type = CodeField(ACCESS_TYPES, help_text="QUANTITY: amounts are units of what is sold.", **OPTIONAL)


class InvoiceItemShape(InputShape):
    becomes = inputs.InvoiceItemInput

    timestamp = InstantField()
    amount = NumberField(help_text="Or unit_price and quantity.", **OPTIONAL)
    unit_price = NumberField(**OPTIONAL)
    quantity = NumberField(**OPTIONAL)


class RecurringScheduleShape(InputShape):
    becomes = inputs.RecurringScheduleInput

    starting_at = InstantField()
    ending_before = InstantField()
    frequency = CodeField(SCHEDULE_FREQUENCIES)
    amount_distribution = CodeField(DISTRIBUTIONS)
    amount = NumberField(help_text="Or unit_price and quantity.", **OPTIONAL)
    unit_price = NumberField(**OPTIONAL)
    quantity = NumberField(**OPTIONAL)


class InvoiceScheduleShape(InputShape):
    becomes = inputs.InvoiceScheduleInput

    schedule_items = InvoiceItemShape(many=True, **OPTIONAL)
    recurring_schedule = RecurringScheduleShape(help_text="Instead of items.", **OPTIONAL)
    credit_type_id = serializers.UUIDField(help_text="The rate card's unit, which is the default.", **OPTIONAL)
    do_not_invoice = serializers.BooleanField(help_text="The schedule says what was paid elsewhere.", **OPTIONAL)


class BalanceShape(InputShape):
    """What commits and credits have in common."""

    becomes: Callable[..., Any] = inputs.CommitInput

    product_id = serializers.UUIDField(help_text="A FIXED product, which names the bill line.")
    access_schedule = AccessScheduleShape(help_text="How much can be drawn, and when.", **OPTIONAL)
    name = TextField(**BLANK)
    description = TextField(**BLANK)
    priority = NumberField(help_text="The lowest is drawn first; 100 by default.", **OPTIONAL)
    rate_type = CodeField(RATES_CHARGED, help_text="What of a rate is charged while it pays.", **OPTIONAL)
    applicable_product_ids = serializers.ListField(child=serializers.UUIDField(), **OPTIONAL)
    applicable_product_tags = texts(**OPTIONAL)
    specifiers = SpecifierShape(many=True, **OPTIONAL)
    custom_fields = text_map(**OPTIONAL)
    netsuite_sales_order_id = TextField(**BLANK)


class CommitShape(BalanceShape):
    type = CodeField(("PREPAID", "POSTPAID"), help_text="POSTPAID has one item in each of its schedules.")
    invoice_schedule = InvoiceScheduleShape(
        help_text="What is paid for it, and when; absent: nothing. Of a postpaid commit: the true-up.", **OPTIONAL
    )
    temporary_id = TextField(help_text="What overrides of the same request may call the commit.", **BLANK)


class CreditShape(BalanceShape):
    becomes = partial(inputs.CommitInput, type="CREDIT")


class ContractCommitShape(CommitShape):
    rollover_fraction = NumberField(**ROLLS_OVER)


class StripeConfigShape(InputShape):
    becomes = gate_inputs.StripeConfigInput

    payment_type = CodeField(PAYMENT_TYPES)
    invoice_metadata = text_map(help_text="With the payment type INVOICE.", **OPTIONAL)
    on_session_payment = serializers.BooleanField(help_text="With the payment type PAYMENT_INTENT.", **OPTIONAL)


class GateShape(InputShape):
    becomes = gate_inputs.GateInput

    payment_gate_type = CodeField(GATE_TYPES, help_text="NONE: access waits for no payment.")
    tax_type = CodeField((gate_inputs.NONE,), help_text="Taxes are those of the legal entity.", **OPTIONAL)
    stripe_config = StripeConfigShape(help_text="Kept and given back; nothing is sent to Stripe.", **OPTIONAL)


class EditCommitShape(ContractCommitShape):
    payment_gate_config = GateShape(help_text="What can be drawn on once its one invoice is paid.", **OPTIONAL)


class ContractCreditShape(CreditShape):
    rollover_fraction = NumberField(**ROLLS_OVER)


class SegmentChangeShape(InputShape):
    becomes = inputs.SegmentChangeInput

    id = serializers.UUIDField()
    amount = NumberField(help_text="Not less than has been taken.", **OPTIONAL)
    starting_at = InstantField(help_text="On the hour.", **OPTIONAL)
    ending_before = InstantField(help_text="On the hour.", **OPTIONAL)


class InvoiceItemChangeShape(InputShape):
    becomes = inputs.InvoiceItemChangeInput

    id = serializers.UUIDField()
    timestamp = InstantField(**OPTIONAL)
    amount = NumberField(help_text="Or unit_price, quantity, or both.", **OPTIONAL)
    unit_price = NumberField(**OPTIONAL)
    quantity = NumberField(**OPTIONAL)


class IdShape(Shape):
    """`{"id": …}`; validates into the id."""

    id = serializers.UUIDField()

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data)["id"]


class AccessChangeShape(InputShape):
    becomes = inputs.AccessChangeInput

    add_schedule_items = SegmentShape(many=True, **OPTIONAL)
    update_schedule_items = SegmentChangeShape(many=True, **OPTIONAL)
    remove_schedule_items = IdShape(many=True, help_text="What nothing has been taken from.", **OPTIONAL)


class InvoicesChangeShape(InputShape):
    becomes = inputs.InvoicesChangeInput

    add_schedule_items = InvoiceItemShape(many=True, **OPTIONAL)
    update_schedule_items = InvoiceItemChangeShape(many=True, help_text="What has not fallen due.", **OPTIONAL)
    remove_schedule_items = IdShape(many=True, help_text="What has not fallen due.", **OPTIONAL)


class BalanceChangeShape(Shape):
    """What of a commit or credit changes; validates into the input of a service. Null clears what may be empty, and is
    the same as absent elsewhere."""

    CLEARED_BY_NULL = (
        "priority",
        "rollover_fraction",
        "applicable_product_ids",
        "applicable_product_tags",
        "specifiers",
        "netsuite_sales_order_id",
        "applicable_contract_ids",
    )

    access_schedule = AccessChangeShape(**OPTIONAL)
    name = TextField(**BLANK)
    description = TextField(**BLANK)
    product_id = serializers.UUIDField(help_text="A FIXED product, which names the bill line.", **OPTIONAL)
    priority = NumberField(help_text="Null: 100.", **OPTIONAL)
    rate_type = CodeField(RATES_CHARGED, **OPTIONAL)
    applicable_product_ids = serializers.ListField(child=serializers.UUIDField(), **OPTIONAL)
    applicable_product_tags = texts(**OPTIONAL)
    specifiers = SpecifierShape(many=True, **OPTIONAL)

    def to_change(self, sent: dict[str, Any]) -> inputs.CommitChangeInput:
        cleared = {name: None for name in self.CLEARED_BY_NULL if name in sent}
        return inputs.CommitChangeInput(**{**cleared, **plain(sent)})


class CommitUpdateShape(BalanceChangeShape):
    commit_id = serializers.UUIDField()
    invoice_schedule = InvoicesChangeShape(**OPTIONAL)

    def to_internal_value(self, data: Any) -> inputs.CommitChangeInput:
        sent = super().to_internal_value(data)
        return self.to_change({"id": sent.pop("commit_id"), **sent})


class ContractCommitUpdateShape(CommitUpdateShape):
    rollover_fraction = NumberField(**ROLLS_OVER)
    netsuite_sales_order_id = TextField(help_text="Null: none.", **BLANK)


class CreditUpdateShape(BalanceChangeShape):
    credit_id = serializers.UUIDField()

    def to_internal_value(self, data: Any) -> inputs.CommitChangeInput:
        sent = super().to_internal_value(data)
        return self.to_change({"id": sent.pop("credit_id"), **sent})


class ContractCreditUpdateShape(CreditUpdateShape):
    rollover_fraction = NumberField(**ROLLS_OVER)
    netsuite_sales_order_id = TextField(help_text="Null: none.", **BLANK)


class ScheduledChargeShape(InputShape):
    becomes = inputs.ScheduledChargeInput

    product_id = serializers.UUIDField(help_text="A FIXED product, which names the bill line.")
    schedule = InvoiceScheduleShape()
    name = TextField(**BLANK)
    custom_fields = text_map(**OPTIONAL)
    netsuite_sales_order_id = TextField(**BLANK)


class ChargeUpdateShape(Shape):
    """Validates into the input of a service."""

    scheduled_charge_id = serializers.UUIDField()
    invoice_schedule = InvoicesChangeShape(help_text="Dates and amounts that have not fallen due.", **OPTIONAL)
    netsuite_sales_order_id = TextField(help_text="Null: none.", **BLANK)

    def to_internal_value(self, data: Any) -> inputs.ChargeChangeInput:
        sent = super().to_internal_value(data)
        order = {"netsuite_sales_order_id": None} if "netsuite_sales_order_id" in sent else {}
        return inputs.ChargeChangeInput(sent.pop("scheduled_charge_id"), **{**order, **plain(sent)})


class StatementScheduleShape(InputShape):
    becomes = inputs.StatementScheduleInput

    frequency = CodeField(("WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"))
    day = CodeField(("FIRST_OF_MONTH", "CONTRACT_START", "CUSTOM_DATE"), **OPTIONAL)
    billing_anchor_date = InstantField(help_text="For CUSTOM_DATE: billing periods are counted from here.", **OPTIONAL)
    invoice_generation_starting_at = InstantField(
        help_text="Usage before it is on no document; on the hour, the contract's start by default.", **OPTIONAL
    )


class FutureInvoicesShape(Shape):
    trueup = CodeField(TRUE_UPS, help_text="Whether true-ups of the renewed contract are billed.", **OPTIONAL)


class UsageFilterShape(InputShape):
    becomes = inputs.UsageFilterInput

    group_key = TextField(help_text="A group key of every metric that the rate card measures by.")
    group_values = texts(help_text="Usage with one of them is the contract's.")
    starting_at = InstantField(help_text="On the hour; the contract's start by default.", **OPTIONAL)


class TransitionShape(Shape):
    """Validates into the input of a service."""

    type = CodeField(("RENEWAL",), help_text="The contract takes the place of another at its start.")
    from_contract_id = serializers.UUIDField()
    future_invoice_behavior = FutureInvoicesShape(**OPTIONAL)

    def to_internal_value(self, data: Any) -> inputs.TransitionInput:
        sent = super().to_internal_value(data)
        future = sent.get("future_invoice_behavior") or {}
        return inputs.TransitionInput(sent["from_contract_id"], future.get("trueup") or AS_IS)
