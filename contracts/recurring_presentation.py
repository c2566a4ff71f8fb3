"""Commits and credits that recur in the words and shapes of the compatible API."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from billing_site.foundation.periods import format_instant
from contracts.commit_presentation import Fields, product_ref, without_absent
from contracts.models import Contract, RecurringCommit
from contracts.terms import QUANTITY, UNITS

AMOUNTS = ("access_amount", "invoice_amount")


def recurring_json(row: RecurringCommit, contract: Contract) -> Fields:
    """A recurring commit or credit as its last row says."""
    invoiced_in = row.invoice_unit or row.unit
    return without_absent(
        {
            "id": str(row.recurring_id),
            "contract": {"id": str(contract.pk)},
            "product": product_ref(row.product),
            "name": row.name or None,
            "description": row.description or None,
            "priority": row.priority,
            "rate_type": row.rate_type,
            "applicable_product_ids": row.applicable_product_ids or None,
            "applicable_product_tags": row.applicable_product_tags or None,
            "specifiers": row.specifiers or None,
            "access_amount": without_absent(
                {
                    "access_type": row.access_type,
                    "credit_type_id": str(UNITS.id if row.access_type == QUANTITY else row.unit_id),
                    "unit_price": row.access_unit_price,
                    "quantity": row.access_quantity if row.subscription_id is None else None,
                }
            ),
            "invoice_amount": None
            if row.invoice_unit_price is None
            else {
                "credit_type_id": str(invoiced_in.pk),
                "unit_price": row.invoice_unit_price,
                "quantity": row.invoice_quantity,
            },
            "commit_duration": {"value": row.duration, "unit": "PERIODS"},
            "anchor_date": format_instant(row.starting_at if row.frequency else contract.billing_anchor_at),
            "starting_at": format_instant(row.starting_at),
            "ending_before": format_instant(row.ending_before) if row.ending_before else None,
            "recurrence_frequency": row.frequency or None,
            "proration": row.proration,
            "proration_rounding": _roundings(row) or None,
            "rollover_fraction": row.rollover_fraction,
            "netsuite_sales_order_id": row.netsuite_sales_order_id or None,
            "subscription_config": None
            if row.subscription_id is None
            else {
                "subscription_id": str(row.subscription_id),
                "allocation": row.allocation,
                "apply_seat_increase_config": {"is_prorated": row.is_increase_prorated},
            },
        }
    )


def updates_json(updates: Sequence[Mapping[str, Any]]) -> list[Fields]:
    """Updates as an edit keeps them, with their numbers as numbers."""
    return [
        {
            name: {key: Decimal(text) for key, text in value.items()} if name in AMOUNTS else value
            for name, value in update.items()
        }
        for update in updates
    ]


def _roundings(row: RecurringCommit) -> Fields:
    kept = {
        "access": (row.access_decimal_places, row.access_rounding_method),
        "invoice": (row.invoice_decimal_places, row.invoice_rounding_method),
    }
    return {
        name: {"decimal_places": places, "rounding_method": method}
        for name, (places, method) in kept.items()
        if places is not None
    }
