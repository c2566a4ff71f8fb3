"""Commits and credits in the words and shapes of the compatible API, and the dated schedules they share with charges.

A credit has the same shape as a commit, without what has to do with paying for it.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Any, TypeVar
from uuid import UUID

from billing_site.foundation.money import PRECISION, QUANTUM, exact_sum, round_to
from billing_site.foundation.periods import format_instant
from contracts.models import AccessSegment, Commit, ContractEdit
from contracts.queries import AgreedCommit, UpdatedCommit
from contracts.queries.gates import AgreedGate
from contracts.terms import QUANTITY, UNITS
from pricing.models import PricingUnit, Product
from pricing.presentation import unit_ref

Row = TypeVar("Row")
Fields = dict[str, Any]
NO_BALANCES: Mapping[UUID, Mapping[str, Any]] = {}


def commit_json(committed: AgreedCommit, *, balances: Mapping[UUID, Mapping[str, Any]] = NO_BALANCES) -> Fields:
    """A commit or credit by itself, as contracts embed it and lists of balances show it."""
    commit, applicable = committed.commit, committed.commit.applicable_contract_ids
    return without_absent(
        {
            **new_commit_json(committed),
            "created_at": format_instant(commit.created_at),
            "created_by": commit.added_by_edit.created_by if committed.recurring_id is None else None,
            **_grantor(committed),
            "contract": {"id": str(commit.contract_id)} if commit.contract_id else None,
            "applicable_contract_ids": [str(commit.contract_id)] if commit.contract_id else applicable or None,
            "invoice_contract": {"id": str(commit.invoice_contract_id)} if commit.invoice_contract_id else None,
            "uniqueness_key": commit.uniqueness_key,
            "rolled_over_from": _source(committed.rolled_over_from),
            "cost_basis": _cost_basis(committed),
            "custom_fields": commit.custom_fields,
            "archived_at": removed_at(commit.removed_by_edit),
            **balances.get(commit.pk, {}),
        }
    )


def _source(commit: Commit | None) -> dict[str, str] | None:
    if commit is None:
        return None
    name = "credit_id" if commit.is_credit else "commit_id"
    return {name: str(commit.pk), "contract_id": str(commit.contract_id)}


def new_commit_json(committed: AgreedCommit) -> Fields:
    """What an edit shows of a commit or credit that it adds."""
    commit = committed.commit
    billed = schedule_json(committed.invoice_items, commit.invoice_unit or commit.unit, is_invoiced=commit.is_invoiced)
    return without_absent(
        {
            "id": str(commit.pk),
            "type": commit.type,
            "product": product_ref(commit.product),
            "name": commit.name or None,
            "description": commit.description or None,
            "priority": commit.priority,
            "rate_type": commit.rate_type,
            "rollover_fraction": commit.rollover_fraction,
            "applicable_product_ids": commit.applicable_product_ids or None,
            "applicable_product_tags": commit.applicable_product_tags or None,
            "specifiers": commit.specifiers or None,
            "access_schedule": {
                "access_type": commit.access_type,
                "credit_type": unit_ref(UNITS if commit.access_type == QUANTITY else commit.unit),
                "schedule_items": [_segment_json(segment) for segment in committed.segments],
            },
            "invoice_schedule": billed if committed.invoice_items else None,
            "netsuite_sales_order_id": commit.netsuite_sales_order_id or None,
            "salesforce_opportunity_id": commit.salesforce_opportunity_id or None,
            **gate_json(committed.gate),
        }
    )


def gate_json(agreed: AgreedGate | None) -> Fields:
    """The payment that access waits for, as it was agreed, and what has become of it."""
    if agreed is None:
        return {}
    gate, told = agreed.gate, agreed.outcome
    config = {
        "payment_gate_type": gate.type,
        "tax_type": "NONE",
        "stripe_config": gate.stripe_config,
        "workflow_id": str(gate.pk),
        "payment_status": (told.outcome if told else "waiting").lower(),
        "payment_recorded_at": format_instant(told.created_at) if told else None,
    }
    return {"payment_gate_config": without_absent(config)}


def updated_commit_json(updated: UpdatedCommit) -> Fields:
    """What an edit shows of a commit or credit that it changes: what was changed, and nothing else."""
    before, after = updated.before.commit, updated.after.commit
    old, new = before.attributes(), after.attributes()
    changed = {column: value for column, value in new.items() if value != old[column]}
    for column in ("product_id", "invoice_contract_id"):
        if column in changed:
            changed[column] = str(changed[column])
    access = _schedule_edit(updated.before.segments, updated.after.segments, _segment_json)
    billed = items_edit(updated.before.invoice_items, updated.after.invoice_items)
    return {
        "id": str(after.pk),
        **({"access_schedule": access} if access else {}),
        **({"invoice_schedule": billed} if billed else {}),
        **changed,
    }


def items_edit(removed: Sequence[Any], added: Sequence[Any]) -> Fields:
    """What an edit has changed of dated amounts, which it took out and added."""
    return _schedule_edit(removed, added, _item_json)


def _schedule_edit(removed: Sequence[Row], added: Sequence[Row], row_json: Callable[[Row], Fields]) -> Fields:
    """Items added, changed (with what of them was) and removed."""
    gone = {each["id"]: each for each in map(row_json, removed)}
    come = {each["id"]: each for each in map(row_json, added)}
    lists = {
        "add_schedule_items": [each for item_id, each in come.items() if item_id not in gone],
        "update_schedule_items": [
            {name: value for name, value in each.items() if name == "id" or value != gone[item_id][name]}
            for item_id, each in come.items()
            if item_id in gone
        ],
        "remove_schedule_items": [{"id": item_id} for item_id in gone if item_id not in come],
    }
    return {name: items for name, items in lists.items() if items}


def _segment_json(segment: AccessSegment) -> Fields:
    return {
        "id": str(segment.segment_id),
        "amount": segment.amount,
        "starting_at": format_instant(segment.starting_at),
        "ending_before": format_instant(segment.ending_before),
    }


def _item_json(item: Any) -> Fields:
    return {
        "id": str(item.item_id),
        "timestamp": format_instant(item.issued_at),
        "amount": item.amount,
        "unit_price": item.unit_price,
        "quantity": item.quantity,
    }


def schedule_json(items: Sequence[Any], unit: PricingUnit, *, is_invoiced: bool = True) -> Fields:
    """Dated amounts; each carries all three of amount, unit price and quantity."""
    return {
        "credit_type": unit_ref(unit),
        "do_not_invoice": not is_invoiced,
        "schedule_items": [_item_json(item) for item in items],
    }


def product_ref(product: Product) -> dict[str, str]:
    return {"id": str(product.pk), "name": product.name}


def removed_at(edit: ContractEdit | None) -> str | None:
    return format_instant(edit.created_at) if edit else None


def without_absent(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}


def _grantor(committed: AgreedCommit) -> Fields:
    if committed.recurring_id is None:
        return {}
    name = "recurring_credit_id" if committed.commit.is_credit else "recurring_commit_id"
    return {name: str(committed.recurring_id)}


def _cost_basis(committed: AgreedCommit) -> Decimal | None:
    """What is paid for each wire unit, or unit sold, that a prepaid commit grants; to 12 decimals."""
    if committed.commit.type != Commit.Type.PREPAID:
        return None
    with localcontext(Context(prec=PRECISION)):
        paid = exact_sum([item.amount for item in committed.invoice_items])
        granted = exact_sum([segment.amount for segment in committed.segments])
        return round_to(Fraction(paid) / Fraction(granted), QUANTUM) if granted else None
