"""Subscriptions in the words and shapes of the compatible API. What depends on the instant is as it is at `at`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing_site.foundation.periods import Period, earliest, format_instant
from contracts.commit_presentation import Fields, product_ref, without_absent
from contracts.models import Contract, SubscriptionQuantity
from contracts.models.subscriptions import to_subscription
from contracts.queries import AgreedSubscription, HeldQuantity, PricedQuantity, held_quantities
from contracts.subscriptions import periods_around

NUMBERS = ("quantity", "quantity_delta")


def subscription_json(agreed: AgreedSubscription, contract: Contract, end: datetime | None, *, at: datetime) -> Fields:
    """A subscription of a contract that ends at `end`."""
    row, terms = agreed.subscription, agreed.terms
    ends = earliest(terms.ending_before, end)
    return without_absent(
        {
            "id": str(row.pk),
            "name": terms.name or None,
            "description": row.description or None,
            "created_at": format_instant(row.created_at),
            "starting_at": format_instant(row.starting_at),
            "ending_before": format_instant(ends) if ends else None,
            "subscription_rate": {"product": product_ref(row.product), "billing_frequency": row.frequency},
            "product_custom_fields": row.product.custom_fields,
            "collection_schedule": row.collection_schedule,
            "proration": without_absent(
                {
                    "is_prorated": row.is_prorated,
                    "invoice_behavior": row.invoice_behavior,
                    "rounding": None
                    if terms.decimal_places is None
                    else {"decimal_places": terms.decimal_places, "rounding_method": terms.rounding_method},
                }
            ),
            "billing_cycle_config": {
                "anchor_date": format_instant(row.anchor_at or contract.billing_anchor_at),
                "invoice_placement": row.invoice_placement,
            },
            "quantity_management_mode": terms.mode,
            "seat_config": {"seat_group_key": terms.seat_group_key} if terms.is_by_seat else None,
            "quantity_schedule": [
                _range(each.period) | {"quantity": each.row.quantity}
                for each in held_quantities(agreed, ends)
                if each.period.ending_before is None or each.period.ending_before > at
            ],
            "billing_periods": _billing_periods(agreed, contract, ends, at=at),
            "custom_fields": row.custom_fields,
        }
    )


def seats_json(held: HeldQuantity) -> Fields:
    """A time in which the seats were the same."""
    row: SubscriptionQuantity = held.row
    return _range(held.period) | {
        "assigned_seat_ids": list(row.assigned_seat_ids),
        "total_quantity": int(row.quantity) if row.quantity == row.quantity.to_integral_value() else row.quantity,
    }


def quantity_history_json(history: Sequence[PricedQuantity]) -> list[Fields]:
    return [
        {
            "starting_at": format_instant(each.starting_at),
            "data": [{"quantity": each.quantity, "unit_price": each.unit_price, "total": each.total}],
        }
        for each in history
    ]


def subscription_updates_json(updates: Sequence[Mapping[str, Any]]) -> list[Fields]:
    """Updates as an edit keeps them, with their numbers as numbers."""
    return [{name: _with_numbers(value) for name, value in update.items()} for update in updates]


def _with_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: Decimal(each) if name in NUMBERS and isinstance(each, str) else _with_numbers(each)
            for name, each in value.items()
        }
    return [_with_numbers(each) for each in value] if isinstance(value, list) else value


def _billing_periods(agreed: AgreedSubscription, contract: Contract, end: datetime | None, *, at: datetime) -> Fields:
    row = agreed.subscription
    if end is not None and end <= row.starting_at:
        return {}
    subscription = to_subscription(row, agreed.terms, agreed.quantities, contract)
    around = periods_around(subscription, Period(row.starting_at, end), at)
    named = {"previous": around.previous, "current": around.current, "next": around.next}
    return {name: _range(period) for name, period in named.items() if period is not None}


def _range(period: Period) -> Fields:
    end = {"ending_before": format_instant(period.ending_before)} if period.ending_before else {}
    return {"starting_at": format_instant(period.starting_at), **end}
