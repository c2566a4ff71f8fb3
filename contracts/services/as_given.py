"""Terms that stand as what would be sent to agree the same again."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.custom_fields import Entity, copied_custom_fields
from contracts.inputs import (
    AccessScheduleInput,
    CommitInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    MultiplierTierInput,
    OverrideInput,
    ProrationRoundingInput,
    RateInput,
    RecurringAmountInput,
    RecurringInput,
    RoundingInput,
    ScheduledChargeInput,
    SegmentInput,
    TargetInput,
)
from contracts.models import Override, ProfessionalService, RecurringCommit
from contracts.models.commit_attributes import BalanceAttributes
from contracts.models.commits import ScheduledItem
from contracts.models.term import PAYER_KEYS
from contracts.queries import AgreedCharge, AgreedCommit, AgreedSubscription
from contracts.service_inputs import ServiceInput
from contracts.services.charges import entity_of
from contracts.services.gates import gate_as_given
from contracts.subscription_inputs import ProrationInput, SeatConfigInput, SubscriptionConfigInput, SubscriptionInput
from contracts.terms import QUANTITY
from pricing.models import PricingUnit
from pricing.services.tariffs import TierInput
from pricing.tiers import read_tiers


def commit_as_given(committed: AgreedCommit) -> CommitInput:
    """A commit or credit of a contract; needs its unit. Its id is its temporary id."""
    commit = committed.commit
    billed = InvoiceScheduleInput(_items(committed.invoice_items), do_not_invoice=not commit.is_invoiced)
    return CommitInput(
        type=commit.type,
        access_schedule=AccessScheduleInput(
            tuple(SegmentInput(each.amount, each.starting_at, each.ending_before) for each in committed.segments),
            _unit_id(commit.access_type, commit.unit),
            commit.access_type,
        ),
        invoice_schedule=billed if committed.invoice_items else None,
        custom_fields=copied_custom_fields(
            Entity.CONTRACT_CREDIT if commit.is_credit else Entity.COMMIT, commit.custom_fields
        ),
        temporary_id=str(commit.pk),
        payment_gate_config=gate_as_given(committed.gate),
        **_attributes(commit),
    )


def recurring_as_given(row: RecurringCommit) -> RecurringInput:
    """What recurs, as its row says; needs its unit. Its id is its temporary id."""
    paid = row.invoice_unit_price is not None
    return RecurringInput(
        type=row.type,
        access_amount=RecurringAmountInput(
            row.access_unit_price,
            row.access_quantity if row.subscription_id is None else None,
            _unit_id(row.access_type, row.unit),
            row.access_type,
        ),
        invoice_amount=RecurringAmountInput(row.invoice_unit_price, row.invoice_quantity) if paid else None,
        commit_duration=Decimal(row.duration),
        starting_at=row.starting_at,
        ending_before=row.ending_before,
        recurrence_frequency=row.frequency,
        proration=row.proration,
        proration_rounding=ProrationRoundingInput(
            _rounding(row.access_decimal_places, row.access_rounding_method),
            _rounding(row.invoice_decimal_places, row.invoice_rounding_method),
        ),
        temporary_id=str(row.recurring_id),
        subscription_config=None
        if row.subscription_id is None
        else SubscriptionConfigInput(str(row.subscription_id), bool(row.is_increase_prorated), row.allocation),
        **_attributes(row),
    )


def subscription_as_given(agreed: AgreedSubscription) -> SubscriptionInput:
    """A subscription to as many as there are in the end; of seats, nobody has one yet. Its id is its temporary id."""
    row, terms = agreed.subscription, agreed.terms
    quantity = agreed.quantities[-1].quantity
    return SubscriptionInput(
        product_id=row.product_id,
        billing_frequency=row.frequency,
        collection_schedule=row.collection_schedule,
        proration=ProrationInput(
            row.is_prorated, row.invoice_behavior, _rounding(terms.decimal_places, terms.rounding_method)
        ),
        initial_quantity=None if terms.is_by_seat else quantity,
        quantity_management_mode=terms.mode,
        seat_config=SeatConfigInput(terms.seat_group_key, (), quantity) if terms.is_by_seat else None,
        starting_at=row.starting_at,
        ending_before=terms.ending_before,
        anchor_date=row.anchor_at,
        invoice_placement=row.invoice_placement,
        name=terms.name,
        description=row.description,
        custom_fields=copied_custom_fields(Entity.SUBSCRIPTION, row.custom_fields),
        temporary_id=str(row.pk),
    )


def charge_as_given(charged: AgreedCharge) -> ScheduledChargeInput:
    charge = charged.charge
    schedule = InvoiceScheduleInput(_items(charged.items))
    fields = copied_custom_fields(entity_of(charge), charge.custom_fields)
    return ScheduledChargeInput(charge.product_id, schedule, charge.name, fields, charge.netsuite_sales_order_id)


def service_as_given(service: ProfessionalService) -> ServiceInput:
    return ServiceInput(
        product_id=service.product_id,
        quantity=service.quantity,
        unit_price=service.unit_price,
        max_amount=service.max_amount,
        description=service.description,
        custom_fields=copied_custom_fields(Entity.PROFESSIONAL_SERVICE, service.custom_fields),
    )


def override_as_given(override: Override) -> OverrideInput:
    return OverrideInput(
        starting_at=override.starting_at,
        ending_before=override.ending_before,
        type=override.type,
        multiplier=override.multiplier,
        tiers=tuple(
            MultiplierTierInput(Decimal(each["multiplier"]), Decimal(each["size"]) if "size" in each else None)
            for each in override.tiers
        ),
        overwrite_rate=_rate(override) if override.rate_type else None,
        priority=override.priority,
        entitled=override.entitled,
        is_commit_specific=override.is_commit_specific,
        target=override.target,
        product_id=override.product_id,
        applicable_product_tags=tuple(override.applicable_product_tags),
        override_specifiers=tuple(map(_target, override.specifiers)),
    )


def _attributes(row: BalanceAttributes) -> dict[str, Any]:
    """What all balances have in common."""
    return {
        "product_id": row.product_id,
        "name": row.name,
        "description": row.description,
        "priority": row.priority,
        "rate_type": row.rate_type,
        "rollover_fraction": row.rollover_fraction,
        "netsuite_sales_order_id": row.netsuite_sales_order_id,
        "applicable_product_ids": tuple(UUID(each) for each in row.applicable_product_ids),
        "applicable_product_tags": tuple(row.applicable_product_tags),
        "specifiers": tuple(map(_target, row.specifiers)),
    }


def _items(items: Sequence[ScheduledItem]) -> tuple[InvoiceItemInput, ...]:
    return tuple(InvoiceItemInput(each.issued_at, unit_price=each.unit_price, quantity=each.quantity) for each in items)


def _unit_id(access_type: str, unit: PricingUnit) -> UUID | None:
    """None: units of what is sold, which are no unit of pricing."""
    return None if access_type == QUANTITY else unit.pk


def _rounding(places: int | None, method: str) -> RoundingInput | None:
    return None if places is None else RoundingInput(Decimal(places), method)


def _rate(override: Override) -> RateInput:
    return RateInput(
        rate_type=override.rate_type,
        price=override.price,
        credit_type_id=override.unit_id,
        tiers=tuple(
            TierInput(each.price, each.size, each.flat_fee or None) for each in read_tiers(override.rate_tiers)
        ),
        package_size=override.package_size,
        quantity=override.quantity,
        is_prorated=override.is_prorated,
    )


def _target(specifier: Mapping[str, Any]) -> TargetInput:
    return TargetInput(
        product_id=UUID(specifier["product_id"]) if specifier.get("product_id") else None,
        product_tags=tuple(specifier.get("product_tags", ())),
        pricing_group_values=specifier.get("pricing_group_values", {}),
        presentation_group_values=specifier.get("presentation_group_values", {}),
        billing_frequency=specifier.get("billing_frequency", ""),
        **{key: tuple(specifier.get(key, ())) for key in PAYER_KEYS},
    )
