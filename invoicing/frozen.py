"""What a document keeps when it leaves draft: values as JSON, exact, and the bytes its hash is made of.

Numbers are written as text with all their digits, instants as RFC 3339, ids as text; nothing passes through a float.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model

from billing_site.foundation.periods import format_instant

# What a document calls the types of products, and which type each of these names is.
PRODUCT_TYPES = {
    "USAGE": "UsageProductListItem",
    "COMPOSITE": "CompositeProductListItem",
    "SUBSCRIPTION": "SubscriptionProductListItem",
    "FIXED": "FixedProductListItem",
    "PRO_SERVICE": "ProServiceProductListItem",
}
TYPES_OF_PRODUCTS = {shown: kind for kind, shown in PRODUCT_TYPES.items()}

ADDED_LATER = {"money_version", "regenerated_from"}


def frozen(value: Any) -> Any:
    """`value` (dataclasses, sequences, mappings, numbers, instants, ids) as JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: frozen(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): frozen(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [frozen(item) for item in value]
    if isinstance(value, Decimal):
        return digits(value)
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, (date, UUID)):
        return str(value)
    return value


def digits(number: Decimal) -> str:
    """The shortest plain spelling: 12.500 is 12.5, and a column's zeros say nothing."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def hash_of(document: Model, lines: Sequence[Model]) -> bytes:
    """SHA-256 over every column of a document, but the hash itself, and of its lines in order.

    The same for rows about to be written and for rows read back. Columns that came later are left out where they are
    empty, so that documents of before keep their hash.
    """
    content = [_columns(document, without={"document_hash"}), [_columns(line, without=set()) for line in lines]]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def _columns(row: Model, *, without: set[str]) -> dict[str, Any]:
    return {
        field.attname: frozen(getattr(row, field.attname))
        for field in row._meta.concrete_fields
        if field.name not in without and not (field.name in ADDED_LATER and getattr(row, field.attname) is None)
    }
