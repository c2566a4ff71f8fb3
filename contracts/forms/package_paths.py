"""Which field of a package's form stands for what the service calls by a path."""

import re
from collections.abc import Mapping, Sequence

from contracts.forms.package_rows import ANEW, Kind

INDEX = re.compile(r"\[\d+\]")
PART = re.compile(r"(?P<name>\w+)\[(?P<place>\d+)\]\.(?P<own>.+)")
# What the service calls a field of the whole, and which one it is here.
OF_THE_WHOLE = {
    "rate_card_id": "rate_card",
    "usage_statement_schedule.frequency": "frequency",
    "usage_statement_schedule.day": "day",
    "usage_statement_schedule.invoice_generation_starting_at_offset": "invoice_from",
}
# And of a row, by the last part of its path; what is not here has its own name, or stands with the first field.
OF_A_ROW = {
    "product_id": "product",
    "starting_at_offset": "after",
    "duration": "lasts",
    "date_offset": "paid_at",
    "unit_price": "price",
    "multiplier": "percent",
    "tiers": "steps",
    "pricing_group_values": "group_values",
    "presentation_group_values": "presentation",
    "any_commit_or_credit_ids": "payers",
    "is_commit_specific": "payers",
    "specifiers": "products",
    "credit_type_id": "held_in",
    "access_type": "held_in",
    "rollover_fraction": "rollover",
    "applicable_product_ids": "products",
    "applicable_product_tags": "tags",
    "product_tags": "tags",
    "billing_frequency": "frequency",
    "collection_schedule": "collected",
    "initial_quantity": "quantity",
    "initial_unassigned_seats": "quantity",
    "decimal_places": "decimals",
    "rounding_method": "rounding",
    "recurrence_frequency": "each",
    "value": "periods",
    "subscription_id": "of",
    "allocation": "shared",
    "invoice_amount": "billed",
    "invoice_schedule": "price",
}


def field_of(path: str, told: Mapping[str, Sequence[tuple[Kind, int]]], aliases: Sequence[int]) -> str:
    """`told` are the rows of which the service was told, by list; `aliases` the places of those of aliases."""
    found = PART.fullmatch(path)
    if found is None:
        return OF_THE_WHOLE.get(path, path)
    own = INDEX.sub("", found["own"]).split(".")
    if found["name"] == "aliases":
        return f"alias_{aliases[int(found['place'])]}_{own[0]}"
    kind, place = told[found["name"]][int(found["place"])]
    start = f"{kind.name}_{place}_"
    if kind is ANEW and own[0] in ("access_amount", "invoice_amount") and own[-1] in ("unit_price", "quantity"):
        of = {"access_amount": ("amount", "quantity"), "invoice_amount": ("billed", "billed_quantity")}[own[0]]
        return f"{start}{of[own[-1] == 'quantity']}"
    names = (OF_A_ROW.get(name, name) for name in reversed(own))
    return start + next((name for name in names if name in kind.fields), kind.fields[0])
