"""The verbs: everything that writes customers, claims, contracts and terms."""

from contracts.services.contracts import create_contract
from contracts.services.customers import archive_customer, create_customer, set_ingest_aliases, set_name
from contracts.services.edits import edit_contract

__all__ = [
    "archive_customer",
    "create_contract",
    "create_customer",
    "edit_contract",
    "set_ingest_aliases",
    "set_name",
]
