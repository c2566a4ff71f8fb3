"""What the services of this app are told: values from an API call or an admin form, not checked yet.

Names are those of the API. An empty field was not given; where "leave alone" and "clear" differ, `UNCHANGED` is the
first and None the second.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from contracts.gate_inputs import GateInput
from contracts.input_parts import UNCHANGED as UNCHANGED
from contracts.input_parts import RoundingInput as RoundingInput
from contracts.input_parts import Unchanged as Unchanged
from contracts.input_parts import UsageFilterInput as UsageFilterInput
from contracts.provider_inputs import LookupInput, LookupUpdateInput, RoyaltyInput
from contracts.service_inputs import ServiceInput
from contracts.subscription_inputs import SubscriptionConfigInput, SubscriptionInput, SubscriptionUpdateInput
from pricing.services.tariffs import TierInput


@dataclass(frozen=True, slots=True)
class TargetInput:
    """One specifier: what is given must all hold.

    The lower half is for overrides. The lists name balances that have to pay, by id or by a temporary id of the same
    request; any of all of them.
    """

    product_id: UUID | None = None
    product_tags: tuple[str, ...] = ()
    pricing_group_values: Mapping[str, str] = field(default_factory=dict)
    presentation_group_values: Mapping[str, str] = field(default_factory=dict)

    billing_frequency: str = ""
    commit_ids: tuple[str, ...] = ()
    recurring_commit_ids: tuple[str, ...] = ()
    any_commit_or_credit_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RateInput:
    rate_type: str
    price: Decimal | None = None
    credit_type_id: UUID | None = None
    tiers: tuple[TierInput, ...] = ()
    package_size: Decimal | None = None
    quantity: Decimal | None = None
    is_prorated: bool | None = None


@dataclass(frozen=True, slots=True)
class MultiplierTierInput:
    multiplier: Decimal
    size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OverrideInput:
    starting_at: datetime
    ending_before: datetime | None = None
    type: str = ""
    multiplier: Decimal | None = None
    tiers: tuple[MultiplierTierInput, ...] = ()
    overwrite_rate: RateInput | None = None
    priority: Decimal | None = None
    entitled: bool | None = None
    is_commit_specific: bool = False
    target: str = "LIST_RATE"
    product_id: UUID | None = None
    applicable_product_tags: tuple[str, ...] = ()
    override_specifiers: tuple[TargetInput, ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentInput:
    amount: Decimal
    starting_at: datetime
    ending_before: datetime


@dataclass(frozen=True, slots=True)
class AccessScheduleInput:
    schedule_items: tuple[SegmentInput, ...]
    credit_type_id: UUID | None = None
    access_type: str = "SPEND"  # QUANTITY: amounts are units of what is sold, in no pricing unit


@dataclass(frozen=True, slots=True)
class InvoiceItemInput:
    """`amount`, or `unit_price` and `quantity`."""

    timestamp: datetime
    amount: Decimal | None = None
    unit_price: Decimal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RecurringScheduleInput:
    """Items at `starting_at` and every `frequency` after it, before `ending_before`."""

    starting_at: datetime
    ending_before: datetime
    frequency: str
    amount_distribution: str  # EACH, DIVIDED, DIVIDED_ROUNDED
    amount: Decimal | None = None
    unit_price: Decimal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class InvoiceScheduleInput:
    """`schedule_items` or a `recurring_schedule`."""

    schedule_items: tuple[InvoiceItemInput, ...] = ()
    recurring_schedule: RecurringScheduleInput | None = None
    credit_type_id: UUID | None = None
    do_not_invoice: bool = False


@dataclass(frozen=True, slots=True)
class CommitInput:
    """A commit, or of type CREDIT a credit, which has no invoice schedule."""

    product_id: UUID
    type: str
    access_schedule: AccessScheduleInput | None = None
    invoice_schedule: InvoiceScheduleInput | None = None
    name: str = ""
    description: str = ""
    priority: Decimal | None = None
    rate_type: str = "LIST_RATE"  # or COMMIT_RATE: what of a rate is charged while it pays
    rollover_fraction: Decimal | None = None  # how much of it at the most a renewal takes over
    applicable_product_ids: tuple[UUID, ...] = ()
    applicable_product_tags: tuple[str, ...] = ()
    specifiers: tuple[TargetInput, ...] = ()
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    netsuite_sales_order_id: str = ""
    temporary_id: str = ""  # what overrides of the same request may call it
    payment_gate_config: GateInput | None = None


@dataclass(frozen=True, slots=True)
class RecurringAmountInput:
    """What each whole period grants, or is billed for: `unit_price` times `quantity`."""

    unit_price: Decimal | None = None
    quantity: Decimal | None = None
    credit_type_id: UUID | None = None
    access_type: str = "SPEND"


@dataclass(frozen=True, slots=True)
class ProrationRoundingInput:
    access: RoundingInput | Unchanged | None = None
    invoice: RoundingInput | Unchanged | None = None


@dataclass(frozen=True, slots=True)
class RecurringInput:
    """A prepaid commit or credit that each period grants anew."""

    product_id: UUID
    type: str
    access_amount: RecurringAmountInput
    commit_duration: Decimal  # periods
    starting_at: datetime
    priority: Decimal
    ending_before: datetime | None = None
    invoice_amount: RecurringAmountInput | None = None
    recurrence_frequency: str = ""  # empty: with the contract's usage documents
    proration: str = "FIRST_AND_LAST"
    proration_rounding: ProrationRoundingInput = ProrationRoundingInput()
    name: str = ""
    description: str = ""
    rate_type: str = "LIST_RATE"
    rollover_fraction: Decimal | None = None
    applicable_product_ids: tuple[UUID, ...] = ()
    applicable_product_tags: tuple[str, ...] = ()
    specifiers: tuple[TargetInput, ...] = ()
    netsuite_sales_order_id: str = ""
    temporary_id: str = ""
    subscription_config: SubscriptionConfigInput | None = None  # then the access amount has no quantity


@dataclass(frozen=True, slots=True)
class RecurringUpdateInput:
    """What of a recurring commit or credit is to change for whatever has not begun. None: as it is."""

    recurring_id: UUID
    access_amount: RecurringAmountInput | None = None
    invoice_amount: RecurringAmountInput | None = None
    ending_before: datetime | Unchanged | None = UNCHANGED
    proration_rounding: ProrationRoundingInput = ProrationRoundingInput(UNCHANGED, UNCHANGED)
    rate_type: str | None = None


@dataclass(frozen=True, slots=True)
class SharedCommitInput:
    """A commit or credit of the customer: the contracts that share it (none named: all), and the one that bills it."""

    commit: CommitInput
    applicable_contract_ids: tuple[UUID, ...] = ()
    invoice_contract_id: UUID | None = None
    uniqueness_key: str | None = None
    salesforce_opportunity_id: str = ""


@dataclass(frozen=True, slots=True)
class EarlierEndInput:
    """From when on a commit or credit can no longer be drawn on, and no longer is invoiced. None: as agreed."""

    access_ending_before: datetime | None = None
    invoices_ending_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class SegmentChangeInput:
    """What of a segment changes; None: as it is."""

    id: UUID
    amount: Decimal | None = None
    starting_at: datetime | None = None
    ending_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessChangeInput:
    add_schedule_items: tuple[SegmentInput, ...] = ()
    update_schedule_items: tuple[SegmentChangeInput, ...] = ()
    remove_schedule_items: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class InvoiceItemChangeInput:
    """What of an invoice item changes; None: as it is. `amount`, or `unit_price` and `quantity`, or one of these."""

    id: UUID
    timestamp: datetime | None = None
    amount: Decimal | None = None
    unit_price: Decimal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class InvoicesChangeInput:
    add_schedule_items: tuple[InvoiceItemInput, ...] = ()
    update_schedule_items: tuple[InvoiceItemChangeInput, ...] = ()
    remove_schedule_items: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class CommitChangeInput:
    """What of a commit or credit changes. None clears: a priority is then the usual one, and nothing targeted is
    everything. The last two are for one of the customer."""

    id: UUID
    access_schedule: AccessChangeInput = AccessChangeInput()
    invoice_schedule: InvoicesChangeInput = InvoicesChangeInput()
    name: str | Unchanged = UNCHANGED
    description: str | Unchanged = UNCHANGED
    product_id: UUID | Unchanged = UNCHANGED
    priority: Decimal | Unchanged | None = UNCHANGED
    rate_type: str | Unchanged = UNCHANGED
    rollover_fraction: Decimal | Unchanged | None = UNCHANGED
    applicable_product_ids: tuple[UUID, ...] | Unchanged | None = UNCHANGED
    applicable_product_tags: tuple[str, ...] | Unchanged | None = UNCHANGED
    specifiers: tuple[TargetInput, ...] | Unchanged | None = UNCHANGED
    netsuite_sales_order_id: str | Unchanged | None = UNCHANGED
    applicable_contract_ids: tuple[UUID, ...] | Unchanged | None = UNCHANGED
    invoice_contract_id: UUID | Unchanged = UNCHANGED


@dataclass(frozen=True, slots=True)
class ScheduledChargeInput:
    """Amounts to be billed on dates; of a discount: to be taken off on them. None of them is below zero."""

    product_id: UUID
    schedule: InvoiceScheduleInput
    name: str = ""
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    netsuite_sales_order_id: str = ""


@dataclass(frozen=True, slots=True)
class ChargeChangeInput:
    """What of a scheduled charge or discount changes: dates and amounts that have not fallen due, and by which order it
    is sold; None: by none."""

    id: UUID
    invoice_schedule: InvoicesChangeInput = InvoicesChangeInput()
    netsuite_sales_order_id: str | Unchanged | None = UNCHANGED


@dataclass(frozen=True, slots=True)
class StatementScheduleInput:
    """When usage is billed; `billing_anchor_date` belongs to the day CUSTOM_DATE."""

    frequency: str = "MONTHLY"
    day: str = "FIRST_OF_MONTH"  # CONTRACT_START, CUSTOM_DATE
    billing_anchor_date: datetime | None = None
    invoice_generation_starting_at: datetime | None = None  # None: the contract's start
    is_carried_on: bool = False  # by a contract that takes over from another, and may end before that start, too


@dataclass(frozen=True, slots=True)
class TransitionInput:
    """The contract that the new one renews, and what becomes of its true-ups after that."""

    from_contract_id: UUID
    true_ups: str = "AS_IS"  # or REMOVE


@dataclass(frozen=True, slots=True)
class ContractInput:
    starting_at: datetime
    ending_before: datetime | None = None
    rate_card_id: UUID | None = None
    rate_card_alias: str = ""
    name: str = ""
    net_payment_terms_days: Decimal | None = None
    end_policy: str = "STOP"
    uniqueness_key: str | None = None
    usage_statement_schedule: StatementScheduleInput = StatementScheduleInput()
    multiplier_override_prioritization: str = "LOWEST_MULTIPLIER"
    scheduled_charges_on_usage_invoices: str = ""
    usage_filter: UsageFilterInput | None = None
    transition: TransitionInput | None = None
    overrides: tuple[OverrideInput, ...] = ()
    commits: tuple[CommitInput, ...] = ()
    credits: tuple[CommitInput, ...] = ()
    recurring_commits: tuple[RecurringInput, ...] = ()
    recurring_credits: tuple[RecurringInput, ...] = ()
    scheduled_charges: tuple[ScheduledChargeInput, ...] = ()
    discounts: tuple[ScheduledChargeInput, ...] = ()
    professional_services: tuple[ServiceInput, ...] = ()
    subscriptions: tuple[SubscriptionInput, ...] = ()
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    total_contract_value: Decimal | None = None
    salesforce_opportunity_id: str = ""
    netsuite_sales_order_id: str = ""
    billing_provider_configuration: LookupInput | None = None
    revenue_system_configuration: LookupInput | None = None
    reseller_royalties: tuple[RoyaltyInput, ...] = ()
    package_id: UUID | None = None
    package_alias: str = ""


@dataclass(frozen=True, slots=True)
class UndoneInput:
    id: UUID
    number: int
    subscriptions: tuple[UUID, ...] = ()  # that become as they were before it


@dataclass(frozen=True, slots=True)
class EditInput:
    """One atomic edit of a contract. With `amends_from` it is an amendment from then on, which only adds and may have
    custom fields, a value and the ids of other systems of its own."""

    add_overrides: tuple[OverrideInput, ...] = ()
    add_commits: tuple[CommitInput, ...] = ()
    add_credits: tuple[CommitInput, ...] = ()
    add_recurring_commits: tuple[RecurringInput, ...] = ()
    add_recurring_credits: tuple[RecurringInput, ...] = ()
    add_scheduled_charges: tuple[ScheduledChargeInput, ...] = ()
    add_discounts: tuple[ScheduledChargeInput, ...] = ()
    add_professional_services: tuple[ServiceInput, ...] = ()
    add_subscriptions: tuple[SubscriptionInput, ...] = ()
    add_usage_filters: tuple[UsageFilterInput, ...] = ()
    add_billing_provider_configuration_update: LookupUpdateInput | None = None
    add_revenue_system_configuration_update: LookupUpdateInput | None = None
    add_reseller_royalties: tuple[RoyaltyInput, ...] = ()
    remove_overrides: tuple[UUID, ...] = ()
    archive_commits: tuple[UUID, ...] = ()
    archive_credits: tuple[UUID, ...] = ()
    archive_scheduled_charges: tuple[UUID, ...] = ()  # and discounts
    archive_professional_services: tuple[UUID, ...] = ()
    update_commits: tuple[CommitChangeInput, ...] = ()
    update_credits: tuple[CommitChangeInput, ...] = ()
    update_recurring_commits: tuple[RecurringUpdateInput, ...] = ()
    update_recurring_credits: tuple[RecurringUpdateInput, ...] = ()
    update_scheduled_charges: tuple[ChargeChangeInput, ...] = ()  # and discounts
    update_subscriptions: tuple[SubscriptionUpdateInput, ...] = ()
    update_contract_end_date: datetime | Unchanged | None = UNCHANGED
    update_contract_name: str | Unchanged | None = UNCHANGED
    update_net_payment_terms_days: Decimal | Unchanged | None = UNCHANGED
    update_end_policy: str | Unchanged = UNCHANGED
    uniqueness_key: str | None = None
    reason: str = ""
    amends_from: datetime | None = None
    undoes: UndoneInput | None = None  # the edit that this one takes back
    total_contract_value: Decimal | None = None
    salesforce_opportunity_id: str = ""
    netsuite_sales_order_id: str = ""
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    based_on_edit: int | None = None  # the contract's last edit that its author has seen; None: does not matter
