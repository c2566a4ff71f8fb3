"""Customers, contracts and the rate cards they are on, in the admin: what writes is a service behind a form."""

from contracts.admin import (
    contracts,
    custom_fields,
    customers,
    facts,
    logins,
    parties,
    providers,
    rate_cards,
    taxes,
)

__all__ = [
    "contracts",
    "custom_fields",
    "customers",
    "facts",
    "logins",
    "parties",
    "providers",
    "rate_cards",
    "taxes",
]
