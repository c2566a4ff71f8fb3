"""The form for a package, filled in with what another one says: its template, taken apart into rows.

Rows say less than templates may. What cannot be typed is not filled in but named: a row counts only where contracts
made by it get what those of its part get.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.display import plain_text
from billing_site.foundation.money import Unit
from billing_site.foundation.problems import Problems
from contracts.forms import package_templates as parts
from contracts.forms.overrides import percent_off
from contracts.forms.package_rows import (
    ANEW,
    ANY_PAYER,
    CHARGE,
    COMMIT,
    DISCOUNT,
    IN,
    OUT,
    OVERRIDE,
    PAID,
    PRICE,
    STEPS,
    SUBSCRIPTION,
    Kind,
    Offered,
    called,
)
from contracts.forms.subscriptions import COLLECTED
from contracts.inputs import MultiplierTierInput, RateInput
from contracts.models import Commit, RecurringCommit, Subscription
from contracts.models.term import PAYER_KEYS
from contracts.offsets import Offset, apart
from contracts.services.package_terms import contract_from
from contracts.services.payers import ANY
from contracts.stored_inputs import read, stored
from contracts.terms import QUANTITY
from pricing.engine.overrides import LIST_RATE
from pricing.engine.tariffs import Tariff
from pricing.models import RateCard
from pricing.queries import unit_of_product
from pricing.services.tariffs import checked_tariff

Part = Mapping[str, Any]
Row = dict[str, Any]

KIND_OF = {
    "overrides": OVERRIDE,
    "commits": COMMIT,
    "credits": COMMIT,
    "subscriptions": SUBSCRIPTION,
    "recurring_commits": ANEW,
    "recurring_credits": ANEW,
    "scheduled_charges": CHARGE,
}
NAMED = (COMMIT, SUBSCRIPTION, ANEW)
WORDS = {
    "overrides": "discount or price",
    "commits": "commit",
    "credits": "credit",
    "subscriptions": "subscription",
    "recurring_commits": "recurring commit",
    "recurring_credits": "recurring credit",
    "scheduled_charges": "scheduled charge",
}
OF_THE_WHOLE = (
    "contract_name",
    "end_policy",
    "rate_card_alias",
    "billing_provider",
    "delivery_method",
    "scheduled_charges_on_usage_invoices",
    "multiplier_override_prioritization",
)
ANY_DAY = datetime(2025, 1, 31, 5, tzinfo=UTC)  # a start by which months and days differ


@dataclass(frozen=True, slots=True)
class Filled:
    """What the form shows, its prices by the place of their rows, and what could not be taken over, in words."""

    initial: Row = field(default_factory=dict)
    tariffs: dict[int, Tariff] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def filled_in(name: str, template: Part, offered: Offered, card: RateCard | None) -> Filled:
    """The form for a package like the one of this name; `card` is its rate card. Queries one a subscription."""
    filled = Filled(_whole(name, template))
    places, names = _places(template), _names(template)
    for (list_name, index), place in places.items():
        kind, part = KIND_OF[list_name], template[list_name][index]
        meant = _plain(part, names, offered.money, called(kind, place) if kind in NAMED else "")
        row, again = _row(kind, meant, place, card)
        if not _can_be_chosen(row, offered) or not _same(list_name, meant, again):
            told = part.get("name") or ""
            filled.left.append(f"{WORDS[list_name]} {index + 1}" + (f", “{told}”" if told else ""))
            continue
        filled.initial.update({f"{kind.name}_{place}_{each}": value for each, value in row.items()})
        if row.get("what") == PRICE:
            tariff = checked_tariff(Problems(), read(RateInput, meant["overwrite_rate"]))
            assert tariff is not None, "what stands was checked"
            filled.tariffs[place] = tariff
    return filled


def _whole(name: str, template: Part) -> Row:
    schedule = template.get("usage_statement_schedule", {})
    days = template.get("net_payment_terms_days")
    return {
        **{each: template.get(each, "") for each in OF_THE_WHOLE if template.get(each)},
        "name": name,
        "duration": _offset(template.get("duration")),
        "rate_card": template.get("rate_card_id"),
        "net_payment_terms_days": None if days is None else _number(days),
        "frequency": schedule.get("frequency", "MONTHLY"),
        "day": schedule.get("day") or "FIRST_OF_MONTH",
        "invoice_from": _offset(schedule.get("invoice_generation_starting_at_offset")),
    }


def _places(template: Part) -> dict[tuple[str, int], int]:
    """The row of each part, by its list and its place there."""
    found, taken = {}, dict.fromkeys((kind.name for kind in KIND_OF.values()), 0)
    for list_name, kind in KIND_OF.items():
        for index in range(len(template.get(list_name, ()))):
            found[list_name, index] = taken[kind.name]
            taken[kind.name] += 1
    return found


def _names(template: Part) -> dict[str, str]:
    """What the form calls each part that the template has a name for."""
    return {
        name: called(KIND_OF[list_name], place)
        for (list_name, index), place in _places(template).items()
        if (name := template[list_name][index].get("temporary_id"))
    }


def _plain(part: Part, names: Mapping[str, str], money: Unit, called: str) -> Row:
    """The part in the form's spelling: its names, and the money of the contract unnamed. Custom fields are apart."""

    def within(held: Any) -> Any:
        if isinstance(held, Mapping):
            told = {name: within(each) for name, each in held.items() if (name, each) != unnamed}
            payers = [names.get(each, each) for key in PAYER_KEYS for each in told.pop(key, ())]
            if "subscription_id" in told:
                told["subscription_id"] = names.get(told["subscription_id"], told["subscription_id"])
            return told | ({ANY: payers} if payers else {})
        return [within(each) for each in held] if isinstance(held, list) else held

    unnamed = ("credit_type_id", str(money.id))
    told: Row = within({name: each for name, each in part.items() if name not in ("custom_fields", "temporary_id")})
    return told | ({"temporary_id": called} if called else {})


