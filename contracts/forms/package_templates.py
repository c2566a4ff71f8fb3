"""Rows of a package's form as the parts of a template: in the words of the API, with offsets."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from billing_site.foundation.money import Unit
from contracts.forms.overrides import each_target, multiplier_of
from contracts.forms.package_rows import ANY_PAYER, IN, OUT, STEPS, held_as
from contracts.forms.roundings import rounding_of
from contracts.forms.subscriptions import COLLECTED
from contracts.inputs import RateInput, RecurringAmountInput, TargetInput
from contracts.models import Commit, RecurringCommit, Subscription, SubscriptionTerms
from contracts.offsets import AT_THE_START, Offset, series
from contracts.services.commits import DEFAULT_PRIORITY
from contracts.subscription_inputs import ProrationInput, SeatConfigInput, SubscriptionConfigInput

Values = Mapping[str, Any]
Part = dict[str, Any]


def override_part(row: Values, rate: RateInput | None) -> Part:
    """`rate` is what a price of its own charges."""
    part = {**_times(row), "override_specifiers": _targets(row), **_given(row, "priority")}
    if row["what"] in (IN, OUT):
        return {**part, "entitled": row["what"] == IN}
    if row["payers"]:
        part |= {"is_commit_specific": True, **({"target": row["target"]} if row["target"] else {})}
    if rate is not None:
        return {**part, "type": "OVERWRITE", "overwrite_rate": rate}
    if row["what"] == STEPS:
        return {**part, "type": "TIERED", "tiers": row["steps"]}
    return {**part, "type": "MULTIPLIER", "multiplier": multiplier_of(row["percent"])}


def _targets(row: Values) -> list[TargetInput]:
    """One, or none for all products."""
    named = [each for each in row["payers"] if each != ANY_PAYER] if ANY_PAYER not in row["payers"] else []
    target = TargetInput(
        product_id=row["product"] or None,
        product_tags=tuple(row["tags"]),
        pricing_group_values=row["group_values"],
        presentation_group_values=row["presentation"],
        billing_frequency=row["frequency"],
        any_commit_or_credit_ids=tuple(named),
    )
    return [] if target == TargetInput() else [target]


def commit_part(row: Values, *, called: str) -> Part:
    """Of a commit, or of a credit, which has nothing paid for it. `called` is what other parts may call it."""
    kind, first, lasts = row["kind"] or Commit.Type.PREPAID, row["after"] or AT_THE_START, row["lasts"]
    starts = series(first, lasts, _count(row["times"]))
    access = {
        "schedule_items": [
            {"amount": row["amount"], "starting_at_offset": start, "duration": lasts} for start in starts
        ],
        **held_as(row["held_in"]),
    }
    part = {
        "type": kind,
        **_attributes(row),
        **_given(row, "priority"),
        "access_schedule": access,
        "temporary_id": called,
    }
    if kind == Commit.Type.POSTPAID and row["price"] is None:
        end = series(first, lasts, 2)[1]
        item = {"date_offset": row["paid_at"] or end, "unit_price": row["amount"], "quantity": Decimal(1)}
        return {**part, "invoice_schedule": {"schedule_items": [item]}}
    return part if row["price"] is None else {**part, "invoice_schedule": _paid(row)}


def charge_part(row: Values) -> Part:
    return {"product_id": row["product"], "name": row["name"], "schedule": _paid(row)}


def subscription_part(row: Values, unit: Unit, *, called: str) -> Part:
    """`unit` is what its product is priced in, `called` what other parts may call it."""
    _, collection, increases = COLLECTED[row["collected"] or next(iter(COLLECTED))]
    key, quantity = row["seat_group_key"], row["quantity"]
    part = {
        "product_id": row["product"],
        "billing_frequency": row["frequency"] or Subscription.Frequency.MONTHLY,
        "collection_schedule": collection,
        "proration": ProrationInput(not row["parts"], increases, rounding_of(row["decimals"], row["rounding"], unit)),
        "invoice_placement": row["placement"] or Subscription.Placement.ON_USAGE_INVOICE,
        "name": row["name"],
        "description": row["description"],
        "temporary_id": called,
        **_times(row),
    }
    if not key:
        return {**part, "initial_quantity": quantity}
    seats = SeatConfigInput(key, (), Decimal(0) if quantity is None else quantity)
    return {**part, "quantity_management_mode": SubscriptionTerms.Mode.SEAT_BASED, "seat_config": seats}


def anew_part(row: Values, *, called: str) -> Part:
    kind, linked, held = row["kind"] or RecurringCommit.Type.CREDIT, row["of"], held_as(row["held_in"])
    quantity = None if linked else _or_one(row["quantity"])
    part = {
        "type": kind,
        **_attributes(row),
        "priority": DEFAULT_PRIORITY if row["priority"] is None else row["priority"],
        "access_amount": RecurringAmountInput(row["amount"], quantity, **held),
        "commit_duration": _or_one(row["periods"]),
        "recurrence_frequency": row["each"],
        "proration": row["proration"] or RecurringCommit.Proration.FIRST_AND_LAST,
        "temporary_id": called,
        **_times(row),
    }
    if row["billed"] is not None:
        part["invoice_amount"] = RecurringAmountInput(row["billed"], _or_one(row["billed_quantity"]))
    if linked:
        shared = row["shared"] or RecurringCommit.Allocation.POOLED
        part["subscription_config"] = SubscriptionConfigInput(linked, not row["added"], shared)
    return part


def _attributes(row: Values) -> Part:
    """What commits, credits and what recurs have in common."""
    return {
        "product_id": row["product"],
        "name": row["name"],
        **_paid_for(row),
        **({"rate_type": row["rate_type"]} if row["rate_type"] else {}),
        **_given(row, "rollover", as_="rollover_fraction"),
    }


def _paid_for(row: Values) -> Part:
    """Products, or products with a tag; or of each of them only the usage with these group values."""
    products, tags = row["products"], row["tags"]
    values = {"pricing_group_values": row["group_values"], "presentation_group_values": row["presentation"]}
    if any(values.values()):
        return {"specifiers": each_target(products, tags, **values)}
    return {"applicable_product_ids": products, "applicable_product_tags": tags}


def _paid(row: Values) -> Part:
    first = row["paid_at"] or AT_THE_START
    dates = series(first, row["paid_each"] or first, _count(row["paid_times"]))
    amount = {"unit_price": row["price"], "quantity": _or_one(row["quantity"])}
    return {"schedule_items": [{"date_offset": date, **amount} for date in dates]}


def _times(row: Values) -> Part:
    start: Offset = row["after"] or AT_THE_START
    return {"starting_at_offset": start, **_given(row, "lasts", as_="duration")}


def _given(row: Values, name: str, *, as_: str = "") -> Part:
    return {} if row[name] is None else {as_ or name: row[name]}


def _count(times: Decimal | None) -> int:
    return 1 if times is None else int(times)


def _or_one(number: Decimal | None) -> Decimal:
    return Decimal(1) if number is None else number