def _same(list_name: str, meant: Part, again: Part) -> bool:
    """Whether contracts get the same of both."""
    first, second = (contract_from({list_name: [stored(each)]}, ANY_DAY) for each in (meant, again))
    return bool(getattr(first, list_name) == getattr(second, list_name))


def _can_be_chosen(row: Row, offered: Offered) -> bool:
    """What was archived meanwhile cannot."""
    products = {pk for pk, _ in (*offered.fixed, *offered.subscribed, *offered.priced)}
    named = {*row.get("products", ()), *([row["product"]] if row.get("product") else ())}
    return named <= products and row.get("held_in", "") in dict(offered.held_choices)


def _row(kind: Kind, part: Part, place: int, card: RateCard | None) -> tuple[Row, Part]:
    """The row of a part, and the part that it makes."""
    if kind is OVERRIDE:
        row = _override(part)
        rate = read(RateInput, part["overwrite_rate"]) if "overwrite_rate" in part else None
        return row, parts.override_part(row, rate)
    if kind is COMMIT:
        return (row := _commit(part)), parts.commit_part(row, called=called(kind, place))
    if kind is CHARGE:
        row = {"product": part["product_id"], "name": part.get("name", ""), **_paid(part["schedule"])}
        return row, parts.charge_part(row)
    if kind is SUBSCRIPTION:
        unit = unit_of_product(card, UUID(part["product_id"])).to_unit()
        return (row := _subscription(part, unit)), parts.subscription_part(row, unit, called=called(kind, place))
    return (row := _anew(part)), parts.anew_part(row, called=called(kind, place))


def _override(part: Part) -> Row:
    target: Part = next(iter(part["override_specifiers"]), {})
    is_specific = part.get("is_commit_specific", False)
    row = {
        "what": DISCOUNT,
        "percent": None,
        "steps": None,
        "product": target.get("product_id", ""),
        "tags": target.get("product_tags", []),
        "frequency": target.get("billing_frequency", ""),
        "group_values": target.get("pricing_group_values", {}),
        "presentation": target.get("presentation_group_values", {}),
        "priority": _number(part.get("priority")),
        "payers": target.get(ANY) or ([ANY_PAYER] if is_specific else []),
        "target": part.get("target", "") if part.get("target") != LIST_RATE else "",
        **_times(part),
    }
    if part.get("entitled") is not None:
        return row | {"what": IN if part["entitled"] else OUT}
    if "overwrite_rate" in part:
        return row | {"what": PRICE}
    if part.get("tiers"):
        return row | {"what": STEPS, "steps": tuple(read(MultiplierTierInput, tier) for tier in part["tiers"])}
    return row | {"percent": percent_off(Decimal(part["multiplier"]))}


def _commit(part: Part) -> Row:
    access = part["access_schedule"]
    items = access["schedule_items"]
    return {
        "kind": "" if part["type"] == Commit.Type.PREPAID else part["type"],
        "amount": _number(items[0]["amount"]) if items else None,
        **(_times(items[0]) if items else {"after": None, "lasts": None}),
        "times": Decimal(len(items)) if len(items) > 1 else None,
        **_held(access),
        **_attributes(part),
        "priority": _number(part.get("priority")),
        **_paid(part.get("invoice_schedule", {})),
    }


def _subscription(part: Part, unit: Unit) -> Row:
    proration, seats = part["proration"], part.get("seat_config") or {}
    is_advance = part["collection_schedule"] == Subscription.Collection.ADVANCE
    added = proration.get("invoice_behavior") or COLLECTED["at_once" if is_advance else "in_arrears"][2]
    collected = (part["collection_schedule"], added)
    rounding = proration.get("rounding") or {}
    places = rounding.get("decimal_places")
    return {
        "product": part["product_id"],
        "frequency": _unless(Subscription.Frequency.MONTHLY, part["billing_frequency"]),
        "quantity": _number(seats.get("initial_unassigned_seats", 0) if seats else part.get("initial_quantity")),
        "seat_group_key": seats.get("seat_group_key", ""),
        "collected": next((key for key, (_, *each) in COLLECTED.items() if tuple(each) == collected), ""),
        "placement": _unless(Subscription.Placement.ON_USAGE_INVOICE, part.get("invoice_placement", "")),
        "parts": "" if proration.get("is_prorated", True) else "WHOLE",
        "decimals": None if places is None else Decimal(places) + unit.wire_exponent,
        "rounding": rounding.get("rounding_method", ""),
        "name": part.get("name", ""),
        "description": part.get("description", ""),
        **_times(part),
    }


def _anew(part: Part) -> Row:
    access, billed, linked = part["access_amount"], part.get("invoice_amount") or {}, part.get("subscription_config")
    return {
        "kind": _unless(RecurringCommit.Type.CREDIT, part["type"]),
        "each": part.get("recurrence_frequency", ""),
        "amount": _number(access.get("unit_price")),
        "quantity": _number(access.get("quantity")),
        "billed": _number(billed.get("unit_price")),
        "billed_quantity": _number(billed.get("quantity")),
        "periods": _number(part["commit_duration"]),
        "proration": _unless(RecurringCommit.Proration.FIRST_AND_LAST, part.get("proration", "")),
        "of": linked["subscription_id"] if linked else "",
        "shared": _unless(RecurringCommit.Allocation.POOLED, linked.get("allocation", "")) if linked else "",
        "added": "FULL" if linked and not linked["is_prorated"] else "",
        **_held(access),
        **_attributes(part),
        "priority": _number(part["priority"]),
        **_times(part),
    }


def _attributes(part: Part) -> Row:
    """What it is called, and what it pays for: specifiers of one product or tag each are what one row says of all."""
    each = part.get("specifiers") or [{}]
    return {
        "product": part["product_id"],
        "name": part.get("name", ""),
        "rate_type": _unless(LIST_RATE, part.get("rate_type", "")),
        "rollover": _number(part.get("rollover_fraction")),
        "products": [
            *part.get("applicable_product_ids", []),
            *(one["product_id"] for one in each if one.get("product_id")),
        ],
        "tags": [
            *part.get("applicable_product_tags", []),
            *(tag for one in each for tag in one.get("product_tags", ())),
        ],
        "group_values": each[0].get("pricing_group_values", {}),
        "presentation": each[0].get("presentation_group_values", {}),
    }


def _held(access: Part) -> Row:
    return {"held_in": QUANTITY if access.get("access_type") == QUANTITY else access.get("credit_type_id", "")}


def _paid(schedule: Part) -> Row:
    items = schedule.get("schedule_items", [])
    if not items:
        return dict.fromkeys(PAID)
    first, *others = (Offset(**item["date_offset"]) for item in items)
    return {
        "price": _number(items[0]["unit_price"]),
        "quantity": _number(items[0]["quantity"]),
        "paid_at": first if first.value else None,
        "paid_times": Decimal(len(items)) if others else None,
        "paid_each": apart(first, others[0]) if others else None,
    }


def _times(part: Part) -> Row:
    after = _offset(part.get("starting_at_offset"))
    return {"after": after if after and after.value else None, "lasts": _offset(part.get("duration"))}


def _offset(told: Mapping[str, Any] | None) -> Offset | None:
    return None if told is None else Offset(**told)


def _number(told: Any) -> Decimal | None:
    return None if told is None else Decimal(plain_text(Decimal(told)))


def _unless(usual: str, told: str) -> str:
    """What is as usual is left empty."""
    return "" if told == usual else told
